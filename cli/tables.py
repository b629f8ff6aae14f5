"""The tables that commands print for people."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..models.numbers import plain
from ..models.order import TERMS, Order
from ..models.position import Position
from ..models.results import SymbolTotal
from .fitted import Fitted, table
from .replay import Report

_AVERAGE_PLACES = 9


def orders_table(orders: Iterable[Order]) -> Fitted:
    """Return a table of orders, with their filled and open quantities, and what few orders have where one has it."""
    shown = list(orders)
    terms = [name for name in TERMS if any(getattr(order, name) is not None for order in shown)]
    return table(
        ("trader", "order", "symbol", "side", "type", "status", *(name.replace("_", " ") for name in terms)),
        ("quantity", "price", "stop price", "filled", "average", "open"),
        (
            (
                order.trader,
                order.order_id,
                order.symbol,
                order.side,
                order.type,
                order.status,
                *(getattr(order, name) for name in terms),
                order.quantity,
                order.price,
                order.stop_price,
                order.filled_quantity,
                _average(order.average_price),
                order.open_quantity,
            )
            for order in shown
        ),
    )


def positions_table(positions: Iterable[Position]) -> Fitted:
    """Return a table of positions, with the average price and the cost of what is open, what was realized, and fees."""
    positions = list(positions)
    has_fees = any(held.fees for held in positions)
    has_account = any(held.account is not None for held in positions)
    return table(
        ("trader", "symbol", *(["account"] if has_account else []), *(["fees"] if has_fees else [])),
        ("quantity", "multiplier", "average open", "cost", "realized", "bought", "sold"),
        (
            (
                held.trader,
                held.symbol,
                *([held.account] if has_account else []),
                *([_fees(held)] if has_fees else []),
                held.quantity,
                held.multiplier,
                _average(held.average_open_price),
                held.open_cost,
                held.realized_profit,
                held.bought_quantity,
                held.sold_quantity,
            )
            for held in positions
        ),
    )


def _fees(held: Position) -> str:
    """Return fees as people read them: an amount and its currency, which is left out where it is that of the prices."""
    return ", ".join(f"{plain(amount)} {currency}".rstrip() for currency, amount in held.fees.items())


def totals_table(totals: Iterable[SymbolTotal]) -> Fitted:
    """Return a table of symbols, each summed over all traders."""
    return table(
        ("symbol",),
        ("traders", "quantity", "bought", "sold", "cash"),
        (
            (total.symbol, total.traders, total.quantity, total.bought_quantity, total.sold_quantity, total.cash)
            for total in totals
        ),
    )


def report_table(report: Report) -> Fitted:
    """Return a table of the counts of a replay, with a line for each fate of a row."""
    tally, state, rows = report.tally, report.state, report.contents.rows
    rare = {
        "applied out of order": len(tally.out_of_order),
        "under-replicated": tally.under_replicated,
        "applied again after a loss": report.reapplied,
    }
    figures: dict[str, int] = {
        "rows": rows,
        **report.fates,
        **{name: count for name, count in rare.items() if count},
        **{f"orders {status}": count for status, count in state.orders_by_status.items()},
        "traders": len(report.contents.traders),
        "symbols": len(report.contents.symbols),
        "positions": sum(map(len, state.positions.values())),
        **({"positions of accounts": parts} if (parts := sum(map(len, state.account_positions.values()))) else {}),
    }
    return table(
        (f"replayed in {report.seconds:.1f} s",),
        (f"{rows / max(report.seconds, 0.001):,.0f} rows/s",),
        ((name, f"{figure:,}") for name, figure in figures.items()),
    )


def _average(price: Decimal | None) -> Decimal | None:
    return None if price is None else round(price, _AVERAGE_PLACES)

"""The tables that commands print for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich import box
from rich.table import Table

from ..models.numbers import plain
from ..models.order import TERMS, Order
from ..models.position import Position
from ..models.results import SymbolTotal
from .replay import Report

Cell = str | int | Decimal | None
_AVERAGE_PLACES = 9


def table(words: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """Return a table with columns of words, then columns of numbers; None is an empty cell."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in words:
        result.add_column(name, overflow="fold")
    for name in numbers:
        result.add_column(name, justify="right", overflow="fold")
    for row in rows:
        result.add_row(*map(_shown, row))
    return result


def orders_table(orders: Iterable[Order]) -> Table:
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


def positions_table(positions: Iterable[Position]) -> Table:
    """Return a table of positions, with the average price and the cost of what is open, and what was realized."""
    return table(
        ("trader", "symbol"),
        ("quantity", "average open", "cost", "realized", "bought", "sold"),
        (
            (
                held.trader,
                held.symbol,
                held.quantity,
                _average(held.average_open_price),
                held.open_cost,
                held.realized_profit,
                held.bought_quantity,
                held.sold_quantity,
            )
            for held in positions
        ),
    )


def totals_table(totals: Iterable[SymbolTotal]) -> Table:
    """Return a table of symbols, each summed over all traders."""
    return table(
        ("symbol",),
        ("traders", "quantity", "bought", "sold", "cash"),
        (
            (total.symbol, total.traders, total.quantity, total.bought_quantity, total.sold_quantity, total.cash)
            for total in totals
        ),
    )


def report_table(report: Report) -> Table:
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
    }
    return table(
        (f"replayed in {report.seconds:.1f} s",),
        (f"{rows / max(report.seconds, 0.001):,.0f} rows/s",),
        ((name, f"{figure:,}") for name, figure in figures.items()),
    )


def _average(price: Decimal | None) -> Decimal | None:
    return None if price is None else round(price, _AVERAGE_PLACES)


def _shown(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return plain(cell)
    return "" if cell is None else str(cell)

"""Turn records into the rows that a page shows: texts, so that numbers stay exact. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from ..models.errors import printable
from ..models.event import OrderEvent
from ..models.numbers import plain
from ..models.order import Order
from ..models.position import Position

Row: TypeAlias = dict[str, "str | int | bool | None"]
"""One row as JSON: numbers that may have decimals are texts, and None is what is not there."""


def order_row(order: Order) -> Row:
    """Return the row of an order."""
    identity = (order.trader, order.order_id, order.symbol, order.side.value, order.status.value)
    return _order(*identity, order.quantity, order.price, order.filled_quantity, order.ts_ns, order.text)


def order_row_of_event(event: OrderEvent) -> Row | None:
    """Return the row of an order as a change left it; None for a change of something else."""
    if not (event.symbol and event.order_id and event.side and event.status) or event.quantity is None:
        return None
    identity = (event.trader, event.order_id, event.symbol, event.side.value, event.status.value)
    return _order(*identity, event.quantity, event.price, event.filled_quantity or Decimal(0), event.ts_ns, event.text)


def position_row(held: Position) -> Row:
    """Return the row of a position, a trader's or an account's, with all that its profit at a mark is counted from."""
    average = held.average_open_price
    return {
        "trader": held.trader,
        "symbol": held.symbol,
        "account": held.account,
        "quantity": plain(held.quantity),
        "average": None if average is None else plain(round(average, 9)),
        "cost": plain(held.open_cost),
        "realized": plain(held.realized_profit),
        "multiplier": plain(Decimal(1) if held.multiplier is None else held.multiplier),
        "fees": ", ".join(f"{plain(amount)} {currency}".rstrip() for currency, amount in held.fees.items()) or None,
        "time": _time(held.updated_ns),
    }


def event_row(event: OrderEvent, number: int) -> Row:
    """Return the row of an event, with a number of its own: a server that lost events gives their numbers again."""
    last = None
    if event.last_quantity is not None and event.last_price is not None:
        last = f"{plain(event.last_quantity)} at {plain(event.last_price)}"
    position = event.position_quantity
    return {
        "number": number,
        "trader": event.trader,
        "sequence": event.sequence,
        "time": _time(event.ts_ns),
        "type": event.type.value,
        "symbol": event.symbol or _shown(event.kind),
        "order": event.order_id or _shown(event.key),
        "account": event.account,
        "side": None if event.side is None else event.side.value,
        "last": last,
        "status": None if event.status is None else event.status.value,
        "position": None if position is None else plain(position),
        "text": _shown(event.text or event.refused or event.reason),
    }


def limited(row: Mapping[str, str | int | bool | None], trader: str | None) -> bool:
    """Return True for a row that is shown where one trader, or all, are asked for."""
    return trader is None or row["trader"] == trader


def _order(
    trader: str,
    order_id: str,
    symbol: str,
    side: str,
    status: str,
    quantity: Decimal | int,
    price: Decimal | None,
    filled: Decimal | int,
    ts_ns: int,
    text: str | None,
) -> Row:
    return {
        "trader": trader,
        "order": order_id,
        "symbol": symbol,
        "side": side,
        "status": status,
        "quantity": plain(quantity),
        "price": None if price is None else plain(price),
        "filled": plain(filled),
        "time": _time(ts_ns),
        "text": _shown(text),
    }


def _time(ts_ns: int | None) -> str | None:
    """Return nanoseconds since the epoch as a text, since a browser's numbers do not hold them."""
    return None if ts_ns is None else str(ts_ns)


def _shown(text: str | None) -> str | None:
    return None if text is None else printable(text)

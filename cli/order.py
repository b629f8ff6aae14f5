"""``slotbook order`` and ``slotbook fills``: one order with all that happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, TypeAlias

import typer

from ..models.errors import OrderNotFound
from ..models.event import OrderEvent
from ..models.execution import Execution
from ..models.fill_details import DETAILS
from ..models.order import Order
from ..repositories import Book
from .blotter import in_iso
from .fitted import Fitted, table
from .history import events_table
from .options import AsJson, Url, kept_settings
from .output import JsonValue, fields_of, print_json, screen
from .tables import orders_table

Trader: TypeAlias = Annotated[str, typer.Argument(help="Whose order.", show_default=False)]
OrderId: TypeAlias = Annotated[
    str, typer.Argument(help="An id of the order: its own, a ClOrdID, or the venue's.", show_default=False)
]


def order(trader: Trader, order_id: OrderId, url: Url = None, as_json: AsJson = False) -> None:
    """Show an order, its fills and its events.

    All events of the trader that are kept are read for it; the times of fills whose events are not kept are empty.
    """
    with Book.open(kept_settings(url)) as book:
        found, fills = _read(book, trader, order_id)
        events = [event for event in book.events.history(trader) if event.order_id == found.order_id]
    if as_json:
        print_json({**_order(found), "fills": _fills(fills), "events": _events(events)})
        return
    console = screen()
    console.print(orders_table([found]))
    if fills:
        console.print(fills_table(fills))
    console.print(events_table(events))


def fills(trader: Trader, order_id: OrderId, url: Url = None, as_json: AsJson = False) -> None:
    """Show an order's fills, in the order of their events."""
    with Book.open(kept_settings(url)) as book:
        _, found = _read(book, trader, order_id)
    if as_json:
        print_json(_fills(found))
    else:
        screen().print(fills_table(found))


def fills_table(fills: Iterable[Execution]) -> Fitted:
    """Return a table of an order's fills, and their details, where one has some."""
    fills = list(fills)
    details = [name for name in DETAILS if any(getattr(one, name) is not None for one in fills)]
    words = [name for name in details if name != "fee"]
    fees = ["fee"] if "fee" in details else []
    return table(
        ("execution", "late", *(name.replace("_", " ") for name in words)),
        ("sequence", "quantity", "price", "notional", *fees, "time"),
        (
            (
                one.exec_id,
                "late" if one.late else "",
                *(None if (value := getattr(one, name)) is None else str(value) for name in words),
                *(one.sequence, one.quantity, one.price, one.notional),
                *(getattr(one, name) for name in fees),
                None if one.ts_ns is None else in_iso(one.ts_ns),
            )
            for one in fills
        ),
    )


def _read(book: Book, trader: str, order_id: str) -> tuple[Order, list[Execution]]:
    found = book.orders.get(trader, order_id)
    if found is None:
        raise OrderNotFound(f"{trader}/{order_id}: there is no such order; it was never placed, or has expired")
    return found, book.orders.fills(trader, order_id)


def _order(found: Order) -> dict[str, JsonValue]:
    return fields_of(found)


def _fills(found: Sequence[Execution]) -> list[JsonValue]:
    return [fields_of(one) for one in found]


def _events(found: Sequence[OrderEvent]) -> list[JsonValue]:
    return [fields_of(event) for event in found]

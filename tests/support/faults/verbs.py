"""The verbs that write, each as a call that may be made again with the same identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from slotbook import Book
from slotbook.models import Bust, Correct, Fill, Limits, Order, OrderResult
from slotbook.repositories.changes.verb import AnyVerb
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ..make import example, execution, limit

_REVISIONS = ("TRADE_CANCEL", "TRADE_CORRECT")


@dataclass(frozen=True)
class Verb:
    """A verb, the event it leaves, and whether it needs an order that is there."""

    name: str
    event: str
    call: Callable[[Book, str], object]
    needs_an_order: bool = True

    def prepare(self, book: Book, trader: str) -> list[str]:
        """Make the call possible, and return the types of the events so far."""
        if not self.needs_an_order:
            return []
        if self.name == "accept":
            book.orders.place(limit(trader, status="PENDING_NEW"))
            return ["PENDING_NEW"]
        book.orders.place(limit(trader))
        if self.event in _REVISIONS:
            book.orders.fill(execution(trader))
            return ["NEW", "TRADE"]
        return ["NEW"]


def _of_orders(verb: AnyVerb) -> Verb:
    def call(book: Book, trader: str) -> object:
        request, method = example(verb.request, trader), getattr(book.orders, verb.name)
        if isinstance(request, Order | Fill):
            return method(request)
        known = {} if isinstance(request, Bust | Correct) else {"request_id": "R1"}
        given = request.model_dump(exclude_unset=True, exclude_computed_fields=True, exclude={*known})
        return method(**known, **given)

    return Verb(verb.name, verb.event or "", call, needs_an_order=verb.request is not Order)


_FIRST = (Order, Fill)
"""Requests whose verbs come first, where tests pick them by their number."""
VERBS = (
    *map(_of_orders, sorted(ORDER_VERBS, key=lambda verb: _FIRST.index(verb.request) if verb.request in _FIRST else 2)),
    Verb(
        "adjust",
        "POSITION",
        lambda book, trader: book.positions.adjust(trader, "AAPL", 5, request_id="P1", ts_ns=7),
        needs_an_order=False,
    ),
    Verb(
        "set",
        "POSITION",
        lambda book, trader: book.positions.set(trader, "AAPL", 5, request_id="P1", ts_ns=7),
        needs_an_order=False,
    ),
    Verb(
        "check_and_update",
        "POSITION",
        lambda book, trader: book.positions.check_and_update(trader, "AAPL", 5, 10, request_id="P1", ts_ns=7),
        needs_an_order=False,
    ),
    Verb(
        "limits",
        "LIMITS",
        lambda book, trader: book.limits.set(Limits(trader=trader, max_order=500), request_id="L1", ts_ns=7),
        needs_an_order=False,
    ),
    Verb("trading", "TRADING", lambda book, trader: book.trading(trader, "halted", request_id="H1")),
)
"""Every verb that is applied once however often it is sent."""

BY_NAME = {verb.name: verb for verb in VERBS}


def content_of(result: object) -> tuple[object, ...]:
    """Return what a caller learns from a result, except whether it was this call that applied it."""
    if isinstance(result, OrderResult):  # a repeat need not know its number
        return (cast("OrderResult[Order]", result).order,)
    return tuple(getattr(result, name, None) for name in ("order", "position", "late", "accepted", "sequence"))

"""The verbs that write, each as a call that may be made again with the same identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slotbook import Book
from slotbook.models import OrderResult

from ..make import execution, limit


@dataclass(frozen=True)
class Verb:
    """A verb, the event it leaves, and what must have happened before it."""

    name: str
    event: str
    call: Callable[[Book, str], object]
    needs_an_order: bool = True

    def prepare(self, book: Book, trader: str) -> list[str]:
        """Make the call possible; the events so far."""
        if not self.needs_an_order:
            return []
        book.orders.place(limit(trader))
        return ["NEW"]


def _place(book: Book, trader: str) -> OrderResult:
    return book.orders.place(limit(trader))


def _replace(book: Book, trader: str) -> OrderResult:
    return book.orders.replace(trader, "A1", quantity=150, price="188", request_id="R1", ts_ns=7)


VERBS = (
    Verb("place", "NEW", _place, needs_an_order=False),
    Verb("fill", "TRADE", lambda book, trader: book.orders.fill(execution(trader))),
    Verb("replace", "REPLACED", _replace),
    Verb("cancel", "CANCELED", lambda book, trader: book.orders.cancel(trader, "A1", ts_ns=7)),
    Verb("reject", "REJECTED", lambda book, trader: book.orders.reject(trader, "A1", ts_ns=7)),
    Verb("expire", "EXPIRED", lambda book, trader: book.orders.expire(trader, "A1", ts_ns=7)),
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
)
"""Every verb that is applied once however often it is sent."""

BY_NAME = {verb.name: verb for verb in VERBS}


def content_of(result: object) -> tuple[object, ...]:
    """What a caller learns from a result, except whether it was this call that applied it."""
    if isinstance(result, OrderResult):  # a repeat need not know its number
        return (result.order,)
    return tuple(getattr(result, name, None) for name in ("order", "position", "late", "accepted", "sequence"))

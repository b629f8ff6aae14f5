"""The life of an order as rows of a journal, and how it is forgotten."""

from __future__ import annotations

import time
from decimal import Decimal

from slotbook import Book
from slotbook.models import Cancel, Replace
from slotbook.repositories.orders.reconciliation import Reconciliation
from slotbook.repositories.orders.verbs import OrderRequest

from .desk import Desk
from .make import TS, execution, limit

BRIEF = {"order_ttl": 0.1, "deadline": 0.8, "socket_timeout": 0.2}
"""Settings by which an order is forgotten a second after its end."""


def day(trader: str, order_id: str = "A1", ts_ns: int = TS) -> list[OrderRequest]:
    """Return the life of an order: 50 of 80 are bought, the rest is canceled."""
    return [
        limit(trader, order_id, ts_ns=ts_ns),
        execution(trader, f"X-{order_id}", 40, order_id=order_id, ts_ns=ts_ns + 1),
        Replace(
            trader=trader,
            order_id=order_id,
            request_id=f"R-{order_id}",
            revision=1,
            quantity=80,
            price=Decimal("187.5"),
            ts_ns=ts_ns + 2,
        ),
        execution(trader, f"Y-{order_id}", 10, order_id=order_id, ts_ns=ts_ns + 3),
        Cancel(trader=trader, order_id=order_id, request_id=f"C-{order_id}", ts_ns=ts_ns + 4),
    ]


def fates(done: Reconciliation) -> tuple[int, int, int, int, int]:
    """Return how many rows were applied, repeated, out of date, refused, and refused but not for good."""
    return done.applied, done.repeated, done.out_of_date, done.refused, done.would_apply


def forget(desk: Desk, book: Book, how: str, order_id: str = "A1") -> None:
    """Let an order that has ended be gone."""
    if how == "deleted":
        book.orders.delete(desk.trader, order_id)
    until = time.monotonic() + 10
    while desk.ask("EXISTS", f"%:order:{order_id}"):
        assert time.monotonic() < until
        time.sleep(0.05)

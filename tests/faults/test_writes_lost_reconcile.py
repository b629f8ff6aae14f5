"""Fault "writes lost": while a journal is applied, also of what is known only from the stream that was read before."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models import Cancel
from slotbook.repositories.orders.reconciliation import Reconciliation
from slotbook.repositories.orders.verbs import OrderRequest
from slotbook.topology.embedded import Topology

from ..support.faults.control import Control
from ..support.faults.watch import replicated
from ..support.make import execution, fresh, limit
from .conftest import Deploy
from .test_writes_lost_repeats import replace_the_primary

TOPOLOGIES: tuple[Topology, ...] = ("sentinel", "cluster")


def day(trader: str, order_id: str) -> list[OrderRequest]:
    """Return the life of an order of which 40 are bought."""
    return [
        limit(trader, order_id),
        execution(trader, f"X-{order_id}", 40, order_id=order_id),
        Cancel(trader=trader, order_id=order_id, request_id=f"C-{order_id}", ts_ns=7),
    ]


def once(action: Callable[[], object], rows: int) -> Callable[[Reconciliation], None]:
    """Return a callback that acts when so many rows are done."""
    done = threading.Event()

    def act(so_far: Reconciliation) -> None:
        if so_far.rows >= rows and not done.is_set():
            done.set()
            action()

    return act


def positions(book: Book, trader: str) -> int:
    return book.positions.get(trader, "AAPL").quantity


@pytest.fixture(params=TOPOLOGIES)
def control(request: pytest.FixtureRequest, deploy: Deploy) -> Control:
    """Return servers of a topology in which a replica takes over."""
    return deploy(request.param)


def lose_by(control: Control, trader: str) -> Callable[[], object]:
    """Cut the replicas off, and return a function that makes one of them the primary."""
    replicated(control, f"{{{trader}}}")
    primary = control.primary(f"{{{trader}}}")
    replicas = control.strand(primary)
    return lambda: replace_the_primary(control, trader, primary, replicas)


@pytest.mark.parametrize("last", ["answered from the stream", "sent"])
def test_what_was_answered_from_the_stream_is_missed(control: Control, last: str) -> None:
    """A2 is gone and known from its events; these are lost after they were read."""
    trader = fresh()
    journal = [*day(trader, "A1"), *day(trader, "A2")]
    if last == "sent":
        journal += day(trader, "A3")
    with Book.open(control.url(deadline=20)) as writer, Book.open(control.url(deadline=20)) as book:
        writer.reconcile(day(trader, "A1"))
        lose = lose_by(control, trader)
        writer.reconcile(day(trader, "A2"))
        writer.orders.delete(trader, "A2")
        done = book.reconcile(journal, batch=3, progress=once(lose, 6))
        # Its first row is found in what was read; the others may be refused, for their order is not there.
        assert [(loss.trader, loss.first, loss.last) for loss in done.losses] == [(trader, 6, 6)]
        assert done.repeated == 6
        assert positions(book, trader) == (80 if last == "sent" else 40)
        again = book.reconcile(journal)
        assert (again.applied, again.losses, again.is_complete) == (3, [], True)
        assert positions(book, trader) == 40 * len(journal) // 3
        assert book.losses() == []


def test_an_order_that_was_lost_after_its_stream_was_read_is_not_taken_for_a_repeat(control: Control) -> None:
    """A2 is open, so its fill is sent; the new primary does not know it, and what was read of it is out of date."""
    trader = fresh()
    journal = [*day(trader, "A1"), *day(trader, "A2")]
    with Book.open(control.url(deadline=20)) as writer, Book.open(control.url(deadline=20)) as book:
        writer.reconcile(day(trader, "A1"))
        lose = lose_by(control, trader)
        writer.reconcile(day(trader, "A2")[:2])
        done = book.reconcile(journal, batch=2, progress=once(lose, 4))
        assert [(loss.trader, loss.last) for loss in done.losses] == [(trader, 5)]
        assert (done.repeated, done.refused, done.applied) == (4, 2, 0)
        assert positions(book, trader) == 40
        again = book.reconcile(journal)
        assert (again.applied, again.repeated, again.losses) == (3, 3, [])
        assert positions(book, trader) == 80


def test_what_was_read_is_forgotten_once_a_loss_is_noticed(control: Control) -> None:
    """A fill of the lost order B is told of it; after that A2 is unknown, as it is to the book, and is applied."""
    trader = fresh()
    told = [execution(trader, f"Z{number}", 1, order_id="B") for number in range(3)]
    with Book.open(control.url(deadline=20)) as writer, Book.open(control.url(deadline=20)) as book:
        writer.reconcile(day(trader, "A1"))
        lose = lose_by(control, trader)
        writer.reconcile([limit(trader, "B"), *day(trader, "A2")])
        writer.orders.delete(trader, "A2")
        done = book.reconcile([*day(trader, "A1"), *told, *day(trader, "A2")], batch=3, progress=once(lose, 3))
        assert [(loss.trader, loss.last) for loss in done.losses] == [(trader, 7)]
        assert (done.applied, done.repeated, done.refused) == (3, 3, 3)
        assert positions(book, trader) == 80

"""Fault "writes lost": while a journal is applied, also of what is known only from the stream that was read before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from slotbook import Book
from slotbook.cli.journal_file import open_journal
from slotbook.cli.replay import apply_journal, contents_of
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


def positions(book: Book, trader: str) -> Decimal | int:
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


@pytest.mark.parametrize("others", [1, 3])
def test_reading_a_stream_does_not_hide_an_earlier_loss(control: Control, others: int) -> None:
    """Another writer has used the lost number, and more; that these are there proves nothing."""
    trader = fresh()
    with Book.open(control.url(deadline=20)) as book, Book.open(control.url(deadline=20)) as another:
        book.orders.place(limit(trader, "A1"))
        lose = lose_by(control, trader)
        book.orders.place(limit(trader, "A2"))
        lose()
        for number in range(others):
            another.orders.place(limit(trader, f"B{number}"))
        done = book.reconcile([limit(trader, "A1"), limit(trader, "A2")])
        assert [(loss.trader, loss.first, loss.last) for loss in done.losses] == [(trader, 2, 2)]
        assert (done.applied, done.repeated) == (1, 1)
        assert book.losses() == []


def test_a_replay_applies_once_more_what_the_servers_lost(control: Control, tmp_path: Path) -> None:
    trader, path = fresh(), tmp_path / "journal.csv"
    rows = [
        f"{number},{number},{trader},{event},A{number // 10},AAPL,BUY,4,187,{exec_id}\n"
        for number, event, exec_id in ((10, "NEW", ""), (11, "FILL", "X1"), (20, "NEW", ""), (21, "FILL", "X2"))
    ]
    more = [f"{number},{number},{trader},NEW,A{number},AAPL,BUY,4,187,\n" for number in range(30, 34)]
    path.write_text("seq,ts_ns,trader,event,order_id,symbol,side,quantity,price,exec_id\n" + "".join(rows + more))
    lose: list[Callable[[], object]] = []

    def advance(count: int) -> None:
        if not lose:
            lose.append(lose_by(control, trader))
        elif len(lose) == 1:
            lose.append(lose[0])
            lose[0]()

    with Book.open(control.url(deadline=20)) as book, open_journal(path) as journal:
        report = apply_journal(book, journal, contents_of(journal, lambda _: None), 2, advance)
        assert (report.reapplied, report.tally.applied, report.tally.repeated) == (2, 8, 0)
        assert (report.tally.is_complete, report.tally.settled) == (True, 8)
        assert positions(book, trader) == 8

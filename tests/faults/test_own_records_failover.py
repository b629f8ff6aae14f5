"""Fault "primary killed", or failed over, while own records are written: none is lost, no change is doubled."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import pytest
from slotbook import Book
from slotbook.models import Delete, Entity, Index, Insert, Key, RecordResult, Unique, Update
from slotbook.models.errors import OutcomeUnknown, StateLost, UnderReplicated
from slotbook.models.types import Name, Quantity
from slotbook.topology.embedded import Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control, wait_until
from ..support.make import execution, fresh, limit
from .conftest import Deploy

C = TypeVar("C")
WORKERS = 3
PAUSE = 0.02
"""What a worker waits after each turn, in seconds, so that it does not fill a processor while servers fail over."""


class Booking(Entity, kind="booking"):
    trader: Name
    booking_id: Annotated[Name, Key]
    account: Annotated[Name, Index] = "ACC1"
    reference: Annotated[Name | None, Unique] = None
    quantity: Quantity = 1


class Worker:
    """A thread that changes its own records in turns of five changes, each until it is acknowledged."""

    def __init__(self, url: str, trader: str, number: int, caller: Caller) -> None:
        self.turns = 0
        self.errors: list[BaseException] = []
        self._name = f"W{number}"
        self._trader = trader
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(url, caller))
        self._thread.start()

    def stop(self) -> None:
        """Let the worker end its turn."""
        self._is_over.set()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def _work(self, url: str, caller: Caller) -> None:
        try:
            with asyncio.Runner() as runner:
                book = open_book(url, caller, runner)
                try:
                    while not self._is_over.is_set():
                        self._turn(book, self.turns + 1)
                        self.turns += 1
                        time.sleep(PAUSE)
                finally:
                    book.close()
        except BaseException as error:
            self.errors.append(error)

    def _turn(self, book: Book, turn: int) -> None:
        """Insert a record, move a counter and a unique value, place and fill an order, and delete the record before."""
        table, trader, me = book.table(Booking), self._trader, f"{self._name}-{turn}"
        counter = Booking(trader=trader, booking_id=self._name, reference=self._name)
        if turn == 1:
            acknowledged(lambda: table.insert(counter, ts_ns=1))
        acknowledged(lambda: table.insert(Booking(trader=trader, booking_id=me, account=self._name), ts_ns=1))
        changes = {"quantity": turn + 1, "reference": f"{self._name}.{turn}"}
        moved = Update(Booking, trader, self._name, changes, request_id=f"U{me}", expected_version=turn)
        result = acknowledged(lambda: book.commit([moved, limit(trader, me), execution(trader, me, 3, order_id=me)]))
        assert isinstance(result[0], RecordResult)
        assert result[0].record is not None
        if turn > 1:
            before = f"{self._name}-{turn - 1}"
            gone = Delete(Booking, trader, before, request_id=f"D{me}")
            again = Insert(Booking(trader=trader, booking_id=f"{before}.kept", account="KEPT"), ts_ns=1)
            acknowledged(lambda: book.commit([gone, again]))


def acknowledged(change: Callable[[], C]) -> C:
    """Make a change, again with the same identity until enough copies have it."""
    while True:
        try:
            return change()
        except (UnderReplicated, StateLost, OutcomeUnknown):
            pass


def kill(control: Control, key: str) -> None:
    was = control.primary(key)
    control.kill(was)
    control.promoted(was, key)
    control.restart(was)


def fail_over(control: Control, key: str) -> None:
    control.failover(key)


def by_force(control: Control, key: str) -> None:
    control.cluster_failover(key, "FORCE")


BREAKS: dict[str, tuple[Topology, str, Callable[[Control, str], None]]] = {
    "sentinel-killed": ("sentinel", "replicated=1", kill),
    "sentinel-failover": ("sentinel", "replicated=2", fail_over),
    "cluster-killed": ("cluster", "replicated=1", kill),
    "cluster-failover": ("cluster", "replicated=1", fail_over),
    "cluster-forced": ("cluster", "replicated=1", by_force),
}


@pytest.mark.parametrize("how", BREAKS)
def test_nothing_acknowledged_is_lost_and_nothing_doubled(deploy: Deploy, how: str) -> None:
    topology, durability, broken = BREAKS[how]
    control, trader = deploy(topology), fresh()
    url = control.url(deadline=20, durability=durability)
    workers = [Worker(url, trader, number, CALLERS[number % 2]) for number in range(WORKERS)]
    try:
        for _ in range(2):
            more(workers)
            broken(control, f"{{{trader}}}")
            control.heal()
        more(workers)
    finally:
        for worker in workers:
            worker.stop()
    assert [worker.errors for worker in workers] == [[]] * WORKERS
    with Book.open(control.url(deadline=20)) as book:
        check(book, trader, [worker.turns for worker in workers])


def more(workers: list[Worker], turns: int = 10) -> None:
    goals = [(worker, worker.turns + turns) for worker in workers]
    wait_until(
        lambda: all(worker.errors or worker.turns >= goal for worker, goal in goals),
        "all workers have come further",
        60,
    )


def check(book: Book, trader: str, turns: list[int]) -> None:
    """Compare everything that is stored with what the workers were told."""
    table = book.table(Booking)
    for number, count in enumerate(turns):
        name = f"W{number}"
        counter = table.get(trader, name)
        assert counter is not None
        assert (counter.version, counter.quantity, counter.reference) == (count + 1, count + 1, f"{name}.{count}")
        assert [one.booking_id for one in table.by(trader, {"account": name})] == [f"{name}-{count}"]
    assert table.count(trader, {"account": "KEPT"}) == sum(turns) - WORKERS
    assert table.count(trader) == sum(turns) + WORKERS
    assert book.positions.get(trader, "AAPL").bought_quantity == 3 * sum(turns)
    events = book.events.history(trader)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    kinds = [str(event.type.value) for event in events]
    assert kinds.count("UPDATE") == kinds.count("NEW") == kinds.count("TRADE") == sum(turns)
    assert kinds.count("DELETE") == sum(turns) - WORKERS
    assert kinds.count("INSERT") == WORKERS + sum(turns) + sum(turns) - WORKERS
    assert [one.message for one in book.audit.verify(trader) if one.is_difference] == []

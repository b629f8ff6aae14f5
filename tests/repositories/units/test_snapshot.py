"""Test snapshot: a trader's whole book as it was after one event, however many changes come while it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle
from typing import TypeVar, cast

import pytest
from slotbook import Book
from slotbook.models import Cancel, Order, OrderEvent, PositionChange, Replace, Snapshot
from slotbook.models.errors import HistoryTrimmed
from slotbook.models.wire import decode
from slotbook.repositories.book.snapshot import PAGE, TRIES, snapshot
from slotbook.topology.settings import Settings
from slotbook.topology.steps import Steps

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.raw import mapping
from ...support.reference import ReferenceBook, Request

T = TypeVar("T")


def test_a_book_without_changes_is_empty(desk: Desk) -> None:
    assert desk.book.snapshot(desk.trader) == Snapshot(desk.trader, 0, [], [])


def test_a_snapshot_has_everything(desk: Desk) -> None:
    trader = desk.trader
    desk.book.orders.place_many([limit(trader, f"A{number:03}", symbol=f"S{number % 3}") for number in range(450)])
    desk.book.commit([execution(trader, order_id="A000"), Cancel(trader=trader, order_id="A001")])
    desk.book.positions.adjust(trader, "MSFT", -5)
    found = desk.book.snapshot(trader)
    assert (found.trader, found.sequence) == (trader, 453)
    ids = [(trader, f"A{number:03}") for number in range(450)]
    assert found.orders == [outcome.result() for outcome in desk.book.orders.get_many(ids)]
    assert [order.status for order in found.orders[:3]] == ["PARTIALLY_FILLED", "CANCELED", "NEW"]
    assert found.positions == desk.book.positions.all(trader)
    assert [position.symbol for position in found.positions] == ["MSFT", "S0"]  # S1 and S2 have open orders alone


def disturbed(steps: Steps[T], disturb: Callable[[], None]) -> Steps[T]:
    """Do something after each step of an operation."""
    step = next(steps)
    while True:
        answer = yield step
        disturb()
        try:
            step = steps.send(answer)
        except StopIteration as ended:
            return cast(T, ended.value)


@pytest.fixture
def writer(desk: Desk) -> Iterator[Book]:
    """Yield a book of another writer, for threads, whatever the desk's own is."""
    with open_book(desk.fleet.url(), "sync", desk.runner) as book:
        yield book


def changes(trader: str) -> Iterator[Request]:
    """Yield changes without end: of orders that have been read already, and of those that have not."""
    for number, symbol in enumerate(cycle(["S0", "S1", "S2", "S3"])):
        yield execution(trader, f"X{number}", 1, order_id=f"A{number * 7 % 300:03}")
        yield limit(trader, f"B{number}", symbol=symbol)
        yield Replace(trader=trader, order_id=f"B{number}", request_id="R1", quantity=number + 1)
        yield PositionChange(trader=trader, symbol=symbol, request_id=f"P{number}", quantity=1)
        yield Cancel(trader=trader, order_id=f"B{number}", request_id="C1")


def write_next(writer: Book, history: list[Request], requests: Iterator[Request], several: int) -> None:
    unit = [next(requests) for _ in range(several)]
    writer.commit(unit)
    history += unit


def as_of(history: Sequence[Request], sequence: int, trader: str) -> Snapshot:
    """Return what a plain Python book has after some changes, each of which is one event."""
    book = ReferenceBook()
    for request in history[:sequence]:
        book.apply(request)
    orders = [book.orders[key].now for key in sorted(book.orders)]
    return Snapshot(trader, sequence, orders, [book.positions[key] for key in sorted(book.positions)])


@pytest.mark.parametrize("several", [1, 3, 250])
def test_what_changes_while_it_is_read_is_in_it_up_to_one_event(desk: Desk, writer: Book, several: int) -> None:
    trader = desk.trader
    history: list[Request] = [limit(trader, f"A{number:03}", symbol=f"S{number % 5}") for number in range(300)]
    for start in range(0, 300, 100):
        writer.commit(history[start : start + 100])
    requests, left = changes(trader), [8]

    def disturb() -> None:
        if left[0]:
            left[0] -= 1
            write_next(writer, history, requests, several)

    found = desk.book.backend.drive(disturbed(snapshot(Settings(), trader, Order), disturb))
    assert 300 < found.sequence <= len(history)
    assert found == as_of(history, found.sequence, trader)


def fold(state: Snapshot, events: Sequence[OrderEvent]) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return what later events make of a snapshot: terms of orders and quantities of positions."""
    held = {("order", one.order_id): terms_of(one) for one in state.orders}
    held |= {("position", one.symbol): (one.quantity,) for one in state.positions}
    for event in events:
        if event.order_id is not None:
            terms = (event.status, event.quantity, event.price, event.filled_quantity or 0)
            held["order", event.order_id] = terms
        if event.symbol is not None and event.position_quantity is not None:
            held["position", event.symbol] = (event.position_quantity,)
    return held


def terms_of(order: Order) -> tuple[object, ...]:
    return order.status, order.quantity, order.price, order.filled_quantity


def test_a_book_is_followed_from_a_snapshot_while_others_write(desk: Desk, writer: Book) -> None:
    trader = desk.trader
    history: list[Request] = [limit(trader, f"A{number:03}", symbol=f"S{number % 5}") for number in range(300)]
    for start in range(0, 300, 100):
        writer.commit(history[start : start + 100])
    enough = threading.Event()

    def write() -> None:
        requests = changes(trader)
        while not enough.is_set():
            write_next(writer, history, requests, 5)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        snapshots = [desk.book.snapshot(trader) for _ in range(5)]
    finally:
        enough.set()
        writing.join()
    last = desk.book.snapshot(trader)
    assert last == as_of(history, len(history), trader)
    for found in snapshots:
        assert found == as_of(history, found.sequence, trader)
        assert fold(found, followed(desk, found, last.sequence)) == fold(last, [])


def followed(desk: Desk, found: Snapshot, last: int) -> list[OrderEvent]:
    """Return the events after a snapshot up to the last, as a follower yields them."""
    events: list[OrderEvent] = []
    with (
        open_book(desk.fleet.url(), "sync", desk.runner) as book,
        book.events.follow(found.trader, since=found.sequence, poll=0.05) as follower,
    ):
        while found.sequence + len(events) < last:
            events.append(next(iter(follower)))
    assert [event.sequence for event in events] == list(range(found.sequence + 1, last + 1))
    return events


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("times", [1, TRIES - 1, TRIES])
def test_when_what_came_meanwhile_was_trimmed_it_is_read_anew(desk: Desk, writer: Book, times: int, kept: int) -> None:
    trader, begun = desk.trader, count()
    writer.orders.place_many([limit(trader, f"A{number}") for number in range(PAGE)])

    def disturb() -> None:
        attempt, step = divmod(next(begun), 3)  # it begins, reads a page of orders, and reads what came meanwhile
        if step == 0 and attempt < times:
            for _ in range(2):
                writer.positions.adjust(trader, "MSFT", 1)
            desk.ask("XTRIM", "%:events", "MAXLEN", kept)

    steps = disturbed(snapshot(Settings(), trader, Order), disturb)
    if times == TRIES:
        with pytest.raises(HistoryTrimmed, match=trader):
            desk.book.backend.drive(steps)
        return
    found = desk.book.backend.drive(steps)
    assert (found.sequence, len(found.orders)) == (PAGE + 2 * times, PAGE)
    assert [position.quantity for position in found.positions] == [2 * times]


def test_an_order_that_is_deleted_while_it_is_read_is_not_in_it(desk: Desk, writer: Book) -> None:
    writer.commit([limit(desk.trader), limit(desk.trader, "A2"), Cancel(trader=desk.trader, order_id="A1")])

    def disturb() -> None:
        writer.orders.delete(desk.trader, "A1")

    found = desk.book.backend.drive(disturbed(snapshot(Settings(), desk.trader, Order), disturb))
    assert [order.order_id for order in found.orders] == ["A2"]
    assert found.sequence == 3


def test_what_is_read_is_what_is_stored(desk: Desk) -> None:
    desk.book.commit([limit(desk.trader), execution(desk.trader)])
    found = desk.book.snapshot(desk.trader)
    [order], [position] = found.orders, found.positions
    assert order == decode(type(order), "order", mapping(desk.ask("HGETALL", "%:order:A1")))
    assert position == decode(type(position), "position", mapping(desk.ask("HGETALL", "%:position:AAPL")))

"""An observer is told of every call once, for threads and asyncio on every topology; it changes no call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from slotbook import Book, Observer, errors
from slotbook.topology.observing import Notice, ObservedCall

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.observed import Kept, Raising

Open = Callable[[Observer], Book]


@pytest.fixture
def opened(desk: Desk) -> Iterator[Open]:
    """Yield a function that opens a book with an observer on the desk's servers."""
    books: list[Book] = []

    def begin(observer: Observer) -> Book:
        books.append(open_book(desk.fleet.url({}), desk.caller, desk.runner, observer))
        return books[-1]

    yield begin
    for book in books:
        book.close()


def test_each_call_is_told_once_with_how_it_ended(desk: Desk, opened: Open) -> None:
    kept, trader = Kept(), desk.trader
    book = opened(kept)
    book.orders.place(limit(trader, "A1", quantity=10))
    book.orders.place(limit(trader, "A1", quantity=10))
    for _ in range(2):  # the first time, a server may not know the script
        with pytest.raises(errors.OrderNotFound):
            book.orders.fill(execution(trader, "X1", order_id="A2", quantity=1))
    book.orders.get(trader, "A1")
    assert isinstance(kept.calls[3].error, errors.OrderNotFound)
    refused = [("fill", "refused")] * 2
    assert kept.take() == [("place", "applied"), ("place", "repeated"), *refused, ("get", "read")]


def test_a_call_says_where_it_went_how_long_it_took_and_by_what_command(desk: Desk, opened: Open) -> None:
    kept = Kept()
    book = opened(kept)
    book.positions.get(desk.trader, "AAPL")
    (call,) = kept.calls
    assert call.node in {f"{server.host}:{server.port}" for server in desk.fleet.deployment.servers}
    assert (call.verb, call.command, call.is_script, call.tries, list(call.failures)) == (
        *("get position", "HGETALL", False, 1),
        [],
    )
    assert 0 < call.seconds < 10
    assert desk.trader not in repr(call)
    kept.calls.clear()
    book.orders.place(limit(desk.trader, "A1"))
    (placed,) = kept.calls
    assert placed.is_script
    assert placed.command == "EVALSHA"
    assert placed.error is None


def test_the_calls_of_a_batch_come_together(desk: Desk, opened: Open) -> None:
    kept, traders = Kept(), [desk.trader, desk.another(), desk.another()]
    book = opened(kept)
    outcomes = book.orders.place_many([limit(trader, "A1") for trader in traders])
    assert [outcome.result().applied for outcome in outcomes] == [True] * 3
    assert kept.batches == [3]
    assert kept.take() == [("place", "applied")] * 3
    book.orders.get_many([(trader, "A1") for trader in traders])
    assert kept.batches == [3]
    assert kept.take() == [("get", "read")] * 3


def test_a_batch_says_the_outcome_of_each_of_its_calls(desk: Desk, opened: Open) -> None:
    kept, other = Kept(), desk.another()
    book = opened(kept)
    book.orders.place_many([limit(desk.trader, "A1", quantity=10), limit(other, "A1", quantity=10)])
    kept.take()
    book.orders.fill_many(
        [
            execution(desk.trader, "X1", order_id="A1", quantity=3),
            execution(other, "X1", order_id="A1", quantity=30),
        ]
    )
    assert kept.take() == [("fill", "applied"), ("fill", "refused")]


def test_an_observer_that_raises_changes_no_call_and_is_logged_once(
    desk: Desk, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Raising()
    book = opened(broken)
    with caplog.at_level(logging.ERROR, "slotbook.observer"):
        assert book.orders.place(limit(desk.trader, "A1")).applied
        assert not book.orders.place(limit(desk.trader, "A1")).applied
        with pytest.raises(errors.OrderNotFound):
            book.orders.fill(execution(desk.trader, "X1", order_id="A2", quantity=1))
        assert book.orders.get_many([(desk.trader, "A1")])[0].result()
    assert len(broken.calls) == 4
    assert [record.name for record in caplog.records] == ["slotbook.observer"]
    assert "the observer is broken" in caplog.text


def test_who_derives_from_it_may_leave_out_a_method(desk: Desk, opened: Open) -> None:
    class OnlyNotices(Observer):
        def noticed(self, notice: Notice) -> None:
            raise AssertionError(notice)

    assert opened(OnlyNotices()).orders.place(limit(desk.trader, "A1")).applied


def test_a_change_that_waits_for_replicas_is_told_once_too(desk: Desk) -> None:
    kept = Kept()
    book = open_book(desk.fleet.url({"replication_wait": 0.2}), desk.caller, desk.runner, kept)
    try:
        with pytest.raises(errors.UnderReplicated):
            book.orders.place(limit(desk.trader, "A1"), durability="replicated=9")
    finally:
        book.close()
    (call,) = kept.calls
    assert isinstance(call, ObservedCall)
    assert (call.outcome, type(call.error)) == ("applied", errors.UnderReplicated)

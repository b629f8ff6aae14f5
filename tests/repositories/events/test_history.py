"""The history of a trader: typed, in order, and with an error for events that are no longer kept."""

from __future__ import annotations

import pytest
from slotbook.models.errors import CorruptRecord, HistoryTrimmed, InvalidArgument

from ...support.desk import Desk
from ...support.make import execution, limit


def test_history_is_what_the_stream_holds(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    book.orders.cancel(trader, "A1")
    book.positions.adjust(trader, "AAPL", 1, request_id="R1")
    assert book.events.history(trader) == desk.events()
    assert [event.position_quantity for event in book.events.history(trader)] == [None, 40, None, 41]
    assert book.events.history(desk.another()) == []


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, range(1, 10)),
        ({"since": 0}, range(1, 10)),
        ({"since": 3}, range(4, 10)),
        ({"since": 3, "until": 5}, range(4, 6)),
        ({"until": 2}, range(1, 3)),
        ({"limit": 4}, range(1, 5)),
        ({"since": 6, "limit": 2}, range(7, 9)),
        ({"since": 9}, range(0)),
        ({"since": 40}, range(0)),
        ({"until": 0}, range(0)),
    ],
)
def test_limits(lone_desk: Desk, limits: dict[str, int], expected: range) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(9)])
    assert [event.sequence for event in book.events.history(trader, **limits)] == list(expected)


def test_more_than_a_page(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(2_300)])
    assert [event.sequence for event in book.events.history(trader)] == list(range(1, 2_301))
    assert [event.sequence for event in book.events.history(trader, since=900, limit=1_200)] == list(range(901, 2_101))


def test_events_that_are_no_longer_kept_are_reported(desk: Desk) -> None:
    trader = desk.trader
    book = desk.open(events_kept=100)
    book.orders.place_many([limit(trader, f"A{number}") for number in range(600)])
    first = book.events.history(trader, limit=1)[0].sequence
    assert 1 < first <= 501
    with pytest.raises(HistoryTrimmed) as caught:
        book.events.history(trader, since=0)
    assert (caught.value.trader, caught.value.first, caught.value.last) == (trader, 1, first - 1)
    assert [event.sequence for event in book.events.history(trader, since=caught.value.last)] == list(range(first, 601))


def test_trim_removes_by_number_and_never_the_last(desk: Desk) -> None:
    book, trader = desk.open(events_kept="all"), desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(10)])
    assert book.events.trim(trader, 8) == 7
    assert [event.sequence for event in book.events.history(trader)] == [8, 9, 10]
    assert book.events.trim(trader, 8) == 0
    assert book.events.trim(trader, 1_000) == 2
    book.orders.place(limit(trader, "B1"))
    assert [event.sequence for event in book.events.history(trader)] == [10, 11]
    assert book.events.trim(desk.another(), 5) == 0


def test_a_deleted_event_is_reported_as_a_gap(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(5)])
    lone_desk.vandalise("XDEL", "%:events", "3-0")
    with pytest.raises(HistoryTrimmed, match="events 3 to 3"):
        book.events.history(trader)


def test_an_event_that_cannot_be_read(lone_desk: Desk) -> None:
    lone_desk.vandalise("XADD", "%:events", "1-0", "type", "NONSENSE", "ts_ns", 1, "symbol", "AAPL")
    with pytest.raises(CorruptRecord, match="NONSENSE"):
        lone_desk.book.events.history(lone_desk.trader)


@pytest.mark.parametrize(
    "bad", [{"since": -1}, {"until": "5"}, {"limit": 0}, {"since": True}, {"limit": 1.5}, {"until": 2**60}]
)
def test_bad_limits_are_refused(lone_desk: Desk, bad: dict[str, int]) -> None:
    with pytest.raises(InvalidArgument):
        lone_desk.book.events.history(lone_desk.trader, **bad)

"""A follower's belief, step by step: what it takes from messages, and when it asks the stream."""

from __future__ import annotations

import pytest
from slotbook.models import OrderEvent
from slotbook.models.errors import HistoryTrimmed, StateLost
from slotbook.models.event import document
from slotbook.repositories.events.calls import PAGE, EventCalls, StreamEntry
from slotbook.repositories.events.cursor import REMEMBERED, Cursor
from slotbook.topology.settings import Settings


def fields(number: int, symbol: str = "AAPL") -> dict[str, str]:
    return {"type": "NEW", "ts_ns": str(number), "symbol": symbol}


def entry(number: int, symbol: str = "AAPL") -> StreamEntry:
    return StreamEntry(number, fields(number, symbol))


def message(number: int, symbol: str = "AAPL") -> str:
    return document({"trader": "T", "sequence": str(number), **fields(number, symbol)})


@pytest.fixture
def cursor() -> Cursor:
    """One that has taken three events, and whose channel the connection 1 hears."""
    made = Cursor(EventCalls(Settings()), "T", 0)
    made.tuned(1)
    assert [told(event) for event in made.read([[entry(1), entry(2), entry(3)], [entry(3)]])] == [1, 2, 3]
    assert not made.behind
    return made


def told(news: object) -> int:
    assert isinstance(news, OrderEvent)
    return news.sequence


def test_the_next_one_is_taken_at_once(cursor: Cursor) -> None:
    assert told(cursor.hear(1, message(4))) == 4
    assert (cursor.at, cursor.behind) == (4, False)


def test_what_is_known_is_not_told_twice(cursor: Cursor) -> None:
    assert cursor.hear(1, message(2)) is None
    assert not cursor.behind


@pytest.mark.parametrize("text", [message(5), message(2, "OTHER"), "nonsense", "{}"])
def test_whatever_else_sends_it_to_the_stream(cursor: Cursor, text: str) -> None:
    assert cursor.hear(1, text) is None
    assert cursor.behind
    assert cursor.at == 3


def test_messages_of_a_connection_that_is_gone_are_not_believed(cursor: Cursor) -> None:
    cursor.tuned(2)
    cursor.read([[entry(1), entry(2), entry(3)], [entry(3)]])
    assert cursor.hear(1, message(4)) is None  # said by a primary that has been replaced since
    assert (cursor.at, cursor.behind) == (3, True)
    cursor.tuned(None)
    assert cursor.hear(2, message(4)) is None


def test_a_new_connection_means_that_contents_are_compared(cursor: Cursor) -> None:
    cursor.tuned(2)
    assert cursor.asks == 2
    loss, *rest = cursor.read([[entry(1), entry(2, "OTHER"), entry(3, "OTHER"), entry(4)], [entry(4)]])
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last) == (2, 3)
    assert [told(event) for event in rest] == [2, 3, 4]


@pytest.mark.parametrize(("left", "first"), [([], 1), ([1], 2), ([1, 2], 3)])
def test_what_is_missing_at_the_end_is_lost(cursor: Cursor, left: list[int], first: int) -> None:
    cursor.tuned(2)
    entries = [entry(number) for number in left]
    (loss,) = cursor.read([entries, entries[-1:]])
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last, cursor.at) == (first, 3, first - 1)


def test_what_is_missing_at_the_beginning_is_trimmed(cursor: Cursor) -> None:
    cursor.tuned(2)
    (gap, after) = cursor.read([[entry(6)], [entry(6)]])
    assert isinstance(gap, HistoryTrimmed)
    assert (gap.first, gap.last, told(after)) == (4, 5, 6)


def test_a_full_page_is_not_the_end(cursor: Cursor) -> None:
    cursor.behind = True
    cursor.read([[entry(number) for number in range(4, 4 + PAGE)]])
    assert cursor.behind
    cursor.read([[]])
    assert not cursor.behind


def test_it_remembers_so_many_and_no_more(cursor: Cursor) -> None:
    for number in range(4, REMEMBERED * 2):
        assert told(cursor.hear(1, message(number))) == number
    cursor.tuned(2)
    at = REMEMBERED * 2 - 1
    first = at - REMEMBERED + 1
    loss = cursor.read([[entry(number, "OTHER") for number in range(first, at + 1)], [entry(at)]])[0]
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last) == (first, at)

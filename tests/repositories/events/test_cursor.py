"""A follower's cursor, step by step: what it takes from messages, and when it has to read the stream."""

from __future__ import annotations

import pytest
from slotbook.models import OrderEvent
from slotbook.models.errors import HistoryTrimmed, StateLost
from slotbook.models.event import document
from slotbook.repositories.events.calls import PAGE, EventCalls, StreamEntry
from slotbook.repositories.events.cursor import DIGESTS_KEPT, Cursor
from slotbook.topology.settings import Settings


def fields(number: int, symbol: str = "AAPL") -> dict[str, str]:
    return {"type": "NEW", "ts_ns": str(number), "symbol": symbol}


def entry(number: int, symbol: str = "AAPL") -> StreamEntry:
    return StreamEntry(number, fields(number, symbol))


def message(number: int, symbol: str = "AAPL") -> str:
    return document({"trader": "T", "sequence": str(number), **fields(number, symbol)})


@pytest.fixture
def cursor() -> Cursor:
    """Return a cursor that has taken three events, and that takes messages from the connection 1."""
    made = Cursor(EventCalls(Settings()), "T", 0)
    made.set_feed(1)
    assert [sequence_of(item) for item in made.take_replies([[entry(1), entry(2), entry(3)], [entry(3)]])] == [1, 2, 3]
    assert not made.behind
    return made


def sequence_of(item: object) -> int:
    assert isinstance(item, OrderEvent)
    return item.sequence


def test_the_next_one_is_taken_at_once(cursor: Cursor) -> None:
    assert sequence_of(cursor.take_message(1, message(4))) == 4
    assert (cursor.position, cursor.behind) == (4, False)


def test_an_event_that_was_taken_is_not_taken_twice(cursor: Cursor) -> None:
    assert cursor.take_message(1, message(2)) is None
    assert not cursor.behind


@pytest.mark.parametrize("text", [message(5), message(2, "OTHER"), "nonsense", "{}"])
def test_any_other_message_sends_it_to_the_stream(cursor: Cursor, text: str) -> None:
    assert cursor.take_message(1, text) is None
    assert cursor.behind
    assert cursor.position == 3


def test_messages_of_a_connection_that_is_gone_are_not_taken(cursor: Cursor) -> None:
    cursor.set_feed(2)
    cursor.take_replies([[entry(1), entry(2), entry(3)], [entry(3)]])
    assert cursor.take_message(1, message(4)) is None  # sent by a primary that has been replaced since
    assert (cursor.position, cursor.behind) == (3, True)
    cursor.set_feed(None)
    assert cursor.take_message(2, message(4)) is None


def test_a_new_connection_means_that_contents_are_compared(cursor: Cursor) -> None:
    cursor.set_feed(2)
    assert cursor.call_count == 2
    loss, *rest = cursor.take_replies([[entry(1), entry(2, "OTHER"), entry(3, "OTHER"), entry(4)], [entry(4)]])
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last) == (2, 3)
    assert [sequence_of(item) for item in rest] == [2, 3, 4]


@pytest.mark.parametrize(("left", "first"), [([], 1), ([1], 2), ([1, 2], 3)])
def test_what_is_missing_at_the_end_is_lost(cursor: Cursor, left: list[int], first: int) -> None:
    cursor.set_feed(2)
    entries = [entry(number) for number in left]
    (loss,) = cursor.take_replies([entries, entries[-1:]])
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last, cursor.position) == (first, 3, first - 1)


def test_what_is_missing_at_the_beginning_is_trimmed(cursor: Cursor) -> None:
    cursor.set_feed(2)
    (gap, after) = cursor.take_replies([[entry(6)], [entry(6)]])
    assert isinstance(gap, HistoryTrimmed)
    assert (gap.first, gap.last, sequence_of(after)) == (4, 5, 6)


def test_a_full_page_is_not_the_end(cursor: Cursor) -> None:
    cursor.behind = True
    cursor.take_replies([[entry(number) for number in range(4, 4 + PAGE)]])
    assert cursor.behind
    cursor.take_replies([[]])
    assert not cursor.behind


def test_the_number_of_remembered_events_is_bounded(cursor: Cursor) -> None:
    for number in range(4, DIGESTS_KEPT * 2):
        assert sequence_of(cursor.take_message(1, message(number))) == number
    cursor.set_feed(2)
    last = DIGESTS_KEPT * 2 - 1
    first = last - DIGESTS_KEPT + 1
    loss = cursor.take_replies([[entry(number, "OTHER") for number in range(first, last + 1)], [entry(last)]])[0]
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last) == (first, last)

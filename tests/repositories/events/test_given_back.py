"""Consumers give back as it was what they have not handed over, and acknowledge in the end what they have handled."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest
import slotbook
from slotbook import Book
from slotbook.models import OrderEvent
from slotbook.models.errors import SlotbookError
from slotbook.repositories import Consumer
from slotbook.repositories.events.group_calls import GroupCalls

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.fleet import Fleets
from ...support.make import fresh, limit
from ...support.relay import Relay


def place(book: Book, trader: str, count: int) -> None:
    book.orders.place_many([limit(trader, f"A{number}") for number in range(count)])


def pending(desk: Desk) -> list[tuple[str, int]]:
    """Return consumer and number of hand-overs of everything that the group has not acknowledged."""
    found = cast("list[tuple[str, str, int, int]]", desk.ask("XPENDING", "%:events", "risk", "-", "+", 1_000))
    return [(consumer, hand_overs) for _, consumer, _, hand_overs in found]


def consumers(desk: Desk) -> set[str]:
    found = cast("list[list[str]]", desk.ask("XINFO", "CONSUMERS", "%:events", "risk"))
    return {str(fields[fields.index("name") + 1]) for fields in found} - {"{given back}"}


def sequences(consumer: Consumer, count: int) -> list[int]:
    """Take deliveries, and acknowledge each."""
    found: list[int] = []
    for _ in range(count):
        delivery = consumer.get(30)
        assert delivery is not None
        assert delivery.deliveries == 1
        with delivery as event:
            found.append(event.sequence)
    return found


@pytest.mark.parametrize("name", ["the same", "another each time"])
def test_one_of_twenty_is_handled_and_the_consumer_stops_ten_times(desk: Desk, name: str) -> None:
    place(desk.book, desk.trader, 20)
    handled: list[int] = []
    for number in range(10):
        own = name.replace(" ", "-") if name == "the same" else f"c{number}"
        with desk.book.events.consume("risk", own, desk.trader, batch=20) as consumer:
            handled += sequences(consumer, 1)
        assert consumers(desk) == set()
    with desk.book.events.consume("risk", "healthy", desk.trader, batch=20) as consumer:
        handled += sequences(consumer, 10)
        assert consumer.get(0.01) is None
    assert sorted(handled) == list(range(1, 21))
    assert desk.book.events.dead_letters(desk.trader) == []
    assert pending(desk) == []


def test_a_stop_gives_back_at_once_what_was_read_ahead(lone_desk: Desk) -> None:
    place(lone_desk.book, lone_desk.trader, 8)
    events = lone_desk.book.events
    first = events.consume("risk", "first", lone_desk.trader, batch=5).start()
    held = first.get(30)
    assert held is not None
    first.stop()
    assert pending(lone_desk) == [("first", 1), *[("{given back}", 0)] * 4]
    with events.consume("risk", "second", lone_desk.trader) as second:  # its min_idle is far away
        assert sequences(second, 7) == [2, 3, 4, 5, 6, 7, 8]
        assert consumers(lone_desk) == {"first", "second"}
        assert held.acknowledge()
        assert consumers(lone_desk) == {"second"}
    assert (pending(lone_desk), consumers(lone_desk)) == ([], set())


def test_what_was_given_back_is_part_of_what_is_read(lone_desk: Desk) -> None:
    run, trader = lone_desk.book.backend.run, lone_desk.trader
    place(lone_desk.book, trader, 6)
    first, second = (GroupCalls(lone_desk.book.backend.settings, "risk", name) for name in ("first", "second"))
    run(first.read(trader, since=0, count=2, after=None, known=None))
    assert run(first.leave(trader, {1: 0, 2: 0})) == 2
    for expected in ([1, 2, 3], [4, 5, 6]):
        read = run(second.read(trader, since=0, count=3, after=None, known=None))
        assert [entry.sequence for entry in read.entries] == expected


def test_what_a_killed_consumer_had_read_ahead_is_claimed_as_it_was(lone_desk: Desk) -> None:
    place(lone_desk.book, lone_desk.trader, 6)
    # A claim, which is due after a quarter of min_idle, shares the batch with the read: each still has all six.
    options = {"min_idle": 0.1, "max_deliveries": 1, "batch": 12}
    killed = lone_desk.book.events.consume("risk", "killed", lone_desk.trader, **options)  # type: ignore[arg-type]
    handed = killed.get(30)
    assert handed is not None
    assert pending(lone_desk) == [("killed", 1), *[("killed", 0)] * 5]
    with lone_desk.book.events.consume("risk", "alive", lone_desk.trader, **options) as alive:  # type: ignore[arg-type]
        assert sequences(alive, 5) == [2, 3, 4, 5, 6]
        assert killed.get(0.05) is None  # what it had read ahead is no longer its own
        until = time.monotonic() + 30
        while not lone_desk.book.events.dead_letters(lone_desk.trader):  # it may have to wait for min_idle once more
            assert time.monotonic() < until
            assert alive.get(0.02) is None
    killed.stop()
    assert [letter.event.sequence for letter in lone_desk.book.events.dead_letters(lone_desk.trader)] == [1]


def test_an_event_that_another_has_is_no_dead_letter_of_ours(lone_desk: Desk) -> None:
    place(lone_desk.book, lone_desk.trader, 1)
    events = lone_desk.book.events
    with events.consume("risk", "frozen", lone_desk.trader, min_idle=0.05) as frozen:
        ours = frozen.get(30)
        assert ours is not None
        with events.consume("risk", "other", lone_desk.trader, min_idle=0.05) as other:
            theirs = other.get(30)
            assert theirs is not None
            assert not ours.give_up("too late")
            assert theirs.acknowledge()
    assert events.dead_letters(lone_desk.trader) == []


def test_a_delivery_that_is_dropped_comes_again_and_one_that_is_held_does_not(lone_desk: Desk) -> None:
    place(lone_desk.book, lone_desk.trader, 2)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, min_idle=0.05) as consumer:
        held = consumer.get(30)
        assert held is not None
        for _ in range(2):
            dropped = consumer.get(30)
            assert dropped is not None
            assert dropped.event.sequence == 2
            del dropped
        assert held.acknowledge()


# ------------------------------------------------------------------ acknowledgements whose reply was lost


@pytest.mark.parametrize("way", ["stop", "get"])
def test_an_acknowledgement_whose_reply_was_lost_is_sent_again(lone_desk: Desk, way: str) -> None:
    place(lone_desk.book, lone_desk.trader, 2)
    book = lone_desk.open(deadline=2, socket_timeout=0.2)
    consumer = book.events.consume("risk", "one", lone_desk.trader, batch=1, max_deliveries=1)
    delivery = consumer.get(30)
    assert delivery is not None
    (raw,) = lone_desk.fleet.raws.values()
    raw.ask("CLIENT", "PAUSE", 30_000, "WRITE")
    with pytest.raises(SlotbookError):
        delivery.acknowledge()
    raw.ask("CLIENT", "UNPAUSE")
    if way == "get":
        following = consumer.get(30)
        assert following is not None
        assert following.event.sequence == 2
        assert pending(lone_desk) == [("one", 1)]
        following.acknowledge()
    consumer.stop()
    assert pending(lone_desk) == []
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, max_deliveries=1) as again:
        rest = [] if way == "get" else [2]
        assert sequences(again, len(rest)) == rest
        assert again.get(0.01) is None
    assert lone_desk.book.events.dead_letters(lone_desk.trader) == []


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
def test_run_acknowledges_when_the_server_is_back(lone_desk: Desk) -> None:
    place(lone_desk.book, lone_desk.trader, 3)
    book = lone_desk.open(deadline=2, socket_timeout=0.2)
    consumer = book.events.consume("risk", "one", lone_desk.trader, batch=1, max_deliveries=1)
    (raw,) = lone_desk.fleet.raws.values()
    handled: list[int] = []

    def handle(event: OrderEvent) -> None:
        handled.append(event.sequence)
        if event.sequence == 1:
            raw.ask("CLIENT", "PAUSE", 3_000, "WRITE")
        if event.sequence == 3:
            consumer.stop()

    consumer.run(handle)
    assert handled == [1, 2, 3]
    assert (pending(lone_desk), consumers(lone_desk)) == ([], set())
    assert book.events.dead_letters(lone_desk.trader) == []


def test_a_cancelled_get_loses_nothing(fleets: Fleets) -> None:
    url, trader = fleets.of("standalone").url({"prefix": fresh("c") + ":"}), fresh()

    async def consume() -> list[int]:
        """Cancel each attempt a little later than the one before, a hundred times, until its reply has long come."""
        async with slotbook.aconnect(url) as book:
            await book.orders.place_many([limit(trader, f"A{number}") for number in range(30)])
            found: list[int] = []
            async with book.events.consume("risk", "one", trader, batch=4) as consumer:
                for attempt in range(3_000):
                    task = asyncio.ensure_future(consumer.get())
                    for _ in range(attempt % 100):
                        await asyncio.sleep(0)
                    task.cancel()
                    delivery = (await asyncio.gather(task, return_exceptions=True))[0]
                    if not isinstance(delivery, BaseException) and delivery is not None:
                        async with delivery as event:
                            found.append(event.sequence)
                    if len(found) == 30:
                        break
            assert await book.events.dead_letters(trader) == []
            return found

    assert asyncio.run(consume()) == list(range(1, 31))


def test_what_is_owed_when_no_server_answers_is_logged(lone_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    place(lone_desk.book, lone_desk.trader, 2)
    book = lone_desk.open(deadline=2, socket_timeout=0.2)
    consumer = book.events.consume("risk", "one", lone_desk.trader).start()
    delivery = consumer.get(30)
    assert delivery is not None
    (raw,) = lone_desk.fleet.raws.values()
    raw.ask("CLIENT", "PAUSE", 30_000, "WRITE")
    with pytest.raises(SlotbookError):
        delivery.acknowledge()
    consumer.stop()
    raw.ask("CLIENT", "UNPAUSE")
    assert "risk/one has not left the group" in caplog.text


# ------------------------------------------------------------------ reads whose reply was lost


def test_a_read_whose_reply_was_lost_is_made_good(lone_desk: Desk) -> None:
    """The server has given its events to this consumer, so that nobody is given them for ``min_idle``."""
    place(lone_desk.book, lone_desk.trader, 5)
    with (
        Relay(lone_desk.fleet) as relay,
        open_book(relay.url, lone_desk.caller, lone_desk.runner) as book,
        book.events.consume("risk", "one", lone_desk.trader, batch=2, poll=60) as consumer,
    ):
        assert sequences(consumer, 2) == [1, 2]
        relay.lose_replies = 1
        assert sequences(consumer, 3) == [3, 4, 5]
        assert relay.lose_replies == 0
    assert pending(lone_desk) == []


def test_a_claim_whose_reply_was_lost_is_made_good(lone_desk: Desk) -> None:
    place(lone_desk.book, lone_desk.trader, 2)
    killed = lone_desk.book.events.consume("risk", "killed", lone_desk.trader, batch=2)
    assert killed.get(30) is not None
    with (
        Relay(lone_desk.fleet) as relay,
        open_book(relay.url, lone_desk.caller, lone_desk.runner) as book,
        book.events.consume("risk", "one", lone_desk.trader, min_idle=1, poll=60) as consumer,
    ):
        assert consumer.get(0.01) is None  # it has nothing of its own, and there is nothing new
        for number in (1, 2):
            lone_desk.ask("XCLAIM", "%:events", "risk", "killed", 0, f"{number}-0", "IDLE", 1_000, "JUSTID")
        relay.lose_replies = 1
        claimed = [consumer.get(30), consumer.get(30)]
        assert [one and (one.event.sequence, one.deliveries) for one in claimed] == [(1, 2), (2, 1)]
        assert relay.lose_replies == 0
    killed.stop()

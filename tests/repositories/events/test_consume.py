"""Consumer groups: each event is handled at least once and acknowledged once, and no error is swallowed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import cast

import pytest
import slotbook
from slotbook.models import OrderEvent
from slotbook.models.errors import CorruptRecord, HistoryTrimmed, InvalidArgument
from slotbook.repositories import Consumer, Delivery
from slotbook.repositories.events import group_calls
from slotbook.repositories.events.group_calls import GroupCalls

from ...support.desk import Desk
from ...support.fleet import Fleets
from ...support.make import execution, fresh, limit

SOON = 0.3
"""Seconds after which a delivery is claimed in these tests."""


def take(consumer: Consumer, count: int = 1) -> list[Delivery]:
    found = [consumer.get(30) for _ in range(count)]
    assert None not in found
    return [delivery for delivery in found if delivery is not None]


def pending(desk: Desk, group: str = "risk") -> int:
    return cast("list[int]", desk.ask("XPENDING", "%:events", group))[0]


def test_every_event_is_delivered_and_acknowledged_once(desk: Desk) -> None:
    book, trader, other = desk.book, desk.trader, desk.another()
    book.orders.place_many([limit(trader, f"A{number}") for number in range(150)])
    with book.events.consume("risk", "one", [trader, other]) as consumer:
        handled: list[OrderEvent] = []
        for delivery in take(consumer, 150):
            with delivery as event:
                handled.append(event)
        assert handled == desk.events()
        book.orders.place(limit(other))
        (late,) = take(consumer)
        assert (late.event.trader, late.deliveries) == (other, 1)
        assert [late.acknowledge(), late.acknowledge()] == [True, False]
        assert consumer.get(0.05) is None
    assert pending(desk) == 0


def test_consumers_of_a_group_share_events_and_groups_do_not(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    with (
        book.events.consume("risk", "one", trader, batch=5) as one,
        book.events.consume("risk", "two", trader, batch=5) as two,
        book.events.consume("audit", "one", trader) as audit,
    ):
        book.orders.place_many([limit(trader, f"A{number}") for number in range(20)])
        shared = [*take(one, 10), *take(two, 10)]
        assert sorted(delivery.event.sequence for delivery in shared) == list(range(1, 21))
        assert [delivery.event.sequence for delivery in take(audit, 20)] == list(range(1, 21))


@pytest.mark.parametrize(("since", "first"), [(0, 1), (3, 4), (None, 6)])
def test_where_a_new_group_begins(lone_desk: Desk, since: int | None, first: int) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(5)])
    with book.events.consume("risk", "one", trader, since=since) as consumer:
        consumer.get(0.05) if since is None else None
        book.orders.place(limit(trader, "B1"))
        assert take(consumer)[0].event.sequence == first


def test_after_a_restart_unacknowledged_events_come_first(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(10)])
    with book.events.consume("risk", "one", trader, batch=4) as consumer:
        for delivery in take(consumer, 6)[::2]:
            assert delivery.acknowledge()
    with book.events.consume("risk", "one", trader, batch=2) as consumer:
        found = take(consumer, 7)
        assert [delivery.event.sequence for delivery in found] == [2, 4, 6, 7, 8, 9, 10]
        assert [delivery.deliveries for delivery in found] == [2, 2, 2, 1, 1, 1, 1]  # 7 and 8 had only been read ahead
        assert consumer.get(0.05) is None


def test_events_of_a_dead_consumer_are_claimed(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(10)])
    with book.events.consume("risk", "dead", trader, min_idle=SOON) as dead:
        take(dead, 4)[1].acknowledge()
    with book.events.consume("risk", "alive", trader, min_idle=SOON) as alive:
        found = take(alive, 9)
        given = sorted((delivery.event.sequence, delivery.deliveries) for delivery in found)
        assert given == [(1, 2), (3, 2), (4, 2), *((number, 1) for number in range(5, 11))]
        assert all(delivery.acknowledge() for delivery in found)
    assert pending(desk) == 0


def test_a_claim_gets_what_has_waited_long_enough_and_no_more_than_it_asks_for(lone_desk: Desk) -> None:
    run, trader = lone_desk.book.backend.run, lone_desk.trader
    lone_desk.book.orders.place_many([limit(trader, f"A{number}") for number in range(4)])
    dead, alive = (GroupCalls(lone_desk.book.backend.settings, "risk", name) for name in ("dead", "alive"))
    run(dead.read(trader, since=0, count=10, after=None, known=None))
    time.sleep(0.05)
    assert run(alive.claim(trader, 5, "0-0", 10)).entries == []
    first = run(alive.claim(trader, 0.02, "0-0", 3))
    assert [entry.sequence for entry in first.entries] == [1, 2, 3]
    rest = run(alive.claim(trader, 0.02, first.next_start, 3))
    assert [entry.sequence for entry in rest.entries] == [4]


def test_an_event_that_has_waited_too_long_is_not_handled_twice(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(6)])
    with (
        book.events.consume("risk", "slow", trader, min_idle=SOON) as slow,
        book.events.consume("risk", "other", trader, min_idle=SOON) as other,
    ):
        (first,) = take(slow)
        claimed = take(other, 6)  # while the slow one is busy with its first
        assert sorted(delivery.event.sequence for delivery in claimed) == list(range(1, 7))
        assert all(delivery.acknowledge() for delivery in claimed)
        assert slow.get(0.05) is None
        assert not first.acknowledge()


def test_only_hand_overs_count(lone_desk: Desk) -> None:
    run, trader = lone_desk.book.backend.run, lone_desk.trader
    lone_desk.book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
    one, other = (GroupCalls(lone_desk.book.backend.settings, "risk", name) for name in ("one", "other"))

    def counts() -> list[tuple[str, int]]:
        entries = cast("list[tuple[str, str, int, int]]", lone_desk.ask("XPENDING", "%:events", "risk", "-", "+", 10))
        return [(consumer, deliveries) for _, consumer, _, deliveries in entries]

    run(one.read(trader, since=0, count=10, after=None, known=None))
    assert counts() == [("one", 0)] * 3
    assert [run(one.hand_over(trader, 2, times)) for times in (1, 1)] == [True, True]  # sent again, counted once
    assert not run(other.hand_over(trader, 2, 5))
    run(one.read(trader, since=0, count=10, after=0, known=None))
    assert counts() == [("one", 0), ("one", 1), ("one", 0)]
    time.sleep(0.01)
    run(other.claim(trader, 0.001, "0-0", 10))
    assert counts() == [("other", 0), ("other", 1), ("other", 0)]
    assert run(one.leave(trader, {1: 7})) == 0  # another has it
    assert run(other.leave(trader, {1: 0, 2: 1})) == 2
    assert counts() == [("{given back}", 0), ("{given back}", 1), ("other", 0)]
    found = run(one.read(trader, since=0, count=10, after=None, known=None))
    assert [(entry.sequence, entry.hand_overs) for entry in found.entries] == [(1, 0), (2, 1)]


def test_an_event_that_nobody_can_handle_becomes_a_dead_letter(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
    tries, until = list[int](), time.monotonic() + 60
    with book.events.consume("risk", "one", trader, min_idle=SOON, max_deliveries=3) as consumer:
        while not book.events.dead_letters(trader):
            assert time.monotonic() < until, tries
            if (delivery := consumer.get(SOON)) is None:
                continue
            tries.append(delivery.event.sequence)
            with contextlib.suppress(ZeroDivisionError), delivery as event:
                if event.sequence == 2:
                    raise ZeroDivisionError("poison")
    assert tries == [1, 2, 3, 2, 2]
    (letter,) = book.events.dead_letters(trader)
    assert letter.event == lone_desk.events()[1]
    assert (letter.group, letter.consumer, letter.deliveries) == ("risk", "one", 3)
    assert letter.error.startswith("ZeroDivisionError: poison")
    assert pending(lone_desk) == 0


def test_the_oldest_dead_letters_make_room_for_new_ones(lone_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_calls, "DEAD_LETTERS_KEPT", 10)
    backend, trader, count = lone_desk.book.backend, lone_desk.trader, 250
    lone_desk.book.orders.place_many([limit(trader, f"A{number}") for number in range(count)])
    calls = GroupCalls(backend.settings, "risk", "one")
    backend.run(calls.read(trader, since=0, count=count, after=None, known=None))
    moved = backend.run_many([calls.dead_letter(trader, number, "poison") for number in range(1, count + 1)])
    assert all(outcome.result() for outcome in moved)
    kept = [letter.event.sequence for letter in lone_desk.book.events.dead_letters(trader, limit=count)]
    assert 10 <= len(kept) <= 110  # a server removes whole blocks of 100
    assert kept == list(range(count + 1 - len(kept), count + 1))


def test_an_event_that_kills_its_consumers_becomes_a_dead_letter(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place(limit(trader))
    for attempt in range(3):
        with book.events.consume("risk", f"c{attempt}", trader, min_idle=0.05, max_deliveries=3) as consumer:
            assert take(consumer)[0].deliveries == attempt + 1
    with book.events.consume("risk", "last", trader, min_idle=0.05, max_deliveries=3) as consumer:
        until = time.monotonic() + 60
        while not book.events.dead_letters(trader):
            assert time.monotonic() < until
            assert consumer.get(0.05) is None
    assert [letter.error for letter in book.events.dead_letters(trader)] == ["delivered 3 times and never acknowledged"]
    assert pending(lone_desk) == 0


def test_an_entry_that_cannot_be_read_is_reported_and_becomes_a_dead_letter(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    lone_desk.vandalise("XADD", "%:events", "1-0", "type", "NONSENSE", "ts_ns", 1, "symbol", "AAPL")
    book.orders.place(limit(trader))
    with book.events.consume("risk", "one", trader) as consumer:
        with pytest.raises(CorruptRecord, match="NONSENSE"):
            consumer.get(30)
        assert take(consumer)[0].event.sequence == 2
    assert pending(lone_desk) == 1


def test_events_that_were_trimmed_before_they_were_delivered_are_reported(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(10)])
    with book.events.consume("risk", "one", trader, batch=2) as consumer:
        take(consumer)[0].acknowledge()
        book.events.trim(trader, 7)
        with pytest.raises(HistoryTrimmed) as caught:
            take(consumer, 2)
        assert (caught.value.first, caught.value.last) == (3, 6)
        assert [delivery.event.sequence for delivery in take(consumer, 4)] == [7, 8, 9, 10]
    with book.events.consume("risk", "one", trader) as again:  # number 2 was delivered, and is gone
        with pytest.raises(HistoryTrimmed) as caught:
            again.get(30)
        assert (caught.value.first, caught.value.last) == (2, 2)
        assert [delivery.event.sequence for delivery in take(again, 4)] == [7, 8, 9, 10]


def test_without_publishing_the_streams_are_polled(lone_desk: Desk) -> None:
    book, trader = lone_desk.open(publish="none"), lone_desk.trader
    with book.events.consume("risk", "one", trader, poll=0.05) as consumer:
        assert consumer.get(0.01) is None
        book.orders.place(limit(trader))
        assert take(consumer)[0].event.order_id == "A1"


@pytest.mark.parametrize(
    "bad",
    [
        {"group": ""},
        {"consumer": "{given back}"},
        {"consumer": " ab"},
        {"traders": []},
        {"since": -1},
        {"min_idle": 0},
        {"max_deliveries": 0},
        {"batch": 0},
        {"poll": 0},
    ],
)
def test_bad_options_are_refused(lone_desk: Desk, bad: dict[str, object]) -> None:
    given: dict[str, object] = {"group": "g", "consumer": "c", "traders": "T", **bad}
    with pytest.raises(InvalidArgument):
        lone_desk.book.events.consume(**given)  # type: ignore[arg-type]


# ------------------------------------------------------------------ handlers, for threads and for asyncio


@pytest.fixture
def url(fleets: Fleets) -> str:
    """Return the URL of a book of this test's own."""
    return fleets.of("standalone").url({"prefix": fresh("c") + ":"})


def test_errors_of_a_handler_are_passed_on_and_their_events_come_again(url: str) -> None:
    trader, failed, handled = fresh(), list[tuple[int | None, str]](), list[int]()
    with slotbook.connect(url) as book:
        consumer = book.events.consume("risk", "one", trader, min_idle=SOON, max_deliveries=2)

        def handle(event: OrderEvent) -> None:
            handled.append(event.sequence)
            if event.sequence == 2:
                raise ZeroDivisionError("two")

        def note(problem: tuple[OrderEvent | None, Exception]) -> None:
            event, error = problem
            failed.append((event.sequence if event else None, str(error)))

        book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
        thread = threading.Thread(target=consumer.run, args=(handle, note))
        thread.start()
        for _ in range(3_000):
            if book.events.dead_letters(trader):
                break
            threading.Event().wait(0.01)
        consumer.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert (handled, failed) == ([1, 2, 3, 2], [(2, "two"), (2, "two")])
        assert [letter.event.sequence for letter in book.events.dead_letters(trader)] == [2]


def test_errors_of_a_handler_are_logged_without_on_error(url: str, caplog: pytest.LogCaptureFixture) -> None:
    trader = fresh()

    async def consume() -> None:
        async with slotbook.aconnect(url) as book:
            consumer = book.events.consume("risk", "one", trader)

            async def handle(event: OrderEvent) -> None:
                if event.sequence == 2:
                    await consumer.stop()
                    return
                raise ZeroDivisionError("at last")

            await book.orders.place(limit(trader))
            await book.orders.fill(execution(trader))
            async with asyncio.timeout(30):
                await consumer.run(handle)

    with caplog.at_level(logging.ERROR, "slotbook.events"):
        asyncio.run(consume())
    assert "at last" in caplog.text
    assert "risk/one" in caplog.text


def test_async_iteration(url: str) -> None:
    trader = fresh()

    async def consume() -> list[int]:
        found: list[int] = []
        async with slotbook.aconnect(url) as book:
            await book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
            async with book.events.consume("risk", "one", trader) as consumer:
                async for delivery in consumer:
                    async with delivery as event:
                        found.append(event.sequence)
                    if len(found) == 3:
                        await consumer.stop()
        return found

    assert asyncio.run(consume()) == [1, 2, 3]

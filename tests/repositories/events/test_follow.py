"""Following: every event once and in order, whatever is published on the channels."""

from __future__ import annotations

import asyncio
import threading

import pytest
import slotbook
from slotbook.models import OrderEvent
from slotbook.models.errors import CorruptRecord, HistoryTrimmed, InvalidArgument, StateLost
from slotbook.models.wire import encode
from slotbook.repositories import Follow

from ...support.desk import Desk
from ...support.fleet import Fleets
from ...support.make import execution, fresh, limit


def take(follow: Follow, count: int) -> list[OrderEvent]:
    found = [follow.get(30) for _ in range(count)]
    assert None not in found
    return [event for event in found if event is not None]


def sequences(follow: Follow, count: int) -> list[int]:
    return [event.sequence for event in take(follow, count)]


def test_from_now_on(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(5)])
    with book.events.follow(trader) as follow:
        assert follow.positions == {trader: 5}
        book.orders.fill(execution(trader, order_id="A1"))
        book.orders.cancel(trader, "A2")
        assert take(follow, 2) == desk.events()[5:]
        assert follow.get(0.05) is None


def test_from_the_beginning_and_from_a_known_position(desk: Desk) -> None:
    book, trader, other = desk.book, desk.trader, desk.another()
    book.orders.place_many([limit(trader, f"A{number}") for number in range(5)])
    with book.events.follow([trader, other], since=0) as follow:
        assert sequences(follow, 5) == [1, 2, 3, 4, 5]
        book.orders.place(limit(other))
        assert take(follow, 1) == desk.events(other)
        known = follow.positions
    book.orders.place(limit(trader, "B1"))
    book.orders.place(limit(other, "B1"))
    with book.events.follow([trader, other], since=known) as follow:
        assert {(event.trader, event.sequence) for event in take(follow, 2)} == {(trader, 6), (other, 2)}


def test_history_and_new_events_join_without_a_gap(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(600)])
    with book.events.follow(trader, since=0) as follow:
        first = sequences(follow, 250)
        book.orders.place_many([limit(trader, f"B{number}") for number in range(600)])
        assert first + sequences(follow, 950) == list(range(1, 1_201))
        assert follow.get(0.05) is None


def test_a_full_queue_is_resynced_from_the_stream(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    with book.events.follow(trader, maxsize=10) as follow:
        for begin in range(0, 600, 100):
            book.orders.place_many([limit(trader, f"A{number}") for number in range(begin, begin + 100)])
        assert sequences(follow, 600) == list(range(1, 601))
        assert follow.get(0.05) is None


def test_a_full_queue_that_blocks_drops_nothing(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    with book.events.follow(trader, maxsize=10, when_full="block") as follow:
        for begin in range(0, 300, 100):
            book.orders.place_many([limit(trader, f"A{number}") for number in range(begin, begin + 100)])
        assert sequences(follow, 300) == list(range(1, 301))
        assert (follow.dropped, follow.interruptions) == (0, 0)


def test_without_publishing_the_streams_are_polled(lone_desk: Desk) -> None:
    book, trader = lone_desk.open(publish="none"), lone_desk.trader
    with book.events.follow(trader, poll=0.05) as follow:
        book.orders.place_many([limit(trader, f"A{number}") for number in range(20)])
        assert sequences(follow, 20) == list(range(1, 21))


def test_all_traders_also_new_ones(lone_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("_sync", "_async"):
        monkeypatch.setattr(f"slotbook.repositories.events.{folder}.search.SCAN_INTERVAL", 0.05)
    prefix = fresh("f") + ":"
    book, other = lone_desk.open(prefix=prefix), lone_desk.another()
    book.orders.place(limit(lone_desk.trader))
    with book.events.follow(poll=0.05) as follow:
        assert follow.positions == {lone_desk.trader: 1}
        book.orders.place(limit(other))
        assert take(follow, 1) == lone_desk.events(other, prefix)
        book.orders.place(limit(lone_desk.trader, "A2"))
        assert take(follow, 1)[0].order_id == "A2"


def test_events_that_are_no_longer_kept_are_reported_and_skipped(lone_desk: Desk) -> None:
    book, trader = lone_desk.open(events_kept=100), lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(600)])
    first = book.events.history(trader, limit=1)[0].sequence
    with book.events.follow(trader, since=0) as follow:
        with pytest.raises(HistoryTrimmed) as caught:
            follow.get(30)
        assert (caught.value.first, caught.value.last) == (1, first - 1)
        assert sequences(follow, 601 - first) == list(range(first, 601))


def test_no_message_on_the_channel_misleads_it(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    with book.events.follow(trader) as follow:
        book.orders.place(limit(trader, "A1"))
        assert sequences(follow, 1) == [1]
        for text in (
            "nonsense",
            "{}",
            f'{{"trader":"{trader}","sequence":"x"}}',
            f'{{"trader":"{trader}","sequence":"99","type":"NEW","ts_ns":"1","symbol":"AAPL"}}',
            f'{{"trader":"{trader}","sequence":"1","type":"NEW","ts_ns":"1","symbol":"OTHER"}}',
            f'{{"trader":"{trader}","sequence":"2","type":"NONSENSE","ts_ns":"1","symbol":"AAPL"}}',
            '{"sequence":"2","type":"NEW","ts_ns":"1","symbol":"AAPL"}',
        ):
            desk.ask("SPUBLISH", "%:events", text)
        assert follow.get(0.2) is None
        book.orders.place(limit(trader, "A2"))
        assert take(follow, 1) == desk.events()[1:]


def test_an_entry_that_cannot_be_read_is_reported_and_left_out(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place(limit(trader, "A1"))
    lone_desk.vandalise("XADD", "%:events", "2-0", "type", "NONSENSE", "ts_ns", 1, "symbol", "AAPL")
    book.orders.place(limit(trader, "A3"))
    with book.events.follow(trader, since=0) as follow:
        assert sequences(follow, 1) == [1]
        with pytest.raises(CorruptRecord, match="NONSENSE"):
            follow.get(30)
        assert sequences(follow, 1) == [3]


def test_numbers_that_were_used_again_do_not_hide_a_loss(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(5)])
    with book.events.follow(trader, since=0, poll=0.05) as follow:
        assert sequences(follow, 5) == [1, 2, 3, 4, 5]
        before = desk.events()
        desk.vandalise("DEL", "%:events")  # as if a replica had taken over that had only the first three
        others = [event.model_copy(update={"order_id": f"B{event.sequence}"}) for event in before[3:]]
        others.append(others[-1].model_copy(update={"sequence": 6, "order_id": "B6"}))
        for event in [*before[:3], *others]:
            fields = encode(event)
            del fields["trader"], fields["sequence"]
            words = [word for pair in fields.items() for word in pair]
            desk.vandalise("XADD", "%:events", f"{event.sequence}-0", *words)
        for raw in desk.fleet.raws.values():
            raw.ask("CLIENT", "KILL", "TYPE", "pubsub")
        with pytest.raises(StateLost) as caught:
            take(follow, 2)  # at most B6, which follows in number, before the contents are compared
        assert caught.value.first == 4
        assert caught.value.last in (5, 6)
        assert [event.order_id for event in take(follow, 3)] == ["B4", "B5", "B6"]


def test_a_stream_that_is_gone_is_a_loss(lone_desk: Desk) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
    for key in ("%:events", "%:book"):
        lone_desk.vandalise("DEL", key)
    with book.events.follow(trader, since=3) as follow:
        with pytest.raises(StateLost) as caught:
            follow.get(30)
        assert (caught.value.first, caught.value.last) == (1, 3)
        lone_desk.open().orders.place(limit(trader, "B1"))
        assert sequences(follow, 1) == [1]


@pytest.mark.parametrize("traders", [[], "", ["T{1"], " ab"])
def test_bad_names_are_refused(lone_desk: Desk, traders: object) -> None:
    with pytest.raises(InvalidArgument):
        lone_desk.book.events.follow(traders)  # type: ignore[arg-type]


@pytest.mark.parametrize("since", [-1, "5", {"T": -1}, 1.5])
def test_bad_numbers_are_refused(lone_desk: Desk, since: object) -> None:
    with pytest.raises(InvalidArgument):
        lone_desk.book.events.follow("T", since=since)  # type: ignore[arg-type]
    for bad in ({"maxsize": 0}, {"poll": 0}):
        with pytest.raises(InvalidArgument):
            lone_desk.book.events.follow("T", **bad)  # type: ignore[arg-type]


def test_iterators_for_threads_and_for_asyncio(fleets: Fleets) -> None:
    url, trader = fleets.of("standalone").url({"prefix": fresh("f") + ":"}), fresh()

    async def follow_a_while(found: list[int]) -> None:
        async with slotbook.aconnect(url) as book, book.events.follow(trader, since=0) as follow:
            async for event in follow:
                found.append(event.sequence)
                if len(found) == 20:
                    await follow.stop()

    tasks: list[int] = []
    threads: list[int] = []
    thread = threading.Thread(target=lambda: asyncio.run(follow_a_while(tasks)))
    thread.start()
    with slotbook.connect(url) as book:
        book.orders.place_many([limit(trader, f"A{number}") for number in range(20)])
        for event in (follow := book.events.follow(trader, since=0)):
            threads.append(event.sequence)
            if len(threads) == 20:
                follow.stop()
    thread.join(30)
    assert tasks == threads == list(range(1, 21))

"""Subscriptions to channels: by name, by glob, by iterator, by callback, on every node of a cluster."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from itertools import pairwise

import pytest
import slotbook
from slotbook import Book
from slotbook.models import Message
from slotbook.models.errors import BookClosed, CorruptRecord, InvalidArgument

from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.fleet import Fleets
from ...support.make import execution, fresh, limit


@pytest.fixture
def book(desk: Desk) -> Book:
    """Return a book that publishes on channels of its own."""
    return desk.open(publish="order_events,symbols", prefix=fresh("s") + ":")


@pytest.fixture
def lone_book(lone_desk: Desk) -> Book:
    """Return such a book on one server."""
    return lone_desk.open(publish="order_events,symbols", prefix=fresh("s") + ":")


@pytest.fixture
def prefix(book: Book) -> str:
    """Return the prefix of the channels' names."""
    return book.backend.settings.prefix


def test_globs_select_channels(desk: Desk, book: Book) -> None:
    with (
        book.events.psubscribe("events.AAPL.*") as of_aapl,
        book.events.psubscribe("events.*.fill", "events.*.canceled") as fills,
        book.events.subscribe("events.MSFT.new") as of_msft,
    ):
        book.orders.place(limit(desk.trader, "A1"))
        book.orders.place(limit(desk.trader, "A2", symbol="MSFT"))
        book.orders.fill(execution(desk.trader, order_id="A2"))
        book.orders.cancel(desk.trader, "A1")
        assert [message_of(of_aapl).event.type for _ in range(2)] == ["NEW", "CANCELED"]
        received = [message_of(fills) for _ in range(2)]
        assert [message.event.symbol for message in received] == ["MSFT", "AAPL"]
        assert [(message.pattern or "").split(":")[1] for message in received] == ["events.*.fill", "events.*.canceled"]
        assert (message_of(of_msft).event.order_id, of_msft.get(0.05)) == ("A2", None)


def message_of(subscription: slotbook.repositories.Subscription) -> Message:
    message = subscription.get(30)
    assert message is not None
    return message


def test_a_message_published_through_any_node_is_received_once(desk: Desk, book: Book, prefix: str) -> None:
    with book.events.psubscribe("events.*.fill") as by_glob, book.events.subscribe("order_events") as by_name:
        for port, raw in desk.fleet.raws.items():
            raw.ask("PUBLISH", f"{prefix}events.AAPL.fill", f"glob {port}")
            raw.ask("PUBLISH", f"{prefix}order_events", f"name {port}")
        ports = sorted(desk.fleet.raws)
        assert sorted(message_of(by_glob).text for _ in ports) == [f"glob {port}" for port in ports]
        assert sorted(message_of(by_name).text for _ in ports) == [f"name {port}" for port in ports]
        assert (by_glob.get(0.05), by_name.get(0.05)) == (None, None)


def test_a_message_that_is_no_event(lone_desk: Desk, lone_book: Book) -> None:
    with lone_book.events.subscribe("order_events") as subscription:
        for text in ("nonsense", "[]", '{"trader":1}', '{"trader":"T"}'):
            next(iter(lone_desk.fleet.raws.values())).ask(
                "PUBLISH", f"{lone_book.backend.settings.prefix}order_events", text
            )
            message = message_of(subscription)
            assert message.text == text
            with pytest.raises(CorruptRecord):
                assert message.event


def test_messages_for_a_full_queue_are_dropped_and_counted(lone_desk: Desk, lone_book: Book) -> None:
    with lone_book.events.subscribe("order_events", maxsize=5) as subscription:
        lone_book.orders.place_many([limit(lone_desk.trader, f"A{number}") for number in range(50)])
        until = time.monotonic() + 30
        while subscription.dropped == 0:
            assert time.monotonic() < until, "nothing was dropped, although nobody reads"
            lone_book.orders.get(lone_desk.trader, "A0")  # asyncio hears while a call waits
        received = [message_of(subscription)]
        while len(received) + subscription.dropped < 50:
            received.append(message_of(subscription))
        assert subscription.get(0.05) is None
        assert len(received) + subscription.dropped == 50
        sequences = [message.event.sequence for message in received]
        assert all(one < other for one, other in pairwise(sequences))


def test_with_block_nothing_is_dropped(lone_desk: Desk, lone_book: Book) -> None:
    with lone_book.events.subscribe("order_events", maxsize=5, when_full="block") as subscription:
        lone_book.orders.place_many([limit(lone_desk.trader, f"A{number}") for number in range(200)])
        assert [message_of(subscription).event.sequence for _ in range(200)] == list(range(1, 201))
        assert (subscription.dropped, subscription.interruptions) == (0, 0)


def test_the_channel_that_is_published_by_default_is_heard(desk: Desk) -> None:
    names = f"{{{desk.trader}}}:events", "order_events"
    with desk.book.events.subscribe(*names) as subscription:
        desk.book.orders.place(limit(desk.trader))
        message = message_of(subscription)
        assert message.channel == names[0]
        assert message.event == desk.events()[0]


@pytest.mark.parametrize("pattern", ["{T1}:events", "{*}:events", "{*", "[{]T1}*", "\\{T1\\}:*", "*:events"])
def test_a_pattern_that_could_hear_nothing_is_refused(lone_desk: Desk, pattern: str) -> None:
    with pytest.raises(InvalidArgument, match="follow"):
        lone_desk.book.events.psubscribe(pattern)


def test_the_prefix_is_no_pattern(lone_desk: Desk) -> None:
    prefix = fresh("s") + "[ab]*:"
    book, other = (lone_desk.open(publish="symbols", prefix=name) for name in (prefix, prefix.replace("[ab]*", "axx")))
    with book.events.psubscribe("events.*") as subscription:
        other.orders.place(limit(lone_desk.trader, "A1"))
        book.orders.place(limit(lone_desk.trader, "A2"))
        assert message_of(subscription).event.order_id == "A2"


@pytest.mark.parametrize("names", [(), ("",)])
def test_no_channel_is_refused(lone_desk: Desk, names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgument):
        lone_desk.book.events.subscribe(*names)


# ------------------------------------------------------------------ callbacks, for threads and for asyncio


@pytest.fixture
def url(fleets: Fleets) -> str:
    """Return the URL of a book that publishes on one server."""
    return fleets.of("standalone").url({"publish": "order_events", "prefix": fresh("s") + ":"})


def test_a_callback_for_threads(url: str) -> None:
    received: list[Message] = []
    enough = threading.Event()

    def take(message: Message) -> None:
        received.append(message)
        if len(received) == 3:
            enough.set()

    trader = fresh()
    with slotbook.connect(url) as book:
        subscription = book.events.subscribe("order_events", callback=take).start()
        book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
        assert enough.wait(30)
        subscription.stop()
        book.orders.place(limit(trader, "A9"))
        assert [message.event.order_id for message in received] == ["A0", "A1", "A2"]


@pytest.mark.parametrize("awaited", [True, False])
def test_a_callback_for_asyncio(url: str, awaited: bool) -> None:
    async def listen() -> list[str]:
        received: list[str] = []
        enough = asyncio.Event()

        def take(message: Message) -> None:
            received.append(message.channel)
            if len(received) == 3:
                enough.set()

        async def take_in_time(message: Message) -> None:
            await asyncio.sleep(0)
            take(message)

        async with slotbook.aconnect(url) as book:
            callback = take_in_time if awaited else take
            async with book.events.subscribe("order_events", callback=callback):
                await book.orders.place_many([limit(fresh(), "A1") for _ in range(3)])
                async with asyncio.timeout(30):
                    await enough.wait()
        return received

    assert len(asyncio.run(listen())) == 3


def test_an_error_of_a_callback_is_raised_by_stop(url: str, caplog: pytest.LogCaptureFixture) -> None:
    called = threading.Event()

    def fail(message: Message) -> None:
        called.set()
        raise ZeroDivisionError

    with slotbook.connect(url) as book:
        subscription = book.events.subscribe("order_events", callback=fail).start()
        with caplog.at_level(logging.ERROR, "slotbook.events"):
            book.orders.place(limit(fresh()))
            assert called.wait(30)
            wait_until(lambda: subscription.failure is not None, "the subscription says so")
            wait_until(lambda: not subscription.connected, "it has ended")
            for call in (subscription.start, subscription.get, lambda: next(subscription), subscription.stop):
                with pytest.raises(ZeroDivisionError):
                    call()
        assert "not called again" in caplog.text
        assert isinstance(subscription.failure, ZeroDivisionError)
        subscription.stop()  # once is enough


def test_an_error_of_an_asyncio_callback_is_raised_by_stop(url: str) -> None:
    async def listen() -> None:
        async def fail(message: Message) -> None:
            raise ZeroDivisionError

        async with slotbook.aconnect(url) as book:
            subscription = await book.events.subscribe("order_events", callback=fail).start()
            assert subscription.failure is None
            await book.orders.place(limit(fresh()))
            await asyncio.to_thread(wait_until, lambda: not subscription.connected, "it has ended")
            assert isinstance(subscription.failure, ZeroDivisionError)
            for call in (subscription.get, subscription.stop):
                with pytest.raises(ZeroDivisionError):
                    await call()

    asyncio.run(listen())


def test_an_iteration_ends_when_another_thread_stops_it(url: str) -> None:
    with slotbook.connect(url) as book:
        subscription = book.events.subscribe("order_events").start()
        book.orders.place(limit(fresh()))
        received: list[Message] = []
        came = threading.Event()

        def iterate() -> None:
            for message in subscription:
                received.append(message)
                came.set()

        thread = threading.Thread(target=iterate)
        thread.start()
        assert came.wait(30)
        subscription.stop()
        thread.join(30)
        assert (thread.is_alive(), len(received)) == (False, 1)


def test_closing_the_book_ends_what_listens(url: str) -> None:
    before = threading.active_count()
    book = slotbook.connect(url)
    subscription = book.events.subscribe("order_events").start()
    follow = book.events.follow([fresh()]).start()
    book.close()
    for listening in (subscription, follow):
        with pytest.raises(BookClosed):
            listening.get(1)
    assert threading.active_count() == before


def test_async_iteration(url: str) -> None:
    async def listen() -> list[str]:
        async with slotbook.aconnect(url) as book, book.events.subscribe("order_events") as subscription:
            await book.orders.place_many([limit(fresh(), f"A{number}") for number in range(3)])
            received: list[str] = []
            async for message in subscription:
                received.append(message.event.order_id or "")
                if len(received) == 3:
                    await subscription.stop()
            return received

    assert sorted(asyncio.run(listen())) == ["A0", "A1", "A2"]

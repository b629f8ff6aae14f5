"""Fault "closed": a book is closed, by itself or under callers, in another thread, in a forked child."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import pytest
from slotbook import AsyncBook, Book
from slotbook.models import SymbolInfo
from slotbook.models.errors import BookClosed, OutcomeUnknown

from ..support.caching.memory_source import AsyncMemorySource, MemorySource
from ..support.callers import CALLERS, Caller
from ..support.faults.control import wait_until
from ..support.faults.forks import in_a_child
from ..support.faults.methods import METHODS, ROOMS, SYMBOL, USUAL, Method
from ..support.faults.stand import Stand, Stands
from ..support.make import limit

SOON = 30.0
"""Seconds; a call waits for 60 on a server that is silent."""


TELL = (".ping", ".stats")
"""The endings of methods that say of a closed book that it is closed, and raise nothing."""


class Closed:
    """A book that was closed while its server answers, and what had been made of it."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.book = stand.open()
        self.book.orders.place(limit("T1"))
        (event,) = self.book.events.history("T1", limit=1)
        memory: MemorySource[SymbolInfo] = MemorySource({"AAPL": SYMBOL})
        source = cast("MemorySource[SymbolInfo]", AsyncMemorySource(memory) if stand.caller == "asyncio" else memory)
        self.rooms = {name: room(self.book) for name, (_, room) in ROOMS.items()}
        self.rooms["symbols"] = self.book.symbols.using(source)
        self.rooms["cache"] = self.book.cache(SymbolInfo, "other", source)
        session = self.book.sessions.create("T1", ttl=5)
        self.usual = {
            **USUAL,
            "event": (event,),
            "steps": ([limit("T1", "S1")],),
            "price": (180,),
            "session_id": (session.id,),
            "ttl": (5,),
            "source": (source,),
        }
        self.book.close()
        self.opened = self.links()

    def links(self) -> int:
        return sum(proxy.opened for proxy in self.stand.veil.data)

    def call(self, named: str) -> None:
        """Call a method, and begin what it returns if that has to be begun."""
        room, name = named.split(".")
        method: Method = getattr(self.rooms[room], name)
        asked = list(inspect.signature(getattr(ROOMS[room][0], name)).parameters.values())[1:]
        usual = {**self.usual, "value": (SYMBOL,)} if room == "cache" else self.usual
        if named == "orders.by":
            usual = {**usual, "values": ({"symbol": "AAPL"},)}
        given: dict[str, object] = {
            one.name: usual[one.name][0]
            for one in asked
            if (one.default is one.empty or one.name == "price")
            and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        }
        several = [self.usual[one.name][0] for one in asked if one.kind is one.VAR_POSITIONAL and self.usual[one.name]]
        result = method(*several, **given)
        for more, words in (("start", ()), ("acquire", ("L1",) if named == "book.limiter" else ()), ("all", ())):
            if callable(begin := getattr(result, more, None)):
                begin(*words)


@pytest.fixture(scope="module", params=CALLERS)
def closed(request: pytest.FixtureRequest, stands: Stands, runner: asyncio.Runner) -> Iterator[Closed]:
    """Yield a closed book, for threads and for asyncio."""
    with Stand(stands.of("standalone"), cast(Caller, request.param), runner) as stand:
        stand.trader = "T1"
        yield Closed(stand)


@pytest.mark.parametrize(
    "named", [named for named in METHODS if not named.endswith((".key", ".table", ".reference", ".of", *TELL))]
)
def test_every_method_says_so_at_once_and_nothing_connects_again(closed: Closed, named: str) -> None:
    began = time.monotonic()
    with pytest.raises(BookClosed, match="closed"):
        closed.call(named)
    assert time.monotonic() - began < SOON
    assert closed.links() == closed.opened


def test_calls_that_wait_in_threads_end(stands: Stands, runner: asyncio.Runner) -> None:
    """A change may have been sent; reads, and what waits for a connection, are done with."""
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        book = stand.open(pool_size=2, pool_wait=60, socket_timeout=60, deadline=60)
        book.orders.place(limit(stand.trader))
        server, asked, logins = stand.control.primary(), stand.veil.requests("EVALSHA"), stand.veil.requests("AUTH")
        server.freeze()
        try:
            with ThreadPoolExecutor(6) as threads:
                changes = [threads.submit(book.orders.place, limit(stand.trader, "A2"))]
                wait_until(lambda: stand.veil.requests("EVALSHA") == asked + 1, "the change is sent")
                reads = [threads.submit(book.orders.get, stand.trader, "A1") for _ in range(5)]
                wait_until(lambda: stand.veil.requests("AUTH") == logins + 1, "a read opens a connection")
                began = time.monotonic()
                book.close()
                errors = [type(call.exception(timeout=60)) for call in (*changes, *reads)]
                assert time.monotonic() - began < SOON
        finally:
            server.thaw()
    assert errors == [OutcomeUnknown, *[BookClosed] * 5]


def test_calls_that_wait_in_tasks_end(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "asyncio", runner) as stand:
        server = stand.control.primary()

        async def scenario() -> list[type]:
            book = await AsyncBook.open(stand.veil.url({"socket_timeout": 60, "deadline": 60}))
            await book.orders.place(limit(stand.trader))
            asked = stand.veil.requests("EVALSHA", "HGETALL")
            server.freeze()
            calls: list[asyncio.Task[Any]] = [asyncio.create_task(book.orders.place(limit(stand.trader, "A2")))]
            calls += [asyncio.create_task(book.orders.get(stand.trader, "A1")) for _ in range(5)]
            done = partial(wait_until, lambda: stand.veil.requests("EVALSHA", "HGETALL") == asked + 6, "all are sent")
            await asyncio.to_thread(done)
            began = time.monotonic()
            await book.close()
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - began < SOON
            return [type(error) for error in errors]

        try:
            errors = runner.run(scenario())
        finally:
            server.thaw()
    assert errors == [OutcomeUnknown, *[BookClosed] * 5]


def test_a_connection_that_is_being_opened_is_given_up(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "asyncio", runner) as stand:

        async def scenario() -> None:
            book = await AsyncBook.open(stand.veil.url({"socket_timeout": 60, "connect_timeout": 60, "deadline": 60}))
            for proxy in stand.veil.data:
                proxy.blackhole()
                proxy.reset()
            calls = [asyncio.create_task(book.orders.get(stand.trader, "A1")) for _ in range(3)]
            await asyncio.sleep(0.1)
            began = time.monotonic()
            await book.close()
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - began < SOON
            assert [type(error) for error in errors] == [BookClosed] * 3
            assert len(asyncio.all_tasks()) == 1

        runner.run(scenario())


def test_threads_that_never_stop_asking_all_end(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        book = stand.open(pool_size=3)
        book.orders.place(limit(stand.trader))
        ended: list[type] = []

        def ask() -> None:
            try:
                while True:
                    book.orders.get(stand.trader, "A1")
                    book.orders.get_many([(stand.trader, "A1")])[0].result()
            except Exception as error:
                ended.append(type(error))

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        closers = [threading.Thread(target=book.close) for _ in range(2)]
        for closer in closers:
            closer.start()
        for thread in (*askers, *closers):
            thread.join(60)
        assert ended == [BookClosed] * 8
        wait_until(lambda: sum(proxy.links for proxy in stand.veil.data) == 0, "every connection is closed")
        book.close()


@pytest.mark.parametrize("what", ["subscription", "follow", "consumer"])
def test_who_listens_is_told(lone_stand: Stand, what: str) -> None:
    book, trader = lone_stand.open(), lone_stand.trader
    listening = _listen(book, what, trader)
    book.close()
    book.close()
    again = listening.__aiter__ if lone_stand.caller == "asyncio" else listening.__iter__
    for call in (listening.start, lambda: listening.get(30), listening.get, again):
        with pytest.raises(BookClosed):
            call()
    listening.stop()
    if what == "consumer":
        for call in (listening.lag, lambda: listening.run(print)):
            with pytest.raises(BookClosed):
                call()
    if what != "subscription":
        with pytest.raises(BookClosed):
            listening.add("T2")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slotbook-")]


def test_what_was_near_is_not_served_any_more(lone_stand: Stand) -> None:
    book = lone_stand.open()
    symbols = book.symbols.near(10)
    symbols.put(SYMBOL)
    wait_until(lambda: symbols.get("AAPL") == SYMBOL, "it is near")
    book.close()
    for call in (lambda: symbols.get("AAPL"), lambda: symbols.get_many(["AAPL"]), lambda: symbols.near(5)):
        with pytest.raises(BookClosed):
            call()


def test_what_was_granted_or_handed_over_before_says_so(lone_stand: Stand) -> None:
    book, trader = lone_stand.open(), lone_stand.trader
    book.orders.place(limit(trader))
    held = book.lock("L", trader=trader).acquire()
    delivery = book.events.consume("g", "c", trader).get(30)
    assert delivery is not None
    book.close()
    for call in (
        held.renew,
        held.release,
        lambda: held.orders.cancel(trader, "A1"),
        lambda: held.positions.get(trader, "AAPL"),
        lambda: held.commit([limit(trader, "A2")]),
        delivery.acknowledge,
        lambda: delivery.give_up("closed"),
    ):
        with pytest.raises(BookClosed):
            call()


@pytest.mark.parametrize("what", ["subscription", "follow", "consumer"])
def test_an_iteration_ends_and_a_wait_is_told_while_the_book_is_closed(
    what: str, stands: Stands, runner: asyncio.Runner
) -> None:
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        book, trader = stand.open(publish="traders,order_events"), stand.trader
        iterated, waited = _listen(book, what, trader), _listen(book, what, trader, "h")
        first = threading.Barrier(3, timeout=60)

        def iterate() -> int:
            return sum(first.wait() >= 0 for _ in iterated)

        def wait() -> None:
            waited.get()
            first.wait()
            waited.get()

        with ThreadPoolExecutor(2) as threads:
            iteration, waiting = threads.submit(iterate), threads.submit(wait)
            book.orders.place(limit(trader))
            first.wait()  # both go on to wait for a second
            time.sleep(0.05)
            book.close()
            assert iteration.result(60) == 1
            assert isinstance(waiting.exception(60), BookClosed)


def test_asyncio_closed_from_another_thread(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "asyncio", runner) as stand:

        async def scenario() -> None:
            book = await AsyncBook.open(stand.veil.url())
            subscription = await book.events.subscribe("order_events").start()
            waiting = asyncio.create_task(subscription.get())
            await asyncio.to_thread(asyncio.run, book.close())
            with pytest.raises(BookClosed):
                await waiting
            with pytest.raises(BookClosed):
                await book.orders.get(stand.trader, "A1")
            await book.close()

        runner.run(scenario())
        wait_until(lambda: sum(proxy.links for proxy in stand.veil.data) == 0, "every connection is closed")


def test_a_child_closes_only_what_is_its_own(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        # one connection for calls: those who listen in threads of their own would open another when they call at once
        book = stand.open(pool_size=1, pool_wait=60, deadline=60)
        book.orders.place(limit(stand.trader))
        consumer = book.events.consume("g", "c", stand.trader).start()
        follow = book.events.follow(stand.trader, since=0).start()
        opened = sum(proxy.opened for proxy in stand.veil.data)

        def work() -> None:
            book.close()
            with pytest.raises(BookClosed):
                book.orders.get(stand.trader, "A1")
            with pytest.raises(BookClosed):
                consumer.get(30)
            consumer.stop()
            follow.stop()

        assert in_a_child(work) == 0
        (event, delivery) = follow.get(30), consumer.get(30)
        assert event is not None
        assert delivery is not None
        assert delivery.acknowledge()
        assert sum(proxy.opened for proxy in stand.veil.data) == opened


def _listen(book: Book, what: str, trader: str, group: str = "g") -> Any:
    """Return what listens, started: Any, for the three have only their methods' names in common."""
    if what == "subscription":
        return book.events.subscribe("order_events").start()
    if what == "follow":
        return book.events.follow(trader).start()
    return book.events.consume(group, "c", trader).start()

"""Fault "interrupted": a signal handler raises, at each point of a call at which Python would run it.

Nothing is held afterwards: no place in a pool, no discovery turn, no connection that owes a reply. ``SLOTBOOK_NIGHTLY``
has the handler raise twice, with more distances between the two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias, cast

import pytest
from redis.exceptions import RedisError
from slotbook import AsyncBook, Book
from slotbook.models.errors import SlotbookError, Unavailable
from slotbook.topology.embedded import Topology

from ..support.fleet import Fleets
from ..support.interrupts import Interrupted, interrupted_at, raising_handler
from ..support.make import NIGHTLY, fresh, limit

AGAIN_AFTER = (0, 3, 4, 5, 6, 7, 8) if NIGHTLY else (0, 4)
"""The points between the first and the second signal; 0 for a single one."""
SETTINGS = {"pool_size": 1, "pool_wait": 0.2, "deadline": 3, "socket_timeout": 0.3}
STRIDE = {"get_many": 1 if NIGHTLY else 5, "discover": 1 if NIGHTLY else 7}
"""Each how manieth point is tried."""
EXPECTED = (type(None), KeyboardInterrupt, asyncio.CancelledError, SlotbookError, OSError, RedisError)
"""What an interrupted task ends with; on a busy machine a connection may not be there in time."""
Work: TypeAlias = Callable[[Any, str], Any]
WORKS: dict[str, Work] = {
    "get": lambda book, trader: book.orders.get(trader, "A1"),
    "get_many": lambda book, trader: book.orders.get_many([(trader, "A1"), (trader, "A2"), (trader, "none")]),
    "place": lambda book, trader: book.orders.place(limit(trader, "A1")),
    "discover": lambda book, trader: book.backend.survey(),
}
CASES: list[tuple[Topology, str]] = [
    ("standalone", "get"),
    ("standalone", "place"),
    ("cluster", "get_many"),
    ("sentinel", "discover"),
    ("cluster", "discover"),
]


def points(first: int, again_after: int) -> list[int]:
    """Return the points at which the signal comes."""
    return [first, first + again_after] if again_after else [first]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("again_after", AGAIN_AFTER)
@pytest.mark.parametrize(("topology", "name"), CASES)
def test_threads(fleets: Fleets, topology: Topology, name: str, again_after: int) -> None:
    trader, work, passed, swallowed = fresh(), WORKS[name], 0, list[int]()
    with Book.open(fleets.of(topology).url(SETTINGS)) as book, raising_handler() as signals:
        order = book.orders.place(limit(trader)).order
        work(book, trader)
        more = True
        while more:
            passed += STRIDE.get(name, 1)
            signals.clear()
            try:
                more = interrupted_at(points(passed, again_after), lambda: work(book, trader)) or bool(signals)
                swallowed += [passed] if signals else []
            except Interrupted:
                pass
            assert _kept_are_open(book), passed
            assert book.orders.get(trader, "A1") == order, passed
            assert _discovers(book), passed
        # Python swallows what is raised in a destructor: redis-py's, of connections that are not used any more.
        assert len(swallowed) <= (5 if name == "discover" else 0)
        assert passed > 50
        assert book.orders.count(trader) == 1


def _kept_are_open(book: Book) -> bool:
    """Return True if no connection was closed that is kept for the next call."""
    pools = book.backend._nodes.pools.values()  # pyright: ignore[reportPrivateUsage]
    kept = [connection for pool in pools for connection in pool._idle]  # pyright: ignore[reportPrivateUsage]
    return all(connection._socket.fileno() >= 0 for connection in kept)  # pyright: ignore[reportPrivateUsage]


def _discovers(book: Book) -> bool:
    """Return True if the servers are asked for the layout: nobody holds the turn to do it."""
    nodes = book.backend._nodes  # pyright: ignore[reportPrivateUsage]
    before = nodes._discoveries  # pyright: ignore[reportPrivateUsage]
    book.backend.survey()
    return nodes._discoveries > before  # pyright: ignore[reportPrivateUsage]


class Loop:
    """An event loop that goes on after an interrupt."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._note)
        self.wrong: list[object] = []
        """What tasks have ended with that nobody awaited, and that no interrupt explains."""

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do some work, even if an interrupted call has left word that the loop is to stop."""
        task = self.loop.create_task(work)
        with suppress(RuntimeError):
            return self.loop.run_until_complete(task)
        return task.result() if task.done() else self.loop.run_until_complete(task)

    def leave(self) -> None:
        """Do what asyncio does as it leaves the loop, if it was interrupted on its way there (Python 3.14)."""
        if self.loop.is_running():
            cast(Any, self.loop)._run_forever_cleanup()

    def end(self) -> None:
        """Cancel what asyncio has forgotten, and close the loop."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.come_to_rest()
        self.loop.close()

    def _note(self, _: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, EXPECTED):
            self.wrong.append(error)

    def come_to_rest(self) -> None:
        """Let the tasks end that were interrupted, but for those that asyncio has forgotten."""
        if left := asyncio.all_tasks(self.loop):
            done, _ = self.run(asyncio.wait(left, timeout=0.2))
            for task in done:
                assert task.cancelled() or isinstance(task.exception(), EXPECTED)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")  # interrupted before it began
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("topology", "name"), CASES if NIGHTLY else [CASES[0], CASES[2], CASES[4]])
def test_asyncio(fleets: Fleets, topology: Topology, name: str) -> None:
    """A handler of the user's raises KeyboardInterrupt out of the event loop, which is then run again."""
    trader, work, passed, loop = fresh(), WORKS[name], 0, Loop()
    book = loop.run(AsyncBook.open(fleets.of(topology).url(SETTINGS)))
    order = loop.run(book.orders.place(limit(trader))).order
    with raising_handler(KeyboardInterrupt) as signals:
        more = True
        while more:
            passed += STRIDE.get(name, 1)
            signals.clear()
            with suppress(KeyboardInterrupt):
                more = interrupted_at([passed], lambda: loop.loop.run_until_complete(work(book, trader))) or bool(
                    signals
                )
            loop.leave()
            loop.come_to_rest()
            assert loop.run(book.orders.get(trader, "A1")) == order, passed
    assert passed > 100
    assert loop.run(asyncio.wait_for(_many(book, trader), 60)) == [order] * 64  # all places are free
    assert loop.run(_survey(book))
    loop.run(asyncio.wait_for(book.close(), 60))
    loop.end()
    assert loop.wrong == []


async def _survey(book: AsyncBook) -> object:
    """Ask for the layout until an attempt to connect that asyncio has forgotten is over."""
    ends_at = time.monotonic() + 60
    while True:
        try:
            return await book.backend.survey()
        except Unavailable:
            if time.monotonic() > ends_at:
                raise


async def _many(book: AsyncBook, trader: str) -> list[object]:
    return await asyncio.gather(*(book.orders.get(trader, "A1") for _ in range(64)))

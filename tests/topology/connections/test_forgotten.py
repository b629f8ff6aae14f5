"""A task or a timer that the event loop has forgotten holds nobody up for long.

A signal handler that raises between two tasks of an event loop makes asyncio drop the next one.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from slotbook import AsyncBook, aconnect
from slotbook.models.errors import BookClosed, Unavailable
from slotbook.topology.connections.async_connection import FORGOTTEN
from slotbook.topology.connections.async_pool import AsyncConnectionPool

from ...support.fleet import Fleets
from ...support.relay import Relay

# What is forgotten is left to destructors, which warn.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning", "ignore:coroutine.*never awaited"
)
QUERY = "?connect_timeout=0.2&socket_timeout=0.2"


@pytest.fixture
def relay(fleets: Fleets) -> Iterator[Relay]:
    with Relay(fleets.of("standalone")) as running:
        yield running


def _pool(book: AsyncBook) -> AsyncConnectionPool:
    (pool,) = book.backend._nodes.pools.values()  # pyright: ignore[reportPrivateUsage]
    return pool


def _forget_last() -> None:
    """Have the event loop forget what it was to do last."""
    ready: deque[object] = cast(Any, asyncio.get_running_loop())._ready
    ready.pop()


async def _get_with_forgotten_opening(book: AsyncBook) -> asyncio.Task[object]:
    """Begin a call that needs a connection, and have the event loop forget the first step of opening one."""
    pool = _pool(book)
    await pool.retire()
    before = pool._opening  # pyright: ignore[reportPrivateUsage]
    getting = asyncio.create_task(book.orders.get("T", "A1"))
    while pool._opening is before:  # noqa: ASYNC110  # pyright: ignore[reportPrivateUsage]
        await asyncio.sleep(0)
    _forget_last()
    return getting


def _run(relay: Relay, scenario: Callable[[AsyncBook], Awaitable[None]], deadline: float = 60) -> None:
    async def main() -> None:
        async with aconnect(f"{relay.url}{QUERY}&deadline={deadline}") as book:
            await book.orders.get("T", "A1")
            await asyncio.wait_for(scenario(book), 60)

    loop = asyncio.new_event_loop()  # asyncio.run would wait for what is forgotten
    loop.run_until_complete(main())
    for task in asyncio.all_tasks(loop):
        cast(Any, task)._log_destroy_pending = False
    loop.close()
    gc.collect()


def test_an_attempt_to_connect_is_made_again(relay: Relay) -> None:
    async def scenario(book: AsyncBook) -> None:
        began = time.monotonic()
        assert await (await _get_with_forgotten_opening(book)) is None
        assert time.monotonic() - began > FORGOTTEN  # it was forgotten

    _run(relay, scenario)


def test_an_attempt_to_connect_does_not_keep_a_book_open(relay: Relay) -> None:
    async def scenario(book: AsyncBook) -> None:
        getting = await _get_with_forgotten_opening(book)
        await book.close()
        with pytest.raises(BookClosed):
            await getting

    _run(relay, scenario)


def test_the_end_of_a_connection_does_not_keep_a_book_open(relay: Relay) -> None:
    async def scenario(book: AsyncBook) -> None:
        connection = _pool(book).connection
        assert connection is not None
        connection.abort(RedisConnectionError("by a test"))
        _forget_last()
        await book.close()

    _run(relay, scenario)


def test_the_timer_of_a_connection_is_set_again(relay: Relay) -> None:
    async def scenario(book: AsyncBook) -> None:
        connection = _pool(book).connection
        assert connection is not None
        timer = connection._timer  # pyright: ignore[reportPrivateUsage]
        assert timer is not None
        timer.cancel()
        await asyncio.sleep(0.2 + FORGOTTEN + 0.1)
        relay.replies.clear()
        with pytest.raises(Unavailable):
            await book.orders.get("T", "A1")
        relay.replies.set()
        assert await book.orders.get("T", "A1") is None

    _run(relay, scenario, deadline=2)

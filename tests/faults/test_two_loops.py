"""Fault "second loop": two event loops that are open at the same time, and tasks that begin at once."""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from slotbook import AsyncBook
from slotbook.models.errors import BelongsElsewhere, Unavailable
from slotbook.topology.embedded import Server, start

from ..support.faults.control import wait_until
from ..support.faults.stand import Stand, Stands
from ..support.make import fresh, limit

AT_ONCE = 30.0
"""Seconds within which something ends that would otherwise wait for a server that is frozen."""


@pytest.fixture
def lone(stands: Stands, runner: asyncio.Runner) -> Stand:
    """Return one server behind a proxy."""
    return Stand(stands.of("standalone"), "asyncio", runner)


def links(stand: Stand) -> int:
    return sum(proxy.links for proxy in stand.veil.data)


@pytest.mark.parametrize("runs", [True, False], ids=["runs", "pauses"])
def test_while_the_first_loop_is_open_a_second_is_refused(
    stands: Stands, runner: asyncio.Runner, *, runs: bool
) -> None:
    """Nothing connects there, nothing leaks, and the first goes on with the connections that it has."""
    stand = Stand(stands.of("cluster"), "asyncio", runner)
    trader = stand.trader

    async def ask(book: AsyncBook) -> None:
        assert await book.orders.get(trader, "A1") is not None

    async def refused(book: AsyncBook) -> None:
        with pytest.raises(BelongsElsewhere, match="open a book in each"):
            await book.orders.get(trader, "A1")
        with pytest.raises(BelongsElsewhere):
            await book.orders.get_many([(trader, "A1")])
        with pytest.raises(BelongsElsewhere):
            await book.events.subscribe("order_events").start()
        with pytest.raises(BelongsElsewhere):
            await book.symbols.near(10)

    with asyncio.Runner() as first:
        book = first.run(AsyncBook.open(stand.veil.url()))
        first.run(book.orders.place(limit(trader)))
        open_before = links(stand)
        if runs:
            first.run(_beside(lambda: asyncio.run(refused(book))))
        else:
            asyncio.run(refused(book))
        for _ in range(3):
            first.run(ask(book))
        assert links(stand) == open_before
        with pytest.raises(BelongsElsewhere, match="close the book in it"):
            asyncio.run(book.close())
        first.run(book.close())
    wait_until(lambda: links(stand) == 0, "no connection is left")


def test_a_closed_loop_leaves_no_connection(lone: Stand) -> None:
    book = asyncio.run(AsyncBook.open(lone.veil.url()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the first loop's transport was nobody's to close
        for _ in range(5):
            asyncio.run(book.orders.get(lone.trader, "A1"))
        assert links(lone) <= 2  # that of the last loop, and one that the proxy is about to find closed
        asyncio.run(book.close())
        del book
        gc.collect()
    wait_until(lambda: links(lone) == 0, "no connection is left")


def test_what_listens_in_a_loop_that_is_closed_says_so(lone: Stand) -> None:
    async def begin() -> tuple[AsyncBook, list[object]]:
        book = await AsyncBook.open(lone.veil.url())
        await book.symbols.near(10)
        made = [
            await book.events.subscribe("order_events").start(),
            await book.events.follow(lone.trader).start(),
            await book.events.consume("g", "c", lone.trader).start(),
        ]
        return book, [*made]

    async def go_on(book: AsyncBook, listening: list[object]) -> None:
        for one in listening:
            with pytest.raises(BelongsElsewhere, match="another event loop"):
                await one.get(1)  # type: ignore[attr-defined]  # all three have it
            await one.stop()  # type: ignore[attr-defined]
        assert await book.symbols.get("NONE") is None
        await book.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(go_on(*asyncio.run(begin())))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 brought eager tasks")
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_tasks_that_begin_at_once(*, unix: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        with start("standalone", options={"unixsocket": str(path)}) as deployment:
            url = f"unix://:{deployment.password}@{path}" if unix else deployment.url
            asyncio.run(_eagerly(url, deployment.servers[0]))


async def _eagerly(url: str, server: Server) -> None:
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
    book, trader = await AsyncBook.open(f"{url}?deadline=60&socket_timeout=60"), fresh()
    hasty = await AsyncBook.open(f"{url}?deadline=1&socket_timeout=0.5")
    received: list[object] = []
    await book.symbols.near(10)
    async with (
        book.events.subscribe(f"{{{trader}}}:events", callback=received.append),
        book.events.follow(trader) as follow,
        book.events.consume("g", "c", trader) as consumer,
        book.lock("L", lease=30, renew=True),
    ):
        await asyncio.gather(*(book.orders.place(limit(trader, f"A{number}")) for number in range(20)))
        assert await follow.get(30) is not None
        assert await consumer.get(30) is not None
        for pool in book.backend._pools.values():  # pyright: ignore[reportPrivateUsage]
            assert pool.connection is not None
            pool.connection.abort(ConnectionError("cut"))
        assert await book.orders.count(trader) == 20
        await _until(lambda: len(received) >= 1)
    await asyncio.to_thread(server.kill)
    waiting = asyncio.create_task(book.orders.count(trader))
    with pytest.raises(Unavailable):  # a Unix socket is refused at once, before the task that connects is known
        await hasty.orders.count(trader)
    await asyncio.to_thread(server.restart)
    assert await waiting == 0
    server.freeze()
    with pytest.raises(Unavailable):
        await hasty.orders.count(trader)
    began = time.monotonic()
    await hasty.close()
    await book.close()
    assert time.monotonic() - began < AT_ONCE
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def _beside(work: Callable[[], None]) -> None:
    """Do some work in a thread while this loop runs."""
    await asyncio.to_thread(work)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

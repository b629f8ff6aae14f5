"""Fault "fork": a process forks while its client is warm."""

from __future__ import annotations

import asyncio
import os

import pytest
from slotbook import AsyncBook, Book
from slotbook.topology.embedded import Topology

from ..support.faults.forks import in_a_child
from ..support.faults.stand import Stand, Stands
from ..support.make import limit

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")


@pytest.fixture(params=TOPOLOGIES)
def any_stand(request: pytest.FixtureRequest, stands: Stands, runner: asyncio.Runner) -> Stand:
    """Return a shared deployment behind proxies."""
    return Stand(stands.of(request.param), "sync", runner)


def test_threads_the_child_never_shares_a_socket(any_stand: Stand) -> None:
    with any_stand as stand, Book.open(stand.veil.url({"pool_size": 2})) as book:
        book.orders.place(limit(stand.trader))
        opened = sum(proxy.opened for proxy in stand.veil.data)

        def work() -> None:
            for number in range(20):
                book.orders.place(limit(stand.trader, f"C{number}"))
                assert book.orders.get(stand.trader, f"C{number}") is not None

        assert in_a_child(work) == 0
        assert sum(proxy.opened for proxy in stand.veil.data) > opened
        opened = sum(proxy.opened for proxy in stand.veil.data)
        for number in range(20):
            assert book.orders.get(stand.trader, f"C{number}") is not None
        assert sum(proxy.opened for proxy in stand.veil.data) == opened  # the parent's own are as they were


def test_threads_both_at_once(any_stand: Stand) -> None:
    with any_stand as stand, Book.open(stand.veil.url({"pool_size": 1})) as book:
        book.orders.place(limit(stand.trader))
        child = os.fork()
        name = "P" if child else "C"
        code = 1
        try:
            for number in range(60):
                order_id = f"{name}{number}"
                assert book.orders.place(limit(stand.trader, order_id)).order.order_id == order_id
                found = book.orders.get(stand.trader, order_id)
                assert found is not None
                assert found.order_id == order_id
            code = 0
        finally:
            if not child:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [event["id"] for event in stand.events()] == [f"{n}-0" for n in range(1, 122)]


def test_asyncio_in_a_loop_of_the_childs_own(any_stand: Stand) -> None:
    with any_stand as stand:
        trader = stand.trader

        async def scenario() -> int:
            book = await AsyncBook.open(stand.veil.url())
            await book.orders.place(limit(trader))
            child = os.fork()
            if not child:
                code = 1
                try:
                    asyncio.events._set_running_loop(None)  # pyright: ignore[reportPrivateUsage]
                    asyncio.run(_in_the_child(book, trader))
                    code = 0
                finally:
                    os._exit(code)
            for number in range(30):
                assert (await book.orders.place(limit(trader, f"P{number}"))).order.order_id == f"P{number}"
                await asyncio.sleep(0.002)
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            assert await book.orders.count(trader) == 61
            await book.close()
            return os.waitstatus_to_exitcode(status)

        assert asyncio.run(scenario()) == 0


async def _in_the_child(book: AsyncBook, trader: str) -> None:
    for number in range(30):
        assert (await book.orders.place(limit(trader, f"C{number}"))).order.order_id == f"C{number}"

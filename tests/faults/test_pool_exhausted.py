"""Fault "pool exhausted": the pool is empty, or the server has all the clients it allows."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from slotbook import AsyncBook, Book
from slotbook.models.errors import PoolExhausted

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import info, wait_until
from ..support.make import fresh, limit
from ..support.raw import Raw
from .conftest import Deploy

AT_ONCE = 30.0
"""Seconds; what waits for a place or a reply ends after 60."""


def test_threads_get_a_fast_typed_error(deploy: Deploy) -> None:
    control, trader = deploy("standalone"), fresh()
    server = control.data[0]
    url = control.url(pool_size=2, pool_wait=0.2, deadline=60, socket_timeout=60)
    with Book.open(url) as book, ThreadPoolExecutor(8) as threads:
        book.orders.place(limit(trader))
        control.freeze(server)
        stuck = [threads.submit(book.orders.get, trader, "A1") for _ in range(2)]
        wait_until(lambda: book.stats().pools[0].in_use == 2, "both wait for the server")
        started = time.monotonic()
        for work in [threads.submit(book.orders.place, limit(trader, f"B{n}")) for n in range(4)]:
            with pytest.raises(PoolExhausted, match="pool_size"):
                work.result(60)
        assert time.monotonic() - started < AT_ONCE
        control.thaw(server)
        assert [work.result(60) is not None for work in stuck] == [True, True]
        assert book.orders.count(trader) == 1  # what was refused was not applied
        again = [threads.submit(book.orders.place, limit(trader, f"B{n}")) for n in range(2)]
        assert all(work.result(60) for work in again)  # both places are free again, so none waits for one


def test_tasks_get_a_fast_typed_error(deploy: Deploy) -> None:
    control, trader = deploy("standalone"), fresh()

    async def scenario() -> None:
        book = await AsyncBook.open(control.url(pool_size=1, pool_wait=0.2, deadline=60, socket_timeout=60))
        await book.orders.place(limit(trader))
        control.freeze(control.data[0])
        stuck = [asyncio.create_task(book.orders.get(trader, "A1")) for _ in range(64)]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        refused = await asyncio.gather(
            *(book.orders.place(limit(trader, f"B{n}")) for n in range(5)), return_exceptions=True
        )
        assert [type(one) for one in refused] == [PoolExhausted] * 5
        assert time.monotonic() - started < AT_ONCE
        control.thaw(control.data[0])
        assert all(await asyncio.gather(*stuck))
        assert await book.orders.count(trader) == 1
        await asyncio.gather(*(book.orders.place(limit(trader, f"B{n}")) for n in range(5)))
        await book.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("login", [True, False], ids=["login", "no-login"])
@pytest.mark.parametrize("caller", CALLERS)
def test_a_server_that_takes_no_more_clients(
    deploy: Deploy, runner: asyncio.Runner, caller: Caller, login: bool
) -> None:
    control = deploy("standalone")
    server = control.data[0]
    raw = Raw(server.host, server.port, control.deployment.password)
    raw.ask("CONFIG", "SET", "maxclients", int(info(server, "clients")["connected_clients"]) - 1)
    started, url = time.monotonic(), control.url(deadline=60)
    with pytest.raises(PoolExhausted, match="maxclients"):
        open_book(url if login else url.replace(f":{control.deployment.password}@", ""), caller, runner)
    assert time.monotonic() - started < AT_ONCE
    raw.ask("CONFIG", "SET", "maxclients", 100)
    raw.close()
    open_book(control.url(), caller, runner).close()


@pytest.mark.parametrize("caller", CALLERS)
def test_a_server_that_takes_its_clients_not_back(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone"), fresh()
    server = control.data[0]
    book = open_book(control.url(deadline=60), caller, runner)
    book.orders.place(limit(trader))
    raw = Raw(server.host, server.port, control.deployment.password)
    raw.ask("CONFIG", "SET", "maxclients", 1)
    raw.ask("CLIENT", "KILL", "TYPE", "normal")
    started = time.monotonic()
    with pytest.raises(PoolExhausted, match="maxclients"):
        book.orders.count(trader)
    assert time.monotonic() - started < AT_ONCE
    raw.ask("CONFIG", "SET", "maxclients", 100)
    raw.close()
    assert book.orders.count(trader) == 1
    book.close()

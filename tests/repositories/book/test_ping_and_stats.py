"""``ping`` and ``stats`` say how a book's servers and connections are, and raise nothing that a health check dreads."""

from __future__ import annotations

import asyncio
import time
from threading import Thread

import pytest
import slotbook
from slotbook import BookStats, Ping, errors
from slotbook.topology.embedded import Topology, start

from ...support.callers import CALLERS, Caller, open_book
from ...support.desk import Desk
from ...support.faults.control import Control, wait_until
from ...support.make import fresh, limit


def test_every_primary_answers(desk: Desk) -> None:
    ping = desk.book.ping()
    assert ping.ok
    assert {node.node for node in ping.nodes} == {
        f"{server.host}:{server.port}" for server in desk.fleet.deployment.primaries()
    }
    assert len(ping.nodes) == len({node.node for node in ping.nodes})
    assert all(node.seconds is not None and 0 < node.seconds < 5 for node in ping.nodes)
    assert ping.seconds == max(node.seconds or 0 for node in ping.nodes)
    assert ping.error is None


def test_a_closed_book_is_an_answer_and_no_error(lone_desk: Desk) -> None:
    book = lone_desk.open()
    book.close()
    ping = book.ping()
    assert not ping.ok
    assert ping.nodes == ()
    assert ping.error is not None
    assert "closed" in ping.error


@pytest.mark.parametrize("timeout", [0, -1, "1", float("nan"), True])
def test_a_timeout_is_a_number_of_seconds(lone_desk: Desk, timeout: float) -> None:
    with pytest.raises(errors.InvalidArgument, match="timeout"):
        lone_desk.book.ping(timeout)


@pytest.mark.parametrize("caller", CALLERS)
def test_servers_that_are_gone_silent_or_back(caller: Caller, runner: asyncio.Runner) -> None:
    with start("cluster", replicas=0) as deployment, Control(deployment, keeps_connections=False) as control:
        book = open_book(control.url(deadline=20, socket_timeout=10), caller, runner)
        assert book.ping().ok
        frozen = control.data[0]
        control.freeze(frozen)
        began = time.monotonic()
        ping = book.ping(1.0)
        assert time.monotonic() - began < 8  # not as long as one reply may take
        assert not ping.ok
        failed = [node for node in ping.nodes if node.error is not None]
        assert [node.node for node in failed] == [f"{frozen.host}:{frozen.port}"]
        assert failed[0].seconds is None
        assert sum(node.seconds is not None for node in ping.nodes) == len(ping.nodes) - 1 > 0
        control.thaw(frozen)
        assert book.ping().ok
        control.kill(frozen)
        assert not book.ping(2.0).ok
        book.close()


@pytest.mark.parametrize(("topology", "caller"), [("sentinel", "sync"), ("cluster", "asyncio")])
def test_a_failover_that_is_over_is_no_failure(topology: Topology, caller: Caller, runner: asyncio.Runner) -> None:
    with start(topology) as deployment, Control(deployment) as control:
        book = open_book(control.url(deadline=20), caller, runner)
        was = control.primary("{T}")
        control.kill(was)
        heir = control.promoted(was, "{T}")
        wait_until(lambda: control.all_name(heir, "{T}"), "everyone who can be asked knows the new primary")
        ping = book.ping()
        assert ping.ok, ping
        assert f"{heir.host}:{heir.port}" in {node.node for node in ping.nodes}
        assert f"{was.host}:{was.port}" not in {node.node for node in ping.nodes}
        book.close()


def test_stats_count_connections_and_calls(lone_desk: Desk) -> None:
    book = lone_desk.open(pool_size=3)
    book.orders.get(lone_desk.trader, "A1")
    (pool,) = book.stats().pools
    assert (pool.in_use, pool.idle, pool.in_flight, pool.waiting, pool.for_replicas) == (0, 1, 0, 0, False)
    assert pool.size == (3 if lone_desk.caller == "sync" else 1)
    assert pool.node == str(lone_desk.book.ping().nodes[0].node)
    assert book.stats().in_flight == 0
    with pytest.raises(errors.UnderReplicated):
        book.orders.place(limit(lone_desk.trader, "A1"), durability="replicated=9")
    assert [pool.for_replicas for pool in book.stats().pools] == [False, True]
    book.close()
    assert {pool.idle + pool.in_use for pool in book.stats().pools} == {0}


def test_calls_that_fly_and_wait_are_counted(lone_desk: Desk) -> None:
    if lone_desk.caller == "asyncio":
        found = lone_desk.runner.run(_of_tasks(lone_desk.fleet.url({"pool_size": 1}), lone_desk.trader))
        wanted = (64, 6)
    else:
        found = _of_threads(lone_desk)
        wanted = (2, 3)
    (pool,) = found.pools
    assert (pool.in_flight, pool.waiting) == wanted
    assert pool.in_use == min(wanted[0], pool.size)
    assert found.in_flight == wanted[0]


async def _of_tasks(url: str, trader: str) -> BookStats:
    async with slotbook.aconnect(url) as book:
        tasks = [asyncio.create_task(book.orders.get(trader, "A1")) for _ in range(70)]
        await asyncio.sleep(0)
        found = book.stats()
        await asyncio.gather(*tasks)
        return found


def _of_threads(desk: Desk) -> BookStats:
    book = desk.open(pool_size=2, pool_wait=20, socket_timeout=20, deadline=30)
    book.orders.place(limit(desk.trader, "A1"))
    threads = [Thread(target=book.orders.place, args=(limit(desk.trader, "A1"),)) for _ in range(5)]
    found = book.stats()
    desk.ask("CLIENT", "PAUSE", 20_000, "WRITE")
    try:
        for thread in threads:
            thread.start()
        ends_at = time.monotonic() + 10
        while time.monotonic() < ends_at:
            found = book.stats()
            if (found.pools[0].waiting, found.pools[0].in_use) == (3, 2):  # the second is opened meanwhile
                break
            time.sleep(0.01)
    finally:
        desk.ask("CLIENT", "UNPAUSE")
        for thread in threads:
            thread.join()
    return found


def test_near_caches_count_hits_misses_and_what_was_dropped(lone_desk: Desk) -> None:
    book = lone_desk.open()
    name = f"colours-{fresh()}"
    cache = book.cache(str, name)
    assert book.stats().near_caches == ()
    cache.near(10)
    cache.put("sea", "blue")
    ends_at = time.monotonic() + 10
    missed = 0
    while not book.stats().near_caches[0].hits and time.monotonic() < ends_at:  # the news of the put may come late
        missed = book.stats().near_caches[0].misses
        assert cache.get("sea") == "blue"
    assert book.stats().near_caches[0].misses == missed, "what was a hit is no miss"
    (before,) = book.stats().near_caches
    assert (before.name, before.size, before.maxsize, before.hits) == (name, 1, 10, 1)
    assert before.misses >= 1
    assert cache.get("sky") is None
    (after,) = book.stats().near_caches
    assert (after.hits, after.misses) == (before.hits, before.misses + 1)
    other = lone_desk.open().cache(str, name)
    other.put("sea", "green")
    while book.stats().near_caches[0].invalidations == before.invalidations and time.monotonic() < ends_at:
        cache.get("sea")
    assert book.stats().near_caches[0].invalidations > before.invalidations
    other.invalidate("sea")


def test_results_say_what_is_well() -> None:
    assert not Ping(()).ok, "a book without primaries is not well"

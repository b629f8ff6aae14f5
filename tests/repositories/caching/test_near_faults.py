"""The near cache when its connection is lost, its server fails or its slot moves: nothing is served past the bound."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slotbook.repositories import AsyncSymbolInfoRepository, SymbolInfoRepository
from slotbook.topology.embedded import Topology, start

from ...support.caching.freshness import BOUND, TIMEOUT, near_of, staleness, wait_for, wait_until_kept
from ...support.callers import CALLERS, Caller
from ...support.faults.certificates import Authority
from ...support.faults.control import Control
from ...support.faults.migration import Migration
from ...support.faults.proxy import Proxy
from ...support.fleet import Fleets
from .conftest import CacheSetup, FleetAt, symbol


def kill_trackers(caches: CacheSetup) -> int:
    """Cut every connection with tracking on, and return how many there were."""
    killed = 0
    for raw in caches.fleet.raws.values():
        for line in str(raw.ask("CLIENT", "LIST")).splitlines():
            fields = {name: value for name, _, value in (word.partition("=") for word in line.split())}
            if fields["flags"].find("t") >= 0:
                killed += int(str(raw.ask("CLIENT", "KILL", "ID", fields["id"])))
    return killed


def test_a_lost_connection_empties_and_comes_back(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    symbols.near(bound=BOUND)
    kept = near_of(symbols)
    symbols.put(symbol())
    wait_until_kept(caches, symbols)
    assert kill_trackers(caches) >= len(caches.fleet.raws)
    wait_for(lambda: not len(kept), caches)
    assert kept.get("AAPL") is None
    assert symbols.get("AAPL") == symbol()  # from Redis
    wait_until_kept(caches, symbols)


@pytest.mark.parametrize(
    ("topology", "caller"),
    [("standalone", "sync"), ("standalone", "asyncio"), ("sentinel", "sync"), ("cluster", "asyncio")],
)
def test_nothing_of_a_frozen_primary_is_served_past_the_bound(
    topology: Topology, caller: Caller, runner: asyncio.Runner
) -> None:
    """When a frozen primary is replaced, a write to its successor is served within the bound."""
    with start(topology) as deployment, Control(deployment) as control:
        caches = CacheSetup(FleetAt(deployment.url), caller, runner)
        symbols, other = caches.symbols(), SymbolInfoRepository.from_url(caches.url(deadline=20))
        other.put(symbol())
        symbols.near(bound=BOUND)
        kept = near_of(symbols)
        if topology == "cluster":
            move_the_slot(control, caches, symbols, other)
        wait_until_kept(caches, symbols)
        primary = control.primary(caches.key("AAPL"))
        primary.freeze()
        served = asked = frozen = time.monotonic()
        while kept.get("AAPL") is not None:
            assert asked - frozen < TIMEOUT
            caches.run_tasks(0.002)
            served, asked = asked, time.monotonic()
        assert served - frozen <= BOUND
        if topology == "standalone":
            primary.thaw()
        other.put(symbol(lot_size=7))
        assert staleness(caches, symbols, symbol(lot_size=7), time.monotonic()) <= BOUND
        primary.thaw()
        wait_until_kept(caches, symbols)
        other.put(symbol(lot_size=8))
        assert staleness(caches, symbols, symbol(lot_size=8), time.monotonic()) <= BOUND
        other.close()
        caches.close()


def move_the_slot(
    control: Control, caches: CacheSetup, symbols: SymbolInfoRepository, other: SymbolInfoRepository
) -> None:
    """Move the slot of a key to another primary and back, and change the key as soon as the slot has moved."""
    move, number = Migration(control, caches.key("AAPL")), 100
    for step in (lambda: move.begin().finish(), move.back):
        wait_until_kept(caches, symbols)
        step()
        for _ in range(3):
            number += 1
            new = symbol(lot_size=number)
            other.put(new)
            assert staleness(caches, symbols, new, time.monotonic()) <= BOUND


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Proxy, Authority, str, str]]:
    """Yield a server's password and URL, with a proxy in front of it that speaks TLS, and the proxy's authority."""
    authority = Authority(tmp_path, "desk")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server"))
    with start("standalone") as deployment:
        (server,) = deployment.servers
        with Proxy(server.host, server.port, tls=context) as proxy:
            yield proxy, authority, deployment.password, deployment.url


@pytest.mark.parametrize("caller", CALLERS)
def test_a_network_that_swallows_everything(
    pair: tuple[Proxy, Authority, str, str], caller: Caller, runner: asyncio.Runner
) -> None:
    """When connections stay open but nothing arrives any more, over TLS, near values are served for the bound only."""
    proxy, authority, password, direct = pair
    url = f"rediss://:{password}@127.0.0.1:{proxy.port}?tls_ca_file={authority.certificate}&connect_timeout=20"
    caches = CacheSetup(FleetAt(url), caller, runner)
    symbols = caches.symbols()
    other = SymbolInfoRepository.from_url(f"{direct}?prefix={caches.prefix}")
    symbols.near(bound=BOUND)
    kept = near_of(symbols)
    other.put(symbol())
    wait_until_kept(caches, symbols)
    proxy.blackhole()
    other.put(symbol(lot_size=7))
    served = asked = written = time.monotonic()
    while kept.get("AAPL") is not None:
        assert asked - written < TIMEOUT
        caches.run_tasks(0.002)
        served, asked = asked, time.monotonic()
    assert served - written <= BOUND
    proxy.heal()
    wait_until_kept(caches, symbols)
    assert kept.get("AAPL") == symbol(lot_size=7)
    other.close()
    caches.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_over_a_unix_socket(tmp_path: Path, caller: Caller, runner: asyncio.Runner) -> None:
    path = tmp_path / "redis.sock"
    with start("standalone", options={"unixsocket": str(path)}) as deployment:
        caches = CacheSetup(FleetAt(f"unix://{path}?password={deployment.password}"), caller, runner)
        symbols, other = caches.symbols(), SymbolInfoRepository.from_url(f"{deployment.url}?prefix={caches.prefix}")
        other.put(symbol())
        symbols.near(bound=BOUND)
        wait_until_kept(caches, symbols)
        other.put(symbol(lot_size=7))
        assert staleness(caches, symbols, symbol(lot_size=7), time.monotonic()) <= BOUND
        other.close()
        caches.close()


def test_a_second_loop_has_tracking_connections_of_its_own(fleets: Fleets, runner: asyncio.Runner) -> None:
    """When the first loop has ended without closing anything, its values are not served in the second."""
    caches = CacheSetup(fleets.of("standalone"), "asyncio", runner)
    other = SymbolInfoRepository.from_url(caches.url())
    other.put(symbol())

    async def first() -> AsyncSymbolInfoRepository:
        symbols = await AsyncSymbolInfoRepository.from_url(caches.url())
        await symbols.near(bound=60)
        assert await symbols.get("AAPL") == await symbols.get("AAPL") == symbol()
        return symbols

    async def second(symbols: AsyncSymbolInfoRepository) -> None:
        until = time.monotonic() + TIMEOUT
        assert await symbols.get("AAPL") == symbol(lot_size=7)
        while near_of(symbols).get("AAPL") is None:
            assert time.monotonic() < until
            await symbols.get("AAPL")
            await asyncio.sleep(0.01)
        await symbols.close()

    symbols = asyncio.run(first())
    other.put(symbol(lot_size=7))
    asyncio.run(second(symbols))
    other.close()
    caches.close()


def test_a_forked_child_has_a_near_cache_of_its_own(fleets: Fleets, runner: asyncio.Runner) -> None:
    caches = CacheSetup(fleets.of("standalone"), "sync", runner)
    symbols, other = caches.symbols(), SymbolInfoRepository.from_url(caches.url())
    symbols.near(bound=BOUND)
    other.put(symbol())
    wait_until_kept(caches, symbols)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            kept = near_of(symbols)
            assert kept.get("AAPL") is None
            other.put(symbol(lot_size=7))
            assert symbols.get("AAPL") == symbol(lot_size=7)
            until = time.monotonic() + TIMEOUT
            while kept.get("AAPL") is None and time.monotonic() < until:
                symbols.get("AAPL")
                time.sleep(0.01)
            os.write(writing, str(kept.get("AAPL") == symbol(lot_size=7)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    answered, _, _ = select.select([reading], [], [], 2 * TIMEOUT)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert answered
    assert os.read(reading, 4) == b"True"
    os.close(reading)
    other.close()
    caches.close()

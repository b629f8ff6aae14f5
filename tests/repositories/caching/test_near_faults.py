"""The near cache when its connection, its server or its slot goes away: nothing is served past the bound."""

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

from ...support.caching.freshness import BOUND, PATIENCE, near_of, staleness, wait_for, wait_until_kept
from ...support.callers import COLOURS, Colour
from ...support.faults.certificates import Authority
from ...support.faults.control import Control
from ...support.faults.migration import Migration
from ...support.faults.proxy import Proxy
from ...support.fleet import Fleets
from .conftest import FleetOf, Shelf, symbol


def kill_trackers(shelf: Shelf) -> int:
    """Cut every connection with tracking on."""
    killed = 0
    for raw in shelf.fleet.raws.values():
        for line in str(raw.ask("CLIENT", "LIST")).splitlines():
            fields = {name: value for name, _, value in (word.partition("=") for word in line.split())}
            if fields["flags"].find("t") >= 0:
                killed += int(str(raw.ask("CLIENT", "KILL", "ID", fields["id"])))
    return killed


def test_a_lost_connection_empties_and_comes_back(shelf: Shelf) -> None:
    symbols = shelf.symbols()
    symbols.near(bound=BOUND)
    kept = near_of(symbols)
    symbols.put(symbol())
    wait_until_kept(shelf, symbols)
    assert kill_trackers(shelf) >= len(shelf.fleet.raws)
    wait_for(lambda: not len(kept), shelf)
    assert kept.get("AAPL") is None
    assert symbols.get("AAPL") == symbol()  # from Redis
    wait_until_kept(shelf, symbols)


@pytest.mark.parametrize(
    ("topology", "colour"),
    [("standalone", "sync"), ("standalone", "asyncio"), ("sentinel", "sync"), ("cluster", "asyncio")],
)
def test_a_frozen_primary_is_not_believed_past_the_bound(
    topology: Topology, colour: Colour, runner: asyncio.Runner
) -> None:
    """The primary freezes, is replaced, and what its successor is told is served within the bound of being told."""
    with start(topology) as deployment:
        control, shelf = Control(deployment), Shelf(FleetOf(deployment.url), colour, runner)
        symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url(deadline=20))
        other.put(symbol())
        symbols.near(bound=BOUND)
        kept = near_of(symbols)
        if topology == "cluster":
            move_the_slot(control, shelf, symbols, other)
        wait_until_kept(shelf, symbols)
        primary = control.primary(shelf.key("AAPL"))
        primary.freeze()
        served = asked = frozen = time.monotonic()
        while kept.get("AAPL") is not None:
            assert asked - frozen < PATIENCE
            shelf.idle(0.002)
            served, asked = asked, time.monotonic()
        assert served - frozen <= BOUND
        if topology == "standalone":
            primary.thaw()
        other.put(symbol(lot_size=7))
        assert staleness(shelf, symbols, symbol(lot_size=7), time.monotonic()) <= BOUND
        primary.thaw()
        wait_until_kept(shelf, symbols)
        other.put(symbol(lot_size=8))
        assert staleness(shelf, symbols, symbol(lot_size=8), time.monotonic()) <= BOUND
        other.close()
        shelf.close()


def move_the_slot(control: Control, shelf: Shelf, symbols: SymbolInfoRepository, other: SymbolInfoRepository) -> None:
    """A key is read while its slot moves to another primary and back, and changed as soon as it has moved."""
    move, number = Migration(control, shelf.key("AAPL")), 100
    for step in (lambda: move.begin().finish(), move.back):
        wait_until_kept(shelf, symbols)
        step()
        for _ in range(3):
            number += 1
            new = symbol(lot_size=number)
            other.put(new)
            assert staleness(shelf, symbols, new, time.monotonic()) <= BOUND


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Proxy, Authority, str, str]]:
    """A server, and a proxy in front of it that speaks TLS."""
    authority = Authority(tmp_path, "desk")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server"))
    with start("standalone") as deployment:
        (server,) = deployment.servers
        with Proxy(server.host, server.port, tls=context) as proxy:
            yield proxy, authority, deployment.password, deployment.url


@pytest.mark.parametrize("colour", COLOURS)
def test_a_network_that_swallows_everything(
    pair: tuple[Proxy, Authority, str, str], colour: Colour, runner: asyncio.Runner
) -> None:
    """No connection is closed and nothing arrives any more, over TLS: what is near is served for the bound."""
    proxy, authority, password, direct = pair
    url = f"rediss://:{password}@127.0.0.1:{proxy.port}?tls_ca_file={authority.certificate}&connect_timeout=20"
    shelf = Shelf(FleetOf(url), colour, runner)
    symbols = shelf.symbols()
    other = SymbolInfoRepository.from_url(f"{direct}?prefix={shelf.prefix}")
    symbols.near(bound=BOUND)
    kept = near_of(symbols)
    other.put(symbol())
    wait_until_kept(shelf, symbols)
    proxy.blackhole()
    other.put(symbol(lot_size=7))
    served = asked = written = time.monotonic()
    while kept.get("AAPL") is not None:
        assert asked - written < PATIENCE
        shelf.idle(0.002)
        served, asked = asked, time.monotonic()
    assert served - written <= BOUND
    proxy.heal()
    wait_until_kept(shelf, symbols)
    assert kept.get("AAPL") == symbol(lot_size=7)
    other.close()
    shelf.close()


@pytest.mark.parametrize("colour", COLOURS)
def test_over_a_unix_socket(tmp_path: Path, colour: Colour, runner: asyncio.Runner) -> None:
    path = tmp_path / "redis.sock"
    with start("standalone", options={"unixsocket": str(path)}) as deployment:
        shelf = Shelf(FleetOf(f"unix://{path}?password={deployment.password}"), colour, runner)
        symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(f"{deployment.url}?prefix={shelf.prefix}")
        other.put(symbol())
        symbols.near(bound=BOUND)
        wait_until_kept(shelf, symbols)
        other.put(symbol(lot_size=7))
        assert staleness(shelf, symbols, symbol(lot_size=7), time.monotonic()) <= BOUND
        other.close()
        shelf.close()


def test_a_second_loop_has_tracking_connections_of_its_own(fleets: Fleets, runner: asyncio.Runner) -> None:
    """The first loop ended without closing anything: what it vouched for is not served in the second."""
    shelf = Shelf(fleets.of("standalone"), "asyncio", runner)
    other = SymbolInfoRepository.from_url(shelf.url())
    other.put(symbol())

    async def first() -> AsyncSymbolInfoRepository:
        symbols = await AsyncSymbolInfoRepository.from_url(shelf.url())
        await symbols.near(bound=60)
        assert await symbols.get("AAPL") == await symbols.get("AAPL") == symbol()
        return symbols

    async def second(symbols: AsyncSymbolInfoRepository) -> None:
        until = time.monotonic() + PATIENCE
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
    shelf.close()


def test_a_forked_child_has_a_near_cache_of_its_own(fleets: Fleets, runner: asyncio.Runner) -> None:
    shelf = Shelf(fleets.of("standalone"), "sync", runner)
    symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url())
    symbols.near(bound=BOUND)
    other.put(symbol())
    wait_until_kept(shelf, symbols)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            kept = near_of(symbols)
            assert kept.get("AAPL") is None
            other.put(symbol(lot_size=7))
            assert symbols.get("AAPL") == symbol(lot_size=7)
            until = time.monotonic() + PATIENCE
            while kept.get("AAPL") is None and time.monotonic() < until:
                symbols.get("AAPL")
                time.sleep(0.01)
            os.write(writing, str(kept.get("AAPL") == symbol(lot_size=7)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    answered, _, _ = select.select([reading], [], [], 2 * PATIENCE)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert answered
    assert os.read(reading, 4) == b"True"
    os.close(reading)
    other.close()
    shelf.close()

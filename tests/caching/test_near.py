"""The near cache: fast, never older than its bound, and empty when nobody vouches for it."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from itertools import product
from typing import Any, cast

import pytest
from slotbook.models import SymbolInfo
from slotbook.models.errors import InvalidArgument
from slotbook.repositories import AsyncSymbolInfoRepository, SymbolInfoRepository
from slotbook.repositories.near import Near
from slotbook.topology.address import Address
from slotbook.topology.call import Reply
from slotbook.topology.embedded import Topology, start
from slotbook.topology.feed import Feed

from ..colours import COLOURS, Colour
from ..fleet import Fleet, Fleets
from .conftest import TOPOLOGIES, Shelf, symbol

BOUND = 0.4
FASTER = 100


def best(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


def test_a_hit_is_a_hundred_times_faster_than_a_get(
    shelf: Shelf, record_property: Callable[[str, object], None]
) -> None:
    def measure(symbols: SymbolInfoRepository, times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            symbols.get("AAPL")
        return (time.perf_counter() - started) / times

    async def ameasure(symbols: AsyncSymbolInfoRepository, times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            await symbols.get("AAPL")
        return (time.perf_counter() - started) / times

    async def both() -> tuple[float, float]:
        symbols = await AsyncSymbolInfoRepository.from_url(shelf.url())
        await symbols.put(symbol())
        far = best([await ameasure(symbols, 200) for _ in range(5)])
        await symbols.near()
        await symbols.get("AAPL")
        near = best([await ameasure(symbols, 5_000) for _ in range(5)])
        await symbols.close()
        return far, near

    if shelf.colour == "asyncio":
        far, near = shelf.runner.run(both())
    else:
        symbols = shelf.symbols()
        symbols.put(symbol())
        far = best([measure(symbols, 200) for _ in range(5)])
        symbols.near()
        symbols.get("AAPL")
        near = best([measure(symbols, 5_000) for _ in range(5)])
    print(f"get {far * 1e6:.1f} us, near {near * 1e9:.0f} ns, {far / near:.0f} times")
    assert far / near >= FASTER


def test_what_another_client_writes_is_seen_within_the_bound(shelf: Shelf) -> None:
    symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url())
    names = [f"S{number}" for number in range(12)]  # on every primary of a cluster
    other.put_many([symbol(name) for name in names])
    symbols.near(bound=BOUND)
    delays: list[float] = []
    for round_ in range(1, 11):
        for name in names:
            symbols.get(name)
        for name in names:
            new = symbol(name, lot_size=round_)
            other.put(new)
            written = time.monotonic()
            while symbols.get(name) != new:
                assert time.monotonic() - written <= BOUND
                shelf.idle()
            delays.append(time.monotonic() - written)
    other.close()
    print(f"seen after {best(delays) * 1e3:.2f} ms, at most {max(delays) * 1e3:.1f} ms")
    assert max(delays) <= BOUND


@pytest.mark.parametrize("change", ["invalidate", "expire", "flush"])
def test_what_goes_away_is_not_served(lone_shelf: Shelf, change: str) -> None:
    symbols = lone_shelf.symbols()
    symbols.near(bound=BOUND)
    symbols.put(symbol())
    assert symbols.get("AAPL") == symbol()
    if change == "invalidate":
        SymbolInfoRepository.from_url(lone_shelf.url()).invalidate("AAPL")
    elif change == "expire":
        lone_shelf.ask("PEXPIRE", "AAPL", 50)
    else:
        lone_shelf.fleet.ask("", "FLUSHALL")
    time.sleep(BOUND)
    lone_shelf.idle(0.01)
    assert symbols.get("AAPL") is None


def test_ones_own_write_is_seen_at_once(shelf: Shelf) -> None:
    symbols = shelf.symbols()
    symbols.near(bound=60)
    for number in range(1, 30):
        new = symbol(lot_size=number)
        symbols.put(new) if number % 2 else symbols.write_through(new)
        assert symbols.get("AAPL") == new


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
    assert kept is not None
    symbols.put(symbol())
    until = time.monotonic() + 5
    while not len(kept):  # its own write is told to it too, a moment later
        assert time.monotonic() < until
        symbols.get("AAPL")
        shelf.idle(0.02)
    assert kill_trackers(shelf) >= len(shelf.fleet.raws)
    shelf.idle(0.05)
    time.sleep(0.05)
    assert kept.get("AAPL") is None
    assert len(kept) == 0
    assert symbols.get("AAPL") == symbol()  # from Redis
    until = time.monotonic() + 5
    while not len(kept):
        assert time.monotonic() < until
        shelf.idle(0.02)
        symbols.get("AAPL")


def near_of(symbols: SymbolInfoRepository) -> Near[SymbolInfo] | None:
    target: Any = getattr(symbols, "_target", symbols)
    return cast("Near[SymbolInfo] | None", target._near)


def test_it_is_bounded_and_off_by_default(lone_shelf: Shelf) -> None:
    symbols = lone_shelf.symbols()
    infos = [symbol(f"S{number}") for number in range(50)]
    symbols.put_many(infos)
    symbols.get_many([info.symbol for info in infos])
    assert near_of(symbols) is None
    symbols.near(20)
    for _ in range(2):
        assert [outcome.result() for outcome in symbols.get_many([info.symbol for info in infos])] == infos
    kept = near_of(symbols)
    assert kept is not None
    assert len(kept) == 20
    for wrong in (0, -1):
        with pytest.raises(InvalidArgument):
            symbols.near(wrong)
    with pytest.raises(InvalidArgument):
        symbols.near(bound=0)


@pytest.mark.parametrize(("topology", "colour"), list(product(TOPOLOGIES, COLOURS)))
def test_a_frozen_primary_is_not_believed_past_the_bound(
    topology: Topology, colour: Colour, runner: asyncio.Runner
) -> None:
    """The primary freezes, is replaced, and what its successor is told is served within the bound of being told."""
    if colour == "asyncio" and topology != "sentinel":
        pytest.skip("one topology is enough for the second colour: what differs is the connection")
    with start(topology) as deployment:
        fleet = cast(Fleet, FleetOf(deployment.url))
        shelf = Shelf(fleet, colour, runner)
        symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url(deadline=20))
        other.put(symbol())
        time.sleep(0.2)  # replicated
        symbols.near(bound=BOUND)
        kept = near_of(symbols)
        assert kept is not None
        symbols.get("AAPL")
        primary = (
            next(server for server in deployment.primaries() if server.ask("EXISTS", shelf.key("AAPL")) == 1)
            if topology != "cluster"
            else next(server for server in deployment.primaries() if symbols_here(server, shelf.key("AAPL")))
        )
        primary.freeze()
        frozen = time.monotonic()
        served = asked = time.monotonic()
        while kept.get("AAPL") is not None:
            served, asked = asked, time.monotonic()
            shelf.idle(0.002)
        assert served - frozen <= BOUND
        if topology == "standalone":
            primary.thaw()
        other.put(symbol(lot_size=7))
        written = time.monotonic()
        while (asked := time.monotonic()) and symbols.get("AAPL") != symbol(lot_size=7):
            assert asked - written <= BOUND
            shelf.idle()
        if topology != "standalone":
            primary.thaw()
        until = time.monotonic() + 10
        while kept.get("AAPL") is None:
            assert time.monotonic() < until
            assert symbols.get("AAPL") == symbol(lot_size=7)
            shelf.idle(0.02)
        other.put(symbol(lot_size=8))
        written = time.monotonic()
        while symbols.get("AAPL") != symbol(lot_size=8):
            assert time.monotonic() - written <= BOUND
            shelf.idle()
        other.close()
        shelf.close()


def symbols_here(server: Any, key: str) -> bool:
    try:
        return bool(server.ask("EXISTS", key) == 1)
    except Exception:
        return False


class FleetOf:
    """As much of a fleet as a shelf needs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, settings: dict[str, object]) -> str:
        return self._url + ("&" if "?" in self._url else "?") + "&".join(f"{k}={v}" for k, v in settings.items())


def test_a_forked_child_has_a_near_cache_of_its_own(fleets: Fleets, runner: asyncio.Runner) -> None:
    shelf = Shelf(fleets.of("standalone"), "sync", runner)
    symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url())
    symbols.near(bound=BOUND)
    other.put(symbol())
    symbols.get("AAPL")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        other.put(symbol(lot_size=7))
        time.sleep(BOUND)
        seen = symbols.get("AAPL") == symbol(lot_size=7)
        until = time.monotonic() + 5
        kept = near_of(symbols)
        while kept is not None and not kept.get("AAPL") and time.monotonic() < until:
            symbols.get("AAPL")
            time.sleep(0.01)
        os.write(writing, b"%d%d" % (seen, kept is not None and kept.get("AAPL") is not None))
        os._exit(0)
    os.close(writing)
    answered, _, _ = select.select([reading], [], [], 20)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert answered
    assert os.read(reading, 2) == b"11"
    os.close(reading)
    other.close()
    shelf.close()


@pytest.fixture
def feed() -> tuple[Near[int], Feed]:
    near: Near[int] = Near(3, "symbol:")
    made = Feed(Address("h", 1), "", near, 60, 2)
    made.beat()
    made.take(["master", 0, list[Reply]()])
    return near, made


def test_an_answer_that_was_overtaken_is_not_kept(feed: tuple[Near[int], Feed]) -> None:
    near, vouching = feed
    ticket = near.open("A", vouching)
    near.forget(["symbol:A"])
    near.settle(ticket, 1, 60)
    assert near.get("A") is None
    first, second = near.open("A", vouching), near.open("A", vouching)
    near.settle(second, 2, 60)
    near.settle(first, 1, 60)
    assert near.get("A") == 2


def test_nothing_is_kept_longer_than_it_lasts(feed: tuple[Near[int], Feed]) -> None:
    near, vouching = feed
    near.settle(near.open("A", vouching), 1, 0.05)
    assert near.get("A") == 1
    time.sleep(0.06)
    assert near.get("A") is None


def test_a_lost_feed_vouches_for_nothing(feed: tuple[Near[int], Feed]) -> None:
    near, vouching = feed
    near.settle(near.open("A", vouching), 1, 60)
    late = near.open("B", vouching)
    vouching.end()
    near.settle(late, 2, 60)
    assert (near.get("A"), near.get("B"), len(near), near.open("C", vouching)) == (None, None, 0, None)


def test_threads_that_read_while_another_writes_never_go_back(fleets: Fleets, runner: asyncio.Runner) -> None:
    shelf = Shelf(fleets.of("standalone"), "sync", runner)
    symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url())
    symbols.near(bound=BOUND)
    written: list[tuple[int, float]] = [(1, time.monotonic())]
    other.put(symbol(lot_size=1))
    over, late = threading.Event(), list[str]()

    def read() -> None:
        while not over.is_set():
            asked = time.monotonic()
            must = [number for number, at in list(written) if at < asked - BOUND]
            found = symbols.get("AAPL")
            if found is None or (must and found.lot_size < must[-1]):
                late.append(f"{found} although {must[-1:]} was written")
            time.sleep(0)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(2, 150):
        other.put(symbol(lot_size=number))
        written.append((number, time.monotonic()))
        del written[:-60]
        time.sleep(0.005)
    over.set()
    for reader in readers:
        reader.join()
    assert late == []
    other.close()
    shelf.close()

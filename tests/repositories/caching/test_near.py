"""The near cache: a hit asks no server, no value is older than the bound, and a lost feed empties it."""

from __future__ import annotations

import asyncio
import threading
import time
from statistics import median

import pytest
from slotbook.models.errors import AccessDenied, InvalidArgument
from slotbook.repositories import SymbolInfoRepository
from slotbook.repositories.caching.near import NearCache, PendingRead
from slotbook.topology.address import Address
from slotbook.topology.call import Reply
from slotbook.topology.listening.tracking import InvalidationFeed

from ...support import application
from ...support.caching.freshness import BOUND, near_of, staleness
from ...support.fleet import Fleets
from .conftest import CacheSetup, symbol


def test_a_hit_asks_no_server(caches: CacheSetup) -> None:
    """See the benchmark "near cache hit" for how much faster that is."""
    symbols = caches.symbols()
    symbols.put(symbol())
    symbols.near()
    symbols.get("AAPL")
    before = caches.fleet.calls()
    assert [symbols.get("AAPL") for _ in range(100)] == [symbol()] * 100
    after = caches.fleet.calls()
    # Heartbeats are sent meanwhile, but no value is read.
    assert all(
        after.get(read, 0) == before.get(read, 0) for read in ("hgetall", "hmget", "get", "evalsha", "evalsha_ro")
    )


def test_what_another_client_writes_is_seen_within_the_bound(caches: CacheSetup) -> None:
    symbols, other = caches.symbols(), SymbolInfoRepository.from_url(caches.url())
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
            delays.append(staleness(caches, symbols, new, time.monotonic()))
    other.close()
    print(f"stale for {median(delays) * 1e3:.2f} ms, at most {max(delays) * 1e3:.1f} ms of {BOUND * 1e3:.0f} ms")
    assert max(delays) <= BOUND


def test_what_is_stale_is_served_and_not_kept(standalone: CacheSetup) -> None:
    symbols = standalone.symbols(ttl=0.05, stale=60)
    symbols.put(symbol())
    symbols.near(bound=60)
    time.sleep(0.06)
    for _ in range(2):
        assert symbols.get("AAPL") == symbol()
        assert near_of(symbols).get("AAPL") is None


@pytest.mark.parametrize("change", ["invalidate", "expire", "flush"])
def test_what_goes_away_is_not_served(standalone: CacheSetup, change: str) -> None:
    symbols, other = standalone.symbols(), SymbolInfoRepository.from_url(standalone.url())
    symbols.near(bound=BOUND)
    symbols.put(symbol())
    assert symbols.get("AAPL") == symbol()
    if change == "invalidate":
        other.invalidate("AAPL")
    elif change == "expire":
        standalone.ask("PEXPIRE", "AAPL", 50)
    else:
        standalone.fleet.ask("", "FLUSHALL")
    time.sleep(BOUND)
    standalone.run_tasks(0.01)
    assert symbols.get("AAPL") is None
    other.close()


def test_a_write_of_this_process_is_seen_at_once(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    symbols.near(bound=60)
    for number in range(1, 30):
        new = symbol(lot_size=number)
        symbols.put(new) if number % 2 else symbols.write_through(new)
        assert symbols.get("AAPL") == new


def test_it_is_bounded_and_off_by_default(standalone: CacheSetup) -> None:
    symbols = standalone.symbols()
    infos = [symbol(f"S{number}") for number in range(50)]
    symbols.put_many(infos)
    before = standalone.fleet.calls()["hgetall"]
    for _ in range(2):
        symbols.get_many([info.symbol for info in infos])
    assert standalone.fleet.calls()["hgetall"] - before == 100
    symbols.near(20)
    for _ in range(2):
        assert [outcome.result() for outcome in symbols.get_many([info.symbol for info in infos])] == infos
    assert len(near_of(symbols)) == 20
    for wrong in (0, -1):
        with pytest.raises(InvalidArgument):
            symbols.near(wrong)
    with pytest.raises(InvalidArgument):
        symbols.near(bound=0)


def test_a_user_who_may_not_track_gets_access_denied(standalone: CacheSetup) -> None:
    symbols, server = standalone.symbols(), standalone.fleet
    symbols.put(symbol())
    server.ask("", "ACL", "SETUSER", application.NAME, "-client|tracking")
    try:
        with pytest.raises(AccessDenied, match=r"client\|tracking"):
            symbols.near()
    finally:
        server.ask("", "ACL", "SETUSER", application.NAME, "+client|tracking")
        assert server.ask("", "ACL", "LOG", "RESET") == "OK"  # this one was meant to be refused
    assert symbols.get("AAPL") == symbol()


@pytest.fixture
def near_and_feed() -> tuple[NearCache[int], InvalidationFeed]:
    near: NearCache[int] = NearCache(3, "symbol:")
    return near, feed_of(near)


def feed_of(near: NearCache[int]) -> InvalidationFeed:
    """Return a feed that has had an answer to a heartbeat."""
    made = InvalidationFeed(Address("h", 1), "", near, 60, 2)
    made.periodic_commands()
    made.receive(["master", 0, list[Reply]()])
    return made


def begin(near: NearCache[int], key: str, feed: InvalidationFeed) -> PendingRead:
    """Begin a read that the feed allows."""
    read = near.begin_read(key, 0, feed)
    assert read is not None
    return read


def test_an_answer_that_was_overtaken_is_not_kept(near_and_feed: tuple[NearCache[int], InvalidationFeed]) -> None:
    near, feed = near_and_feed
    read = begin(near, "A", feed)
    near.invalidate(["symbol:A"])
    near.finish_read(read, feed, 1, 60)
    assert near.get("A") is None
    first, second = begin(near, "A", feed), begin(near, "A", feed)
    near.finish_read(second, feed, 2, 60)
    near.finish_read(first, feed, 1, 60)
    assert near.get("A") == 2


def test_an_answer_is_not_kept_when_another_feed_is_in_charge_by_now(
    near_and_feed: tuple[NearCache[int], InvalidationFeed],
) -> None:
    """Because the answer may come from the other feed's server, whose changes this feed does not announce."""
    near, feed = near_and_feed
    for in_charge in (feed_of(near), None):
        near.finish_read(begin(near, "A", feed), in_charge, 1, 60)
        assert near.get("A") is None


def test_nothing_is_kept_longer_than_it_lasts(near_and_feed: tuple[NearCache[int], InvalidationFeed]) -> None:
    near, feed = near_and_feed
    near.finish_read(begin(near, "A", feed), feed, 1, 0.05)
    near.finish_read(begin(near, "B", feed), feed, 2, 60)
    time.sleep(0.06)
    assert (near.get("A"), near.get("B")) == (None, 2)


def test_a_lost_feed_empties_the_cache(near_and_feed: tuple[NearCache[int], InvalidationFeed]) -> None:
    near, feed = near_and_feed
    near.finish_read(begin(near, "A", feed), feed, 1, 60)
    late = begin(near, "B", feed)
    feed.mark_lost()
    near.finish_read(late, feed, 2, 60)
    assert (near.get("A"), near.get("B"), len(near), near.begin_read("C", 0, feed)) == (None, None, 0, None)


def test_threads_that_read_while_another_writes_never_go_back(fleets: Fleets, runner: asyncio.Runner) -> None:
    caches = CacheSetup(fleets.of("standalone"), "sync", runner)
    symbols, other = caches.symbols(), SymbolInfoRepository.from_url(caches.url())
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
    caches.close()

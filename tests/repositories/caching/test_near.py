"""The near cache: fast, never older than its bound, and empty when nobody vouches for it."""

from __future__ import annotations

import asyncio
import threading
import time
from statistics import median

import pytest
from slotbook.models.errors import AccessDenied, InvalidArgument
from slotbook.repositories import SymbolInfoRepository
from slotbook.repositories.caching.near import Near, Ticket
from slotbook.topology.address import Address
from slotbook.topology.call import Reply
from slotbook.topology.listening.tracking import InvalidationFeed

from ...support import application
from ...support.caching.freshness import BOUND, near_of, staleness
from ...support.fleet import Fleets
from .conftest import Shelf, symbol


def test_a_hit_asks_no_server(shelf: Shelf) -> None:
    """How much faster that is, the benchmark tells (near cache hit)."""
    symbols = shelf.symbols()
    symbols.put(symbol())
    symbols.near()
    symbols.get("AAPL")
    before = shelf.fleet.calls()
    assert [symbols.get("AAPL") for _ in range(100)] == [symbol()] * 100
    after = shelf.fleet.calls()
    # The feed beats now and then; nobody reads a value.
    assert all(
        after.get(read, 0) == before.get(read, 0) for read in ("hgetall", "hmget", "get", "evalsha", "evalsha_ro")
    )


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
            delays.append(staleness(shelf, symbols, new, time.monotonic()))
    other.close()
    print(f"stale for {median(delays) * 1e3:.2f} ms, at most {max(delays) * 1e3:.1f} ms of {BOUND * 1e3:.0f} ms")
    assert max(delays) <= BOUND


@pytest.mark.parametrize("change", ["invalidate", "expire", "flush"])
def test_what_goes_away_is_not_served(lone_shelf: Shelf, change: str) -> None:
    symbols, other = lone_shelf.symbols(), SymbolInfoRepository.from_url(lone_shelf.url())
    symbols.near(bound=BOUND)
    symbols.put(symbol())
    assert symbols.get("AAPL") == symbol()
    if change == "invalidate":
        other.invalidate("AAPL")
    elif change == "expire":
        lone_shelf.ask("PEXPIRE", "AAPL", 50)
    else:
        lone_shelf.fleet.ask("", "FLUSHALL")
    time.sleep(BOUND)
    lone_shelf.idle(0.01)
    assert symbols.get("AAPL") is None
    other.close()


def test_ones_own_write_is_seen_at_once(shelf: Shelf) -> None:
    symbols = shelf.symbols()
    symbols.near(bound=60)
    for number in range(1, 30):
        new = symbol(lot_size=number)
        symbols.put(new) if number % 2 else symbols.write_through(new)
        assert symbols.get("AAPL") == new


def test_it_is_bounded_and_off_by_default(lone_shelf: Shelf) -> None:
    symbols = lone_shelf.symbols()
    infos = [symbol(f"S{number}") for number in range(50)]
    symbols.put_many(infos)
    before = lone_shelf.fleet.calls()["hgetall"]
    for _ in range(2):
        symbols.get_many([info.symbol for info in infos])
    assert lone_shelf.fleet.calls()["hgetall"] - before == 100
    symbols.near(20)
    for _ in range(2):
        assert [outcome.result() for outcome in symbols.get_many([info.symbol for info in infos])] == infos
    assert len(near_of(symbols)) == 20
    for wrong in (0, -1):
        with pytest.raises(InvalidArgument):
            symbols.near(wrong)
    with pytest.raises(InvalidArgument):
        symbols.near(bound=0)


def test_a_user_who_may_not_track_is_told_so(lone_shelf: Shelf) -> None:
    symbols, server = lone_shelf.symbols(), lone_shelf.fleet
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
def feed() -> tuple[Near[int], InvalidationFeed]:
    near: Near[int] = Near(3, "symbol:")
    return near, a_feed(near)


def a_feed(near: Near[int]) -> InvalidationFeed:
    made = InvalidationFeed(Address("h", 1), "", near, 60, 2)
    made.periodic_commands()
    made.receive(["master", 0, list[Reply]()])
    return made


def ask(near: Near[int], key: str, feed: InvalidationFeed) -> Ticket:
    ticket = near.open(key, 0, feed)
    assert ticket is not None
    return ticket


def test_an_answer_that_was_overtaken_is_not_kept(feed: tuple[Near[int], InvalidationFeed]) -> None:
    near, vouching = feed
    ticket = ask(near, "A", vouching)
    near.invalidate(["symbol:A"])
    near.settle(ticket, vouching, 1, 60)
    assert near.get("A") is None
    first, second = ask(near, "A", vouching), ask(near, "A", vouching)
    near.settle(second, vouching, 2, 60)
    near.settle(first, vouching, 1, 60)
    assert near.get("A") == 2


def test_an_answer_is_not_kept_when_someone_else_is_in_charge_by_now(feed: tuple[Near[int], InvalidationFeed]) -> None:
    """It may be the other who has answered, and whose changes the feed does not tell."""
    near, vouching = feed
    for in_charge in (a_feed(near), None):
        near.settle(ask(near, "A", vouching), in_charge, 1, 60)
        assert near.get("A") is None


def test_nothing_is_kept_longer_than_it_lasts(feed: tuple[Near[int], InvalidationFeed]) -> None:
    near, vouching = feed
    near.settle(ask(near, "A", vouching), vouching, 1, 0.05)
    near.settle(ask(near, "B", vouching), vouching, 2, 60)
    time.sleep(0.06)
    assert (near.get("A"), near.get("B")) == (None, 2)


def test_a_lost_feed_vouches_for_nothing(feed: tuple[Near[int], InvalidationFeed]) -> None:
    near, vouching = feed
    near.settle(ask(near, "A", vouching), vouching, 1, 60)
    late = ask(near, "B", vouching)
    vouching.mark_lost()
    near.settle(late, vouching, 2, 60)
    assert (near.get("A"), near.get("B"), len(near), near.open("C", 0, vouching)) == (None, None, 0, None)


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

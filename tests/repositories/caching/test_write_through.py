"""The verb write_through: first the database, and nothing older is served past the bound when Redis fails after it."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from slotbook.models import SymbolInfo
from slotbook.models.errors import OutcomeUnknown, OutOfMemory, SourceFailed, Unavailable
from slotbook.repositories import SymbolInfoRepository
from slotbook.topology.embedded import start

from ...support.callers import CALLERS, Caller
from .conftest import CacheSetup, FleetAt, symbol

WINDOW = 0.4
LONG = 60


def test_both_have_it(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    for number in range(1, 4):
        assert symbols.write_through(symbol(lot_size=number)) is True
        assert symbols.get("AAPL") == caches.database.rows["AAPL"] == symbol(lot_size=number)
    assert 86_000_000 < caches.ask("PTTL", "AAPL") <= 86_400_000
    assert caches.load_state("AAPL") == {}
    many = [symbol(f"S{number}") for number in range(40)]
    assert symbols.write_through_many(many) == [True] * 40
    assert [outcome.result() for outcome in symbols.get_many([info.symbol for info in many])] == many


def test_a_source_that_fails_leaves_nothing_that_lasts(caches: CacheSetup) -> None:
    symbols = caches.symbols(write_window=LONG)
    symbols.write_through(symbol())
    caches.database.broken = OSError("away")
    with pytest.raises(SourceFailed, match="away"):
        symbols.write_through(symbol(lot_size=7))
    assert 0 < caches.ask("PTTL", "AAPL") <= LONG * 1000
    caches.database.broken = None
    assert symbols.get_or_load("AAPL") == symbol()
    assert 0 < caches.ask("PTTL", "AAPL") <= LONG * 1000  # the write may yet arrive


def test_what_a_failed_write_leaves_ends_with_its_window(standalone: CacheSetup) -> None:
    symbols = standalone.symbols(write_window=WINDOW)
    symbols.write_through(symbol())
    standalone.database.broken = OSError("away")
    with pytest.raises(SourceFailed):
        symbols.write_through(symbol(lot_size=7))
    time.sleep(WINDOW + 0.01)
    assert symbols.get("AAPL") is None


def test_writes_that_overlap_leave_nothing_behind(caches: CacheSetup) -> None:
    """It is unknown whose value the database has, so neither is cached, and the next load finds out."""
    symbols, other = caches.symbols(), SymbolInfoRepository.from_url(caches.url(), caches.database)
    first, second = symbol(lot_size=1), symbol(lot_size=2)
    inner: list[bool] = []

    def overlap() -> None:
        caches.database.after_store = lambda: None
        inner.append(other.write_through(second))

    caches.database.after_store = overlap
    assert (symbols.write_through(first), inner) == (False, [False])
    assert symbols.get("AAPL") is None
    assert symbols.get_or_load("AAPL") == second
    assert symbols.write_through(first) is True  # the overlap is over
    other.close()


def test_a_write_during_a_load_leaves_no_state_of_either(standalone: CacheSetup) -> None:
    symbols, other = standalone.symbols(), SymbolInfoRepository.from_url(standalone.url(), standalone.database)
    standalone.database.rows["AAPL"] = symbol()

    def overtake() -> None:
        standalone.database.after_load = lambda: None
        assert other.write_through(symbol(lot_size=7))
        assert standalone.load_state("AAPL") == {}

    standalone.database.after_load = overtake
    assert symbols.get_or_load("AAPL") == symbol()
    assert symbols.get("AAPL") == symbol(lot_size=7)
    assert standalone.load_state("AAPL") == {}
    other.close()


@pytest.mark.parametrize("way", ["loaded", "put"])
def test_what_is_cached_during_writes_ends_with_the_first_of_them(standalone: CacheSetup, way: str) -> None:
    symbols, now = standalone.symbols(), int(time.time() * 1000)
    standalone.database.rows["AAPL"] = symbol()
    standalone.set_load_state("AAPL", "writing:one", now + 10_000, "writing:two", now + 60_000)
    if way == "put":
        symbols.put(symbol())
    assert symbols.get_or_load("AAPL") == symbol()
    assert 0 < standalone.ask("PTTL", "AAPL") <= 10_000


def test_a_later_write_gives_a_load_no_more_time(standalone: CacheSetup) -> None:
    symbols, now = standalone.symbols(write_window=LONG), int(time.time() * 1000)
    standalone.set_load_state(
        "AAPL", "lease", "somebody", "lease_until", now + 90_000, "kept_until", now + 5_000, "writing:one", now + 5_000
    )
    standalone.database.broken = OSError("away")
    with pytest.raises(SourceFailed):
        symbols.write_through(symbol())
    assert int(standalone.load_state("AAPL")["kept_until"]) == now + 5_000


def test_that_a_key_is_absent_is_known_during_a_write_until_its_window_ends(standalone: CacheSetup) -> None:
    symbols, now = standalone.symbols(absent_ttl=LONG, write_window=10), int(time.time() * 1000)
    assert symbols.get_or_load("AAPL") is None
    standalone.database.broken = OSError("away")
    with pytest.raises(SourceFailed):
        symbols.write_through(symbol())
    assert int(standalone.load_state("AAPL")["absent_until"]) <= now + 12_000
    standalone.database.broken = None
    standalone.set_load_state("MSFT", "writing:one", now + 10_000)
    assert symbols.get_or_load("MSFT") is None
    assert int(standalone.load_state("MSFT")["absent_until"]) == now + 10_000


def test_an_overlap_of_writes_that_were_given_up_on_does_not_spoil_the_next_one(standalone: CacheSetup) -> None:
    symbols = standalone.symbols(absent_ttl=LONG)
    assert symbols.get_or_load("AAPL") is None  # which is remembered for longer than the writes
    standalone.set_load_state("AAPL", "contested", 1, "writing:of-1970", 1)
    assert symbols.write_through(symbol()) is True
    assert symbols.get("AAPL") == symbol()


def test_an_invalidation_during_a_write_leaves_nothing_behind(standalone: CacheSetup) -> None:
    """When the database is changed elsewhere while it is written, the value that was written may not be the newest."""
    symbols, other = standalone.symbols(), SymbolInfoRepository.from_url(standalone.url(), standalone.database)
    newest = symbol(lot_size=2)

    def change() -> None:
        standalone.database.after_store = lambda: None
        standalone.database.rows["AAPL"] = newest
        other.invalidate("AAPL")

    standalone.database.after_store = change
    assert symbols.write_through(symbol(lot_size=1)) is False
    assert symbols.get_or_load("AAPL") == newest
    assert symbols.write_through(symbol(lot_size=3)) is True
    other.close()


def test_a_load_during_a_write_does_not_outlive_its_window(caches: CacheSetup) -> None:
    symbols = caches.symbols(write_window=LONG)
    other = SymbolInfoRepository.from_url(caches.url(), caches.database)

    def die_after_a_load() -> None:
        other.get_or_load("AAPL")
        other.get_or_load("NONE")
        raise OSError("the writer died")

    caches.database.after_store = die_after_a_load
    with pytest.raises(SourceFailed):
        symbols.write_through_many([symbol(), symbol("NONE")])
    assert 0 < caches.ask("PTTL", "AAPL") <= LONG * 1000
    other.close()


def test_a_load_that_ends_after_the_window_is_not_kept(standalone: CacheSetup) -> None:
    """Before the write or during it: the load may have read the database before it was written."""
    old, new = {name: symbol(name) for name in ("AAPL", "MSFT")}, [symbol("AAPL", lot_size=7), symbol("MSFT")]
    symbols, other = standalone.symbols(write_window=WINDOW), SymbolInfoRepository.from_url(standalone.url())
    answers: list[SymbolInfo | None] = []
    has_read, may_end = {name: threading.Event() for name in old}, threading.Event()

    def slow(name: str) -> SymbolInfo:
        has_read[name].set()
        assert may_end.wait(30)
        return old[name]

    def load(name: str) -> threading.Thread:
        loading = threading.Thread(target=lambda: answers.append(other.get_or_load(name, slow)))
        loading.start()
        assert has_read[name].wait(30)
        return loading

    loads = [load("AAPL")]

    def die_after_the_commit() -> None:
        loads.append(load("MSFT"))
        raise OSError("the writer died")

    standalone.database.after_store = die_after_the_commit
    with pytest.raises(SourceFailed):
        symbols.write_through_many(new)
    time.sleep(WINDOW + 0.01)
    may_end.set()
    for loading in loads:
        loading.join()
    assert {info.symbol for info in answers if info} == set(old)
    assert [symbols.get(name) for name in old] == [None, None]
    assert [symbols.get_or_load(info.symbol) for info in new] == new
    other.close()


def test_a_writer_that_died_is_forgotten_when_its_window_is_over(standalone: CacheSetup) -> None:
    """Also when others write without a pause."""
    symbols = standalone.symbols(write_window=WINDOW)
    standalone.database.broken = OSError("the writer died")
    with pytest.raises(SourceFailed):
        symbols.write_through(symbol())
    standalone.database.broken = None
    until = time.monotonic() + 30
    while not symbols.write_through(symbol(lot_size=7)):
        assert time.monotonic() < until
    assert symbols.get("AAPL") == symbol(lot_size=7)


def test_out_of_memory_no_state_is_half_written(standalone: CacheSetup) -> None:
    """Refuse a write before the database is touched, or leave it announced; let an invalidation through."""
    symbols, server = standalone.symbols(write_window=LONG), standalone.fleet
    old = symbol()
    symbols.write_through(old)

    def exhaust() -> None:
        server.ask("", "CONFIG", "SET", "maxmemory", 1)

    try:
        standalone.database.after_store = exhaust
        assert symbols.write_through(symbol(lot_size=7)) is False
        assert [field.partition(":")[0] for field in standalone.load_state("AAPL")].count("writing") == 1
        assert 0 < standalone.ask("PTTL", "AAPL") <= LONG * 1000
        standalone.database.after_store = lambda: None
        before = standalone.load_state("AAPL")
        for refused in (lambda: symbols.write_through(old), lambda: symbols.put(old), lambda: symbols.warm(["AAPL"])):
            with pytest.raises(OutOfMemory):
                refused()
            assert (symbols.get("AAPL"), standalone.load_state("AAPL")) == (old, before)
        assert standalone.database.rows["AAPL"] == symbol(lot_size=7)
        assert symbols.invalidate("NONE") is False
    finally:
        server.ask("", "CONFIG", "SET", "maxmemory", 0)
    assert symbols.invalidate("AAPL") is True


@pytest.mark.parametrize("caller", CALLERS)
def test_redis_is_lost_before_during_and_after(caller: Caller, runner: asyncio.Runner) -> None:
    """When Redis is lost after the database was written, the old value is served for the window only.

    When Redis is lost before, the database is not written.
    """
    with start("standalone") as deployment:
        (server,) = deployment.servers
        caches = CacheSetup(FleetAt(deployment.url), caller, runner)
        reader = SymbolInfoRepository.from_url(caches.url())
        symbols = caches.symbols(write_window=WINDOW, settings={"deadline": 1, "socket_timeout": 0.5})
        old, new = symbol(lot_size=1), symbol(lot_size=2)
        assert symbols.write_through(old)

        written: list[float] = []

        def refuse() -> None:
            server.ask("ACL", "SETUSER", "default", "-@scripting")

        caches.database.before_store = lambda: written.append(time.monotonic())
        caches.database.after_store = refuse
        assert symbols.write_through(new) is False
        assert caches.database.rows["AAPL"] == new
        server.ask("ACL", "SETUSER", "default", "+@scripting")
        asked = stale = time.monotonic()
        while (found := reader.get("AAPL")) is not None:
            assert asked - written[0] < 30
            stale, asked = asked if found == old else stale, time.monotonic()
        print(f"stale for {stale - written[0]:.3f} s of {WINDOW} s")
        assert stale - written[0] <= WINDOW + 0.01  # the server counts in whole milliseconds
        assert symbols.get_or_load("AAPL") == new

        caches.database.after_store = server.freeze
        assert symbols.write_through(old) is False
        server.thaw()
        until = time.monotonic() + 30
        while reader.get("AAPL") == new:  # what was sent to the frozen server arrives, or the window ends
            assert time.monotonic() < until
        assert symbols.get_or_load("AAPL") == old

        caches.database.after_store = server.kill
        assert symbols.write_through(old) is False
        assert caches.database.rows["AAPL"] == old
        caches.database.after_store = lambda: None
        with pytest.raises((Unavailable, OutcomeUnknown)):
            symbols.write_through(new)
        assert caches.database.rows["AAPL"] == old
        server.restart()
        assert reader.get("AAPL") is None
        assert symbols.get_or_load("AAPL") == old
        reader.close()
        caches.close()

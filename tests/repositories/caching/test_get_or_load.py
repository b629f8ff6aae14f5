"""The verb get_or_load: one loader at a time, and no outdated value is stored."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import pytest
from slotbook.models import SymbolInfo
from slotbook.models.errors import SourceFailed, Unavailable
from slotbook.repositories import SymbolInfoRepository

from ...support.caching.freshness import TIMEOUT, wait_for
from ...support.fleet import Fleets
from .conftest import CacheSetup, symbol


def meanwhile(caches: CacheSetup, act: Callable[[SymbolInfoRepository], object]) -> SymbolInfoRepository:
    """Return a repository whose next load is overtaken: another client acts after the source was read."""
    symbols = caches.symbols()
    other = SymbolInfoRepository.from_url(caches.url(), caches.database)

    def overtake() -> None:
        caches.database.after_load = lambda: None
        act(other)

    caches.database.after_load = overtake
    return symbols


def test_what_is_missing_is_loaded_once_and_kept(caches: CacheSetup) -> None:
    caches.database.rows["AAPL"] = symbol()
    symbols = caches.symbols()
    assert [symbols.get_or_load("AAPL") for _ in range(3)] == [symbol()] * 3
    assert (caches.database.loads, symbols.get("AAPL")) == ([("AAPL",)], symbol())
    assert 86_000_000 < caches.ask("PTTL", "AAPL") <= 86_400_000


def test_many_are_asked_of_the_source_at_once(caches: CacheSetup) -> None:
    caches.database.rows = {name: symbol(name) for name in ("A", "B", "C")}
    symbols = caches.symbols()
    symbols.put(symbol("B"))
    outcomes = symbols.get_or_load_many(["A", "B", "NONE", "C", "A"])
    assert [outcome.result() for outcome in outcomes] == [symbol("A"), symbol("B"), None, symbol("C"), symbol("A")]
    assert caches.database.loads == [("A", "NONE", "C")]


def test_a_symbol_that_does_not_exist_is_asked_for_once(caches: CacheSetup) -> None:
    symbols = caches.symbols(absent_ttl=60)
    assert [symbols.get_or_load("NONE") for _ in range(3)] == [None] * 3
    assert (len(caches.database.loads), symbols.get("NONE")) == (1, None)


def test_a_symbol_that_did_not_exist_is_asked_for_again_after_a_while(standalone: CacheSetup) -> None:
    symbols = standalone.symbols(absent_ttl=0.1)
    assert symbols.get_or_load("NONE") is None
    standalone.database.rows["NONE"] = symbol("NONE")
    time.sleep(0.11)
    assert symbols.get_or_load("NONE") == symbol("NONE")


def test_a_put_ends_what_was_known_to_be_absent(standalone: CacheSetup) -> None:
    symbols = standalone.symbols()
    assert symbols.get_or_load("NEW") is None
    symbols.put(symbol("NEW"))
    assert symbols.get_or_load("NEW") == symbol("NEW")
    symbols.invalidate("NEW")
    standalone.database.rows["NEW"] = symbol("NEW")
    assert symbols.get_or_load("NEW") == symbol("NEW")


def test_a_load_that_fails_leaves_nothing_and_is_not_retried_at_once(caches: CacheSetup) -> None:
    caches.database.broken = OSError("the database is away")
    symbols = caches.symbols(retry_after=60)
    for _ in range(5):
        with pytest.raises(SourceFailed, match="OSError: the database is away"):
            symbols.get_or_load("AAPL")
    assert (len(caches.database.loads), symbols.get("AAPL"), caches.ask("EXISTS", "AAPL")) == (1, None, 0)


def test_a_load_that_fails_too_late_takes_nobody_s_lease(standalone: CacheSetup) -> None:
    """Its own lease had ended, and another caller has it by now."""
    symbols, until = standalone.symbols(), int(time.time() * 1000) + 60_000
    standalone.database.broken = OSError("away")
    standalone.database.before_load = lambda: standalone.set_load_state(
        "AAPL", "lease", "somebody", "lease_until", until
    )
    with pytest.raises(SourceFailed):
        symbols.get_or_load("AAPL")
    state = standalone.load_state("AAPL")
    assert (state["lease"], int(state["lease_until"]), "failed" in state) == ("somebody", until, False)


def test_a_load_that_failed_is_tried_again_after_a_while(standalone: CacheSetup) -> None:
    standalone.database.broken = OSError("away")
    symbols = standalone.symbols(retry_after=0.1)
    with pytest.raises(SourceFailed):
        symbols.get_or_load("AAPL")
    standalone.database.broken, standalone.database.rows["AAPL"] = None, symbol()
    time.sleep(0.11)
    assert symbols.get_or_load("AAPL") == symbol()


def test_a_clock_that_goes_back_does_not_prolong_leases_failures_and_absences(standalone: CacheSetup) -> None:
    """Keep them for as long as they were to last, on a server that has taken over with its clock an hour behind."""
    standalone.database.rows["AAPL"] = symbol()
    symbols, ahead = standalone.symbols(), 3_600_000
    for name in ("lease", "failed", "absent"):
        noted_at = int(time.time() * 1000) + ahead
        standalone.set_load_state("AAPL", name, "somebody", f"{name}_until", noted_at + 300, "noted_at", noted_at)
        until = time.monotonic() + TIMEOUT
        while True:
            with contextlib.suppress(SourceFailed):
                if symbols.get_or_load("AAPL") == symbol():
                    break
            assert time.monotonic() < until
            time.sleep(0.05)
        symbols.invalidate("AAPL")


@pytest.mark.parametrize("verb", ["invalidate", "invalidate_matching"])
def test_a_slow_load_does_not_bring_back_what_was_invalidated(caches: CacheSetup, verb: str) -> None:
    old, new = symbol(), symbol(lot_size=7)
    caches.database.rows["AAPL"] = old

    def change(other: SymbolInfoRepository) -> None:
        caches.database.rows["AAPL"] = new
        getattr(other, verb)("AAPL")

    symbols = meanwhile(caches, change)
    assert symbols.get_or_load("AAPL") == old  # what the source had during the call
    assert symbols.get("AAPL") is None
    assert symbols.get_or_load("AAPL") == new


def test_a_slow_load_does_not_overwrite_a_newer_write(caches: CacheSetup) -> None:
    new = symbol(lot_size=7)
    caches.database.rows["AAPL"] = symbol()
    symbols = meanwhile(caches, lambda other: other.write_through(new))
    symbols.get_or_load("AAPL")
    assert (symbols.get("AAPL"), symbols.get_or_load("AAPL")) == (new, new)


def test_a_slow_warm_does_not_overwrite_a_newer_write(caches: CacheSetup) -> None:
    new = symbol(lot_size=7)
    caches.database.rows = {"AAPL": symbol(), "MSFT": symbol("MSFT")}
    symbols = meanwhile(caches, lambda other: other.write_through(new))
    assert symbols.warm().loaded == 2
    assert (symbols.get("AAPL"), symbols.get("MSFT")) == (new, symbol("MSFT"))


def test_a_loader_that_died_is_replaced_when_its_lease_ends(standalone: CacheSetup) -> None:
    standalone.database.rows["AAPL"] = symbol()
    symbols = standalone.symbols(lease=0.4)
    soon = int(time.time() * 1000) + 400
    standalone.set_load_state("AAPL", "lease", "gone", "lease_until", soon)
    started = time.monotonic()
    assert symbols.get_or_load("AAPL") == symbol()
    assert 0.3 < time.monotonic() - started < TIMEOUT
    assert standalone.load_state("AAPL") == {}


def test_waiting_ends_with_the_deadline(standalone: CacheSetup) -> None:
    symbols = standalone.symbols(settings={"deadline": 0.5})
    standalone.set_load_state("AAPL", "lease", "slow", "lease_until", int(time.time() * 1000) + 60_000)
    with pytest.raises(Unavailable, match="still being loaded"):
        symbols.get_or_load("AAPL")
    assert standalone.database.loads == []


def test_an_interrupted_load_gives_its_lease_back(standalone: CacheSetup) -> None:
    standalone.database.rows["AAPL"] = symbol()
    symbols = standalone.symbols(lease=86_400)

    def interrupt() -> None:
        standalone.database.after_load = lambda: None
        raise GeneratorExit

    standalone.database.after_load = interrupt
    with pytest.raises(GeneratorExit):
        symbols.get_or_load("AAPL")
    wait_for(lambda: not standalone.load_state("AAPL"), standalone)
    assert symbols.get_or_load("AAPL") == symbol()


def test_a_stale_value_is_served_while_one_caller_loads(caches: CacheSetup) -> None:
    old, new = symbol(), symbol(lot_size=7)
    caches.database.rows["AAPL"] = old
    symbols = caches.symbols(ttl=0.2, stale=60)
    assert symbols.get_or_load("AAPL") == old
    caches.database.rows["AAPL"] = new
    may_end = threading.Event()
    if caches.caller == "sync":
        caches.database.before_load = lambda: assert_(may_end.wait(TIMEOUT))
    time.sleep(0.21)
    assert symbols.get_or_load("AAPL") == old
    if caches.caller == "sync":
        assert [symbols.get_or_load("AAPL") for _ in range(3)] == [old] * 3  # although the load goes on
    may_end.set()
    wait_for(lambda: symbols.get("AAPL") == new, caches)
    assert len(caches.database.loads) == 2


def assert_(condition: bool) -> None:
    assert condition


def test_a_stale_value_outlives_a_source_that_fails(standalone: CacheSetup) -> None:
    standalone.database.rows["AAPL"] = symbol()
    symbols = standalone.symbols(ttl=0.1, stale=60, retry_after=60)
    symbols.get_or_load("AAPL")
    standalone.database.broken = OSError("away")
    time.sleep(0.15)
    assert symbols.get_or_load("AAPL") == symbol()
    wait_for(lambda: "failed" in standalone.load_state("AAPL"), standalone)
    for _ in range(4):
        assert symbols.get_or_load("AAPL") == symbol()
    assert len(standalone.database.loads) == 2


def test_a_value_that_expires_soon_is_loaded_early_by_chance(standalone: CacheSetup) -> None:
    """With loads of 20 ms and ``early`` 100, about one of e reads loads a value again that has 2 s left."""
    standalone.database.rows["AAPL"], standalone.database.delay = symbol(), 0.02
    never, eager = standalone.symbols(ttl=3_600, early=0), standalone.symbols(ttl=3_600, early=100)
    eager.get_or_load("AAPL")  # after which it knows how long a load takes
    standalone.database.loads.clear()
    standalone.ask("PEXPIRE", "AAPL", 60_000)
    for _ in range(100):
        assert never.get_or_load("AAPL") == symbol()
    assert standalone.database.loads == []
    until = time.monotonic() + TIMEOUT
    while not standalone.database.loads:
        assert time.monotonic() < until
        standalone.ask("PEXPIRE", "AAPL", 2_000)
        assert eager.get_or_load("AAPL") == symbol()
        standalone.run_tasks(0.005)


def test_a_loader_of_the_callers_own(standalone: CacheSetup) -> None:
    asked: list[str] = []

    def load(name: str) -> SymbolInfo:
        asked.append(name)
        return symbol(name)

    async def aload(name: str) -> SymbolInfo:
        return load(name)

    symbols = standalone.symbols()
    loader = load if standalone.caller == "sync" else aload
    for _ in range(2):
        assert symbols.get_or_load("AAPL", loader) == symbol()  # type: ignore[arg-type]
    assert asked == ["AAPL"]


def test_fifty_threads_share_one_load(fleets: Fleets, runner: asyncio.Runner) -> None:
    caches = CacheSetup(fleets.of("standalone"), "sync", runner)
    caches.database.rows["AAPL"], caches.database.delay = symbol(), 0.3
    symbols = caches.symbols()
    found: list[SymbolInfo | None] = []
    threads = [threading.Thread(target=lambda: found.append(symbols.get_or_load("AAPL"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, len(caches.database.loads)) == ([symbol()] * 50, 1)
    caches.close()

"""get_or_load: one loader at a time, and nothing wrong is ever kept."""

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

from ...support.caching.freshness import PATIENCE, wait_for
from ...support.fleet import Fleets
from .conftest import Shelf, symbol


def meanwhile(shelf: Shelf, act: Callable[[SymbolInfoRepository], object]) -> SymbolInfoRepository:
    """A repository whose loads are overtaken: another client acts after the source was read."""
    symbols = shelf.symbols()
    other = SymbolInfoRepository.from_url(shelf.url(), shelf.rows)

    def overtake() -> None:
        shelf.rows.after_load = lambda: None
        act(other)

    shelf.rows.after_load = overtake
    return symbols


def test_what_is_missing_is_loaded_once_and_kept(shelf: Shelf) -> None:
    shelf.rows.rows["AAPL"] = symbol()
    symbols = shelf.symbols()
    assert [symbols.get_or_load("AAPL") for _ in range(3)] == [symbol()] * 3
    assert (shelf.rows.loads, symbols.get("AAPL")) == ([("AAPL",)], symbol())
    assert 86_000_000 < shelf.ask("PTTL", "AAPL") <= 86_400_000


def test_many_are_asked_of_the_source_at_once(shelf: Shelf) -> None:
    shelf.rows.rows = {name: symbol(name) for name in ("A", "B", "C")}
    symbols = shelf.symbols()
    symbols.put(symbol("B"))
    outcomes = symbols.get_or_load_many(["A", "B", "NONE", "C", "A"])
    assert [outcome.result() for outcome in outcomes] == [symbol("A"), symbol("B"), None, symbol("C"), symbol("A")]
    assert shelf.rows.loads == [("A", "NONE", "C")]


def test_a_symbol_that_does_not_exist_is_asked_for_once(shelf: Shelf) -> None:
    symbols = shelf.symbols(absent_ttl=60)
    assert [symbols.get_or_load("NONE") for _ in range(3)] == [None] * 3
    assert (len(shelf.rows.loads), symbols.get("NONE")) == (1, None)


def test_a_symbol_that_did_not_exist_is_asked_for_again_after_a_while(lone_shelf: Shelf) -> None:
    symbols = lone_shelf.symbols(absent_ttl=0.1)
    assert symbols.get_or_load("NONE") is None
    lone_shelf.rows.rows["NONE"] = symbol("NONE")
    time.sleep(0.11)
    assert symbols.get_or_load("NONE") == symbol("NONE")


def test_a_put_ends_what_was_known_to_be_absent(lone_shelf: Shelf) -> None:
    symbols = lone_shelf.symbols()
    assert symbols.get_or_load("NEW") is None
    symbols.put(symbol("NEW"))
    assert symbols.get_or_load("NEW") == symbol("NEW")
    symbols.invalidate("NEW")
    lone_shelf.rows.rows["NEW"] = symbol("NEW")
    assert symbols.get_or_load("NEW") == symbol("NEW")


def test_a_load_that_fails_leaves_nothing_and_is_not_retried_at_once(shelf: Shelf) -> None:
    shelf.rows.broken = OSError("the database is away")
    symbols = shelf.symbols(retry_after=60)
    for _ in range(5):
        with pytest.raises(SourceFailed, match="OSError: the database is away"):
            symbols.get_or_load("AAPL")
    assert (len(shelf.rows.loads), symbols.get("AAPL"), shelf.ask("EXISTS", "AAPL")) == (1, None, 0)


def test_a_load_that_failed_is_tried_again_after_a_while(lone_shelf: Shelf) -> None:
    lone_shelf.rows.broken = OSError("away")
    symbols = lone_shelf.symbols(retry_after=0.1)
    with pytest.raises(SourceFailed):
        symbols.get_or_load("AAPL")
    lone_shelf.rows.broken, lone_shelf.rows.rows["AAPL"] = None, symbol()
    time.sleep(0.11)
    assert symbols.get_or_load("AAPL") == symbol()


def test_a_clock_that_goes_back_keeps_notes_no_longer_than_they_were_to_last(lone_shelf: Shelf) -> None:
    """As a server would that took over with its clock an hour behind: the leases of the dead, failures and writes."""
    lone_shelf.rows.rows["AAPL"] = symbol()
    symbols, ahead = lone_shelf.symbols(), 3_600_000
    for name in ("lease", "failed", "absent"):
        noted_at = int(time.time() * 1000) + ahead
        lone_shelf.note("AAPL", name, "somebody", f"{name}_until", noted_at + 300, "noted_at", noted_at)
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(SourceFailed):
                if symbols.get_or_load("AAPL") == symbol():
                    break
            assert time.monotonic() < until
            time.sleep(0.05)
        symbols.invalidate("AAPL")


@pytest.mark.parametrize("verb", ["invalidate", "invalidate_matching"])
def test_a_slow_load_does_not_bring_back_what_was_invalidated(shelf: Shelf, verb: str) -> None:
    old, new = symbol(), symbol(lot_size=7)
    shelf.rows.rows["AAPL"] = old

    def change(other: SymbolInfoRepository) -> None:
        shelf.rows.rows["AAPL"] = new
        getattr(other, verb)("AAPL")

    symbols = meanwhile(shelf, change)
    assert symbols.get_or_load("AAPL") == old  # what the source had during the call
    assert symbols.get("AAPL") is None
    assert symbols.get_or_load("AAPL") == new


def test_a_slow_load_does_not_overwrite_a_newer_write(shelf: Shelf) -> None:
    new = symbol(lot_size=7)
    shelf.rows.rows["AAPL"] = symbol()
    symbols = meanwhile(shelf, lambda other: other.write_through(new))
    symbols.get_or_load("AAPL")
    assert (symbols.get("AAPL"), symbols.get_or_load("AAPL")) == (new, new)


def test_a_slow_warm_does_not_overwrite_a_newer_write(shelf: Shelf) -> None:
    new = symbol(lot_size=7)
    shelf.rows.rows = {"AAPL": symbol(), "MSFT": symbol("MSFT")}
    symbols = meanwhile(shelf, lambda other: other.write_through(new))
    assert symbols.warm().loaded == 2
    assert (symbols.get("AAPL"), symbols.get("MSFT")) == (new, symbol("MSFT"))


def test_a_loader_that_died_is_replaced_when_its_lease_ends(lone_shelf: Shelf) -> None:
    lone_shelf.rows.rows["AAPL"] = symbol()
    symbols = lone_shelf.symbols(lease=0.4)
    notes = f"{{{lone_shelf.key('AAPL')}}}:load"
    soon = int(time.time() * 1000) + 400
    lone_shelf.fleet.ask(notes, "HSET", notes, "lease", "gone", "lease_until", soon)
    started = time.monotonic()
    assert symbols.get_or_load("AAPL") == symbol()
    assert 0.3 < time.monotonic() - started < PATIENCE
    assert lone_shelf.notes("AAPL") == {}


def test_waiting_ends_with_the_deadline(lone_shelf: Shelf) -> None:
    symbols = lone_shelf.symbols(settings={"deadline": 0.5})
    notes = f"{{{lone_shelf.key('AAPL')}}}:load"
    lone_shelf.fleet.ask(notes, "HSET", notes, "lease", "slow", "lease_until", int(time.time() * 1000) + 60_000)
    with pytest.raises(Unavailable, match="still being loaded"):
        symbols.get_or_load("AAPL")
    assert lone_shelf.rows.loads == []


def test_an_interrupted_load_gives_its_lease_back(lone_shelf: Shelf) -> None:
    lone_shelf.rows.rows["AAPL"] = symbol()
    symbols = lone_shelf.symbols(lease=86_400)

    def interrupt() -> None:
        lone_shelf.rows.after_load = lambda: None
        raise GeneratorExit

    lone_shelf.rows.after_load = interrupt
    with pytest.raises(GeneratorExit):
        symbols.get_or_load("AAPL")
    wait_for(lambda: not lone_shelf.notes("AAPL"), lone_shelf)
    assert symbols.get_or_load("AAPL") == symbol()


def test_a_stale_value_is_served_while_one_caller_loads(shelf: Shelf) -> None:
    old, new = symbol(), symbol(lot_size=7)
    shelf.rows.rows["AAPL"] = old
    symbols = shelf.symbols(ttl=0.2, stale=60)
    assert symbols.get_or_load("AAPL") == old
    shelf.rows.rows["AAPL"] = new
    may_end = threading.Event()
    if shelf.colour == "sync":
        shelf.rows.before_load = lambda: assert_(may_end.wait(PATIENCE))
    time.sleep(0.21)
    assert symbols.get_or_load("AAPL") == old
    if shelf.colour == "sync":
        assert [symbols.get_or_load("AAPL") for _ in range(3)] == [old] * 3  # although the load goes on
    may_end.set()
    wait_for(lambda: symbols.get("AAPL") == new, shelf)
    assert len(shelf.rows.loads) == 2


def assert_(condition: bool) -> None:
    assert condition


def test_a_stale_value_outlives_a_source_that_fails(lone_shelf: Shelf) -> None:
    lone_shelf.rows.rows["AAPL"] = symbol()
    symbols = lone_shelf.symbols(ttl=0.1, stale=60, retry_after=60)
    symbols.get_or_load("AAPL")
    lone_shelf.rows.broken = OSError("away")
    time.sleep(0.15)
    assert symbols.get_or_load("AAPL") == symbol()
    wait_for(lambda: "failed" in lone_shelf.notes("AAPL"), lone_shelf)
    for _ in range(4):
        assert symbols.get_or_load("AAPL") == symbol()
    assert len(lone_shelf.rows.loads) == 2


def test_a_value_that_expires_soon_is_loaded_early_by_chance(lone_shelf: Shelf) -> None:
    """Load times of 20 ms and the eagerness of 100: about once in e a value with 2 s left is loaded anew."""
    lone_shelf.rows.rows["AAPL"], lone_shelf.rows.delay = symbol(), 0.02
    never, eager = lone_shelf.symbols(ttl=3_600, early=0), lone_shelf.symbols(ttl=3_600, early=100)
    eager.get_or_load("AAPL")  # and knows now how long it takes
    lone_shelf.rows.loads.clear()
    lone_shelf.ask("PEXPIRE", "AAPL", 60_000)
    for _ in range(100):
        assert never.get_or_load("AAPL") == symbol()
    assert lone_shelf.rows.loads == []
    until = time.monotonic() + PATIENCE
    while not lone_shelf.rows.loads:
        assert time.monotonic() < until
        lone_shelf.ask("PEXPIRE", "AAPL", 2_000)
        assert eager.get_or_load("AAPL") == symbol()
        lone_shelf.idle(0.005)


def test_a_loader_of_the_callers_own(lone_shelf: Shelf) -> None:
    asked: list[str] = []

    def load(name: str) -> SymbolInfo:
        asked.append(name)
        return symbol(name)

    async def aload(name: str) -> SymbolInfo:
        return load(name)

    symbols = lone_shelf.symbols()
    loader = load if lone_shelf.colour == "sync" else aload
    for _ in range(2):
        assert symbols.get_or_load("AAPL", loader) == symbol()  # type: ignore[arg-type]
    assert asked == ["AAPL"]


def test_fifty_threads_share_one_load(fleets: Fleets, runner: asyncio.Runner) -> None:
    shelf = Shelf(fleets.of("standalone"), "sync", runner)
    shelf.rows.rows["AAPL"], shelf.rows.delay = symbol(), 0.3
    symbols = shelf.symbols()
    found: list[SymbolInfo | None] = []
    threads = [threading.Thread(target=lambda: found.append(symbols.get_or_load("AAPL"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, len(shelf.rows.loads)) == ([symbol()] * 50, 1)
    shelf.close()

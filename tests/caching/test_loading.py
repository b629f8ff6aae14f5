"""get_or_load: one loader at a time, and nothing wrong is ever kept."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from slotbook.models import SymbolInfo
from slotbook.models.errors import SourceFailed, Unavailable
from slotbook.repositories import SymbolInfoRepository

from ..fleet import Fleets
from .conftest import Shelf, symbol


def wait_for(reached: Callable[[], bool], shelf: Shelf, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        shelf.idle(0.01)


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
    symbols = shelf.symbols(absent_ttl=0.3)
    assert [symbols.get_or_load("NONE") for _ in range(3)] == [None] * 3
    assert (len(shelf.rows.loads), symbols.get("NONE")) == (1, None)
    shelf.rows.rows["NONE"] = symbol("NONE")
    time.sleep(0.35)
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
    symbols = shelf.symbols(retry_after=0.5)
    for _ in range(5):
        with pytest.raises(SourceFailed, match="OSError: the database is away"):
            symbols.get_or_load("AAPL")
    assert (len(shelf.rows.loads), symbols.get("AAPL"), shelf.ask("EXISTS", "AAPL")) == (1, None, 0)
    shelf.rows.broken, shelf.rows.rows["AAPL"] = None, symbol()
    time.sleep(0.55)
    assert symbols.get_or_load("AAPL") == symbol()


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
    assert 0.3 < time.monotonic() - started < 2


def test_waiting_ends_with_the_deadline(lone_shelf: Shelf) -> None:
    symbols = lone_shelf.symbols(settings={"deadline": 0.5})
    notes = f"{{{lone_shelf.key('AAPL')}}}:load"
    lone_shelf.fleet.ask(notes, "HSET", notes, "lease", "slow", "lease_until", int(time.time() * 1000) + 60_000)
    with pytest.raises(Unavailable, match="still being loaded"):
        symbols.get_or_load("AAPL")
    assert lone_shelf.rows.loads == []


def test_an_interrupted_load_gives_its_lease_back(lone_shelf: Shelf) -> None:
    lone_shelf.rows.rows["AAPL"] = symbol()
    symbols = lone_shelf.symbols()

    def interrupt() -> None:
        lone_shelf.rows.after_load = lambda: None
        raise GeneratorExit

    lone_shelf.rows.after_load = interrupt
    with pytest.raises(GeneratorExit):
        symbols.get_or_load("AAPL")
    lone_shelf.idle(0.2)
    started = time.monotonic()
    assert symbols.get_or_load("AAPL") == symbol()
    assert time.monotonic() - started < 1


def test_a_stale_value_is_served_while_one_caller_loads(shelf: Shelf) -> None:
    old, new = symbol(), symbol(lot_size=7)
    shelf.rows.rows["AAPL"] = old
    symbols = shelf.symbols(ttl=0.2, stale=60)
    assert symbols.get_or_load("AAPL") == old
    shelf.rows.rows["AAPL"], shelf.rows.delay = new, 0.05 if shelf.colour == "asyncio" else 0.3
    time.sleep(0.25)
    started = time.monotonic()
    answers = [symbols.get_or_load("AAPL") for _ in range(3)]
    assert answers[0] == old
    if shelf.colour == "sync":
        assert time.monotonic() - started < 0.25
    wait_for(lambda: symbols.get("AAPL") == new, shelf)
    assert len(shelf.rows.loads) == 2


def test_a_stale_value_outlives_a_source_that_fails(lone_shelf: Shelf) -> None:
    lone_shelf.rows.rows["AAPL"] = symbol()
    symbols = lone_shelf.symbols(ttl=0.1, stale=60, retry_after=60)
    symbols.get_or_load("AAPL")
    lone_shelf.rows.broken = OSError("away")
    time.sleep(0.15)
    for _ in range(4):
        assert symbols.get_or_load("AAPL") == symbol()
        lone_shelf.idle(0.05)
    assert len(lone_shelf.rows.loads) == 2


def test_a_value_that_expires_soon_is_loaded_early_by_chance(lone_shelf: Shelf) -> None:
    lone_shelf.rows.rows["AAPL"], lone_shelf.rows.delay = symbol(), 0.02
    for early, loads in ((0, 1), (100, 2)):
        symbols = lone_shelf.symbols(ttl=1.5, early=early)
        symbols.invalidate("AAPL")
        lone_shelf.rows.loads.clear()
        until = time.monotonic() + 0.6
        while time.monotonic() < until:  # less than half of its life
            assert symbols.get_or_load("AAPL") == symbol()
            lone_shelf.idle(0.01)
        assert (len(lone_shelf.rows.loads) >= loads) if early else (len(lone_shelf.rows.loads) == loads)


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

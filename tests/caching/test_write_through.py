"""write_through: the database first, and nothing older served past the bound, whatever happens to Redis in between."""

from __future__ import annotations

import asyncio
import time

import pytest
from slotbook.models.errors import OutcomeUnknown, SourceFailed, Unavailable
from slotbook.repositories import SymbolInfoRepository
from slotbook.topology.embedded import start

from ..colours import COLOURS, Colour
from .conftest import Shelf, symbol
from .test_near import FleetOf

WINDOW = 1.5


def test_both_have_it(shelf: Shelf) -> None:
    symbols = shelf.symbols()
    for number in range(1, 4):
        assert symbols.write_through(symbol(lot_size=number)) is True
        assert symbols.get("AAPL") == shelf.rows.rows["AAPL"] == symbol(lot_size=number)
    assert 86_000_000 < shelf.ask("PTTL", "AAPL") <= 86_400_000
    notes = f"{{{shelf.key('AAPL')}}}:load"
    assert shelf.fleet.ask(notes, "EXISTS", notes) == 0
    many = [symbol(f"S{number}") for number in range(40)]
    assert symbols.write_through_many(many) == [True] * 40
    assert [outcome.result() for outcome in symbols.get_many([info.symbol for info in many])] == many


def test_a_source_that_fails_leaves_nothing_that_lasts(shelf: Shelf) -> None:
    symbols = shelf.symbols(write_window=WINDOW)
    symbols.write_through(symbol())
    shelf.rows.broken = OSError("away")
    with pytest.raises(SourceFailed, match="away"):
        symbols.write_through(symbol(lot_size=7))
    assert 0 < shelf.ask("PTTL", "AAPL") <= WINDOW * 1000
    shelf.rows.broken = None
    assert symbols.get_or_load("AAPL") == symbol()
    assert 0 < shelf.ask("PTTL", "AAPL") <= WINDOW * 1000  # the write may yet arrive
    time.sleep(WINDOW)
    assert symbols.get("AAPL") is None


def test_writes_that_overlap_leave_nothing_behind(shelf: Shelf) -> None:
    """Whose value the database has, nobody can tell: so neither is cached, and the next load finds out."""
    symbols, other = shelf.symbols(), SymbolInfoRepository.from_url(shelf.url(), shelf.rows)
    first, second = symbol(lot_size=1), symbol(lot_size=2)
    inner: list[bool] = []

    def overlap() -> None:
        shelf.rows.after_store = lambda: None
        inner.append(other.write_through(second))

    shelf.rows.after_store = overlap
    assert (symbols.write_through(first), inner) == (False, [False])
    assert symbols.get("AAPL") is None
    assert symbols.get_or_load("AAPL") == second
    assert symbols.write_through(first) is True  # and that is all forgotten
    other.close()


def test_a_load_during_a_write_does_not_outlive_its_window(shelf: Shelf) -> None:
    symbols = shelf.symbols(write_window=WINDOW)
    other = SymbolInfoRepository.from_url(shelf.url(), shelf.rows)

    def die_after_a_load() -> None:
        other.get_or_load("AAPL")
        other.get_or_load("NONE")
        raise OSError("the writer died")

    shelf.rows.after_store = die_after_a_load
    with pytest.raises(SourceFailed):
        symbols.write_through_many([symbol(), symbol("NONE")])
    assert 0 < shelf.ask("PTTL", "AAPL") <= WINDOW * 1000
    other.close()


@pytest.mark.parametrize("colour", COLOURS)
def test_redis_is_lost_before_during_and_after(colour: Colour, runner: asyncio.Runner) -> None:
    """Refusing, frozen or killed once the database was written: bounded. Killed before: nothing is written."""
    with start("standalone") as deployment:
        (server,) = deployment.servers
        shelf = Shelf(FleetOf(deployment.url), colour, runner)  # type: ignore[arg-type]
        reader = SymbolInfoRepository.from_url(shelf.url())
        symbols = shelf.symbols(write_window=WINDOW, settings={"deadline": 0.4, "socket_timeout": 0.2})
        old, new = symbol(lot_size=1), symbol(lot_size=2)
        assert symbols.write_through(old)

        began = time.monotonic()

        def refuse() -> None:
            server.ask("ACL", "SETUSER", "default", "-@scripting")

        shelf.rows.after_store = refuse
        assert symbols.write_through(new) is False
        assert shelf.rows.rows["AAPL"] == new
        server.ask("ACL", "SETUSER", "default", "+@scripting")
        stale_until = began
        while (found := reader.get("AAPL")) is not None and time.monotonic() < began + 5:
            stale_until = time.monotonic() if found == old else stale_until
            time.sleep(0.01)
        print(f"stale for {stale_until - began:.2f} s of {WINDOW} s")
        assert 0.5 * WINDOW < stale_until - began <= WINDOW
        assert reader.get("AAPL") is None
        assert symbols.get_or_load("AAPL") == new

        shelf.rows.after_store = server.freeze
        assert symbols.write_through(old) is False
        server.thaw()
        time.sleep(0.2)
        assert reader.get("AAPL") in (None, old)  # what was sent to the frozen server has arrived by now
        assert symbols.get_or_load("AAPL") == old

        shelf.rows.after_store = server.kill
        assert symbols.write_through(old) is False
        assert shelf.rows.rows["AAPL"] == old
        shelf.rows.after_store = lambda: None
        with pytest.raises((Unavailable, OutcomeUnknown)):
            symbols.write_through(new)
        assert shelf.rows.rows["AAPL"] == old
        server.restart()
        assert reader.get("AAPL") is None
        assert symbols.get_or_load("AAPL") == old
        reader.close()
        shelf.close()

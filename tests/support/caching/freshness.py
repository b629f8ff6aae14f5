"""Measure how old the values of a near cache can be, and wait until it serves any."""

from __future__ import annotations

import time
from collections.abc import Callable

from slotbook.models import SymbolInfo
from slotbook.repositories import AsyncSymbolInfoRepository, SymbolInfoRepository
from slotbook.repositories.caching.near import NearCache

from ...repositories.caching.conftest import CacheSetup

BOUND = 0.4
TIMEOUT = 30.0


def near_of(symbols: SymbolInfoRepository | AsyncSymbolInfoRepository) -> NearCache[SymbolInfo]:
    """Return the near cache of a repository."""
    near = symbols.near_cache
    assert near is not None
    return near


def staleness(setup: CacheSetup, symbols: SymbolInfoRepository, new: SymbolInfo, since: float) -> float:
    """Return for how many seconds after a moment something older than ``new`` was still served.

    A read counts from when it was sent, so that a slow machine does not make the cache look worse.
    """
    stale = asked = time.monotonic()
    while symbols.get(new.symbol) != new:
        assert asked - since < TIMEOUT
        setup.run_tasks()
        stale, asked = asked, time.monotonic()
    return max(0.0, stale - since)


def wait_for(reached: Callable[[], object], setup: CacheSetup) -> None:
    """Run the tasks of asyncio until a condition is true."""
    until = time.monotonic() + TIMEOUT
    while not reached():
        assert time.monotonic() < until
        setup.run_tasks(0.005)


def wait_until_kept(setup: CacheSetup, symbols: SymbolInfoRepository, name: str = "AAPL") -> None:
    """Read a symbol until the answer is kept near: the server may still announce a write that was just made."""
    near = near_of(symbols)

    def kept() -> bool:
        symbols.get(name)
        return near.get(name) is not None

    wait_for(kept, setup)

"""How old what a near cache serves can be, and whether it serves at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

from slotbook.models import SymbolInfo
from slotbook.repositories import AsyncSymbolInfoRepository, SymbolInfoRepository
from slotbook.repositories.caching.near import Near

from ...repositories.caching.conftest import Shelf

BOUND = 0.4
PATIENCE = 30.0


def near_of(symbols: SymbolInfoRepository | AsyncSymbolInfoRepository) -> Near[SymbolInfo]:
    """What a repository keeps near."""
    target: Any = getattr(symbols, "_target", symbols)
    near = cast("Near[SymbolInfo] | None", target._near)
    assert near is not None
    return near


def staleness(shelf: Shelf, symbols: SymbolInfoRepository, new: SymbolInfo, since: float) -> float:
    """For how many seconds after a moment something older than a value was still served; by when it was asked for, so
    that a slow test is not blamed on the cache.
    """
    stale = asked = time.monotonic()
    while symbols.get(new.symbol) != new:
        assert asked - since < PATIENCE
        shelf.idle()
        stale, asked = asked, time.monotonic()
    return max(0.0, stale - since)


def wait_for(reached: Callable[[], object], shelf: Shelf) -> None:
    """Let the asyncio colour's tasks go on until something holds."""
    until = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < until
        shelf.idle(0.005)


def wait_until_kept(shelf: Shelf, symbols: SymbolInfoRepository, name: str = "AAPL") -> None:
    """Ask until the answer is kept: what was just written is told to the cache once more, a moment later."""
    near = near_of(symbols)

    def kept() -> bool:
        symbols.get(name)
        return near.get(name) is not None

    wait_for(kept, shelf)

# Generated from repositories/events/_async/search.py by scripts/generate_sync.py: edit that one.
"""The search for traders who are new, for threads."""

from __future__ import annotations

import time
from collections import deque

from ....models.keys import Keys
from ....topology._sync.backend import Backend

SCAN_INTERVAL = 5.0
"""Seconds at least between two searches for new traders."""
SCAN_PAUSE_FACTOR = 20
"""A search for new traders that took one second is repeated after this many seconds, at the earliest."""


class TraderSearch:
    """The traders that a reader is to take up: those that were added, and if it reads all, those that are found."""

    def __init__(self, backend: Backend, keys: Keys, *, find_all: bool) -> None:
        self.added: deque[str] = deque()
        """Traders that were added and are not read yet."""
        self.find_all = find_all
        """True for all traders: they are searched for with SCAN."""
        self._backend = backend
        self._pattern, self._trader_of = keys.traders_pattern, keys.trader_of
        self._next_scan = 0.0

    def find(self) -> list[str]:
        """Return the traders who have a book, if they are to be found and the last search is long enough ago."""
        started = time.monotonic()
        if not self.find_all or started < self._next_scan:
            return []
        keys = self._backend.scan(self._pattern)
        took = time.monotonic() - started
        self._next_scan = started + max(SCAN_INTERVAL, took * SCAN_PAUSE_FACTOR)
        return sorted(name for key in keys if (name := self._trader_of(key)) is not None)

    def take_added(self) -> list[str]:
        """Return the traders that were added since the last time."""
        return [self.added.popleft() for _ in range(len(self.added))]

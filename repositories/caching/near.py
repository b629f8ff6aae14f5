"""A near cache: decoded values in this process, each valid while the invalidation feed of its server is. No I/O.

A read of a server is registered before it is sent (:class:`PendingRead`). An invalidation that arrives before the
answer is kept removes the registration, so an answer that a change has overtaken is never kept.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from ...models.arguments import whole
from ...topology.listening.tracking import InvalidationFeed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class PendingRead:
    """A read that is about to be sent, or whose answer has not arrived yet."""

    key: str
    slot: int
    feed: InvalidationFeed
    """The feed of the slot's primary when the read was registered."""
    asked_at: float
    """The time of the registration, on the monotonic clock."""


class NearCache(Generic[T]):
    """At most ``size`` values, of which the one that was kept first makes room for a new one.

    A hit takes no lock. ``base`` is the beginning of the names of all entries in Redis.
    """

    def __init__(self, size: int, base: str) -> None:
        self.maxsize = whole("near: size", size)
        """The number of values that may be kept."""
        self.hits = self.misses = self.invalidations = 0
        """Reads that were served, reads that were not, and values that were dropped because of a server."""
        self._base = base
        self.reset()
        _instances.add(self)

    def reset(self) -> None:
        """Drop everything, and replace the lock: a forked child does not have the thread that may hold the old one."""
        self._lock = threading.RLock()  # a signal handler may read while its thread does
        self._entries: dict[str, tuple[T, float, InvalidationFeed]] = {}
        self._pending: dict[str, PendingRead] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> T | None:
        """Return the value of a key, or None when there is none that may be served now."""
        entry = self._entries.get(key)
        if entry is not None:
            value, expires_at, feed = entry
            now = monotonic()
            if now < feed.good_until and now < expires_at:
                self.hits += 1
                return value
        self.misses += 1
        return None

    def begin_read(self, key: str, slot: int, feed: InvalidationFeed | None) -> PendingRead | None:
        """Register a read of a server; return None when there is no feed that announces changes to the answer."""
        if feed is None or feed.lost:
            return None
        read = PendingRead(key, slot, feed, monotonic())
        with self._lock:
            self._pending[key] = read
        return read

    def finish_read(self, read: PendingRead, feed: InvalidationFeed | None, value: T | None, lasts: float) -> None:
        """Keep the answer to a read for ``lasts`` seconds from when it was registered, unless something has changed.

        Nothing is kept when the key has changed since, or when ``feed``, the feed of the slot's primary now, is another
        one than at the registration: the answer may then come from a server whose changes the first feed does not
        announce. A ``value`` of None only ends the registration.
        """
        with self._lock:
            if self._pending.get(read.key) is not read:
                return
            del self._pending[read.key]
            if value is None or lasts <= 0 or feed is not read.feed:
                return
            self._entries.pop(read.key, None)
            if len(self._entries) >= self.maxsize:
                del self._entries[next(iter(self._entries))]
            self._entries[read.key] = (value, read.asked_at + lasts, read.feed)

    def discard(self, keys: Sequence[str]) -> int:
        """Drop keys that this process has changed itself; return the number of those that were kept."""
        with self._lock:
            before = len(self._entries)
            for key in keys:
                self._entries.pop(key, None)
                self._pending.pop(key, None)
            return before - len(self._entries)

    def invalidate(self, keys: Sequence[str] | None) -> None:
        """Drop the entries with these names in Redis, because they have changed; None drops all."""
        if keys is not None:
            self.invalidations += self.discard([key.removeprefix(self._base) for key in keys])
            return
        with self._lock:
            self.invalidations += len(self._entries)
            self._entries.clear()
            self._pending.clear()

    def drop_feed(self, feed: InvalidationFeed) -> None:
        """Drop every value and pending read of a feed whose connection is lost."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry[2] is feed]:
                del self._entries[key]
                self.invalidations += 1
            for key in [key for key, read in self._pending.items() if read.feed is feed]:
                del self._pending[key]


_instances: weakref.WeakSet[NearCache[Any]] = weakref.WeakSet()


def _reset_all() -> None:
    for near in _instances:
        near.reset()


os.register_at_fork(after_in_child=_reset_all)

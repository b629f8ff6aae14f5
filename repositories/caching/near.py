"""A near cache: values kept decoded in the process for as long as a server's feed vouches for them. No I/O.

Whoever asks a server opens a :class:`Ticket` first; an invalidation that arrives before the answer is kept takes the
ticket away, so an answer that was overtaken by a change is never kept.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from ...models.errors import InvalidArgument
from ...topology.listening.tracking import InvalidationFeed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """The right to keep one answer."""

    key: str
    slot: int
    feed: InvalidationFeed
    asked_at: float


class Near(Generic[T]):
    """At most ``size`` values; the one that was kept first goes first. Hits take no lock."""

    def __init__(self, size: int, base: str) -> None:
        if type(size) is not int or size < 1:
            raise InvalidArgument(f"near: {size} is not a number of entries")
        self._size = size
        self._base = base
        self.empty()
        _everyone.add(self)

    def empty(self) -> None:
        """Begin anew; in a forked child no thread is left that could give the old lock back."""
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[T, float, InvalidationFeed]] = {}
        self._tickets: dict[str, Ticket] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> T | None:
        """The value, if it may be served at this moment."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = monotonic()
        return entry[0] if now < entry[2].good_until and now < entry[1] else None

    def open(self, key: str, slot: int, feed: InvalidationFeed | None) -> Ticket | None:
        """Announce that a server is about to be asked; None when no feed would vouch for the answer."""
        if feed is None or feed.lost:
            return None
        ticket = Ticket(key, slot, feed, monotonic())
        with self._lock:
            self._tickets[key] = ticket
        return ticket

    def settle(self, ticket: Ticket, in_charge: InvalidationFeed | None, value: T | None, lasts: float) -> None:
        """Keep the answer for ``lasts`` seconds from when it was asked for, unless something has changed since: the
        value, or who is ``in_charge`` of its slot by now, which may be who has answered.
        """
        with self._lock:
            if self._tickets.get(ticket.key) is not ticket:
                return
            del self._tickets[ticket.key]
            if value is None or lasts <= 0 or in_charge is not ticket.feed:
                return
            self._entries.pop(ticket.key, None)
            if len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[ticket.key] = (value, ticket.asked_at + lasts, ticket.feed)

    def discard(self, keys: Sequence[str]) -> None:
        """Drop what this process has changed itself."""
        with self._lock:
            for key in keys:
                self._entries.pop(key, None)
                self._tickets.pop(key, None)

    def invalidate(self, keys: Sequence[str] | None) -> None:
        """Drop the stored keys that have changed, or all."""
        if keys is not None:
            self.discard([key.removeprefix(self._base) for key in keys])
            return
        with self._lock:
            self._entries.clear()
            self._tickets.clear()

    def drop_feed(self, feed: InvalidationFeed) -> None:
        """Drop what a feed vouched for, and what it was about to."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry[2] is feed]:
                del self._entries[key]
            for key in [key for key, ticket in self._tickets.items() if ticket.feed is feed]:
                del self._tickets[key]


_everyone: weakref.WeakSet[Near[Any]] = weakref.WeakSet()


def _forked() -> None:
    for near in _everyone:
        near.empty()


os.register_at_fork(after_in_child=_forked)

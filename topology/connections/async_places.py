"""Share a few places among many tasks of an event loop; see :mod:`.places`.

A task is cancelled only where it waits, but a signal handler may raise between any two calls here as well. If it raises
in the event loop itself, that may forget a task, which then never goes on: its place is taken from it in the end.
"""

from __future__ import annotations

import asyncio
import math
from time import monotonic
from typing import Generic, TypeVar

_UNLIMITED = 1 << 62


class AsyncPlace:
    """A caller in the queue."""

    __slots__ = ("ends_at", "gate")

    def __init__(self, ends_at: float = math.inf) -> None:
        self.ends_at = ends_at
        """The time of the monotonic clock after which it has gone on, or never will."""
        self.gate: asyncio.Future[None] | None = None
        """Resolved to wake it up while it waits."""


P = TypeVar("P", bound=AsyncPlace)


class AsyncPlaces(dict[P, None], Generic[P]):
    """Callers in the order in which they came; the first ``size`` of them have a place."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    async def take(self, mine: P, timeout: float) -> bool:
        """Enter the queue and wait up to ``timeout`` seconds for a place; return True if it is there."""
        self[mine] = None
        return len(self) <= self.size or await self._wait(mine, timeout)

    def wake(self) -> None:
        """Wake those who have waited for a place and have one now; to be called after leaving the queue."""
        if len(self) < self.size:
            return  # they have theirs already
        for place in self._first():
            _open(place.gate)

    def open_for_all(self) -> None:
        """Give a place to everyone who waits, and who comes later: there is nothing to share any more."""
        self.size = _UNLIMITED
        for place in list(self):
            _open(place.gate)

    def _first(self) -> list[P]:
        return list(self)[: self.size]

    async def _wait(self, mine: P, timeout: float) -> bool:
        loop, ends_at = asyncio.get_running_loop(), monotonic() + timeout
        while mine not in (first := self._first()):
            now = monotonic()
            if now >= ends_at:
                return False
            late = [place for place in first if place.ends_at < now]
            for place in late:
                self.pop(place, None)
            if late:
                self.wake()
                continue
            gate = mine.gate = loop.create_future()
            timer = loop.call_later(min(ends_at, *[place.ends_at for place in first]) - now + 0.001, _open, gate)
            try:
                await gate
            finally:
                timer.cancel()
        return True


def _open(gate: asyncio.Future[None] | None) -> None:
    if gate is not None and not gate.done():
        gate.set_result(None)

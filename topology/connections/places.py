"""Share a few places among many callers, so that whatever interrupts one of them leaves no place taken.

A signal handler may raise between any two calls of a thread, and so between taking a place and noting that it is taken.
So here nothing is noted: callers stand in a queue, and the first ones have the places. One step enters the queue, and
one leaves it, at any time and any number of times. No step is interrupted, and there is no lock that could stay locked.
::

    mine = Place()
    try:
        if places.take(mine, timeout):
            …
    finally:
        places.pop(mine, None)  # first, and nothing else in the same statement: no handler runs before it
        places.wake()
"""

from __future__ import annotations

import math
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

LONGEST_SLEEP = 0.05
"""Seconds after which a caller looks for himself: whoever should have woken him may have been interrupted."""
_UNLIMITED = 1 << 62


class Place:
    """A caller in the queue."""

    __slots__ = ("gate",)

    def __init__(self, ends_at: float = math.inf) -> None:
        """Make a place; that of a thread always ends by itself, so ``ends_at`` has no meaning here."""
        self.gate: SimpleQueue[None] | None = None
        """Woken up through this while it waits."""


P = TypeVar("P", bound=Place)


class Places(dict[P, None], Generic[P]):
    """Callers in the order in which they came; the first ``size`` of them have a place."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def take(self, mine: P, timeout: float) -> bool:
        """Enter the queue and wait up to ``timeout`` seconds for a place; return True if it is there."""
        return self.enter(mine) or self.wait(mine, timeout)

    def enter(self, mine: P) -> bool:
        """Enter the queue; return True if a place is there at once."""
        self[mine] = None
        return len(self) <= self.size

    def wake(self) -> None:
        """Wake those who have waited for a place and have one now; to be called after leaving the queue."""
        if len(self) < self.size:
            return  # they have theirs already
        for place in self._first():
            gate = place.gate
            if gate is not None:
                gate.put(None)

    def open_for_all(self) -> None:
        """Give a place to everyone who waits, and who comes later: there is nothing to share any more."""
        self.size = _UNLIMITED
        for place in list(self):
            if place.gate is not None:
                place.gate.put(None)

    def _first(self) -> list[P]:
        return list(self)[: self.size]

    def wait(self, mine: P, timeout: float, ends_at: float = math.inf) -> bool:
        """Wait in the queue up to ``timeout`` seconds for a place, and until the monotonic time ``ends_at`` at most."""
        ends_at = min(monotonic() + timeout, ends_at)
        gate = mine.gate = SimpleQueue[None]()
        while mine not in self._first():  # asked after the gate is there, so that no wake-up is missed
            left = ends_at - monotonic()
            if left <= 0:
                return False
            try:
                gate.get(timeout=min(left, LONGEST_SLEEP))
            except Empty:
                continue
        return True

"""What connections have heard and nobody has taken yet, for threads: bounded, whatever comes."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue between connections that put and one reader that takes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item; False when there is no room."""
        with self._changed:
            if self._closed or len(self._items) >= self._room:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def wake(self) -> None:
        """Let the reader look up, though there may be nothing to take."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def take(self) -> T | None:
        """The next item, if there is one."""
        with self._changed:
            if not self._items:
                return None
            if len(self._items) == self._room:
                self._changed.notify_all()
            return self._items.popleft()

    def wait(self, timeout: float | None) -> None:
        """Return when there is something to take, when woken, or after the timeout in seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._woken or self._closed, timeout)
            self._woken = False

    def space(self) -> bool:
        """Return as soon as there is room; whether it had to be waited for."""
        if len(self._items) < self._room:
            return False
        started = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._room)
        return time.monotonic() > started

    def close(self) -> None:
        """Wait for nobody any more."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

"""Queue what connections have received until one reader takes it; the size is bounded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class AsyncInbox(Generic[T]):
    """A bounded queue for asyncio, between connections that put items and one reader that takes them."""

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._items: deque[T] = deque()
        self._not_empty = asyncio.Event()
        self._not_full = asyncio.Event()
        self._not_full.set()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item; return False when the queue is full."""
        if len(self._items) >= self._maxsize:
            return False
        self._items.append(item)
        if len(self._items) >= self._maxsize:
            self._not_full.clear()
        self._not_empty.set()
        return True

    def wake(self) -> None:
        """Make ``wait`` return, even if there is nothing to take."""
        self._not_empty.set()

    def take(self) -> T | None:
        """Return the next item, or None when there is none."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._not_full.set()
        return item

    async def wait(self, timeout: float | None) -> None:
        """Return when there is an item to take, after ``wake``, or after the timeout in seconds."""
        if self._items:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._not_empty.wait()
        except TimeoutError:
            return
        self._not_empty.clear()

    async def wait_until_not_full(self) -> bool:
        """Wait until the queue is not full; return True if it was full."""
        if self._not_full.is_set():
            return False
        await self._not_full.wait()
        return True

    def close(self) -> None:
        """Drop every item, accept no more, and wake everyone who waits."""
        self._maxsize = 0
        self._items.clear()
        self._not_full.set()
        self._not_empty.set()


class Inbox(Generic[T]):
    """A bounded queue for threads, between connections that put items and one reader that takes them."""

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item; return False when the queue is full."""
        with self._changed:
            if self._closed or len(self._items) >= self._maxsize:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def wake(self) -> None:
        """Make ``wait`` return, even if there is nothing to take."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def take(self) -> T | None:
        """Return the next item, or None when there is none."""
        with self._changed:
            if not self._items:
                return None
            if len(self._items) == self._maxsize:
                self._changed.notify_all()
            return self._items.popleft()

    def wait(self, timeout: float | None) -> None:
        """Return when there is an item to take, after ``wake``, or after the timeout in seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._woken or self._closed, timeout)
            self._woken = False

    def wait_until_not_full(self) -> bool:
        """Wait until the queue is not full; return True if it was full."""
        if len(self._items) < self._maxsize:
            return False
        started = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._maxsize)
        return time.monotonic() > started

    def close(self) -> None:
        """Drop every item, accept no more, and wake everyone who waits."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

"""Queue what connections have received until one reader takes it; the size is bounded."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_SLEEP = 1.0
"""Seconds after which a thread looks for itself: several of them may wait for room, and one word wakes one."""


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
    """A bounded queue for threads, between connections that put items and one reader that takes them.

    There is no lock: what a signal handler raises in the reader would leave it locked for the threads that put. Of
    several threads that put at the same time, each may still find room for its item.
    """

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._items: deque[T] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        self._woken = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item; return False when the queue is full."""
        if self._closed or len(self._items) >= self._maxsize:
            return False
        self._items.append(item)
        _tell(self._news)
        return True

    def wake(self) -> None:
        """Make ``wait`` return, even if there is nothing to take."""
        self._woken = True
        _tell(self._news)

    def take(self) -> T | None:
        """Return the next item, or None when there is none."""
        try:
            item = self._items.popleft()
        except IndexError:
            return None
        _tell(self._room)
        return item

    def wait(self, timeout: float | None) -> None:
        """Return when there is an item to take, after ``wake``, or after the timeout in seconds."""
        _wait(self._news, lambda: bool(self._items) or self._woken or self._closed, timeout)
        self._woken = False

    def wait_until_not_full(self) -> bool:
        """Wait until the queue is not full; return True if it was full."""
        if self._closed or len(self._items) < self._maxsize:
            return False
        _wait(self._room, lambda: self._closed or len(self._items) < self._maxsize, None)
        return True

    def close(self) -> None:
        """Drop every item, accept no more, and wake everyone who waits."""
        self._closed = True
        self._items.clear()
        _tell(self._news)
        _tell(self._room)


def _tell(bell: SimpleQueue[None]) -> None:
    """Have whoever waits look again; one word that has not been heard yet is enough."""
    if bell.empty():
        bell.put(None)


def _wait(bell: SimpleQueue[None], reached: Callable[[], bool], timeout: float | None) -> None:
    """Wait for a condition, which is looked at each time that the bell rings, for up to ``timeout`` seconds."""
    ends_at = math.inf if timeout is None else time.monotonic() + timeout
    while not reached():
        left = ends_at - time.monotonic()
        if left <= 0:
            return
        with suppress(Empty):
            bell.get(timeout=min(left, LONGEST_SLEEP))

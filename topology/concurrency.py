"""Do what asyncio and threads do differently: wait for a lock with a timeout, pause, and run work that blocks.

Names that begin with ``Async`` or ``async_`` are for asyncio; their twins for threads have the same name without it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class AsyncTimedLock:
    """A lock for asyncio that is acquired with a timeout; in a new event loop it starts free."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def acquire(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the lock; return False when they have passed."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        try:
            return await asyncio.wait_for(self._lock.acquire(), timeout)
        except TimeoutError:
            return False

    def release(self) -> None:
        """Release the lock to the next one that waits for it."""
        self._lock.release()


class TimedLock:
    """A lock for threads that is acquired with a timeout; in a forked child it starts free."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def acquire(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the lock; return False when they have passed."""
        if self._owner != os.getpid():
            self._owner, self._lock = os.getpid(), threading.Lock()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Release the lock to the next one that waits for it."""
        self._lock.release()


async def async_pause(seconds: float) -> None:
    """Sleep for some seconds, while other tasks of the loop go on."""
    await asyncio.sleep(seconds)


def pause(seconds: float) -> None:
    """Sleep for some seconds, while other threads go on."""
    time.sleep(seconds)


async def async_run_blocking(work: Callable[[], T]) -> T:
    """Return the result of work that blocks, done in a thread so that the loop is not held up."""
    return await asyncio.to_thread(work)


def run_blocking(work: Callable[[], T]) -> T:
    """Return the result of work that blocks, done in the calling thread."""
    return work()

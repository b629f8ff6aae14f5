"""Do what asyncio and threads do differently: wait for a lock within a time, pause, and run work that blocks.

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
    """A lock for asyncio that is acquired within a time, in whichever loop runs."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def acquire(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the lock; return False when the time ran out."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        try:
            return await asyncio.wait_for(self._lock.acquire(), timeout)
        except TimeoutError:
            return False

    def release(self) -> None:
        """Let the next one have the lock."""
        self._lock.release()


class TimedLock:
    """A lock for threads that is acquired within a time; a forked child starts with a free one."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def acquire(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the lock; return False when the time ran out."""
        if self._owner != os.getpid():
            self._owner, self._lock = os.getpid(), threading.Lock()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Let the next one have the lock."""
        self._lock.release()


async def async_pause(seconds: float) -> None:
    """Let other tasks go on for some seconds."""
    await asyncio.sleep(seconds)


def pause(seconds: float) -> None:
    """Let other threads go on for some seconds."""
    time.sleep(seconds)


async def async_run_blocking(work: Callable[[], T]) -> T:
    """Run work that blocks in a thread, without holding up the loop."""
    return await asyncio.to_thread(work)


def run_blocking(work: Callable[[], T]) -> T:
    """Run work that blocks; the thread that calls may wait."""
    return work()

"""Run jobs without waiting for their results: in tasks for asyncio, in a small pool of threads for threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

THREADS = 4
"""Jobs that run at the same time, for threads; more are queued."""


class AsyncBackground:
    """Background jobs for asyncio. Close it before the connections that its jobs use."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a job, which must not raise."""
        task = asyncio.create_task(job())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for the jobs that run in this event loop; jobs of a loop that was closed have ended with it."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(task for task in self._tasks if task.get_loop() is loop), return_exceptions=True)


class Background:
    """Background jobs for threads. Close it before the connections that its jobs use."""

    def __init__(self) -> None:
        self._owner = 0
        self._pool: ThreadPoolExecutor | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Start a job, which must not raise; while four are running, it is queued."""
        if self._pool is None or self._owner != os.getpid():  # a forked child does not have its parent's threads
            self._owner, self._pool = os.getpid(), ThreadPoolExecutor(THREADS, "slotbook-refresh")
        self._pool.submit(job)

    def close(self) -> None:
        """Wait for the jobs that are running or queued."""
        if self._pool is not None and self._owner == os.getpid():
            self._pool.shutdown()
            self._pool = None

"""Repeat some work at an interval in the background: in a task for asyncio, in a thread for threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable


class AsyncPeriodicTask:
    """Work for asyncio that is repeated every ``interval`` seconds until it is stopped, or returns False."""

    def __init__(self, work: Callable[[], Awaitable[bool]], interval: float) -> None:
        self._work = work
        self._interval = interval
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Cancel the work, even while it is running, and wait for its end."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        more = True
        while more:
            await asyncio.sleep(self._interval)
            more = await self._work()


class PeriodicTask:
    """Work for threads that is repeated every ``interval`` seconds until it is stopped, or returns False."""

    def __init__(self, work: Callable[[], bool], interval: float) -> None:
        self._work = work
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slotbook-periodic", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for the end of the work if it is running."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval) and self._work():
            pass

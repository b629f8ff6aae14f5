"""Work that nobody waits for, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class AsyncBackground:
    """Jobs that go on while their starter does; they end before the connections that they use are closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job: Callable[[], Coroutine[object, object, None]]) -> None:
        """Begin a job, which must not raise."""
        task = asyncio.create_task(job())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is under way; jobs of a loop that has been closed are gone with it."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(task for task in self._tasks if task.get_loop() is loop), return_exceptions=True)


async def pause(seconds: float) -> None:
    """Let others go on."""
    await asyncio.sleep(seconds)

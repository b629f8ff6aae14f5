"""Work that is done again and again beside the caller's, for asyncio: on a task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class AsyncKeeper:
    """Does some work every few seconds until it is stopped, or the work says that there is no more to do."""

    def __init__(self, work: Callable[[], Awaitable[bool]], every: float) -> None:
        self._work = work
        self._every = every
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the work, also in the middle."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _keep(self) -> None:
        more = True
        while more:
            await asyncio.sleep(self._every)
            more = await self._work()

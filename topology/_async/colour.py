"""What has to be done differently in asyncio: waiting for a turn, and work that blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class AsyncTurn:
    """A lock that is waited for within a time, in whichever loop runs."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def take(self, timeout: float) -> bool:
        """Wait for the turn; False when the time ran out."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        try:
            return await asyncio.wait_for(self._lock.acquire(), timeout)
        except TimeoutError:
            return False

    def release(self) -> None:
        """End the turn."""
        self._lock.release()


async def blocking(work: Callable[[], T]) -> T:
    """Do work that blocks without holding up the loop."""
    return await asyncio.to_thread(work)

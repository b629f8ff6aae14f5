"""A bounded number of calls in flight: who comes first is served first, and who finds semaphore does not wait for a turn."""

from __future__ import annotations

import asyncio
from collections import deque


class AsyncSemaphore:
    """Places for calls; ``asyncio.Semaphore`` does the same at twice the cost of a bare call."""

    __slots__ = ("_free", "_waiting")

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()

    def try_acquire(self) -> bool:
        """Take a place if there is one."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def acquire(self, seconds: float) -> bool:
        """Take a place as soon as there is one; False when none came in time."""
        if self.try_acquire():
            return True
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await asyncio.wait_for(place, seconds)
        except TimeoutError:
            return place.done() and not place.cancelled()  # it may have been handed over in the last moment
        except BaseException:
            if place.done() and not place.cancelled():
                self.release()
            raise
        return True

    def release(self) -> None:
        """Give a place back, to whoever has waited longest."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

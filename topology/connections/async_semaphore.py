"""A semaphore for asyncio that costs nothing to a caller who finds a permit free."""

from __future__ import annotations

import asyncio
from collections import deque


class AsyncSemaphore:
    """A fair semaphore: a permit that is released goes to the task that has waited longest.

    ``asyncio.Semaphore`` does the same, but its ``acquire`` has to be awaited even when a permit is free, which costs
    twice as much as the plain call of :meth:`try_acquire`.
    """

    __slots__ = ("_free", "_waiting")

    def __init__(self, permits: int) -> None:
        self._free = permits
        self._waiting: deque[asyncio.Future[None]] = deque()
        """One future for each waiting task; it is resolved to hand that task a permit."""

    def try_acquire(self) -> bool:
        """Take a permit if one is free; return False if none is."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def acquire(self, timeout: float) -> bool:
        """Take a permit, waiting up to ``timeout`` seconds for it; return False if there was none in time."""
        if self.try_acquire():
            return True
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(permit)
        try:
            await asyncio.wait_for(permit, timeout)
        except TimeoutError:
            return permit.done() and not permit.cancelled()  # it may have been handed over at the last moment
        except BaseException:
            if permit.done() and not permit.cancelled():
                self.release()
            raise
        return True

    def release(self) -> None:
        """Return a permit."""
        while self._waiting:
            permit = self._waiting.popleft()
            if not permit.done():
                permit.set_result(None)
                return
        self._free += 1

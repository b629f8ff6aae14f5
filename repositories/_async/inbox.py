"""What connections have heard and nobody has taken yet, for asyncio: bounded, whatever comes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class AsyncInbox(Generic[T]):
    """A queue between connections that put and one reader that takes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: deque[T] = deque()
        self._something = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item; False when there is no room."""
        if len(self._items) >= self._room:
            return False
        self._items.append(item)
        if len(self._items) >= self._room:
            self._space.clear()
        self._something.set()
        return True

    def wake(self) -> None:
        """Let the reader look up, though there may be nothing to take."""
        self._something.set()

    def take(self) -> T | None:
        """The next item, if there is one."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._space.set()
        return item

    async def wait(self, timeout: float | None) -> None:
        """Return when there is something to take, when woken, or after the timeout in seconds."""
        if self._items:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._something.wait()
        except TimeoutError:
            return
        self._something.clear()

    async def space(self) -> bool:
        """Return as soon as there is room; whether it had to be waited for."""
        if self._space.is_set():
            return False
        await self._space.wait()
        return True

    def close(self) -> None:
        """Wait for nobody any more."""
        self._room = 0
        self._items.clear()
        self._space.set()
        self._something.set()

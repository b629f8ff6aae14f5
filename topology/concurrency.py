"""Do what asyncio and threads do differently: take turns, pause, and run work that blocks.

Names that begin with ``Async`` or ``async_`` are for asyncio; their twins for threads have the same name without it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import TypeVar

from .connections.async_places import AsyncPlace, AsyncPlaces
from .connections.places import Place, Places

T = TypeVar("T")


class AsyncTurns:
    """The one place of those who do for all others what one has to do, for asyncio; in a new event loop it is free."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = AsyncPlaces[AsyncPlace](1)

    def here(self) -> AsyncPlaces[AsyncPlace]:
        """Return the place in the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._places, self._loop = AsyncPlaces[AsyncPlace](1), loop
        return self._places


class Turns:
    """The one place of those who do for all others what one has to do, for threads; in a forked child it is free."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._places = Places[Place](1)

    def here(self) -> Places[Place]:
        """Return the place in this process."""
        owner = os.getpid()
        if self._owner != owner:
            self._places, self._owner = Places[Place](1), owner
        return self._places


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

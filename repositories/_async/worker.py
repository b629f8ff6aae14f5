"""A caller's function that is called beside the caller, for asyncio: on a task."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from ..handlers import AsyncHandler

T = TypeVar("T")


class AsyncWorker:
    """Work that goes on until it ends by itself."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._failure: Exception | None = None
        self._task = asyncio.create_task(self._run())

    async def join(self) -> None:
        """Wait for its end; not when the work itself asks."""
        if asyncio.current_task() is not self._task:
            await asyncio.wait([self._task])

    def result(self) -> None:
        """Raise what ended it, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _run(self) -> None:
        try:
            await self._work()
        except Exception as error:  # handed to whoever asks for the result
            self._failure = error


async def handle(handler: AsyncHandler[T], item: T) -> None:
    """Call a handler, and wait for it if it can be waited for."""
    answer = handler(item)
    if inspect.isawaitable(answer):
        await cast("Awaitable[object]", answer)

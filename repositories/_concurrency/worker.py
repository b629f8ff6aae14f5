"""Run a function in the background: in a task for asyncio, in a thread for threads."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from .handlers import AsyncHandler, Handler

T = TypeVar("T")


class AsyncWorker:
    """Work for asyncio that runs until it ends by itself."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._run())

    async def join(self) -> None:
        """Wait for the end of the work; return at once when the work itself calls this."""
        if self._task is not None and asyncio.current_task() is not self._task:
            await asyncio.wait([self._task])

    def result(self) -> None:
        """Raise the exception that ended the work, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _run(self) -> None:
        try:
            await self._work()
        except Exception as error:  # raised by ``result``
            self._failure = error


class Worker:
    """Work for threads that runs until it ends by itself."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="slotbook-worker", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the work; return at once when the work itself calls this."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def result(self) -> None:
        """Raise the exception that ended the work, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # raised by ``result``
            self._failure = error


async def async_handle(handler: AsyncHandler[T], item: T) -> None:
    """Call a handler with an item, and await what it returns if that is awaitable."""
    result = handler(item)
    if inspect.isawaitable(result):
        await cast("Awaitable[object]", result)


def handle(handler: Handler[T], item: T) -> None:
    """Call a handler with an item."""
    handler(item)

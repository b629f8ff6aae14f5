"""Leave what an event loop was closed amid: nothing goes on there, and nothing can be awaited any more.

Whoever closes an event loop by hand leaves the tasks in it to destructors. Those of Slotbook's own then end and say
nothing: asyncio says of the caller's own task that it has not ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")


class _Opened(Protocol):
    async def disconnect(self, nowait: bool = False) -> None: ...


class Late(Coroutine[Any, Any, T]):
    """Work that is made with its first step: Python warns of a coroutine that was made and never begun."""

    __slots__ = ("_begun", "_work")

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._begun: Coroutine[Any, Any, T] | None = None

    def send(self, value: Any) -> Any:
        """Take the next step."""
        return self._begin().send(value)

    def throw(self, *error: Any) -> Any:
        """Take the next step with an error."""
        return self._begin().throw(*error)

    def close(self) -> None:
        """End it, if it has begun."""
        if self._begun is not None:
            self._begun.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._begin().__await__()

    def _begin(self) -> Coroutine[Any, Any, T]:
        if self._begun is None:
            self._begun = self._work()
        return self._begun


def begin(work: Callable[[], Coroutine[Any, Any, T]], loop: asyncio.AbstractEventLoop) -> asyncio.Task[T]:
    """Begin some work of Slotbook's own in a task of an event loop, which may be left when that is closed."""
    task = loop.create_task(Late(work))
    cast(Any, task)._log_destroy_pending = False  # as asyncio does for tasks of its own
    return task


def _is_left(loop: asyncio.AbstractEventLoop) -> bool:
    """Return True in a coroutine that was begun in an event loop and is ended by a destructor, while that is closed."""
    try:
        return asyncio.get_running_loop() is not loop
    except RuntimeError:
        return True


async def disconnect(redis_connection: _Opened, loop: asyncio.AbstractEventLoop) -> None:
    """Close the connection of a coroutine that was begun in an event loop.

    Raises GeneratorExit when that was left: the coroutine has to end, whatever error of a closed loop it has come to on
    its way here. The socket is closed by its own destructor, as nobody else has it.
    """
    if _is_left(loop):
        raise GeneratorExit
    await redis_connection.disconnect(nowait=True)

"""Run one test body for both callers: an ``AsyncBook`` that answers like a ``Book``, on a loop of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextvars import copy_context
from typing import Literal, TypeAlias, cast

from slotbook import AsyncBook, Book, Observer

Caller: TypeAlias = Literal["sync", "asyncio"]
CALLERS: tuple[Caller, ...] = ("sync", "asyncio")


class Blocking:
    """Pass everything on to a target that is written for asyncio, and run its coroutines to their end."""

    def __init__(self, target: object, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._target, name)
        return self._blocking(found) if callable(found) else self._answer(found)

    def __enter__(self) -> object:
        return self._blocking(cast("Callable[..., object]", getattr(self._target, "__aenter__")))()  # noqa: B009

    def __exit__(self, *ending: object) -> None:
        self._blocking(cast("Callable[..., object]", getattr(self._target, "__aexit__")))(*ending)  # noqa: B009

    def _blocking(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*positional: object, **named: object) -> object:
            answer = method(*positional, **named)
            if inspect.iscoroutine(answer):
                coroutine = cast("Coroutine[object, object, object]", answer)
                answer = self._runner.run(coroutine, context=copy_context())
            if inspect.isasyncgen(answer):
                return self._each(cast("AsyncGenerator[object, None]", answer))
            return self._answer(answer)

        return call

    def _each(self, found: AsyncGenerator[object, None]) -> Iterator[object]:
        try:
            while True:
                yield self._runner.run(anext(found))
        except StopAsyncIteration:
            return

    def _answer(self, found: object) -> object:
        """Return an object that is written for asyncio wrapped like the target, and anything else as it is."""
        kind = type(found)
        ours = kind.__module__.startswith("slotbook.") and kind.__name__.startswith("Async")
        return Blocking(found, self._runner) if ours else found


def open_book(url: str, caller: Caller, runner: asyncio.Runner, observer: Observer | None = None) -> Book:
    """Open a book for threads or for asyncio."""
    if caller == "sync":
        return Book.open(url, observer=observer)
    return cast(Book, Blocking(runner.run(AsyncBook.open(url, observer=observer)), runner))

"""One test body for both colours: an ``AsyncBook`` that answers like a ``Book``, on a loop of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Literal, TypeAlias, cast

from slotbook import AsyncBook, Book

Colour: TypeAlias = Literal["sync", "asyncio"]
COLOURS: tuple[Colour, ...] = ("sync", "asyncio")


class Blocking:
    """Whatever is asked of the target is asked of this; coroutines are run to their end."""

    def __init__(self, target: object, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._target, name)
        if name in {"orders", "positions", "backend"}:
            return Blocking(found, self._runner)
        return self._blocking(found) if callable(found) else found

    def __enter__(self) -> Blocking:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(cast(AsyncBook, self._target).close())

    def _blocking(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*positional: object, **named: object) -> object:
            answer = method(*positional, **named)
            if inspect.iscoroutine(answer):
                return self._runner.run(cast("Coroutine[object, object, object]", answer))
            return answer

        return call


def open_book(url: str, colour: Colour, runner: asyncio.Runner) -> Book:
    """A book of a colour."""
    if colour == "sync":
        return Book.open(url)
    return cast(Book, Blocking(runner.run(AsyncBook.open(url)), runner))

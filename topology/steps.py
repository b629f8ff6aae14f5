"""Describe an operation that takes several calls, without carrying it out.

Such an operation is a generator: it yields what is to be done next and is sent the answer. A backend's ``drive``
carries it out, for asyncio and for threads alike::

    def total(first: Call[int], second: Call[int]) -> Steps[int]:
        return (yield from ask(first)) + (yield from ask(second))

    backend.drive(total(first, second))
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

from ..models.results import Outcome
from .call import Call
from .shards import Shards

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Locate:
    """Ask for the hash tags that reach every primary; with ``fresh``, the servers are asked anew."""

    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for some seconds."""

    seconds: float


Step: TypeAlias = "Call[object] | Sequence[Call[object]] | Locate | Pause"
"""One call, answered with its value or an error that is raised; several calls, answered with one Outcome each; Locate,
answered with Shards; or a pause, answered with None."""
Steps: TypeAlias = Generator[Step, object, T]
"""A generator of the steps of an operation, which returns a T."""


def ask(call: Call[T]) -> Steps[T]:
    """Yield one call and return its value. Raises the call's SlotbookError."""
    return cast(T, (yield call))


def ask_many(calls: Sequence[Call[T]]) -> Steps[list[Outcome[T]]]:
    """Yield several calls and return one outcome for each, in their order."""
    return cast("list[Outcome[T]]", (yield calls))


def locate(*, fresh: bool = False) -> Steps[Shards]:
    """Yield a question for every primary and return the answer; see :class:`Locate`. Raises Unavailable."""
    return cast(Shards, (yield Locate(fresh)))

"""Describe an operation that takes several calls, without carrying it out.

Such an operation is a generator: it yields what is to be done next and is sent the answer. A backend's ``drive`` carries
it out, for asyncio and for threads alike.
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
"""One call, which is answered with its value or raises; several, answered with their outcomes; Shards; or a pause."""
Steps: TypeAlias = Generator[Step, object, T]
"""An operation, step by step, and what it returns."""


def ask(call: Call[T]) -> Steps[T]:
    """Yield one call and return its value. Raises the call's SlotbookError."""
    return cast(T, (yield call))


def ask_many(calls: Sequence[Call[T]]) -> Steps[list[Outcome[T]]]:
    """Yield several calls and return one outcome for each, in their order."""
    return cast("list[Outcome[T]]", (yield calls))


def locate(*, fresh: bool = False) -> Steps[Shards]:
    """Yield the question for every primary and return the answer. Raises Unavailable."""
    return cast(Shards, (yield Locate(fresh)))

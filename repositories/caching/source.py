"""Where cached values come from: what a cache asks of a database, in both colours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from ...models.errors import SourceFailed

T = TypeVar("T")

Load: TypeAlias = Callable[[str], T | None]
"""Loads the value of one key; None when there is no such key."""
AsyncLoad: TypeAlias = Callable[[str], Awaitable[T | None]]
"""Loads the value of one key, for asyncio; None when there is no such key."""

LoadMany: TypeAlias = Callable[[Sequence[str]], Mapping[str, T]]
"""Loads the values of those keys that exist."""
AsyncLoadMany: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]
"""Loads the values of those keys that exist, for asyncio."""


class Source(Protocol[T]):
    """A database, for threads. Whatever it raises reaches the caller of the cache as SourceFailed."""

    def load_many(self, keys: Sequence[str]) -> Mapping[str, T]:
        """The values of those keys that exist, as they are committed now."""
        ...

    def store_many(self, values: Mapping[str, T]) -> None:
        """Write values, new or not, in one transaction; when it returns they are committed."""
        ...

    def all_keys(self, after: str = "") -> Iterator[str]:
        """Every key behind ``after``, in an order that is always the same, without holding all of them."""
        ...


class AsyncSource(Protocol[T]):
    """A database, for asyncio; see :class:`Source`."""

    async def load_many(self, keys: Sequence[str]) -> Mapping[str, T]:
        """The values of those keys that exist, as they are committed now."""
        ...

    async def store_many(self, values: Mapping[str, T]) -> None:
        """Write values, new or not, in one transaction; when it returns they are committed."""
        ...

    def all_keys(self, after: str = "") -> AsyncIterator[str]:
        """Every key behind ``after``, in an order that is always the same, without holding all of them."""
        ...


@dataclass(slots=True)
class Warmed:
    """What warming a cache came to.

    >>> str(Warmed(loaded=8000, kept=500, absent=27, seconds=1.5, last="ZZZ"))
    'loaded 8,000, kept 500, absent 27 in 1.5 s; the last key was ZZZ'
    """

    loaded: int = 0
    """Entries that were loaded from the source."""
    kept: int = 0
    """Entries that were there already and were left as they are, or that changed while they were being loaded."""
    absent: int = 0
    """Keys that the source does not have."""
    seconds: float = 0.0
    last: str = ""
    """The last key that is done: ``after=warmed.last`` goes on from here."""

    def __str__(self) -> str:
        end = f"; the last key was {self.last}" if self.last else ""
        return f"loaded {self.loaded:,}, kept {self.kept:,}, absent {self.absent:,} in {self.seconds:.1f} s{end}"


def source_failed(name: str, cause: Exception) -> SourceFailed:
    """The error for whatever a source raised, in one line that may be shown to others."""
    if isinstance(cause, SourceFailed):
        return cause
    failed = SourceFailed(f"{name}: {reason(cause)}")
    failed.__cause__ = cause
    return failed


def reason(cause: Exception) -> str:
    """An exception in one short line."""
    first = str(cause).partition("\n")[0][:200]
    return f"{type(cause).__name__}: {first}" if first else type(cause).__name__

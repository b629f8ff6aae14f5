"""The interface between a cache and the database behind it, for threads and for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from pydantic import ValidationError

from ...models.errors import CorruptRecord, SlotbookError, SourceFailed, WrongType
from ...models.results import Outcome

T = TypeVar("T")

ERRORS_OF_A_KEY = (CorruptRecord, SourceFailed, WrongType)
"""The errors that are one key's own, so that a batch goes on."""
_ERRORS_KEPT = 100

Load: TypeAlias = Callable[[str], T | None]
"""Loads the value of one key; None when there is no such key."""
AsyncLoad: TypeAlias = Callable[[str], Awaitable[T | None]]
"""Loads the value of one key, for asyncio; None when there is no such key."""

LoadMany: TypeAlias = Callable[[Sequence[str]], Mapping[str, T]]
"""Loads the values of those keys that exist."""
AsyncLoadMany: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]
"""Loads the values of those keys that exist, for asyncio."""


class Source(Protocol[T]):
    """A database behind a cache, for threads; any object with these three methods is one.

    The cache turns an exception of ``load_many`` or ``store_many`` into SourceFailed. When only some rows cannot be
    read, ``load_many`` raises :class:`~slotbook.models.errors.RowsFailed`, which has the others. Use it like this::

        contracts = book.cache(Contract, "contract", ContractTable(engine))
        contracts.get_or_load("ESH4")  # asks ContractTable.load_many(["ESH4"]) when the cache has nothing

    ``SqlSource`` of :mod:`slotbook.repositories.sql` is a source for a table of a SQL database.
    """

    def load_many(self, keys: Sequence[str]) -> Mapping[str, T]:
        """Return the committed values of those keys that exist, by key."""
        ...

    def store_many(self, values: Mapping[str, T]) -> None:
        """Insert or update values in one transaction, and return when it is committed."""
        ...

    def all_keys(self, after: str = "") -> Iterator[str]:
        """Yield every key that follows ``after``, always in the same order, without holding all of them in memory."""
        ...


class AsyncSource(Protocol[T]):
    """A database behind a cache, for asyncio; see :class:`Source`."""

    async def load_many(self, keys: Sequence[str]) -> Mapping[str, T]:
        """Return the committed values of those keys that exist, by key."""
        ...

    async def store_many(self, values: Mapping[str, T]) -> None:
        """Insert or update values in one transaction, and return when it is committed."""
        ...

    def all_keys(self, after: str = "") -> AsyncIterator[str]:
        """Yield every key that follows ``after``, always in the same order, without holding all of them in memory."""
        ...


@dataclass(slots=True)
class Warmed:
    """The result of warming a cache.

    >>> str(Warmed(loaded=8000, kept=500, absent=27, seconds=1.5, last="ZZZ"))
    'loaded 8,000, kept 500, absent 27 in 1.5 s; the last key was ZZZ'
    """

    loaded: int = 0
    """The number of entries that were loaded from the source."""
    kept: int = 0
    """The number of entries that were left as they are, being cached already or changed while they were loaded."""
    absent: int = 0
    """The number of keys that the source does not have."""
    failed: int = 0
    """The number of keys that could not be loaded, each for a reason of its own."""
    errors: dict[str, SlotbookError] = field(default_factory=dict[str, SlotbookError])
    """The errors of the first 100 of them."""
    seconds: float = 0.0
    """The time that it took."""
    last: str = ""
    """The last key that is done; ``warm(after=warmed.last)`` continues with the next one."""

    def __str__(self) -> str:
        end = f"; the last key was {self.last}" if self.last else ""
        failed = f", failed {self.failed:,}" if self.failed else ""
        return (
            f"loaded {self.loaded:,}, kept {self.kept:,}, absent {self.absent:,}{failed} in {self.seconds:.1f} s{end}"
        )

    def add(
        self, keys: Sequence[str], failed: Mapping[str, SlotbookError], loaded: Mapping[str, Outcome[object]]
    ) -> None:
        """Count one batch: its keys, those that could not be claimed, and the outcomes of those that were loaded."""
        failed = {**failed, **{key: outcome.error for key, outcome in loaded.items() if outcome.error}}
        absent = sum(outcome.error is None and outcome.value is None for outcome in loaded.values())
        self.failed += len(failed)
        self.absent += absent
        self.loaded += len([key for key in loaded if key not in failed]) - absent
        self.kept += len(keys) - len({*failed, *loaded})
        self.last = keys[-1]
        for key in list(failed)[: _ERRORS_KEPT - len(self.errors)]:
            self.errors[key] = failed[key]


def source_failed(name: str, cause: Exception) -> SourceFailed:
    """Return the error for an exception of a source; a SourceFailed is returned as it is.

    ``name`` is the name of the failed operation in the message.
    """
    if isinstance(cause, SourceFailed):
        return cause
    failed = SourceFailed(f"{name}: {reason(cause)}")
    failed.__cause__ = cause
    return failed


def reason(cause: Exception) -> str:
    """Return the type and the first line of an exception, shortened, as they are shown to other callers."""
    first = str(cause).partition("\n")[0][:200]
    return f"{type(cause).__name__}: {first}" if first else type(cause).__name__


def first_problem(error: Exception) -> str:
    """Return what is wrong with a value that cannot be read, without the value; of other errors only the type."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else first["msg"]
    return type(error).__name__

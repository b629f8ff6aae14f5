"""Sources in memory that tests can slow down, break and count, for threads and for asyncio."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class MemorySource(Generic[T]):
    """A table in memory, for threads."""

    def __init__(self, rows: Mapping[str, T] | None = None) -> None:
        self.rows: dict[str, T] = dict(rows or {})
        self.loads: list[tuple[str, ...]] = []
        """The keys of each call of ``load_many``."""
        self.delay = 0.0
        """How many seconds a load takes."""
        self.broken: Exception | None = None
        """Raised by every load and store."""
        self.before_load: Callable[[], None] = lambda: None
        self.after_load: Callable[[], None] = lambda: None
        self.before_store: Callable[[], None] = lambda: None
        self.after_store: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def load_many(self, keys: Sequence[str]) -> Mapping[str, T]:
        self.loads.append(tuple(keys))
        self.before_load()
        with self._lock:
            found = {key: self.rows[key] for key in keys if key in self.rows}
        time.sleep(self.delay)
        self.after_load()
        if self.broken:
            raise self.broken
        return found

    def store_many(self, values: Mapping[str, T]) -> None:
        self.before_store()
        if self.broken:
            raise self.broken
        with self._lock:
            self.rows.update(values)
        self.after_store()

    def all_keys(self, after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.rows if key > after)


class AsyncMemorySource(Generic[T]):
    """The same table, for asyncio."""

    def __init__(self, table: MemorySource[T]) -> None:
        self.table = table

    async def load_many(self, keys: Sequence[str]) -> Mapping[str, T]:
        return self.table.load_many(keys)

    async def store_many(self, values: Mapping[str, T]) -> None:
        self.table.store_many(values)

    async def all_keys(self, after: str = "") -> AsyncIterator[str]:
        for key in self.table.all_keys(after):
            yield key

"""Queries, for asyncio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Self, TypeVar

from ....models.record import Record
from ....models.stored import Stored
from ....topology._async.backend import AsyncBackend
from ..calls import SearchCalls, SortKey
from ..query import Query, query
from ..steps import SearchSteps, parse_sort_keys

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class AsyncSearch(Generic[R]):
    """The search of one kind of record, which a repository's ``find`` uses."""

    def __init__(self, backend: AsyncBackend, stored: Stored[R]) -> None:
        self.calls = SearchCalls(backend.settings, stored)
        self.steps = SearchSteps(self.calls)
        self.backend = backend

    def find(self, expressions: Sequence[object]) -> AsyncFind[R]:
        """Return the query for what matches all expressions; nothing is sent yet. Raises InvalidArgument."""
        return AsyncFind(self, query(self.calls.stored, expressions))


class AsyncFind(Generic[R]):
    """A query and the order of its matches. It can be sent any number of times, and does not change.

    ::

        query = book.orders.find(OrderHash.symbol == "AAPL").sort_by("-price")
        orders = await query.page(0, 10)

    Every method that sends it raises SearchUnavailable when a server has no search or no index (``slotbook index
    create``), and CorruptRecord for a hash that cannot be read. Round trips, for every shard at once: one that finds,
    one that reads the records; in a cluster one more, which makes sure that no slot moved meanwhile.
    """

    def __init__(self, search: AsyncSearch[R], query: Query[R], sort_keys: tuple[SortKey, ...] = ()) -> None:
        self._search = search
        self._query = query
        self._sort_keys = sort_keys

    def sort_by(self, *fields: str) -> Self:
        """Return the same query with its matches sorted by these fields; a ``-`` before a name sorts descending.

        Records without the field come last, equal ones in the order of their keys. Raises InvalidArgument for a field
        that does not exist or cannot be sorted by.
        """
        return type(self)(self._search, self._query, parse_sort_keys(self._search.calls, fields))

    async def all(self) -> list[R]:
        """Return every match. Takes one more round trip for every 1,000 that a shard finds."""
        return await self._search.backend.drive(self._search.steps.everything(self._query, self._sort_keys))

    async def page(self, offset: int = 0, limit: int = 10) -> list[R]:
        """Return at most ``limit`` matches after the first ``offset``.

        Every shard reads offset + limit records, so the first pages are the cheap ones. Raises InvalidArgument for a
        negative number.
        """
        return await self._search.backend.drive(self._search.steps.page(self._query, self._sort_keys, offset, limit))

    async def first(self) -> R | None:
        """Return the first match, or None."""
        found = await self.page(0, 1)
        return found[0] if found else None

    async def count(self) -> int:
        """Return how many matches there are, without records that have expired but that the server still has."""
        return await self._search.backend.drive(self._search.steps.count(self._query))

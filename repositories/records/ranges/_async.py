"""Read a desk's own records by ranges of a sorted field, for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from ....models.arguments import whole
from ....models.entity import Entity
from ....models.ordering import SortValue
from ....topology._async.backend import AsyncBackend
from ..calls import TableCalls
from ..indexes import Range

E = TypeVar("E", bound=Entity)


class AsyncRanges(Generic[E]):
    """The ranges of a table, whose class derives from this one.

    ::

        await trades.range("T001", "price", "187.20", "187.30")
        await trades.range("T001", "executed", day, below=day + timedelta(days=1), descending=True, limit=100)
    """

    _backend: AsyncBackend
    _calls: TableCalls[E]

    async def range(
        self,
        trader: str,
        field: str,
        least: SortValue | None = None,
        most: SortValue | None = None,
        *,
        above: SortValue | None = None,
        below: SortValue | None = None,
        values: Mapping[str, object] | None = None,
        descending: bool = False,
        limit: int | None = None,
        after: E | None = None,
    ) -> list[E]:
        """Return a trader's records in a range of a sorted field, in its order and then in that of their keys.

        One round trip for each 1,000. Numbers are compared to the last digit; times with a zone are not compared with
        times without one, which a range without bounds has first. Records whose field is None are in no range.

        Args:
            trader: The trader of the records.
            field: The field, which must be marked with ``Index(sorted=True)``.
            least: The first value of the range; None for any. In its place ``above``: the value after which it begins.
            most: The last value of the range; None for any. In its place ``below``: the value before which it ends.
            above: See ``least``.
            below: See ``most``.
            values: The values that other fields with an index must have, as for ``by``.
            descending: True for the order from the end.
            limit: The most records to return; None for all.
            after: The record after which to begin: the last of the page before, as it was read.

        Raises:
            InvalidArgument: There is no such field, it has no such index, or a bound is none of its type.
            CorruptRecord: A stored field is missing or cannot be read.
        """
        wanted = Range(field, least, most, above, below, values, descending=descending, after=after)
        return await self._backend.drive(
            self._calls.select_range(trader, wanted, limit if limit is None else whole("limit", limit))
        )

    async def count_range(
        self,
        trader: str,
        field: str,
        least: SortValue | None = None,
        most: SortValue | None = None,
        *,
        above: SortValue | None = None,
        below: SortValue | None = None,
        values: Mapping[str, object] | None = None,
    ) -> int:
        """Return how many records a trader has in a range of a sorted field, given as for ``range``.

        One round trip; with ``values``, or while some of a kind with ``ttl`` have expired, one for each 5,000 records.

        Raises:
            InvalidArgument: There is no such field, it has no such index, or a bound is none of its type.
        """
        wanted: Range[E] = Range(field, least, most, above, below, values)
        return await self._backend.drive(self._calls.count_range(trader, wanted))

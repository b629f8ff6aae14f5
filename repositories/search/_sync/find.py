# Generated from repositories/search/_async/find.py by scripts/generate_sync.py: edit that one.
"""Queries, for threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Self, TypeVar

from ....models.record import Record
from ....models.stored import Stored
from ....topology._sync.backend import Backend
from ..calls import SearchCalls, SortKey
from ..query import Query, query
from ..steps import SearchSteps, sort_fields

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class Search(Generic[R]):
    """One kind of record, to be searched."""

    def __init__(self, backend: Backend, stored: Stored[R]) -> None:
        self.calls = SearchCalls(backend.settings, stored)
        self.steps = SearchSteps(self.calls)
        self.backend = backend

    def find(self, expressions: Sequence[object]) -> Find[R]:
        """Begin a query. Raises InvalidArgument."""
        return Find(self, query(self.calls.stored, expressions))


class Find(Generic[R]):
    """A query: what is asked, and in which order the answers come. Asking it changes nothing in it.

    Every verb raises SearchUnavailable when a server has no search or no index (``slotbook index create``), and
    CorruptRecord for a hash that cannot be read. Round trips, for every shard at once: one that finds, one that reads
    the records; in a cluster one more, which makes sure that no slot changed hands meanwhile.
    """

    def __init__(self, search: Search[R], asked: Query[R], orders: tuple[SortKey, ...] = ()) -> None:
        self._search = search
        self._asked = asked
        self._orders = orders

    def sort_by(self, *fields: str) -> Self:
        """The same query in the order of these fields; one with ``-`` before it descends.

        Records without the field come last, those alike by their key. Raises InvalidArgument.
        """
        return type(self)(self._search, self._asked, sort_fields(self._search.calls, fields))

    def all(self) -> list[R]:
        """Every match. One more round trip for every 1,000 that a shard finds."""
        return self._search.backend.drive(self._search.steps.everything(self._asked, self._orders))

    def page(self, offset: int = 0, limit: int = 10) -> list[R]:
        """``limit`` matches after the first ``offset``. Every shard reads offset + limit records, so the first pages
        are the cheap ones. Raises InvalidArgument.
        """
        return self._search.backend.drive(self._search.steps.page(self._asked, self._orders, offset, limit))

    def first(self) -> R | None:
        """The first match, or None."""
        found = self.page(0, 1)
        return found[0] if found else None

    def count(self) -> int:
        """How many matches there are; records that have expired do not count, also while the server still has them."""
        return self._search.backend.drive(self._search.steps.count(self._asked))

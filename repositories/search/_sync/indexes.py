# Generated from repositories/search/_async/indexes.py by scripts/generate_sync.py: edit that one.
"""The search indexes of a book, for threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ....models.arguments import callable_or_none
from ....models.record import Record
from ....models.stored import Stored
from ....topology._sync.backend import Backend
from ..index_calls import IndexCalls, IndexStatus
from ..index_query import KINDS, Indexed, calls_for, indexed
from ..index_steps import create, describe, drop

T = TypeVar("T")


class SearchIndexes:
    """The indexes that ``find`` needs, one for every kind of record on every primary; reached as ``book.indexes``.

    ::

        book.indexes.create()
        book.indexes.create(Allocation)  # a model of the desk's own
        print(book.indexes.info())

    Methods take ``order``, ``position``, ``symbol``, models of the desk's own, or a list of these; without any it is
    the book's own three. Servers keep an index up to date by themselves once it exists. Every method may be called
    again, by several callers at once, and while the book is in use. Raises MissingExtra when redis-om is not installed,
    SearchUnavailable when the servers have no search, InvalidArgument for what has no index, and other SlotbookErrors
    when the servers fail.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create(
        self,
        kinds: Sequence[Indexed] | Indexed = KINDS,
        *,
        progress: Callable[[str, float], None] | None = None,
    ) -> list[IndexStatus]:
        """Create the indexes that are missing or of another version, and return all of these kinds.

        An index of another version of Slotbook, or of the model, serves until the new one is complete, and is dropped
        then. Run it again when a cluster's slots were moved or a primary was added.

        Args:
            kinds: ``order``, ``position``, ``symbol`` or models, one or a list. By default the book's own three.
            progress: Called with a kind and the part of its index that is complete, 0 to 1, until all are.
        """
        callable_or_none("progress", progress)
        found: list[IndexStatus] = []
        for stored in indexed(kinds):

            def report(part: float, kind: str = stored.label) -> None:
                if progress is not None:
                    progress(kind, part)

            found += self._backend.drive(create(self._calls(stored), report))
        return found

    def drop(self, kinds: Sequence[Indexed] | Indexed = KINDS) -> list[IndexStatus]:
        """Drop the indexes of these kinds; the records stay. Return those that could not be dropped."""
        return [one for kind in indexed(kinds) for one in self._backend.drive(drop(self._calls(kind)))]

    def info(self, kinds: Sequence[Indexed] | Indexed = KINDS) -> list[IndexStatus]:
        """Return every index of these kinds, primary by primary. Takes four round trips for each kind."""
        return [one for kind in indexed(kinds) for one in self._backend.drive(describe(self._calls(kind)))]

    def _calls(self, stored: Stored[Record]) -> IndexCalls:
        return calls_for(self._backend.settings, stored)

"""Bring records that belong to no trader to the schema of their model, page by page. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from ...models.entity import Entity
from ...models.errors import CorruptRecord, SchemaMismatch, UnderReplicated, WrongType
from ...models.results import Outcome
from ...topology.call import Call
from ..changes.verb import OlderRecord
from ..records.migration import LeftRecord, Migration
from .calls import ReferenceCalls

E = TypeVar("E", bound=Entity)

Stored = Mapping[str, str]
"""The fields of a record as they are stored."""


class ReferenceMigration(Generic[E]):
    """One run over the records of a model."""

    def __init__(self, calls: ReferenceCalls[E], progress: Callable[[Migration], object] | None) -> None:
        self._calls = calls
        self._progress = progress
        self._unconfirmed: UnderReplicated | None = None
        self._done = Migration()

    def older(self, keys: Sequence[str], outcomes: Sequence[Outcome[Stored | None]]) -> dict[str, Stored]:
        """Return the records of an older schema among those of a page, by the texts of their keys.

        Raises SchemaTooNew for a newer one.
        """
        found: dict[str, Stored] = {}
        for key, outcome in zip(keys, outcomes, strict=True):
            try:
                if (stored := outcome.result()) is not None and self._calls.is_older(key, stored):
                    found[key] = stored
            except (CorruptRecord, WrongType) as error:
                self._leave(key, error)
        return found

    def rewrites(self, records: Mapping[str, Stored]) -> dict[str, Call[str]]:
        """Return the call that rewrites each of some records; one that cannot be upgraded is left."""
        calls: dict[str, Call[str]] = {}
        for key, stored in records.items():
            try:
                calls[key] = self._calls.rewrite(key, stored)
            except (CorruptRecord, SchemaMismatch) as error:
                self._leave(key, error)
        return calls

    def changed(self, keys: Sequence[str], outcomes: Sequence[Outcome[str]]) -> dict[str, Stored]:
        """Return the records that had changed before they were rewritten, as they are by now, and count the others."""
        found: dict[str, Stored] = {}
        for key, outcome in zip(keys, outcomes, strict=True):
            match outcome.error:
                case None:
                    self._done.rewritten += outcome.value == "migrated"
                case OlderRecord() as older:
                    found[key] = older.instead[0]
                case UnderReplicated() as error:
                    self._unconfirmed = error
                    self._done.rewritten += error.result == "migrated"
                case CorruptRecord() | WrongType() as error:
                    self._leave(key, error)
                case error:
                    raise error
        return found

    def tell(self) -> None:
        """Tell the caller's function how far the run is."""
        if self._progress is not None:
            self._progress(self._done)

    def result(self) -> Migration:
        """Return what was done. Raises UnderReplicated, which has it, when too few replicas have confirmed it."""
        if (error := self._unconfirmed) is not None:
            raise UnderReplicated(str(error), self._done, error.replicas, error.wanted)
        return self._done

    def _leave(self, key: str, error: Exception) -> None:
        self._done.left.append(LeftRecord("", key, str(error)))

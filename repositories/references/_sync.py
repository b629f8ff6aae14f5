# Generated from repositories/references/_async.py by scripts/generate_sync.py: edit that one.
"""Insert, change, read and list a desk's own records that belong to no trader, for threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

from ...models.arguments import callable_or_none, request_ids_of, several, whole
from ...models.entity import Entity
from ...models.results import Outcome, RecordResult
from ...models.stored_entity import stored_entity
from ...models.table import RecordKey, TableModel
from ...topology._sync.backend import Backend
from ...topology.call import Call
from ...topology.durability import Durability
from ..audit.findings import Finding
from ..changes.names import take_name
from ..changes.verb import OlderRecord
from ..records.calls import PAGE
from ..records.migration import Migration
from ..search._sync.find import Find, Search
from .calls import ReferenceCalls
from .migration import ReferenceMigration
from .verification import findings_of_remembered, unreadable

E = TypeVar("E", bound=Entity)


class ReferenceTable(Generic[E]):
    """The records of one model of the desk's own that belong to no trader; :meth:`Book.reference` returns it.

    ::

        venues = book.reference(Venue)
        result = venues.insert(Venue(mic="XNAS", name="Nasdaq", timezone="America/New_York"))
        print(result.record, result.version)

    Each record is in a hash slot of its own. Every change is one atomic round trip, may be sent again, and is not
    applied twice: a repeat has ``applied`` False, and the record as it is now. There is no book of a trader that a
    change would be an event of, so the ``sequence`` of every result is 0, and ``commit`` does not take these changes.

    A key is the value of the key field, or a tuple of the values of several. Methods raise a
    :class:`~slotbook.models.errors.SlotbookError`; those whose names end in ``_many`` return one
    :class:`~slotbook.models.results.Outcome` for each item instead. Every change takes a ``durability``, by default the
    book's, and raises UnderReplicated when it was applied, but too few replicas confirmed it. Times (``ts_ns``) are
    nanoseconds since the epoch, by default the caller's clock.
    """

    def __init__(self, backend: Backend, table: TableModel[E]) -> None:
        take_name(backend, table.kind, "kind of records")
        self._backend = backend
        self._calls: ReferenceCalls[E] = ReferenceCalls(table, backend.settings)

    def insert(
        self, record: E, *, ts_ns: int | None = None, durability: Durability | str | None = None
    ) -> RecordResult[E]:
        """Insert a new record. One round trip.

        The same record again changes nothing, also after it was deleted, for the book's ``request_ttl``: then the
        result has no record.

        Raises:
            DuplicateRecord: The key is taken by a record with other content.
            InvalidArgument: A value cannot be stored.
        """
        return self._run(self._calls.insert(record, ts_ns), durability)

    def put(
        self,
        record: E,
        *,
        expected_version: int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> RecordResult[E]:
        """Store a record whether there is one with its key or not, once per ``request_id``. One round trip.

        Args:
            record: The record, of which everything is stored; its ``version`` and ``updated_ns`` are the book's.
            expected_version: The version that the record must have, 0 for one that is not there; None for any.
            request_id: The identity of the request among those of this record, which is remembered for the book's
                ``request_ttl``; by default random: a lost reply is still handled, but a second call is another request.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            VersionConflict: The record has another version.
            DuplicateRequest: The ``request_id`` was used for another change of this record.
        """
        return self._run(self._calls.put(record, expected_version, request_id, ts_ns), durability)

    def update(
        self,
        key: RecordKey,
        changes: Mapping[str, object],
        *,
        expected_version: int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> RecordResult[E]:
        """Change some fields of a record that is there, once per ``request_id``.

        One round trip, and another one for a record of an older schema, which is upgraded with it.

        Args:
            key: The key of the record.
            changes: The new values by field; None removes the value of a field that may be None.
            expected_version: The version that the record must have; None for any.
            request_id: The identity of the request; see ``put``.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            RecordNotFound: There is no such record.
            VersionConflict: The record has another version.
            DuplicateRequest: The ``request_id`` was used for another change of this record.
            InvalidArgument: There is no such field, or a value is none of its type.
        """
        return self._run(self._calls.update(key, changes, expected_version, request_id, ts_ns), durability)

    def delete(
        self,
        key: RecordKey,
        *,
        expected_version: int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> RecordResult[E]:
        """Remove a record, once per ``request_id``; nothing happens when it is not there. One round trip.

        The arguments are those of ``update``.

        Raises:
            VersionConflict: The record has another version.
            DuplicateRequest: The ``request_id`` was used for another change of this record.
        """
        return self._run(self._calls.delete(key, expected_version, request_id, ts_ns), durability)

    def insert_many(
        self, records: Sequence[E], *, ts_ns: int | None = None, durability: Durability | str | None = None
    ) -> list[Outcome[RecordResult[E]]]:
        """Insert many records: one round trip per node, and one outcome for each record, in the order given."""
        calls = [self._calls.insert(record, ts_ns) for record in several("records", records)]
        return self._backend.run_many(calls, self._backend.settings.wanted(durability))

    def put_many(
        self,
        records: Sequence[E],
        *,
        request_ids: Sequence[str] | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> list[Outcome[RecordResult[E]]]:
        """Store many records: one round trip per node, and one outcome for each record, in the order given.

        Args:
            records: The records; see ``put``.
            request_ids: The identity of each request; by default random ones.
            ts_ns: The time of the changes; by default now.
            durability: The copies that the changes wait for; by default the book's.
        """
        records = several("records", records)
        pairs = zip(records, request_ids_of(len(records), request_ids), strict=True)
        calls = [self._calls.put(record, None, request_id, ts_ns) for record, request_id in pairs]
        return self._backend.run_many(calls, self._backend.settings.wanted(durability))

    def get(self, key: RecordKey) -> E | None:
        """Return a record as it is now, None when there is none. One round trip.

        Raises:
            CorruptRecord: A stored field is missing or cannot be read.
        """
        return self._backend.run(self._calls.get(key))

    def get_many(self, keys: Sequence[RecordKey]) -> list[Outcome[E | None]]:
        """Return many records: one round trip per node, and one outcome for each key, in the order given."""
        return self._backend.read_many(self._calls.get_many(several("list of keys", keys)))

    def exists(self, key: RecordKey) -> bool:
        """Return True when there is a record. One round trip."""
        return self._backend.run(self._calls.exists(key))

    def all(self, *, limit: int | None = None, after: RecordKey | None = None) -> list[E]:
        """Return the records, in the order of their keys.

        This scans every key of every primary (SCAN), as there is no index that could name the records, and reads 1,000
        in a round trip per node. What is inserted or removed meanwhile may be among them or not; what is on a slot
        that moves between nodes meanwhile may be missed.

        Args:
            limit: The most records to return; None for all.
            after: The key after which to begin, such as that of the last record of the page before.

        Raises:
            CorruptRecord: A stored field is missing or cannot be read.
        """
        limit = None if limit is None else whole("limit", limit)
        found: list[E] = []
        for page in self._pages(after, limit):
            found += [record for record in page if record is not None]
        return found

    def iter(self) -> Iterator[E]:
        """Yield the records, in the order of their keys; of all of them only the keys are in memory. See ``all``."""
        for page in self._pages(None, None):
            for record in page:
                if record is not None:
                    yield record

    def count(self) -> int:
        """Return how many records there are, without reading them. Scans every primary, as ``all`` does."""
        return len(self._calls.keys_among(self._backend.scan(self._calls.pattern)))

    def migrate(
        self,
        *,
        progress: Callable[[Migration], object] | None = None,
        durability: Durability | str | None = None,
    ) -> Migration:
        """Bring all records to the model's schema; what ``slotbook migrate`` does.

        Records keep their version. They may be in use meanwhile; what was stopped goes on when it is called again. A
        scan of every primary, one round trip per node for each 1,000 records, and one for those of an older schema.

        Args:
            progress: Called after each page of records with the result until now. By default nothing is called.
            durability: The copies that each step waits for; by default the book's.

        Returns:
            What was rewritten, and the records that could not be upgraded, with the reason; there are no traders.

        Raises:
            SchemaTooNew: A record is of a newer schema than the model.
            UnderReplicated: Too few replicas have confirmed a step; its ``result`` is what would have been returned.
            SlotbookError: A server does not answer; then call it again.
        """
        wanted = self._backend.settings.wanted(durability)
        run = ReferenceMigration(self._calls, callable_or_none("progress", progress))
        keys = self._calls.keys_among(self._backend.scan(self._calls.pattern))
        for begin in range(0, len(keys), PAGE):
            page = keys[begin : begin + PAGE]
            older = run.older(page, self._backend.read_many(self._calls.stored(page)))
            while older:
                calls = run.rewrites(older)
                outcomes = self._backend.run_many(list(calls.values()), wanted)
                older = run.changed(list(calls), outcomes)
            run.tell()
        return run.result()

    def verify(self) -> list[Finding]:
        """Return a finding for each record that cannot be read, and for what is remembered of changes and cannot be.

        It reads everything of the kind, after two scans of every primary, and changes nothing. A record of a newer
        schema than the model is a finding of kind ``UNCHECKED``; findings have no ``trader``.
        """
        keys = self._calls.keys_among(self._backend.scan(self._calls.pattern))
        names = sorted(self._backend.scan(self._calls.remembered_pattern))
        findings: list[Finding] = []
        for begin in range(0, len(keys), PAGE):
            page = keys[begin : begin + PAGE]
            outcomes = self._backend.read_many(self._calls.read(page))
            found = zip(page, outcomes, strict=True)
            findings += [unreadable(self._calls.name_of(key), one.error) for key, one in found if one.error is not None]
        for begin in range(0, len(names), PAGE):
            page = names[begin : begin + PAGE]
            texts, times = self._calls.remembered(page)
            written, left = self._backend.read_many(texts), self._backend.read_many(times)
            for name, one, time in zip(page, written, left, strict=True):
                if one.error is not None:
                    findings.append(unreadable(name, one.error))
                else:
                    findings += findings_of_remembered(name, one.value, time.result())
        return findings

    def find(self, *conditions: object) -> Find[E]:
        """Search the records, on servers with search, as ``find`` of a table does. Nothing is sent yet.

        Args:
            conditions: Comparisons of fields of :func:`~slotbook.models.conditions.searchable` of the model, all of
                which must be true; none finds every record.

        Raises:
            InvalidArgument: A condition is not one that can be searched for.
            MissingExtra: redis-om is not installed.
        """
        return self._search.find(conditions)

    @cached_property
    def _search(self) -> Search[E]:
        return Search(self._backend, stored_entity(self._calls.table.model))

    def _pages(self, after: RecordKey | None, left: int | None) -> Iterator[list[E | None]]:
        """Yield records in lists, at most as many as are left to be read; None for one that is gone by now."""
        keys = self._calls.keys_among(self._backend.scan(self._calls.pattern), after)
        while keys and left != 0:
            asked = keys[: PAGE if left is None else min(PAGE, left)]
            del keys[: len(asked)]
            page = [outcome.result() for outcome in self._backend.read_many(self._calls.read(asked))]
            left = None if left is None else left - len(page) + page.count(None)
            yield page

    def _run(self, call: Call[RecordResult[E]], durability: Durability | str | None) -> RecordResult[E]:
        while True:
            try:
                return self._backend.run(call, self._backend.settings.wanted(durability))
            except OlderRecord as found:
                call = found.instead[0]

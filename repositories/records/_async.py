"""Insert, change, read and list a desk's own records, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from ...models.arguments import callable_or_none, identities, mapping, request_ids_of, several, whole, without_none
from ...models.entity import Entity
from ...models.entity_changes import Delete, Insert, Put, Update
from ...models.errors import InvalidArgument
from ...models.results import Outcome, RecordResult
from ...models.stored_entity import stored_entity
from ...models.table import RecordKey, TableModel
from ...topology._async.backend import AsyncBackend
from ...topology.durability import Durability
from ..changes._async import AsyncChanges
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..search._async.find import AsyncFind, AsyncSearch
from .calls import TableCalls
from .migration import Migration, MigrationRun
from .ranges._async import AsyncRanges
from .rewriting import MigrationCalls
from .verbs import INSERT, PUT, OwnChange

E = TypeVar("E", bound=Entity)


class AsyncTable(AsyncRanges[E]):
    """The records of one model of the desk's own; :meth:`AsyncBook.table` returns it.

    ::

        allocations = book.table(Allocation)
        result = await allocations.insert(allocation)
        print(result.record, result.version)

    Every change is one atomic round trip that moves the record, its indexes, its unique values and the trader's event
    stream together. It may be sent again, and is not applied twice: a repeat has ``applied`` False, and the record as
    it is now.

    A key is the value of the key field, or a tuple of the values of several. Methods raise a
    :class:`~slotbook.models.errors.SlotbookError`; those whose names end in ``_many`` return one
    :class:`~slotbook.models.results.Outcome` for each item instead. Every change takes a ``durability``, by default the
    book's. It raises UnderReplicated when it was applied, but too few replicas confirmed it, and StateLost when the
    server has lost earlier changes. Times (``ts_ns``) are nanoseconds since the epoch, by default the caller's clock.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        table: TableModel[E],
        loss_detector: LossDetector | None = None,
        fence: Fence = NO_FENCE,
    ) -> None:
        self._backend = backend
        self._model = table.model
        self._loss_detector = loss_detector or LossDetector(backend.notices)
        self._fence = fence
        self._calls: TableCalls[E] = TableCalls(table, backend.settings, self._loss_detector, fence)
        self._changes = AsyncChanges(backend, self._calls)

    async def insert(
        self, record: E, *, ts_ns: int | None = None, durability: Durability | str | None = None
    ) -> RecordResult[E]:
        """Insert a new record. One round trip.

        The same record again changes nothing, also after it was deleted, for the book's ``request_ttl``: then the
        result has no record.

        Raises:
            DuplicateRecord: The key is taken by a record with other content.
            NotUnique: Another record has one of its unique values.
            InvalidArgument: A value cannot be stored.
        """
        change = Insert(record) if ts_ns is None else Insert(record, ts_ns=ts_ns)
        return await self._apply(change, durability)

    async def put(
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
            request_id: The identity of the request, which the book remembers for its ``request_ttl``; by default
                random: a lost reply is still handled, but a second call is another request.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            VersionConflict: The record has another version.
            NotUnique: Another record has one of its unique values.
            DuplicateRequest: The ``request_id`` was used for another change.
        """
        given = _given(request_id=request_id, ts_ns=ts_ns)
        return await self._apply(Put(record, expected_version=expected_version, **given), durability)

    async def update(
        self,
        trader: str,
        key: RecordKey,
        changes: Mapping[str, object],
        *,
        expected_version: int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> RecordResult[E]:
        """Change some fields of a record that is there, once per ``request_id``. One round trip.

        Args:
            trader: The trader of the record.
            key: The key of the record.
            changes: The new values by field; None removes the value of a field that may be None.
            expected_version: The version that the record must have; None for any.
            request_id: The identity of the request; see ``put``.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            RecordNotFound: There is no such record.
            VersionConflict: The record has another version.
            NotUnique: Another record has one of the unique values.
            DuplicateRequest: The ``request_id`` was used for another change.
            InvalidArgument: There is no such field, or a value is none of its type.
        """
        given = _given(request_id=request_id, ts_ns=ts_ns)
        change = Update(self._model, trader, key, changes, expected_version=expected_version, **given)
        return await self._apply(change, durability)

    async def delete(
        self,
        trader: str,
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
            DuplicateRequest: The ``request_id`` was used for another change.
        """
        given = _given(request_id=request_id, ts_ns=ts_ns)
        change = Delete(self._model, trader, key, expected_version=expected_version, **given)
        return await self._apply(change, durability)

    async def insert_many(
        self, records: Sequence[E], *, ts_ns: int | None = None, durability: Durability | str | None = None
    ) -> list[Outcome[RecordResult[E]]]:
        """Insert many records: one round trip per node, and one outcome for each record, in the order given."""
        given = _given(ts_ns=ts_ns)
        changes = [self._checked(Insert(record, **given)) for record in several("records", records)]
        return await self._changes.many(changes, INSERT, durability)

    async def put_many(
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
        changes = [self._checked(Put(record, **_given(request_id=one, ts_ns=ts_ns))) for record, one in pairs]
        return await self._changes.many(changes, PUT, durability)

    async def get(self, trader: str, key: RecordKey) -> E | None:
        """Return a record as it is now, None when there is none. One round trip.

        Raises:
            CorruptRecord: A stored field is missing or cannot be read.
        """
        return await self._backend.run(self._calls.get(trader, key))

    async def get_many(self, ids: Sequence[tuple[str, RecordKey]]) -> list[Outcome[E | None]]:
        """Return many records: one round trip per node, and one outcome for each id, in the order given.

        Args:
            ids: A pair of trader and key for each record.
        """
        pairs = cast("Sequence[tuple[str, RecordKey]]", identities("ids", cast("Any", ids)))
        return await self._backend.read_many(self._calls.get_many(pairs))

    async def exists(self, trader: str, key: RecordKey) -> bool:
        """Return True when there is a record. One round trip."""
        return await self._backend.run(self._calls.exists(trader, key))

    async def by(
        self,
        trader: str,
        values: Mapping[str, object],
        *,
        limit: int | None = None,
        after: RecordKey | None = None,
    ) -> list[E]:
        """Return a trader's records with some values, in the order of their keys. One round trip for each 1,000.

        Args:
            trader: The trader of the records.
            values: The value of each field to look by; a field must be marked with Index.
            limit: The most records to return; None for all.
            after: The key after which to begin, such as that of the last record of the page before.

        Raises:
            InvalidArgument: There is no such field, or it has no index.
            CorruptRecord: A stored field is missing or cannot be read.
        """
        values = mapping("values", values)
        return await self._backend.drive(self._calls.select(trader, values, after, _limit(limit)))

    async def all(self, trader: str, *, limit: int | None = None, after: RecordKey | None = None) -> list[E]:
        """Return a trader's records, in the order of their keys. Arguments and round trips are those of ``by``."""
        return await self._backend.drive(self._calls.select(trader, None, after, _limit(limit)))

    async def iter(self, trader: str) -> AsyncIterator[E]:
        """Yield a trader's records, in the order of their keys, 1,000 in a round trip; only these are in memory.

        What is inserted or removed meanwhile may be among them or not.
        """
        page = await self._backend.run(self._calls.next_page(trader, ""))
        while True:
            for record in page.records:
                yield record
            if not page.cursor:
                return
            page = await self._backend.run(self._calls.next_page(trader, page.cursor))

    async def count(self, trader: str, values: Mapping[str, object] | None = None) -> int:
        """Return how many records a trader has: all, or those with some values, given as for ``by``.

        One round trip; with several values one for each 5,000 records that have one of them.

        Raises:
            InvalidArgument: There is no such field, or it has no index.
        """
        return await self._backend.drive(self._calls.count(trader, values))

    def find(self, *conditions: object) -> AsyncFind[E]:
        """Search the records of all traders, on servers with search. Nothing is sent yet.

        The query is sent by ``all``, ``page``, ``first`` or ``count`` of what this returns: docs/how-to/redis-om.md.

        Args:
            conditions: Comparisons of fields of :func:`~slotbook.models.conditions.searchable` of the model, all of
                which must be true; none finds every record. Values are compared exactly.

        Raises:
            InvalidArgument: A condition is not one that can be searched for.
            MissingExtra: redis-om is not installed.
        """
        return self._search.find(conditions)

    @cached_property
    def _search(self) -> AsyncSearch[E]:
        return AsyncSearch(self._backend, stored_entity(self._model))

    async def migrate(
        self,
        traders: Sequence[str] | None = None,
        *,
        progress: Callable[[Migration], object] | None = None,
        durability: Durability | str | None = None,
    ) -> Migration:
        """Bring all records to the model's schema, trader by trader; what ``slotbook migrate`` does.

        Records keep their version, and no event says it, for they say the same as before. The book may be in use
        meanwhile. It may be called again, also by several at once: traders who are done are skipped. About one round
        trip for each 500 records, and one for those of them that are of an older schema.

        Args:
            traders: The traders whose records are brought to it. By default all: a SCAN of every primary.
            progress: Called after each page of records with the result until now. By default nothing is called.
            durability: The copies that each step waits for; by default the book's.

        Returns:
            What was rewritten, and the records that could not be, each with the reason: the upgrade fails, the model
            refuses what it returns, or another record has a unique value. Their traders are not marked as done.

        Raises:
            SchemaTooNew: A trader's records are of a newer schema than the model.
            SchemaMismatch: The model declares otherwise what records of its schema are found by.
            UnderReplicated: Too few replicas have confirmed a step; its ``result`` is what would have been returned.
            InvalidArgument: The table is of a lock, which fences the changes of one trader.
            SlotbookError: A server does not answer; then call it again.
        """
        if self._fence is not NO_FENCE:
            raise InvalidArgument("a lock fences changes of its trader, and migrate makes none; use book.table(...)")
        calls: MigrationCalls[E] = MigrationCalls(self._calls.table, self._backend.settings, self._loss_detector)
        run = MigrationRun(calls, self._calls.table, callable_or_none("progress", progress))
        if traders is None:
            traders = calls.traders_of(await self._backend.scan(calls.pattern))
        wanted = self._backend.settings.wanted(durability)
        steps = run.all(several("traders", traders))
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._backend.run_many(step, wanted))
        except StopIteration:
            return run.done

    async def _apply(self, change: OwnChange, durability: Durability | str | None) -> RecordResult[E]:
        return await self._changes.apply(self._checked(change), durability)

    def _checked(self, change: OwnChange) -> OwnChange:
        """Return a change of this table. Raises InvalidArgument for one of a record of another."""
        if change.table.model is not self._model:
            raise InvalidArgument(f"a {change.table.name} is no record of the table of {self._model.__name__}")
        return change


def _given(**values: object) -> dict[str, Any]:
    """Return the arguments that are given; the others have a default of their own."""
    return without_none(values)


def _limit(limit: int | None) -> int | None:
    return None if limit is None else whole("limit", limit)

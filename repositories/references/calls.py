"""Build the calls of records that belong to no trader, and read their replies. This module does no I/O."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar, cast

from ...models.arguments import whole
from ...models.entity import Entity
from ...models.entity_changes import time_of_change
from ...models.entity_codec import SCHEMA_FIELD
from ...models.enums import EventType
from ...models.errors import printable
from ...models.keys import Keys, glob_escaped
from ...models.results import RecordResult
from ...models.table import RecordKey, TableModel
from ...models.types import check_name, new_id
from ...topology.call import Call, Reply, command, evaluate, pack, slot_of_tag
from ...topology.reads import Reads, reads_of
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import milliseconds
from ..records.replies import ChangedRecord, found, is_there, read_change
from ..records.rewriting import read_rewrite
from ..records.verbs import as_json, content_of
from ..replies import fields, integer, rows, text

E = TypeVar("E", bound=Entity)

_PACKAGE = "slotbook.repositories.references"
CHANGE = load(_PACKAGE, "change")
REWRITE = load(_PACKAGE, "rewrite")


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of one record."""

    verb: EventType
    key: str
    written: Mapping[str, str | None]
    """The written fields that it gives; None for one that it removes."""
    expected: int | None
    request_id: str
    """The identity of a put, update or delete; '' for an insert, which is known by its content."""
    ts_ns: int
    upgraded: str = ""
    """Of a record that an update has found in an older schema, its version and schema."""
    upgrade: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    """The written fields that the upgrade of such a record and the update give."""

    @property
    def whole(self) -> Mapping[str, str] | None:
        """The written fields of an insert or put; None for any other change."""
        is_whole = self.verb in (EventType.INSERT, EventType.PUT)
        return cast("Mapping[str, str]", self.written) if is_whole else None


class ReferenceCalls(Generic[E]):
    """The calls of the records of one model in one book.

    A record is the hash ``<prefix><kind>:<key>``. What is remembered of its changes is beside it, under keys whose hash
    tag is the whole name of the hash, so that all of it is in one slot although the record has no tag.
    """

    def __init__(self, table: TableModel[E], settings: Settings) -> None:
        self.table = table
        self._keys = Keys(settings.prefix)
        self._base = self._keys.reference(table.kind, "")
        self._ttl = "" if table.ttl is None else str(milliseconds("ttl", table.ttl))
        self._remembered = str(milliseconds("request_ttl", settings.remembered(settings.request_ttl)))
        self.pattern = f"{glob_escaped(self._base)}*"
        """The SCAN pattern of all records of the kind."""
        self.remembered_pattern = f"{self._keys.reference_deleted(self.pattern).removesuffix('deleted')}*"
        """The SCAN pattern of what is remembered of their changes."""

    def insert(self, record: E, ts_ns: int | None) -> Call[RecordResult[E]]:
        """Return the call that inserts a record, and that changes nothing for the same record again."""
        written = self.table.encode(record)
        return self._change(
            _Change(EventType.INSERT, self.table.key_of_fields(written), written, None, "", _time(ts_ns))
        )

    def put(self, record: E, expected: int | None, request_id: str | None, ts_ns: int | None) -> Call[RecordResult[E]]:
        """Return the call that stores a record, whether there is one with its key or not."""
        written = self.table.encode(record)
        key, about = self.table.key_of_fields(written), _about(expected, request_id, ts_ns)
        return self._change(_Change(EventType.PUT, key, written, *about))

    def update(
        self,
        key: RecordKey,
        changes: Mapping[str, object],
        expected: int | None,
        request_id: str | None,
        ts_ns: int | None,
    ) -> Call[RecordResult[E]]:
        """Return the call that changes some fields of a record that is there.

        For a record of an older schema it raises OlderRecord, which has the call to send instead.
        """
        written, about = self.table.encode_changes(changes), _about(expected, request_id, ts_ns)
        return self._change(_Change(EventType.UPDATE, self.table.key_from(key), written, *about))

    def delete(
        self, key: RecordKey, expected: int | None, request_id: str | None, ts_ns: int | None
    ) -> Call[RecordResult[E]]:
        """Return the call that removes a record."""
        about = _about(expected, request_id, ts_ns)
        return self._change(_Change(EventType.DELETE, self.table.key_from(key), {}, *about))

    def _change(self, change: _Change) -> Call[RecordResult[E]]:
        table = self.table
        record = self._base + change.key
        deleted = self._keys.reference_deleted(record)
        request = self._keys.reference_request(record, change.request_id) if change.request_id else None
        about = ChangedRecord(
            name=f"{change.verb.value.lower()} {table.kind} {printable(change.key)}",
            table=table,
            trader=None,
            key=change.key,
            hash_key=record,
            remembered=request or deleted,
            expected=change.expected or 0,
            written=change.whole,
            ts_ns=change.ts_ns,
            upgrading=partial(self._upgrading, change) if change.verb is EventType.UPDATE else None,
        )
        content = content_of(change.verb, table, change.key, change.expected, change.written) if request else ""
        return evaluate(
            about.name,
            CHANGE,
            CHANGE.keys(record=record, deleted=deleted, request=request),
            CHANGE.arguments(
                verb=change.verb.value,
                ts_ns=str(change.ts_ns),
                ttl=self._ttl,
                expected="" if change.expected is None else str(change.expected),
                digest="" if change.whole is None else table.digest(change.whole),
                content=content,
                written=as_json(change.written),
                schema=table.schemas.text,
                upgraded=change.upgraded,
                upgrade=as_json(change.upgrade),
                remembered=self._remembered,
            ),
            decode=partial(_changed, about),
        )

    def _upgrading(self, change: _Change, fields: Mapping[str, str]) -> Call[RecordResult[E]]:
        """Return the call that changes a record of an older schema, with its upgrade."""
        upgrade = self.table.upgrade_of(self._base + change.key, fields, None, change.key, change.written)
        found = f"{fields['version']} {fields[SCHEMA_FIELD]}"
        return self._change(replace(change, upgraded=found, upgrade=upgrade))

    def get(self, key: RecordKey) -> Call[E | None]:
        """Return the call that reads one record."""
        return self._get(self.table.key_from(key))

    def _get(self, key: str) -> Call[E | None]:
        record = self._base + key
        decode = partial(found, self.table, record, None, key)
        return command(f"get {self.table.kind} {printable(key)}", "HGETALL", record, decode=decode, tag=record)

    def get_many(self, keys: Sequence[RecordKey]) -> Reads[E | None]:
        """Return the reads of many records."""
        return self.read([self.table.key_from(key) for key in keys])

    def read(self, keys: Sequence[str]) -> Reads[E | None]:
        """Return the reads of records, by the texts of their keys."""
        records = [self._base + key for key in keys]
        return Reads(
            [slot_of_tag(record) for record in records],
            [pack(("HGETALL", record)) for record in records],
            lambda number, reply: found(self.table, records[number], None, keys[number], reply),
            lambda number: self._get(keys[number]),
        )

    def stored(self, keys: Sequence[str]) -> Reads[Mapping[str, str] | None]:
        """Return the reads of the fields of records as they are stored, by the texts of their keys."""
        return reads_of([self._stored(key) for key in keys])

    def _stored(self, key: str) -> Call[Mapping[str, str] | None]:
        record = self._base + key
        return command(
            f"get {self.table.kind} {printable(key)}",
            "HGETALL",
            record,
            decode=lambda reply: fields(reply) or None,
            tag=record,
        )

    def is_older(self, key: str, stored: Mapping[str, str]) -> bool:
        """Return whether a record is of an older schema than the model. Raises SchemaTooNew, and CorruptRecord."""
        schemas = self.table.schemas
        return schemas.check(self._base + key, stored.get(SCHEMA_FIELD, "")) < schemas.number

    def rewrite(self, key: str, stored: Mapping[str, str]) -> Call[str]:
        """Return the call that brings a record to the model's schema, if it is as it was read.

        Raises CorruptRecord and SchemaMismatch for one that cannot be upgraded.
        """
        record, name = self._base + key, f"migrate {self.table.kind} {printable(key)}"
        upgrade = self.table.upgrade_of(record, stored, None, key, {})
        return evaluate(
            name,
            REWRITE,
            REWRITE.keys(record=record),
            REWRITE.arguments(
                upgraded=f"{stored['version']} {stored[SCHEMA_FIELD]}",
                upgrade=as_json(upgrade) or "{}",
                schema=self.table.schemas.text,
            ),
            decode=lambda reply: read_rewrite(name, self.table, rows(reply)),
        )

    def name_of(self, key: str) -> str:
        """Return the name of the hash of a record, by the text of its key."""
        return self._base + key

    def remembered(self, names: Sequence[str]) -> tuple[Reads[str | None], Reads[int]]:
        """Return the reads of keys that remember changes: of what they say, and of the milliseconds that are left."""
        texts = [command(f"get {name}", "GET", name, decode=_text_or_none) for name in names]
        times = [command(f"expiry of {name}", "PTTL", name, decode=integer) for name in names]
        return reads_of(texts), reads_of(times)

    def exists(self, key: RecordKey) -> Call[bool]:
        """Return the call that asks whether there is a record."""
        name = self.table.key_from(key)
        record = self._base + name
        return command(
            f"exists {self.table.kind} {printable(name)}",
            "HMGET",
            record,
            "version",
            SCHEMA_FIELD,
            decode=partial(is_there, self.table, record),
            tag=record,
        )

    def keys_among(self, names: set[str], after: RecordKey | None = None) -> list[str]:
        """Return the texts of the keys, in their order, among names that a scan has found.

        Args:
            names: The names that match ``pattern``; what no key can be is another program's, and is left out.
            after: The key after which to begin; None for the first.
        """
        first = b"" if after is None else self.table.key_from(after).encode()
        written = [name.removeprefix(self._base).encode("utf-8", "surrogateescape") for name in names]
        return [key for one in sorted(written) if one > first and (key := _key(one))]


def _about(expected: int | None, request_id: str | None, ts_ns: int | None) -> tuple[int | None, str, int]:
    """Return the expected version, the identity and the time of a change. Raises InvalidArgument."""
    if expected is not None:
        expected = whole("expected_version", expected, least=0)
    return expected, new_id() if request_id is None else check_name("request_id", request_id), _time(ts_ns)


def _time(ts_ns: int | None) -> int:
    return time.time_ns() if ts_ns is None else time_of_change(ts_ns)


def _changed(about: ChangedRecord, reply: Reply) -> RecordResult[Any]:
    return read_change(about, rows(reply))


def _text_or_none(reply: Reply) -> str | None:
    return None if reply is None else text(reply)


def _key(written: bytes) -> str | None:
    """Return the text of a key; None for bytes that are none, or that a record's key cannot have."""
    try:
        key = written.decode()
    except UnicodeDecodeError:
        return None
    return None if "{" in key or "}" in key else key

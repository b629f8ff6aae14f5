"""Read the engine's answers to changes of own records. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from ...models.entity import Entity
from ...models.entity_changes import EntityChange, Insert, Put, Update
from ...models.entity_codec import SCHEMA_FIELD
from ...models.errors import (
    CorruptRecord,
    DuplicateRecord,
    DuplicateRequest,
    NotUnique,
    RecordNotFound,
    SchemaTooNew,
    SlotbookError,
    VersionConflict,
)
from ...models.results import RecordResult
from ...models.table import TableModel
from ...topology.call import Reply
from ..changes.verb import OlderRecord, Step
from ..replies import fields, integer, refusal, remembered_number, rows

E = TypeVar("E", bound=Entity)

_NO_VALUES: Mapping[str, str] = {}


def found(table: TableModel[E], hash_key: str, trader: str | None, key: str, flat: Reply) -> E | None:
    """Return the record of a flat list of fields and values, None for an empty one. Raises what ``decode`` does."""
    return listed(table, hash_key, trader, key, flat, _NO_VALUES)


def listed(
    table: TableModel[E],
    hash_key: str,
    trader: str | None,
    key: str,
    flat: Reply,
    values: Mapping[str, str],
    field: str = "",
) -> E | None:
    """Return a record like ``found``, which indexes have for some values, and a sorted one for what it has in a field.

    Raises SchemaMismatch when it is of an older schema, and its upgrade gives it other values.
    """
    if not rows(flat):
        return None
    held = fields(flat)
    record = table.decode_stored(hash_key, held, trader, key)
    if (values or field) and held[SCHEMA_FIELD] != table.schemas.text:
        written = table.encode(record)
        sought = {**values, field: held.get(field)} if field else values
        for name, value in sought.items():
            if written.get(name) != value:
                problem = f"the upgrade of {hash_key} gives it another {name} than its index has"
                raise table.schemas.mismatch(f"{problem}; run slotbook migrate before you look by {name}")
    return record


def is_there(table: TableModel[E], hash_key: str, reply: Reply) -> bool:
    """Return whether there is a record, given a field that all have, and its schema.

    Raises SchemaTooNew, and CorruptRecord.
    """
    match rows(reply):
        case [None, None]:
            return False
        case [_, None]:
            raise CorruptRecord(hash_key, SCHEMA_FIELD, "is missing")
        case [_, str(schema)]:
            return table.schemas.check(hash_key, schema) > 0
        case other:
            raise ValueError(other)


def listing_refusal(name: str, table: TableModel[E], reply: list[Reply]) -> SlotbookError:
    """Return the error that a script's refusal to list records says. Raises ValueError for any other reply."""
    match reply:
        case ["unmarked", str(mark)]:
            there = f"brought to schema {mark}" if mark != "0" else "of no schema that their book says"
            problem = f"the trader's records are {there}, and some may be in no index that {table.name} declares"
            return table.schemas.mismatch(f"{name}: {problem}; run slotbook migrate first")
        case ["newer" | "declared" as why, str(found)]:
            return schema_refusal(name, table, why, found)
        case other:
            raise ValueError(other)


def schema_refusal(name: str, table: TableModel[E], why: str, found: str) -> SlotbookError:
    """Return the error of a model whose schema is not that of the records: it is older, or says otherwise."""
    schema = table.schemas.number
    if why == "newer":
        return table.schemas.too_new(name, integer(found))
    return table.schemas.mismatch(
        f"{name}: the trader's records of schema {schema} are found by {_said(found)}, and {table.name} declares "
        f"{_said(table.declared)}; give the model schema={schema + 1}, and run slotbook migrate"
    )


def _said(declared: str) -> str:
    """Return what a declaration says, for people."""
    parts = zip(("index of", "unique", "sorted"), declared.split("|"), strict=False)
    return "; ".join(f"{what} {fields.replace(' ', ', ')}" for what, fields in parts if fields) or "nothing"


def not_unique(name: str, field: str, value: str, owner: str) -> NotUnique:
    """Return the error of a record whose unique value another one has."""
    said = f"{field} {value[:80]!r} is that of the record {owner[:80]!r}"
    return NotUnique(f"{name}: {said}", field, value, owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRecord:
    """The record that a change was about, as far as the answer to it is read by this."""

    name: str
    """The name of the change, which its errors begin with."""
    table: TableModel[Any]
    trader: str | None
    key: str
    hash_key: str
    remembered: str
    """The key that remembers the change."""
    expected: int
    written: Mapping[str, str] | None
    """The fields of an insert or put, as they are stored once it was applied; None for any other change."""
    ts_ns: int
    upgrading: Callable[[Mapping[str, str]], object] | None = None
    """Return the change that is sent instead of an update that finds the fields of a record of an older schema."""


def changed(step: Step[Any], answer: list[Reply]) -> RecordResult[Any]:
    """Return the result of a change of a trader's record. Raises the refusal that the answer says."""
    change = cast("EntityChange[Any]", step.request)
    if isinstance(change, (Insert, Put)) and (result := _applied(change, answer)) is not None:
        return result
    hash_key, remembered, *_ = step.own_keys
    about = ChangedRecord(
        name=step.name,
        table=change.table,
        trader=step.keys.trader,
        key=change.key_text,
        hash_key=hash_key,
        remembered=remembered,
        expected=cast("int", getattr(change, "expected_version", 0)),
        written=change.written if isinstance(change, (Insert, Put)) else None,
        ts_ns=cast("int", getattr(change, "ts_ns", 0)),
        upgrading=partial(change.upgrading, hash_key) if isinstance(change, Update) else None,
    )
    return read_change(about, answer)


def _applied(change: Insert[E] | Put[E], answer: list[Reply]) -> RecordResult[E] | None:
    """Return the result of a whole record that was stored, as far as nothing else has to be read; else None."""
    if len(answer) != 3 or answer[0] != "applied":
        return None
    _, sequence, version = answer
    if type(sequence) is not str or type(version) is not str:
        return None
    record = change.table.stored(change.first, version)
    if record is None:
        return None
    return RecordResult(record, applied=True, sequence=integer(sequence), version=record.version)


def read_change(change: ChangedRecord, answer: list[Reply]) -> RecordResult[Any]:
    """Return the result of a change of a record. Raises the refusal that the answer says."""
    table, hash_key, trader, key = change.table, change.hash_key, change.trader, change.key
    match answer:
        case ["applied", str(sequence), str(version), *flat]:
            if change.written is not None:
                stored = {**change.written, "version": version, "updated_ns": str(change.ts_ns)}
                record = table.decode(hash_key, stored, trader, key)
            else:
                record = found(table, hash_key, trader, key, rows(flat[0] if flat else []))
            return RecordResult(record, applied=True, sequence=integer(sequence), version=integer(version))
        case ["repeat", str(sequence), str(version), list(flat), list()]:
            return _repeat(change, sequence, version, flat)
        case ["older", list(flat)] if change.upgrading is not None:
            raise OlderRecord(change.name, change.upgrading(fields(flat)))
        case ["newer" | "declared" as why, str(text)]:
            raise schema_refusal(change.name, table, why, text)
        case ["taken", list(flat)]:
            there = found(table, hash_key, trader, key, flat)
            raise DuplicateRecord(f"{change.name}: there is a record with this key, and other content", there)
        case ["unique", str(field), str(value), str(owner)]:
            raise not_unique(change.name, field, value, owner)
        case ["version", str(version)]:
            expected, actual = change.expected, integer(version)
            there_is = f"the record has version {actual}" if actual else "there is no such record"
            raise VersionConflict(f"{change.name}: {there_is}, not version {expected}", expected, actual)
        case ["absent"]:
            raise RecordNotFound(
                f"{change.name}: there is no such record; it was never there, was deleted, or has expired"
            )
        case ["duplicate"]:
            raise DuplicateRequest(f"{change.name}: the request_id was used for another change")
        case other:
            raise refusal(change.name, other)


def _repeat(change: ChangedRecord, sequence: str, version: str, flat: list[Reply]) -> RecordResult[Any]:
    """Return the result of a change that was made before, with the record as it now is."""
    number = remembered_number(change.remembered, "sequence", sequence)
    made = remembered_number(change.remembered, "version", version)
    try:
        record = found(change.table, change.hash_key, change.trader, change.key, flat)
    except SchemaTooNew as error:
        error.result = RecordResult(None, applied=False, sequence=number, version=made)
        raise
    return RecordResult(record, applied=False, sequence=number, version=made)

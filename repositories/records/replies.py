"""Read the engine's answers to changes of own records. Nothing here does I/O."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from ...models.entity import Entity
from ...models.entity_changes import EntityChange, Insert, Put, Update
from ...models.entity_codec import LAST_VERSION, SCHEMA_FIELD
from ...models.errors import (
    CorruptRecord,
    DuplicateRecord,
    DuplicateRequest,
    NotUnique,
    RecordNotFound,
    SchemaTooNew,
    SlotbookError,
    VersionConflict,
    never_written,
)
from ...models.results import RecordResult
from ...models.table import TableModel
from ...topology.call import Reply
from ..changes.verb import OlderRecord, Step
from ..replies import fields, integer, refusal, remembered_number, rows

E = TypeVar("E", bound=Entity)


def found(table: TableModel[E], hash_key: str, trader: str, key: str, flat: Reply) -> E | None:
    """Return the record of a flat list of fields and values, None for an empty one. Raises CorruptRecord."""
    if not rows(flat):
        return None
    held = fields(flat)
    if (version := held.get("version", "")) == "0" or len(version) > len(LAST_VERSION):
        raise never_written(hash_key, "version", version)
    if SCHEMA_FIELD not in held:
        raise CorruptRecord(hash_key, SCHEMA_FIELD, "is missing")
    return table.decode(hash_key, held, trader, key)


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


def changed(step: Step[Any], answer: list[Reply]) -> RecordResult[Any]:
    """Return the result of a change. Raises the refusal that the answer says."""
    change = cast("EntityChange[Any]", step.request)
    table, key, hash_key = change.table, change.key_text, step.own_keys[0]
    trader = step.keys.trader
    match answer:
        case ["applied", str(sequence), str(version), list(flat)]:
            if isinstance(change, (Insert, Put)):
                stored = {**change.written, "version": version, "updated_ns": str(change.ts_ns)}
                record = table.decode(hash_key, stored, trader, key)
            else:
                record = found(table, hash_key, trader, key, flat)
            return RecordResult(record, applied=True, sequence=integer(sequence), version=integer(version))
        case ["repeat", str(sequence), str(version), list(flat), list()]:
            return _repeat(step, sequence, version, flat)
        case ["older", list(flat)]:
            raise OlderRecord(step.name, cast("Update[Any]", change).upgrading(hash_key, fields(flat)))
        case ["newer" | "declared", str(text)]:
            raise schema_refusal(step.name, table, str(answer[0]), text)
        case ["taken", list(flat)]:
            there = found(table, hash_key, trader, key, flat)
            raise DuplicateRecord(f"{step.name}: there is a record with this key, and other content", there)
        case ["unique", str(field), str(value), str(owner)]:
            said = f"{field} {value[:80]!r} is that of the record {owner[:80]!r}"
            raise NotUnique(f"{step.name}: {said}", field, value, owner)
        case ["version", str(version)]:
            expected, actual = cast("int", getattr(change, "expected_version", 0)), integer(version)
            there_is = f"the record has version {actual}" if actual else "there is no such record"
            raise VersionConflict(f"{step.name}: {there_is}, not version {expected}", expected, actual)
        case ["absent"]:
            raise RecordNotFound(
                f"{step.name}: there is no such record; it was never there, was deleted, or has expired"
            )
        case ["duplicate"]:
            raise DuplicateRequest(f"{step.name}: the request_id was used for another change")
        case other:
            raise refusal(step.name, other)


def _repeat(step: Step[Any], sequence: str, version: str, flat: list[Reply]) -> RecordResult[Any]:
    """Return the result of a change that was made before, with the record as it now is."""
    change = cast("EntityChange[Any]", step.request)
    remembered = step.own_keys[1]
    number = remembered_number(remembered, "sequence", sequence)
    made = remembered_number(remembered, "version", version)
    try:
        record = found(change.table, step.own_keys[0], step.keys.trader, change.key_text, flat)
    except SchemaTooNew as error:
        error.result = RecordResult(None, applied=False, sequence=number, version=made)
        raise
    return RecordResult(record, applied=False, sequence=number, version=made)

"""List the verbs that change a record of the desk's own, with one row for each.

A row serves every model: a change as a value (``models/entity_changes.py``) carries the description of its table.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, TypeAlias, TypeVar

from pydantic_core import to_json

from ...models.entity_changes import Delete, EntityChange, Insert, Put, Update
from ...models.enums import EventType
from ...models.errors import printable
from ...models.keys import TraderKeys
from ...models.table import TableModel
from ..changes.verb import AnyVerb, Verb
from ..durations import milliseconds
from .replies import changed

OwnChange: TypeAlias = Insert[Any] | Put[Any] | Update[Any] | Delete[Any]
"""Any change of a record of the desk's own."""
Q = TypeVar("Q", bound=OwnChange)


def _uniques(keys: TraderKeys, change: EntityChange[Any], written: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the keys of the unique values that a change gives: that one is free is a decision."""
    table = change.table
    if not table.uniques:
        return ()
    given = ((field, written.get(field)) for field in table.uniques)
    return tuple([keys.own_unique(table.kind, field, text) for field, text in given if text is not None])


def _keys(keys: TraderKeys, change: OwnChange) -> tuple[str, ...]:
    kind, key = change.table.kind, change.key_text
    record = keys.own_record(kind, key)
    match change:
        case Insert():
            return record, keys.own_deleted(kind, key), *_uniques(keys, change, change.written)
        case Delete():
            return record, keys.request(change.request_id), keys.own_deleted(kind, key)
        case _:
            return record, keys.request(change.request_id), *_uniques(keys, change, change.written)


def _arguments(event: EventType, word: str, change: OwnChange) -> tuple[str, ...]:
    """Return the arguments of a change; ``word`` is the value of its event, which takes a while to ask for."""
    table: TableModel[Any] = change.table
    written: Mapping[str, str | None] = {}
    request_id = expected = digest = content = found = upgraded = ""
    json_text = ""
    if isinstance(change, (Insert, Put)):
        written = change.written
        json_text, digest = table.json_and_digest(written)
    elif isinstance(change, Update):
        written = change.written
        json_text = as_json(written)
    if not isinstance(change, Insert):
        request_id, version = change.request_id, change.expected_version
        expected = "" if version is None else str(version)
        content = content_of(event, table, change.key_text, version, written)
        if isinstance(change, Update):
            found, upgraded = change.upgraded[0], as_json(change.upgraded[1]) or "{}"
    return (
        word,
        table.kind,
        change.key_text,
        str(change.ts_ns),
        digest,
        json_text,
        table.schemas.text,
        table.declared,
        request_id,
        content,
        expected,
        ttl_of(table),
        found,
        upgraded,
    )


def ttl_of(table: TableModel[Any]) -> str:
    """Return the milliseconds after which a table's records are gone, '' for records that stay."""
    return "" if table.ttl is None else _milliseconds(table.ttl)


@cache
def _milliseconds(ttl: float) -> str:
    return str(milliseconds("ttl", ttl))


def content_of(
    event: EventType, table: TableModel[Any], key: str, expected: int | None, written: Mapping[str, str | None]
) -> str:
    """Return 16 characters that are the same for the same put, update or delete, and for no other."""
    removed = sorted(name for name, text in written.items() if text is None)
    digest = table.digest({name: text for name, text in written.items() if text is not None})
    content = json.dumps([event, table.kind, key, expected, removed, digest])
    return binascii.b2a_base64(hashlib.blake2b(content.encode(), digest_size=12).digest(), newline=False).decode()


def as_json(written: Mapping[str, str | None]) -> str:
    """Return the JSON in which the scripts take the fields that are set, '' for none; null removes one."""
    return to_json(written).decode() if written else ""


def _row(name: str, request: type[Q], event: EventType) -> AnyVerb:
    return Verb(
        name=name,
        request=request,
        event=event,
        step="record",
        keys=_keys,
        arguments=partial(_arguments, event, event.value),
        read_answer=changed,
        describe=lambda change: f"{name} {change.table.kind} {change.trader}/{printable(change.key_text)}",
    )


INSERT = _row("insert", Insert, EventType.INSERT)
PUT = _row("put", Put, EventType.PUT)
UPDATE = _row("update", Update, EventType.UPDATE)
DELETE = _row("delete", Delete, EventType.DELETE)

OWN_VERBS = (INSERT, PUT, UPDATE, DELETE)
"""Every verb that changes a record of the desk's own."""

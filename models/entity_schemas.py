"""The schemas of a desk's own records: a record of an older one is brought to its model's, step by step.

::

    class Allocation(Entity, kind="allocation", schema=2, upgrade={1: with_venue}):
        ...

A step takes the fields of a record as they are stored, names to written texts, and returns those of the next schema. A
text in it is taken as it is; any other value is written as a field of its type is, and None is no field. A field that
the last step leaves out, and that cannot be None, has its default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import to_json

from .arguments import mapping
from .entity import KEPT_BY_THE_BOOK, Entity
from .entity_codec import DIGEST_FIELD, SCHEMA_FIELD, EntityCodec
from .entity_fields import Form, Schema, form_of
from .errors import CorruptRecord, InvalidArgument, SchemaMismatch, SchemaTooNew

E = TypeVar("E", bound=Entity)

NO_CONTENT = frozenset((*KEPT_BY_THE_BOOK, DIGEST_FIELD, SCHEMA_FIELD))
"""The fields of a hash that a model does not declare."""
_IS_SCHEMA = re.compile("[1-9][0-9]{0,6}", re.ASCII).fullmatch


class Schemas(Generic[E]):
    """The way of one model's records from the schemas in which they are stored to its own."""

    def __init__(self, model: type[E], codec: EntityCodec[E]) -> None:
        self.number = model.entity_schema
        """The schema of the model."""
        self.text = str(self.number)
        self._model = model
        self._codec = codec
        self._upgrades = model.entity_upgrades

    def check(self, hash_key: str, stored: str) -> int:
        """Return the schema that a record has. Raises SchemaTooNew, and CorruptRecord for what is no schema."""
        if not _IS_SCHEMA(stored):
            raise CorruptRecord(hash_key, SCHEMA_FIELD, f"{stored[:80]!r} is no number of a schema")
        if int(stored) > self.number:
            raise self.too_new(hash_key, int(stored))
        return int(stored)

    def too_new(self, what: str, found: int, result: object = None) -> SchemaTooNew:
        """Return the error of a record, or of all of a trader's, that is newer than the model."""
        name, kind = self._model.__name__, str(self._model.entity_kind)
        problem = f"{what}: the records are of schema {found}, and {name} is of schema {self.number} here"
        return SchemaTooNew(f"{problem}; update this program", kind, found, self.number, result)

    def mismatch(self, problem: str) -> SchemaMismatch:
        """Return the error of a model whose declaration does not fit the records that are there."""
        return SchemaMismatch(problem, str(self._model.entity_kind), self.number)

    def read(self, hash_key: str, fields: Mapping[str, str]) -> E:
        """Return the record of the fields of a hash, of whatever schema they are; without one they are of the model's.

        Raises SchemaTooNew; SchemaMismatch when there is no way to the model's schema; and CorruptRecord.
        """
        if (stored := fields.get(SCHEMA_FIELD, self.text)) == self.text:
            return self._codec.decode(hash_key, fields)
        schema = self.check(hash_key, stored)
        kept = {name: text for name, text in fields.items() if name in KEPT_BY_THE_BOOK}
        content = {name: text for name, text in fields.items() if name not in NO_CONTENT}
        for number in range(schema, self.number):
            content = self._next(hash_key, schema, number, content)
        try:
            return self._codec.decode(hash_key, {**self._defaults(content), **content, **kept})
        except InvalidArgument as error:
            raise CorruptRecord(hash_key, SCHEMA_FIELD, f"{_after(schema, self.number)} {error}") from None
        except CorruptRecord as error:
            problem = str(error).removeprefix(f"{error.key}, field {error.field!r}: ")
            raise CorruptRecord(hash_key, error.field, f"{_after(schema, self.number)} {problem}") from None

    def _defaults(self, content: Mapping[str, str]) -> dict[str, str]:
        """Return the written defaults of the fields that an upgraded record lacks."""
        lacking = [name for name in self._codec.names if name not in content and name not in self._codec.nullable]
        fields = self._model.model_fields
        found = {
            name: fields[name].get_default(call_default_factory=True, validated_data={})
            for name in lacking
            if not fields[name].is_required()
        }
        return cast("dict[str, str]", self._codec.encode_some(found)) if found else {}

    def _next(self, hash_key: str, schema: int, number: int, content: dict[str, str]) -> dict[str, str]:
        """Return the written fields of a record in the schema after one."""
        name, is_last = self._model.__name__, number + 1 == self.number
        upgrade = self._upgrades.get(number)
        if upgrade is None:
            problem = f"{hash_key} is of schema {schema}, and {name} has no upgrade from {number}"
            raise self.mismatch(f"{problem}; declare upgrade={{{number}: ...}}")
        try:
            made = mapping(f"upgrade={{{number}: ...}} returned", upgrade(dict(content)))
            values = {field: value for field, value in made.items() if value is not None}
            texts = {field: value for field, value in values.items() if type(value) is str}
            others = {field: value for field, value in values.items() if field not in texts}
            written = (
                self._codec.encode_some(others) if is_last and others else {k: _text(v) for k, v in others.items()}
            )
        except InvalidArgument as error:
            raise CorruptRecord(hash_key, SCHEMA_FIELD, f"{_after(schema, number + 1)} {error}") from None
        except Exception as error:  # an upgrade of the caller's may raise anything
            problem = f"upgrade={{{number}: ...}} raised {type(error).__name__}: {str(error)[:200]}"
            raise CorruptRecord(hash_key, SCHEMA_FIELD, f"{_after(schema, number + 1)} {problem}") from error
        return {**texts, **cast("dict[str, str]", written)}


def _after(schema: int, number: int) -> str:
    return f"after its upgrade from schema {schema} to {number}:"


def _text(value: object) -> str:
    """Return the written form of a value by its type alone, for the fields of a schema that has no model any more."""
    kind = type(value)
    form = _forms.get(kind)
    if form is None:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        form = _forms.setdefault(kind, form_of(cast("Schema", adapter.core_schema), {}))
    return to_json(value).decode() if form.write is None else form.write(value)


_forms: dict[type[object], Form] = {}

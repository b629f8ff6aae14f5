"""The written form of a desk's own records, prepared once for each model: fields of a hash, and back.

What is written is read again before it is sent, and compared: it comes back equal, or it is refused.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from types import NoneType
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import SchemaSerializer, core_schema, from_json, to_json

from .arguments import shown
from .building import built
from .entity import KEPT_BY_THE_BOOK, Entity
from .entity_fields import (
    NEVER_WRITTEN,
    Form,
    Schema,
    chain,
    form_of,
    is_nullable,
    members_of,
    nullable,
    with_sorted_sets,
)
from .entity_reading import read_at_once
from .entity_rules import check_comes_back, has_own_rules, is_seen_before, whole_record_check
from .errors import CorruptRecord, InvalidArgument, never_written
from .model_schemas import config_of, defined, fields_of, opened, some_of, validator, with_fields, without_default
from .names import is_name_schema
from .sameness import is_same

E = TypeVar("E", bound=Entity)

DIGEST_FIELD = "@digest"
"""The field of a hash with the digest of the record as it was inserted or put."""
SCHEMA_FIELD = "@schema"
"""The field of a hash with the number of the model's schema."""
LAST_VERSION = "999999999999999"
"""A version that no record reaches; a longer one cannot be read."""


_PLAIN = frozenset((str, int, bool, Decimal, NoneType))
"""The types whose values say all of themselves when they are compared."""


class EntityCodec(Generic[E]):
    """A writer and reader of one model's records."""

    def __init__(self, model: type[E]) -> None:
        self.name = model.__name__
        self._model = model
        inner, definitions = opened(cast("Schema", model.__pydantic_core_schema__))
        fields: Mapping[str, Schema] = fields_of(inner)
        for name, field in fields.items():
            check_comes_back(f"{self.name}.{name}", field, definitions)
        plain = {name: without_default(field["schema"]) for name, field in fields.items()}
        self.names = tuple(name for name in plain if name not in KEPT_BY_THE_BOOK)
        """The fields of the content, without what the book sets."""
        self.schemas, self.definitions = plain, definitions
        self.nullable = frozenset(name for name, schema in plain.items() if is_nullable(schema, definitions))
        self.forms: Mapping[str, Form] = {name: form_of(schema, definitions) for name, schema in plain.items()}
        self.whole_record_check = whole_record_check(model, plain)
        """The reason for which a change of some fields cannot be checked without the others; None without any."""
        self._texts = [
            (name, form.write) for name, form in sorted(self.forms.items()) if form.write and name in self.names
        ]
        self._json = tuple(name for name in self.names if self.forms[name].write is None)
        self._compared = [(name, self.forms[name]) for name in self.names]
        self._sorted = sorted(self._compared, key=lambda pair: pair[0])
        self._content = itemgetter(*self.names) if len(self.names) > 1 and not self._json else None
        """Returns the values of all fields, of which none is JSON; None for other models."""
        members = {type(one) for name in self.names for one in members_of(plain[name], definitions)}
        self._plain = _PLAIN | {kind for kind in members if kind.__eq__ in (object.__eq__, str.__eq__)}
        self.is_flat = not self._json and self.whole_record_check is None and not has_own_rules(plain)
        """True when no field depends on another, and no value can be changed in its place."""
        self._absent = dict.fromkeys(self.nullable)
        self._set_by_book = {"version": "0"} if "version" in plain else {}
        self._required = frozenset(plain) - self.nullable
        written = {name: self._written(name, schema) for name, schema in plain.items()}
        config = config_of(inner)
        self._changes_texts = any(option.startswith("str_") for option in config)
        self._read_some = validator(some_of(written, config), definitions)
        self._read_at_once: Callable[[Any], Any] | None = None
        """Reads most texts in less time; where it raises, ``_read`` says what they are."""
        if is_seen_before(inner):  # what looks at values before the model does is not shown their texts
            read, check = self._read_some, model.__pydantic_validator__.validate_python
            self._read: Callable[[Any], Any] = lambda fields: check(read(fields), by_alias=False, by_name=True)
        else:
            self._read = validator(with_fields(inner, written), definitions)
            found = {name: read_at_once(plain[name], definitions) for name in plain if self.forms[name].write}
            at_once = {name: schema for name, schema in found.items() if schema is not None}
            if at_once and not config.get("strict"):
                self._read_at_once = validator(with_fields(inner, {**written, **at_once}), definitions)
        self._check_some = validator(some_of(plain, config), definitions)
        serializer = with_sorted_sets(defined(inner, definitions))
        self._serializer = built(lambda: SchemaSerializer(serializer, _use_prebuilt=False), lambda made: made)
        for name in self._json:
            for member in members_of(plain[name], definitions):
                self._check_member(name, member)

    def _written(self, name: str, schema: Schema) -> Schema:
        """Return the schema that reads the text of a field, and then checks it as the model does."""
        form = self.forms[name]
        read = chain(form.read, schema) if form.write else cast("Schema", core_schema.json_schema(cast("Any", schema)))
        return nullable(read) if name in self.nullable else read

    def not_one_piece(self, name: str) -> str | None:
        """Return the reason for which a field is stored as JSON; None for one that is stored as readable text."""
        return None if self.forms[name].write else self.forms[name].why

    def takes_any_name(self, name: str) -> bool:
        """Return True for a field that takes each name, and as it is given."""
        return is_name_schema(self.schemas[name]) and not self._changes_texts

    def text_of(self, name: str, value: object) -> str:
        """Return the written form of a value of a field of one piece."""
        write = self.forms[name].write
        return str(value) if write is None else write(value)

    def _check_member(self, name: str, member: object) -> None:
        try:
            self.encode_some({name: member})
        except InvalidArgument:
            problem = "JSON does not bring back its value; give it a text or a number"
            raise InvalidArgument(f"{self.name}.{name}: {member} cannot be stored: {problem}") from None

    def encode(self, record: E) -> dict[str, str]:
        """Return the written fields of a record's content. Raises InvalidArgument for what does not come back equal."""
        return self.encode_and_read(record, self._set_by_book)[0]

    def encode_and_read(self, record: E, set_by_book: Mapping[str, str]) -> tuple[dict[str, str], E]:
        """Return the written fields of a record's content, as ``encode`` does, and the record that is read of them.

        ``set_by_book`` has the texts of the fields that the book sets.
        """
        fields, again = self._write_and_read(record, set_by_book)
        if self._json and not self._json_of(again, again.__dict__).items() <= fields.items():
            return self._write_and_read(again, set_by_book)  # equal contents are written alike
        return fields, again

    def _write_and_read(self, record: E, set_by_book: Mapping[str, str]) -> tuple[dict[str, str], E]:
        values = record.__dict__
        fields = self._texts_of(values)
        if self._json:
            fields |= self._json_of(record, values)
        again: E = self._again(self._read, {**self._absent, **fields, **set_by_book}, values)
        if not self._is_all_equal(values, again.__dict__):
            self._compare(values, again.__dict__)
        return fields, again

    def decode(self, hash_key: str, fields: Mapping[str, str]) -> E:
        """Return the record of the fields of a hash in the model's schema.

        Raises CorruptRecord, which names the key and the field.
        """
        held: dict[str, object] = {**self._absent, **fields}
        held.pop(DIGEST_FIELD, None)
        held.pop(SCHEMA_FIELD, None)
        if self._read_at_once is not None:
            try:
                return cast("E", self._read_at_once(held))
            except ValidationError:
                pass  # said below
            except Exception as error:  # a validator of the caller's may raise anything
                raise self._corrupt(hash_key, fields, error) from None
        if missing := self._required - held.keys():
            raise CorruptRecord(hash_key, min(missing), "is missing")
        try:
            return cast("E", self._read(held))
        except Exception as error:  # a validator of the caller's may raise anything
            raise self._corrupt(hash_key, fields, error) from None

    def encode_some(self, values: Mapping[str, object]) -> dict[str, str | None]:
        """Return the written form of values of some fields, None for None. Raises InvalidArgument."""
        try:
            checked: dict[str, object] = self._check_some(values)
        except Exception as error:  # a validator of the caller's may raise anything
            raise InvalidArgument(f"{self.name}{_place_and_problem(error)}") from None
        written, again = self._write_and_read_some(checked)
        if checked.keys().isdisjoint(self._json) or self._json_of(self._bare(again), again).items() <= written.items():
            return written
        return self._write_and_read_some(again)[0]  # equal contents are written alike

    def _write_and_read_some(self, checked: dict[str, object]) -> tuple[dict[str, str | None], dict[str, object]]:
        fields = self._texts_of(checked)
        if not checked.keys().isdisjoint(self._json):
            fields |= self._json_of(self._bare(checked), checked)
        written: dict[str, str | None] = {name: fields.get(name) for name in checked}
        again: dict[str, object] = self._again(self._read_some, written, checked)
        self._compare(checked, again)
        return written, again

    def digest(self, fields: Mapping[str, str]) -> str:
        """Return 22 characters that are the same for the written fields of equal contents, and for no others."""
        return _hashed(
            to_json({name: _in_one_order(fields[name], form) for name, form in self._sorted if name in fields})
        )

    def json_and_digest(self, fields: Mapping[str, str]) -> tuple[str, str]:
        """Return what ``encode`` has returned as JSON, and its digest."""
        text = to_json(fields)
        return text.decode(), self.digest(fields) if self._json else _hashed(text)  # without JSON they are sorted

    def _texts_of(self, values: Mapping[str, Any]) -> dict[str, str]:
        name = ""
        fields: dict[str, str] = {}
        try:
            for name, write in self._texts:
                value = values.get(name)
                if value is not None:
                    fields[name] = write(value)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            problem = "it is no value of its type" if isinstance(error, AttributeError) else error
            raise InvalidArgument(f"{self.name}.{name} {shown(values[name])} cannot be stored: {problem}") from None
        return fields

    def _json_of(self, record: E, values: Mapping[str, Any]) -> dict[str, str]:
        names = {name for name in self._json if values.get(name) is not None or name in values.keys() - self.nullable}
        try:
            return self._json_texts(record, names)
        except Exception as error:  # what serializes a type of the caller's may raise anything
            for name in names:
                self._check_json(record, name, values[name])
            raise InvalidArgument(f"{self.name} cannot be stored: {_json_problem(error)}") from None

    def _check_json(self, record: E, name: str, value: object) -> None:
        try:
            self._json_texts(record, {name})
        except Exception as error:
            raise InvalidArgument(
                f"{self.name}.{name} {shown(value)} cannot be stored: {_json_problem(error)}"
            ) from None

    def _json_texts(self, record: E, names: set[str]) -> dict[str, str]:
        # round_trip leaves out what is computed, and writes JSON in JSON as text.
        held = self._serializer.to_python(
            record, mode="json", include=names, by_alias=False, round_trip=True, warnings="error"
        )
        return {name: to_json(held[name], inf_nan_mode="null").decode() for name in self._json if name in names}

    def _again(self, read: Callable[[Any], Any], fields: object, values: Mapping[str, Any]) -> Any:
        """Return what is read of written fields; ``values`` are what they were written from."""
        try:
            if read is self._read and self._read_at_once is not None:
                try:
                    return self._read_at_once(fields)
                except ValidationError:
                    pass  # said below
            return read(fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            if first["type"] == NEVER_WRITTEN and (name := str(first["loc"][0])) in values:
                problem = f"{name} {shown(values[name])} cannot be stored: it is no value of its type"
                raise InvalidArgument(f"{self.name}.{problem}") from None
            raise InvalidArgument(f"{self.name}{_place_and_problem(error)}") from None
        except Exception as error:  # a validator of the caller's may raise anything
            raise InvalidArgument(f"{self.name}{_place_and_problem(error)}") from None

    def _is_all_equal(self, values: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
        """Return True if all values are plain and equal to what was read again of them; False decides nothing."""
        if self._content is None:
            return False
        try:
            mine, found = self._content(values), self._content(again)
        except KeyError:
            return False
        kinds = tuple(map(type, mine))
        return self._plain.issuperset(kinds) and kinds == tuple(map(type, found)) and mine == found

    def _compare(self, values: Mapping[str, Any], again: Mapping[str, Any]) -> None:
        for name, form in self._compared:
            if name not in again:
                continue
            value, found = values.get(name), again[name]
            if type(value) in _PLAIN and type(value) is type(found) and form.write and value == found:
                continue
            if not _is_equal(value, found, form):
                raise InvalidArgument(
                    f"{self.name}.{name} {shown(value)} cannot be stored: it would come back as {shown(found)}"
                )

    def _corrupt(self, hash_key: str, fields: Mapping[str, str], error: Exception) -> CorruptRecord:
        if not isinstance(error, ValidationError):
            return CorruptRecord(hash_key, "@record", f"cannot be read: {type(error).__name__}")
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "@record"
        if first["type"] == "extra_forbidden":
            return CorruptRecord(hash_key, field, f"is no field of {self.name}")
        if first["type"] == NEVER_WRITTEN:
            return never_written(hash_key, field, fields.get(field))
        return CorruptRecord(hash_key, field, f"{str(fields.get(field, ''))[:80]!r}: {first['msg']}")

    def _bare(self, values: dict[str, object]) -> E:
        """Return an instance with some of its fields, for the serializer."""
        bare = self._model.__new__(self._model)
        object.__setattr__(bare, "__dict__", values)
        object.__setattr__(bare, "__pydantic_fields_set__", set(values))
        object.__setattr__(bare, "__pydantic_extra__", None)
        object.__setattr__(bare, "__pydantic_private__", None)
        return bare


def _hashed(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.blake2b(content, digest_size=16).digest())[:22].decode()


def _is_equal(value: object, again: object, form: Form) -> bool:
    """Compare a value with what was read again of it; in a field of one piece they are equal and of one type."""
    try:
        if form.write is None:
            return is_same(value, again)
        if type(value) is not type(again):
            return type(value) is int and type(again) is Decimal and value == again
        if isinstance(value, datetime) and isinstance(again, datetime) and value.tzinfo and again.tzinfo:
            return value.astimezone(UTC) == again.astimezone(UTC)
        return value == again
    except Exception:  # what compares a type of the caller's may raise anything
        return False


def _in_one_order(text: str, form: Form) -> str:
    """Return a written text, or for JSON that has objects one in which their order does not count."""
    return json.dumps(from_json(text), sort_keys=True) if form.write is None and "{" in text else text


def _json_problem(error: Exception) -> str:
    if "PydanticSerializationUnexpectedValue" in str(error):
        return "something in it is no value of its type"
    return f"it cannot be written as JSON: {str(error).strip().rpartition(chr(10))[2].strip()[:200]}"


def _place_and_problem(error: Exception) -> str:
    """Return what is wrong with values that a model's own schema refuses."""
    if not isinstance(error, ValidationError):
        return f": a validator of the model raised {type(error).__name__}"
    first = error.errors(include_url=False)[0]
    place = "".join(f".{part}" for part in first["loc"])
    value = f" {shown(first['input'])}" if place else ""
    return f"{place}{value}: {first['msg'].removeprefix('Value error, ')}"

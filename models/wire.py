"""The written form of a model: one text field of a hash for each field of the model.

A field that is None is absent. Decimals have one written form (see :func:`~slotbook.models.numbers.plain`) and enums
are stored by name, so that a hash is readable with ``redis-cli`` and from any language. Reading is strict: a field that
is missing or is not in the form that :func:`encode` writes raises :class:`~slotbook.models.errors.CorruptRecord`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from .building import built
from .derived import is_agreement
from .errors import CorruptRecord, never_written
from .fees import Fees
from .numbers import DIGITS_OF, decimal_pattern, exact_decimal, exact_integer, plain
from .record import Record
from .times import exact_time

R = TypeVar("R", bound=Record)

_INTEGER = r"0|-?[1-9][0-9]{0,19}"
_BOOLEAN = r"[01]"


_DECIMALS = {reader: decimal_pattern(*digits) for reader, digits in DIGITS_OF.items()}
_DECIMAL = _DECIMALS[exact_decimal]
_PATTERNS = {"int": _INTEGER, "decimal": _DECIMAL, "bool": _BOOLEAN}
"""The patterns of written values, by pydantic-core's name of a type."""
_NUMBER_READERS = (exact_integer, exact_time, *DIGITS_OF)
"""The functions that accept a number from a caller in any of its forms."""
_Check = Callable[[str], object]
_Schema: TypeAlias = dict[str, Any]


def _check_of(field: FieldInfo) -> _Check | None:
    annotation: object = field.annotation
    kinds = {annotation, *get_args(annotation)}
    kinds |= {argument for kind in list(kinds) for argument in get_args(kind)}
    for kind, form in ((bool, _BOOLEAN), (Decimal, _DECIMAL), (int, _INTEGER)):
        if kind in kinds:
            return re.compile(form, re.ASCII).fullmatch
    return None


def _as_written(schema: _Schema, decimals: str = _DECIMAL) -> _Schema:
    """Turn a model's pydantic-core schema into the schema of its written form.

    A caller may give a number in many forms, which a function accepts; a hash has it in one form, which a pattern
    matches. Fields that cannot be None become required, and unknown fields are ignored.
    """
    kind, inner = schema["type"], schema.get("schema")
    if is_agreement(schema):
        return _as_written(schema["schema"])
    if kind == "function-before" and (reader := schema["function"]["function"]) in _NUMBER_READERS:
        return _as_written(schema["schema"], _DECIMALS.get(reader, _DECIMAL))
    if kind in _PATTERNS:
        pattern = decimals if kind == "decimal" else _PATTERNS[kind]
        form = core_schema.str_schema(pattern=f"^(?:{pattern})$", strict=True)
        return {"type": "chain", "steps": [form, schema]}
    if kind == "default" and not _may_be_absent(schema["schema"]):
        return _as_written(schema["schema"])
    changed = dict(schema)
    if kind == "model-fields":
        changed["extra_behavior"] = "ignore"
        changed["fields"] = {name: _as_written(field) for name, field in schema["fields"].items()}
    elif kind == "model":
        changed["config"] = {**schema.get("config", {}), "extra_fields_behavior": "ignore"}
    if inner is not None:
        changed["schema"] = _as_written(inner)
    return changed


def _may_be_absent(schema: _Schema) -> bool:
    """Return True for the schema of a value that may be None, also behind a function that checks it, and of fees."""
    while schema["type"].startswith("function-") and "schema" in schema:
        schema = schema["schema"]
    return schema["type"] in ("nullable", "function-plain")


class Codec(Generic[R]):
    """A reader of one model's written form, prepared once."""

    def __init__(self, model: type[R]) -> None:
        fields = model.model_fields
        self.names = frozenset(fields)
        self.required = frozenset(
            name
            for name, field in fields.items()
            if field.annotation is not Fees and type(None) not in get_args(field.annotation)
        )
        self.checks = {name: check for name, field in fields.items() if (check := _check_of(field))}
        model.model_rebuild()  # it may refer to what was not there when its class was made
        written = cast("CoreSchema", _as_written(cast("_Schema", model.__pydantic_core_schema__)))
        # Without _use_prebuilt=False pydantic-core would take the model's own validator and ignore the changed schema.
        validator = built(lambda: SchemaValidator(written, _use_prebuilt=False), lambda made: made)
        self.read: Callable[[Mapping[str, str]], R] = validator.validate_python


_codecs: dict[type[Record], Codec[Any]] = {}
_readers: dict[type[Record], Callable[[Mapping[str, str]], Any]] = {}
"""The readers of models with fields of their own, which :mod:`~slotbook.models.own_fields` makes."""


class Unreadable(Exception):
    """A field cannot be read; the key of the record is not known yet."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem


def use_reader(model: type[R], read: Callable[[Mapping[str, str]], R]) -> None:
    """Let ``decode`` read the records of a model by a function, which raises Unreadable."""
    _readers.setdefault(model, read)


def codec(model: type[R]) -> Codec[R]:
    """Return the codec of a model."""
    known = _codecs.get(model)
    return _codecs.setdefault(model, Codec(model)) if known is None else known


def text(value: object) -> str:
    """Return the written form of one value."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def encode(record: Record) -> dict[str, str]:
    """Return the fields of a record that are neither None nor empty, in their written form."""
    values = record.__dict__
    return {
        name: text(value)
        for name, value in values.items()
        if value is not None and (value or value.__class__ is not Fees)
    }


def decode(model: type[R], key: str, fields: Mapping[str, str]) -> R:
    """Return the record that the fields of a hash hold; unknown fields are ignored.

    Raises CorruptRecord, which names ``key``.
    """
    rules: Codec[R] | None = _codecs.get(model)
    if rules is None:
        if (read := _readers.get(model)) is not None:
            return _read_own(cast("Callable[[Mapping[str, str]], R]", read), key, fields)
        rules = codec(model)
    try:
        return rules.read(fields)
    except ValidationError as error:
        raise _corrupt(rules, key, fields, error) from None


def _read_own(read: Callable[[Mapping[str, str]], R], key: str, fields: Mapping[str, str]) -> R:
    try:
        return read(fields)
    except Unreadable as error:
        raise CorruptRecord(key, error.field, error.problem) from None


def _corrupt(rules: Codec[Any], key: str, fields: Mapping[str, str], error: ValidationError) -> CorruptRecord:
    """Return the error of a record that cannot be read, in words that need no knowledge of Pydantic."""
    if missing := rules.required - fields.keys():
        return CorruptRecord(key, min(missing), "is missing")
    for name, check in rules.checks.items():
        value = cast("object", fields.get(name))
        if value is not None and not (isinstance(value, str) and check(value)):
            return never_written(key, name, value)
    first = error.errors(include_url=False)[0]
    named = (name for name in ("expire_at", "cost", "multiplier") if name in first["msg"].split())
    field = str(first["loc"][0]) if first["loc"] else next(named, "price")  # what a rule about several fields names
    problem = "has too many digits" if first["type"] == "string_pattern_mismatch" else first["msg"]
    return CorruptRecord(key, field, f"{str(fields.get(field, ''))[:80]!r}: {problem}")


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """Return the fields of a hash from the flat list of names and values that a server sends."""
    values = iter(flat)
    return dict(zip(values, values, strict=True))

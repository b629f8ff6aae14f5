"""The written form of the fields of a desk's own records: one text for each field, from which an equal value is read.

A value of one piece (a text, a number, a time) is written as readable text, and equal values are written alike, so that
an index, a unique value and a repeated insert know them again: ``187.230`` as ``187.23``, a time with a zone in UTC.
Everything else is JSON, sets in it sorted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, cast

from pydantic_core import PydanticSerializationUnexpectedValue, core_schema

from .json_schemas import is_decimal_text
from .numbers import is_nan, plain

Schema: TypeAlias = dict[str, Any]
"""A part of a pydantic-core schema."""
Write: TypeAlias = Callable[[Any], str]

NEVER_WRITTEN = "never_written"
"""The type of the error of a text that is no written form."""

_INNER = {
    "default": "schema",
    "nullable": "schema",
    "function-before": "schema",
    "function-after": "schema",
    "function-wrap": "schema",
    "custom-error": "schema",
    "lax-or-strict": "strict_schema",
    "json-or-python": "python_schema",
}
"""The kinds of schema that wrap another one, and where it is."""
_NO_SCHEMAS = frozenset(("metadata", "expected", "members", "default", "config"))
"""Parts of a schema that hold none."""
_OWN_FORMS = frozenset(("function-plain", "function-wrap", "format", "to-string"))
"""The kinds of serializers with which a model writes a value in a form of its own."""


@dataclass(frozen=True, slots=True)
class Form:
    """The written form of a field's values."""

    write: Write | None
    """Return the text of a value; None for JSON, which the model's serializer writes."""
    read: Schema
    """The schema that reads the text, before the field's own schema checks the value."""
    why: str = "its values are stored as JSON"
    """The reason for which the values are JSON, where they are."""
    order: str | None = None
    """The form of the texts' order, ``number`` or ``time``, as ``ordering`` knows it; None for one that has none."""


def leaf_of(schema: Schema, definitions: Mapping[str, Schema]) -> tuple[Schema | None, list[Schema]]:
    """Return the innermost schema of a field and what is around it; None for one with a serializer of its own."""
    around: list[Schema] = []
    while not _has_own_form(schema.get("serialization", {})):
        kind = schema["type"]
        if kind == "definition-ref":
            schema = definitions[schema["schema_ref"]]
        elif kind in _INNER:
            around.append(schema)
            schema = schema[_INNER[kind]]
        else:
            return schema, around
    return None, around


def _has_own_form(serialization: Schema) -> bool:
    return serialization.get("type") in _OWN_FORMS and not is_decimal_text(serialization)


def members_of(schema: Schema, definitions: Mapping[str, Schema]) -> list[object]:
    """Return the members of the enumeration that a field's values are of, none for any other field."""
    leaf = leaf_of(schema, definitions)[0] or {}
    return leaf["members"] if leaf.get("type") == "enum" else []


def foreign_class(schema: Schema, definitions: Mapping[str, Schema]) -> type | None:
    """Return the class that a field's values are instances of when Pydantic knows no more of it; else None."""
    leaf = leaf_of(schema, definitions)[0] or {}
    return leaf["cls"] if leaf.get("type") in ("is-instance", "is-subclass") else None


def form_of(schema: Schema, definitions: Mapping[str, Schema]) -> Form:
    """Return the written form of the values of a field, from its schema."""
    leaf, _ = leaf_of(schema, definitions)
    if leaf is None:
        return _OWN
    return _form_of_leaf(leaf) or _JSON


def is_nullable(schema: Schema, definitions: Mapping[str, Schema]) -> bool:
    """Return True for a field that can be None."""
    kind = schema["type"]
    if kind in ("nullable", "none"):
        return True
    if kind == "definition-ref":
        return is_nullable(definitions[schema["schema_ref"]], definitions)
    if kind == "literal":
        return None in schema["expected"]
    if kind == "union":
        choices: list[Schema | tuple[Schema, str]] = schema["choices"]  # a label may be beside one
        return any(is_nullable(one[0] if isinstance(one, tuple) else one, definitions) for one in choices)
    return kind in _INNER and is_nullable(schema[_INNER[kind]], definitions)


def nullable(schema: Schema) -> Schema:
    """Return a schema that lets None pass."""
    return cast("Schema", core_schema.nullable_schema(cast("core_schema.CoreSchema", schema)))


def chain(*steps: Schema) -> Schema:
    """Return a schema that applies others one after another."""
    return {"type": "chain", "steps": list(steps)}


def with_sorted_sets(node: object) -> Any:
    """Return a schema whose serializer writes the same set in the same order in every process."""
    if isinstance(node, list):
        return [with_sorted_sets(one) for one in cast("list[object]", node)]
    if isinstance(node, tuple):
        return tuple(with_sorted_sets(one) for one in cast("tuple[object, ...]", node))
    if not isinstance(node, dict):
        return node
    parts = cast("dict[str, object]", node)
    changed: Schema = {name: part if name in _NO_SCHEMAS else with_sorted_sets(part) for name, part in parts.items()}
    if changed.get("type") in ("set", "frozenset") and "serialization" not in changed:
        changed["serialization"] = core_schema.wrap_serializer_function_ser_schema(
            _sorted, schema=cast("core_schema.CoreSchema", dict(changed)), when_used="json"
        )
    return changed


def _sorted(values: object, handler: core_schema.SerializerFunctionWrapHandler) -> list[object]:
    if not isinstance(values, (set, frozenset)):
        raise PydanticSerializationUnexpectedValue("it is no set")  # in a union, the next choice is tried
    return sorted(handler(values), key=lambda one: json.dumps(one, sort_keys=True))


def _form_of_leaf(leaf: Schema) -> Form | None:
    if leaf["type"] == "enum":
        return _form_of_choices([member.value for member in leaf["members"]], leaf["members"])
    if leaf["type"] == "literal":
        members = [one for one in leaf["expected"] if one is not None]
        return _form_of_choices([one.value if isinstance(one, Enum) else one for one in members], members)
    return _FORMS.get(leaf["type"])


def _form_of_choices(values: list[object], members: list[object]) -> Form | None:
    """Return the form of an enumeration of texts or of whole numbers, which are written by their values."""
    if {type(value) for value in values} not in ({str}, {int}):
        return None
    by_text: dict[str, object] = {str(value): member for value, member in zip(values, members, strict=True)}

    def read(text: str) -> object:
        try:
            return by_text[text]
        except KeyError:
            raise ValueError from None

    return Form(_write_choice, _never_written(core_schema.no_info_plain_validator_function(read)))


def _write_choice(value: object) -> str:
    return str(value._value_ if isinstance(value, Enum) else value)  # not .value: that asks a function of Python's


def _write_text(value: str) -> str:
    if not value.isascii():
        value.encode()  # a lone surrogate has no UTF-8
    return value


def _check_is_number(number: float | Decimal) -> None:
    if is_nan(number):
        raise ValueError("it is not a number, and equals nothing, not even itself")


def _write_decimal(value: Decimal | int) -> str:
    if type(value) is Decimal:
        text = str(value)
        if len(text) <= 60 and (text.isdecimal() or ("." in text and text[-1] != "0" and "E" not in text)):
            return text  # as most numbers are written
    number = Decimal(value) if isinstance(value, int) else value  # an int that is a default, or that model_copy has set
    _check_is_number(number)
    if number and not -60 <= number.adjusted() <= 60:
        sign, digits, exponent = number.as_tuple()
        kept = "".join(map(str, digits)).rstrip("0")
        return f"{'-' if sign else ''}{kept}E{int(exponent) + len(digits) - len(kept)}"
    return plain(number)


def _write_float(number: float) -> str:
    _check_is_number(number)
    return repr(number or 0.0)


def _write_time(moment: datetime) -> str:
    if moment.tzinfo is not None:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if moment.fold:
        raise ValueError("a time without a zone cannot say that it is the second of its kind (fold=1)")
    return moment.isoformat()


def _never_written(schema: core_schema.CoreSchema) -> Schema:
    """Return a schema whose error says that a text is no written form."""
    return cast("Schema", core_schema.custom_error_schema(schema, NEVER_WRITTEN, custom_error_message=NEVER_WRITTEN))


def _pattern(pattern: str, then: core_schema.CoreSchema) -> Schema:
    text = core_schema.str_schema(pattern=f"^(?:{pattern})$", strict=True)
    return _never_written(core_schema.chain_schema([text, then]))


def _exactly(read: Callable[[str], Any], write: Write) -> core_schema.CoreSchema:
    """Return a schema that reads a text if it is the one that is written of what it says."""

    def read_written(text: str) -> object:
        value = read(text)
        if write(value) != text:
            raise ValueError
        return value

    return core_schema.no_info_plain_validator_function(read_written)


def _decimal_of(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError
    return number


_INTEGER = r"0|-?[1-9][0-9]*"
_DECIMAL = r"0|-?[1-9][0-9]{0,60}(?:\.[0-9]*[1-9])?|-?0\.0{0,59}(?:[1-9]|[1-9][0-9]*[1-9])"  # those without an exponent
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

_DECIMAL_TEXT = _never_written(
    core_schema.union_schema(
        [
            cast("core_schema.CoreSchema", _pattern(_DECIMAL, core_schema.decimal_schema(strict=False))),
            _exactly(_decimal_of, _write_decimal),
        ],
        mode="left_to_right",
    )
)

_FORMS: Mapping[str, Form] = {
    "str": Form(_write_text, cast("Schema", core_schema.str_schema(strict=True))),
    "int": Form(str, _pattern(_INTEGER, core_schema.int_schema(strict=False)), order="number"),
    "bool": Form(lambda value: "1" if value else "0", _pattern("[01]", core_schema.bool_schema(strict=False))),
    "decimal": Form(_write_decimal, _DECIMAL_TEXT, order="number"),
    "float": Form(_write_float, _never_written(_exactly(float, _write_float)), order="number"),
    "date": Form(date.isoformat, _pattern(_DATE, core_schema.date_schema(strict=False)), order="time"),
    "datetime": Form(_write_time, _never_written(_exactly(datetime.fromisoformat, _write_time)), order="time"),
    "uuid": Form(str, _pattern(_UUID, core_schema.uuid_schema(strict=False))),
    "bytes": Form(
        bytes.hex,
        _never_written(_exactly(bytes.fromhex, bytes.hex)),
    ),
}
"""The forms of values of one piece, by pydantic-core's name of their type."""
_JSON = Form(None, {})
_OWN = Form(None, {}, "a serializer of its own writes it")

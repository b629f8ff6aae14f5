r"""The JSON schemas of field types, as web services show them: portable patterns, and what is true of both directions.

*Accepted* is what a model takes from JSON. It is told more narrowly where a schema cannot say it: a decimal in text may
have an exponent, which the schema does not mention. *Emitted* is what a model writes. The patterns have only what every
reader of such schemas knows: no ``\p{…}``, no look-ahead. For the bounds of decimals see ``numbers``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

JsonSchema: TypeAlias = dict[str, Any]
Least: TypeAlias = Literal["positive", "zero"]

CONTROL = r"\x00-\x1f\x7f-\x9f"
"""The control characters, as a part of a pattern's class."""
_INTEGER_ENDS = (315_532_800, 315_532_800 * 10**9, 2**63 - 1)
"""The first second of 1980 as a number, and in nanoseconds, and the last time."""


def written_decimal(value: object) -> object:
    """Return the text of a decimal or a whole number for JSON, without an exponent; anything else as it is.

    >>> written_decimal(Decimal("1E-7")), written_decimal(Decimal("187.230")), written_decimal(1)
    ('0.0000001', '187.230', '1')
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if type(value) is int else value


@dataclass(frozen=True, eq=False)  # by identity, so that a type with it can be a part of a union
class JsonForm:
    """An annotation of a type: the JSON schemas of what is accepted and of what is emitted."""

    accepted: JsonSchema
    emitted: JsonSchema

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Return the schema of the direction that is asked for."""
        return dict(self.accepted if handler.mode == "validation" else self.emitted)


class DecimalForm(JsonForm):
    """The same of a decimal, which is emitted as text without an exponent."""

    def __get_pydantic_core_schema__(self, kind: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Let decimals be written in JSON by ``written_decimal``."""
        schema = cast("dict[str, Any]", handler(kind))
        text = core_schema.plain_serializer_function_ser_schema(written_decimal, when_used="json")
        return cast("core_schema.CoreSchema", {**schema, "serialization": text})


def is_decimal_text(serialization: JsonSchema) -> bool:
    """Return True for the serializer of a DecimalForm, which writes no form of a model's own."""
    return serialization.get("function") is written_decimal


def same_form(schema: JsonSchema) -> JsonForm:
    """Return the form of a type that is emitted as it is accepted."""
    return JsonForm(schema, schema)


def decimal_form(whole_digits: int, places: int, least: Least | None = None) -> DecimalForm:
    r"""Return the form of a decimal with at most so many digits before the point and behind it.

    >>> decimal_form(12, 18, "zero").emitted["pattern"]
    '^[0-9]{1,12}(\\.[0-9]+)?$'
    """
    sign, end = "" if least else "-?", 10**whole_digits
    said = rf"^{'[+]?' if least else '[+-]?'}0*[0-9]{{1,{whole_digits}}}(\.[0-9]{{1,{places}}}0*)?$"
    text: JsonSchema = {"type": "string", "maxLength": 100, "pattern": said}
    number: JsonSchema = {"type": "number", "exclusiveMinimum": -end, "exclusiveMaximum": end}
    if least == "positive":
        text["not"] = {"pattern": "^[+.0]*$"}
        number["exclusiveMinimum"] = 0
    elif least == "zero":
        del number["exclusiveMinimum"]
        number["minimum"] = 0
    emitted: JsonSchema = {"type": "string", "pattern": rf"^{sign}[0-9]{{1,{whole_digits}}}(\.[0-9]+)?$"}
    return DecimalForm({"anyOf": [text, number]}, emitted)


_ANY_DECIMAL: JsonSchema = {"type": "string", "maxLength": 1_000, "pattern": r"^[+-]?[0-9]+(\.[0-9]+)?$"}
ANY_DECIMAL = DecimalForm(
    {"anyOf": [_ANY_DECIMAL, {"type": "number"}]}, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
)
"""The form of a decimal of any number of digits."""


def count_form(least: int, most: int) -> JsonForm:
    """Return the form of a whole number, which may be given as text, for readers without large integers."""
    number: JsonSchema = {"type": "integer", "minimum": least, "maximum": most}
    digits = r"^[1-9][0-9]{0,14}$" if least else r"^(0|[1-9][0-9]{0,14})$"
    return JsonForm({"anyOf": [number, {"type": "string", "pattern": digits}]}, number)


def time_form() -> JsonForm:
    """Return the form of nanoseconds since 1970: a number, its digits as text, or a time with its zone."""
    first, start, last = _INTEGER_ENDS
    day = r"(19[89][0-9]|20[0-9]{2}|21[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    time = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
    accepted: JsonSchema = {
        "anyOf": [
            {"type": "integer", "minimum": start, "maximum": last},
            {"type": "integer", "minimum": 0, "exclusiveMaximum": first},
            {"type": "string", "pattern": "^([4-9][0-9]{17}|[1-8][0-9]{18})$"},
            {"type": "string", "format": "date-time", "pattern": f"^{day}T{time}$"},
        ]
    }
    return JsonForm(accepted, {"type": "integer", "minimum": 0, "maximum": last})


class ErrorForm:
    """An annotation of a type of errors: JSON has an error's name and message, and no JSON is accepted for one."""

    def __get_pydantic_core_schema__(self, kind: type[Exception], _: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Return a schema of instances of the type."""
        written = core_schema.plain_serializer_function_ser_schema(_of_error, when_used="json")
        return core_schema.is_instance_schema(kind, serialization=written)

    def __get_pydantic_json_schema__(self, _: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Return the schema of what is emitted; nothing is accepted."""
        if handler.mode == "validation":
            return {"not": {}}
        parts = {"error": {"type": "string"}, "message": {"type": "string"}}
        return {"type": "object", "properties": parts, "required": [*parts], "additionalProperties": False}


def _of_error(error: Exception) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error)}

"""Make the schemas that read a text of a field at once: for types of Slotbook's own, texts and enumerations of words.

A field's schema takes a value in every form in which a caller may give it, and asks a function of Python's for some. A
text that was written has one form, which a pattern tells. Of a text that such a schema takes, the field's own reads the
same value; one that it refuses may still be right, so then the field's own is asked.

>>> from .types import Count
>>> from .building import adapter
>>> read_at_once(adapter(Count).core_schema, {})["steps"][0]["pattern"]
'^(?:0|-?[1-9][0-9]{0,17})$'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import core_schema

from .entity_fields import Schema, chain, nullable
from .names import is_name_schema
from .numbers import DIGITS_OF, decimal_pattern, exact_integer
from .times import exact_time

_INTEGER = r"0|-?[1-9][0-9]{0,17}"
_TIME = r"[1-9][0-9]{18}"
"""Times from 2001 on, which are in no other unit."""

_IS_WORD = re.compile(r"\w+", re.ASCII).fullmatch


def read_at_once(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema | None:
    """Return the schema that reads the text of a field at once, given the field's own; None where there is none."""
    kind = schema["type"]
    if kind == "definition-ref":
        return read_at_once(definitions[schema["schema_ref"]], definitions)
    if kind == "nullable":
        inner = read_at_once(schema["schema"], definitions)
        return None if inner is None else nullable(inner)
    if is_name_schema(schema):
        return cast("Schema", schema["schema"]["strict_schema"])
    if kind == "str":
        return {**schema, "strict": True}
    return _member(schema) if kind == "enum" else _number(schema)


def _member(schema: Mapping[str, Any]) -> Schema | None:
    """Return the schema that reads the value of a member, where values are words: its class may take other texts."""
    values = [member.value for member in schema["members"]]
    if not all(type(value) is str and _IS_WORD(value) for value in values):
        return None
    return _read_text("|".join(values), {name: part for name, part in schema.items() if name != "ref"})


def _number(schema: Mapping[str, Any]) -> Schema | None:
    """Return the schema that reads a number which a function of Slotbook's takes from a caller, None for any other."""
    if schema["type"] != "function-before":
        return None
    reader, inner, pattern = schema["function"]["function"], schema["schema"], None
    if inner["type"] == "decimal":
        pattern = next((decimal_pattern(*digits) for known, digits in DIGITS_OF.items() if known is reader), None)
    elif inner["type"] == "int":
        pattern = _TIME if reader is exact_time else _INTEGER if reader is exact_integer else None
    if pattern is None:
        return None
    return _read_text(pattern, inner)


def _read_text(pattern: str, then: Schema) -> Schema:
    """Return the schema that reads the texts with a pattern."""
    return chain(cast("Schema", core_schema.str_schema(pattern=f"^(?:{pattern})$", strict=True)), then)

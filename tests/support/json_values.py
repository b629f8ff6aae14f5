"""JSON schemas in tests: a validator, and the values that one accepts, as far as Slotbook's schemas go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, TypeAlias, cast

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

Schema: TypeAlias = "dict[str, Any]"

VISIBLE = st.characters(exclude_categories=["C"])
"""Characters without the invisible ones, which no portable pattern can name."""
_formats = FormatChecker(())


@_formats.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(re.sub(r"\.\d+", "", value)).tzinfo is not None


@_formats.checks("date", raises=ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    # $ is the very end in ECMA-262, which JSON schemas follow; in Python it is also before a last line feed.
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = cast("Any", validators).extend(Draft202012Validator, {"pattern": _pattern})


def validator(schema: Schema) -> Any:
    """Return a validator of values by a schema of JSON Schema 2020-12, which it checks."""
    Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return _Validator(schema, format_checker=_formats)


def values_of(schema: Schema) -> st.SearchStrategy[Any]:
    """Return the values that a schema accepts."""
    return _drawn(schema, schema).filter(_Validator(schema, format_checker=_formats).is_valid)


def _drawn(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _drawn(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([_drawn(one, root) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema == {"not": {}}:
        return st.nothing()
    return _PLAIN[schema["type"]](schema)


def _numbers(schema: Schema) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("exclusiveMaximum")
    whole = st.integers(least, most)
    return (
        whole | st.integers(-(10**6), 10**6).map(lambda cents: cents / 100) | st.integers(1, 999).map(lambda n: n / 1e9)
    )


def _integers(schema: Schema) -> st.SearchStrategy[Any]:
    return st.integers(schema.get("minimum"), schema.get("maximum", schema.get("exclusiveMaximum")))


def _texts(schema: Schema) -> st.SearchStrategy[Any]:
    form = schema.get("format")
    if form == "date":
        return st.dates().map(str)
    if form == "date-time":
        moments = st.datetimes(datetime(1981, 1, 1), datetime(2199, 1, 1))
        return moments.map(lambda moment: moment.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"))
    if "pattern" not in schema:
        return st.text(max_size=20)
    return st.from_regex(re.sub(r"\$$", r"\\Z", schema["pattern"]), alphabet=VISIBLE)


def _mappings(schema: Schema) -> st.SearchStrategy[Any]:
    keys = _texts(schema.get("propertyNames", {}))
    return st.dictionaries(keys, _drawn(schema["additionalProperties"], {}), max_size=2)


_PLAIN: dict[str, Callable[[Schema], st.SearchStrategy[Any]]] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "number": _numbers,
    "integer": _integers,
    "string": _texts,
    "object": _mappings,
    "array": lambda _: st.just([]),
}

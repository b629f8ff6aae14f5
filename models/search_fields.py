"""The descriptions of fields of a desk's own for queries, each from the written form of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any

from .arguments import shown
from .doubles import WHOLE, Decimals, Doubles, Numbers, Steps
from .entity_codec import EntityCodec
from .entity_fields import Schema, leaf_of
from .errors import InvalidArgument
from .names import MAX_NAME, NAME_PATTERN
from .numbers import DIGITS_OF
from .stored import Field, TextForm, is_one_tag

_CHECKED_LAST = frozenset(("function-after", "function-wrap", "function-plain"))
"""Kinds of schemas that can change a value behind the rules of its type."""
_KINDS: Mapping[str, type[object]] = {"int": int, "decimal": Decimal, "float": float}
_RANGES = "for ranges mark it with Index(sorted=True) and use by of its table"


def search_field(codec: EntityCodec[Any], name: str) -> Field:
    """Return the description of a field of one piece for queries."""
    leaf, around = leaf_of(codec.schemas[name], codec.definitions)
    kind = str((leaf or {})["type"])
    optional = name in codec.nullable
    if kind in _KINDS:
        return Field(name, _KINDS[kind], optional, _numbers(kind, leaf or {}, around), is_own=True)
    written = partial(codec.text_of, name)
    if kind == "str":
        form = TextForm.NAME if _is_name(leaf or {}, around) else TextForm.FREE
        return Field(name, str, optional, form=form, is_own=True, written=written)
    encode = partial(_encoded, codec, name)
    if kind in ("enum", "literal"):
        choices = _choices(leaf or {})
        texts = tuple(map(str, choices))
        has_parts = all(isinstance(choice, str) for choice in choices)
        form = TextForm.WORD if all(map(_is_word, texts)) else TextForm.FREE
        return Field(
            name, str, optional, None, form, choices=texts, sortable=has_parts, has_parts=has_parts,
            is_own=True, written=written, encode=encode,
        )  # fmt: skip
    return Field(
        name,
        str,
        optional,
        form=TextForm.FREE if kind == "bytes" else TextForm.WORD,
        sortable=kind != "datetime",  # fractions of a second come before the "Z"
        has_parts=False,
        is_own=True,
        written=written,
        encode=encode,
        instead=_RANGES if kind in ("datetime", "date") else "use == or <<",
    )


def _choices(leaf: Schema) -> list[object]:
    """Return the values of an enumeration or a Literal."""
    members: list[object] = [one for one in leaf.get("members") or leaf["expected"] if one is not None]
    return [one.value if isinstance(one, Enum) else one for one in members]


def _numbers(kind: str, leaf: Schema, around: Sequence[Schema]) -> Numbers:
    if kind == "int":
        return WHOLE
    if kind == "float":
        return Doubles()
    before = [each["function"].get("function") for each in around if each["type"] == "function-before"]
    if not _CHECKED_LAST.intersection(each["type"] for each in around):
        if before and (digits := DIGITS_OF.get(before[-1])) is not None:
            return Steps(Decimal(1).scaleb(-digits[1]))
        if (places := leaf.get("decimal_places")) is not None:
            return Steps(Decimal(1).scaleb(-places))
    return Decimals()


def _is_name(leaf: Schema, around: Sequence[Schema]) -> bool:
    is_name = leaf.get("pattern") == NAME_PATTERN and leaf.get("max_length", MAX_NAME + 1) <= MAX_NAME
    return is_name and not _CHECKED_LAST.intersection(each["type"] for each in around)


def _is_word(text: str) -> bool:
    return text == text.strip() and is_one_tag(text)


def _encoded(codec: EntityCodec[Any], name: str, value: object) -> str:
    """Return the text of a value that is looked for. Raises InvalidArgument for one that is none of its type."""
    try:
        return str(codec.encode_some({name: value})[name])
    except InvalidArgument:
        raise
    except Exception as error:  # what compares a type of the caller's may raise anything
        raise InvalidArgument(f"{codec.name}.{name} {shown(value)} cannot be looked for") from error

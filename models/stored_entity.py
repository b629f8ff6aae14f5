"""The description of a desk's own model for queries, from the written forms that the types of its fields have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from .arguments import shown
from .doubles import WHOLE, Decimals, Doubles, Numbers, Steps
from .entity import KEPT_BY_THE_BOOK, Entity
from .entity_codec import EntityCodec
from .entity_fields import Schema, leaf_of
from .errors import InvalidArgument, UnknownField
from .keys import escaped
from .record import Record
from .stored import Field, Stored, TextForm, is_one_tag
from .table import TableModel, reference_model, table_model
from .types import NAME_PATTERN, PLACES, exact_decimal, exact_price

E = TypeVar("E", bound=Entity)

_CHECKED_LAST = frozenset(("function-after", "function-wrap", "function-plain"))
"""Kinds of schemas that can change a value behind the rules of its type."""
_OF_PLACES = (exact_decimal, exact_price)
"""The functions that take decimals of at most 9 places."""
_KINDS: Mapping[str, type[object]] = {"int": int, "decimal": Decimal, "float": float}
_RANGES = "for ranges mark it with Index(sorted=True) and use by of its table"


class StoredEntity(Stored[E]):
    """The description for queries of a table of a desk's own."""

    def __init__(self, table: TableModel[E]) -> None:
        codec = table.codec
        self.table = table
        self._json = {name: why for name in table.fields if (why := codec.not_one_piece(name))}
        fields = [_field(table, codec, name) for name in (*table.fields, *KEPT_BY_THE_BOOK) if name not in self._json]
        by_name = {field.name: field for field in fields}
        copies = {f"{name}.text": name for name in table.key_fields if by_name[name].numbers}
        names = {field: name for name, field in copies.items()}
        self._keys = ("trader", *table.key_fields) if table.has_trader else table.key_fields
        identity = [names.get(name, name) for name in self._keys]
        super().__init__(table.model, table.kind, identity, by_name, copies=copies)
        self.schema = table.schemas.text

    @property
    def records(self) -> str:
        """The word for several records, in messages."""
        return f"records of {self.table.name}"

    @property
    def has_tag(self) -> bool:
        """True when the key begins with the hash tag of the trader that the record belongs to."""
        return self.table.has_trader

    @property
    def create_option(self) -> str:
        """The argument of ``slotbook index create`` for its index, in messages."""
        return f" {self.model.__module__}:{self.model.__qualname__}"

    def key(self, prefix: str, identity: Sequence[str]) -> str:
        """Return the key of one record's hash."""
        trader, parts = (f"{{{identity[0]}}}:", identity[1:]) if self.table.has_trader else ("", identity)
        return f"{prefix}{trader}{self.kind}:{_joined(parts)}"

    def identity_of(self, record: Record) -> tuple[str, ...]:
        """Return the identity of a record: its trader, where it has one, and the written values of its key fields."""
        write = self.table.codec.text_of
        return tuple(write(name, getattr(record, name)) for name in self._keys)

    def read(self, key: str, fields: Mapping[str, str]) -> E:
        """Return the record of the fields of a hash. Raises CorruptRecord, which names ``key``."""
        return self.table.decode_stored(key, fields)

    def field(self, name: str) -> Field:
        """Return a field to search by. Raises UnknownField, with the nearest name or the reason, when it is none."""
        if why := self._json.get(name):
            raise UnknownField(f"{self.table.name}.{name} cannot be searched by: {why}")
        return super().field(name)


def stored_entity(model: type[E]) -> StoredEntity[E]:
    """Return the description for queries of a model's table, which is made once. Raises InvalidArgument."""
    known = _stored.get(model)
    if known is None:
        describe = table_model if "trader" in getattr(model, "model_fields", ("trader",)) else reference_model
        known = _stored.setdefault(model, StoredEntity(describe(model)))
    return known


_stored: dict[type[Entity], StoredEntity[Any]] = {}


def _joined(parts: Sequence[str]) -> str:
    *first, last = parts
    return ":".join([*map(escaped, first), last]) if first else last


def _field(table: TableModel[Any], codec: EntityCodec[Any], name: str) -> Field:
    leaf, around = leaf_of(codec.schemas[name], codec.definitions)
    kind = str((leaf or {})["type"])
    optional = name in codec.nullable
    if kind in _KINDS:
        return Field(name, _KINDS[kind], optional, _numbers(kind, leaf or {}, around), is_own=True)
    written = partial(codec.text_of, name)
    if kind == "str":
        form = TextForm.NAME if _is_name(leaf or {}, around) else TextForm.FREE
        return Field(name, str, optional, form=form, is_own=True, written=written)
    encode = partial(_encoded, table, name)
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
        if before and before[-1] in _OF_PLACES:
            return Steps(Decimal(1).scaleb(-PLACES))
        if (places := leaf.get("decimal_places")) is not None:
            return Steps(Decimal(1).scaleb(-places))
    return Decimals()


def _is_name(leaf: Schema, around: Sequence[Schema]) -> bool:
    is_name = leaf.get("pattern") == NAME_PATTERN and leaf.get("max_length", 129) <= 128
    return is_name and not _CHECKED_LAST.intersection(each["type"] for each in around)


def _is_word(text: str) -> bool:
    return text == text.strip() and is_one_tag(text)


def _encoded(table: TableModel[Any], name: str, value: object) -> str:
    """Return the text of a value that is looked for. Raises InvalidArgument for one that is none of its type."""
    try:
        return table.encode_value(name, value)
    except InvalidArgument:
        raise
    except Exception as error:  # what compares a type of the caller's may raise anything
        raise InvalidArgument(f"{table.name}.{name} {shown(value)} cannot be looked for") from error

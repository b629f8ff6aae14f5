"""The description of a desk's own model for queries, from the written forms that the types of its fields have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from .entity import KEPT_BY_THE_BOOK, Entity
from .keys import escaped
from .record import Record
from .search_fields import search_field
from .stored import Stored
from .table import TableModel, reference_model, table_model

E = TypeVar("E", bound=Entity)


class StoredEntity(Stored[E]):
    """The description for queries of a table of a desk's own."""

    def __init__(self, table: TableModel[E]) -> None:
        codec = table.codec
        self.table = table
        self.unsearchable = {name: why for name in table.fields if (why := codec.not_one_piece(name))}
        fields = [
            search_field(codec, name) for name in (*table.fields, *KEPT_BY_THE_BOOK) if name not in self.unsearchable
        ]
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

    def call_without_search(self, required: Mapping[str, str]) -> str:
        """Return the call of the table that comes nearest to a query; ``required`` are texts that are given."""
        table, trader = self.table, required.get("trader")
        of_trader = [repr(trader) if trader else "trader"] if table.has_trader else []
        key = [required.get(name) for name in table.key_fields]
        if all(key) and (trader or not table.has_trader):
            key_text = repr(key[0] if len(key) == 1 else tuple(key))
            return f"get({', '.join([*of_trader, key_text])}) of {table.name}'s table"
        for name in table.indexes:
            if name in required:
                return f"by({', '.join([*of_trader, repr({name: required[name]})])}) of {table.name}'s table"
        hint = ", or by on a field that has an index" if table.has_trader else ""
        return f"all({', '.join(of_trader)}) of {table.name}'s table{hint}"

    def identity_of(self, record: Record) -> tuple[str, ...]:
        """Return the identity of a record: its trader, where it has one, and the written values of its key fields."""
        write = self.table.codec.text_of
        return tuple(write(name, getattr(record, name)) for name in self._keys)

    def read(self, key: str, fields: Mapping[str, str]) -> E:
        """Return the record of the fields of a hash. Raises CorruptRecord, which names ``key``."""
        return self.table.decode_stored(key, fields)


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

"""The description of a table of a desk's own records: what its model says, checked once.

::

    table = table_model(Allocation)
    table.kind, table.key_fields, table.indexes  # ("allocation", ("allocation_id",), ("order_id", "account"))
    table.encode(allocation)                     # {"trader": "T001", "allocation_id": "L1", …, "quantity": "40"}
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar, cast
from uuid import UUID

from .arguments import mapping, must_be, shown
from .entity import KEPT_BY_THE_BOOK, Entity, Index, Key, SortedIndex, Unique
from .entity_codec import LAST_VERSION, SCHEMA_FIELD, EntityCodec
from .entity_rules import check_model, markers_of
from .entity_schemas import NO_CONTENT, Schemas
from .errors import CorruptRecord, InvalidArgument, never_written
from .keys import escaped
from .names import is_plain_name
from .ordering import SortValue, order_text, written_number
from .record import check_fields, copied

E = TypeVar("E", bound=Entity)

KeyPart: TypeAlias = str | int | Decimal | bool | float | bytes | date | UUID | Enum
RecordKey: TypeAlias = KeyPart | tuple[KeyPart, ...]
"""The name of a record among its trader's: the value of the key field, or a tuple of the values of several."""

_BRACES = frozenset("{}")
"""The marks of a hash tag, which a key without a trader does not have."""
_IS_VERSION = re.compile("[1-9][0-9]{0,14}", re.ASCII).fullmatch


class TableModel(Generic[E]):
    """The description of one table; it raises InvalidArgument for a model that cannot be stored."""

    def __init__(self, model: type[E]) -> None:
        check_model(model)
        self.model = model
        self.name = model.__name__
        self.kind = str(model.entity_kind)
        self.has_trader = "trader" in model.model_fields
        """True for a model whose records belong to traders' books."""
        self.ttl = model.entity_ttl
        """Seconds after its last change at which a record is gone; None for one that stays."""
        marked = markers_of(model)
        self.key_fields = tuple(name for name, markers in marked.items() if Key in markers)
        self.indexes = tuple(name for name, markers in marked.items() if Index in markers)
        self.uniques = tuple(name for name, markers in marked.items() if Unique in markers)
        self._codec: EntityCodec[E] = EntityCodec(model)
        sorted_fields = [name for name, markers in marked.items() if SortedIndex in markers]
        self.sorted_fields: Mapping[str, str] = {name: self._order_of(name) for name in sorted_fields}
        """The fields that have a sorted index, with the form of their order: ``number`` or ``time``."""
        forms = [f"{name}:{form}" for name, form in self.sorted_fields.items()]
        self.declared = "|".join(" ".join(sorted(names)) for names in (self.indexes, self.uniques, forms))
        """The fields by which records of the model's schema are found, as a trader's header says them."""
        self.schemas: Schemas[E] = Schemas(model, self._codec)
        self.fields = self._codec.names
        """The names of the fields, without those that the book sets."""
        self._check_marked()
        self._key_is_name = len(self.key_fields) == 1 and self._codec.takes_any_name(self.key_fields[0])

    def _order_of(self, name: str) -> str:
        if order := self._codec.forms[name].order:
            return order
        problem = "its values are neither numbers nor times; mark it with Index alone"
        raise InvalidArgument(f"{self.name}.{name} cannot be sorted: {problem}")

    def _check_marked(self) -> None:
        identity = ("trader", *self.key_fields) if self.has_trader else self.key_fields
        for name in dict.fromkeys((*identity, *self.indexes, *self.uniques)):
            what = "an index or a unique value" if name not in identity else "a part of a key"
            if why := self._codec.not_one_piece(name):
                instead = "mark a text, a number or a datetime"
                raise InvalidArgument(f"{self.name}.{name} cannot be {what}: {why}; {instead}")
            if what == "a part of a key" and name in self._codec.nullable:
                raise InvalidArgument(f"{self.name}.{name} cannot be a part of a key: it may be None")

    @property
    def codec(self) -> EntityCodec[E]:
        """The writer and reader of its records."""
        return self._codec

    def __reduce__(self) -> tuple[object, ...]:
        """Return what pickle makes the description from again."""
        return table_model if self.has_trader else reference_model, (self.model,)

    def key_of(self, record: E) -> str:
        """Return the text of a record's key."""
        return self.key_of_fields(self._codec.encode(record))

    def key_of_fields(self, fields: Mapping[str, str]) -> str:
        """Return the text of the key of a record's written fields. Raises InvalidArgument for an unusable one."""
        key = self._joined(fields)
        if not key:
            raise InvalidArgument(f"{self.name}.{self.key_fields[0]} '' cannot be used: a key is not empty")
        if "\0" in key:  # a server that searches would read it to there
            raise InvalidArgument(f"{self.name}: {shown(key)} cannot be used: a key has no NUL")
        if not self.has_trader and _BRACES.intersection(key):
            raise InvalidArgument(f"{self.name}: {shown(key)} cannot be used: a key without a trader has no braces")
        return key

    def _joined(self, fields: Mapping[str, str]) -> str:
        if len(self.key_fields) == 1:
            return fields[self.key_fields[0]]
        *first, last = (fields[name] for name in self.key_fields)
        return ":".join([*map(escaped, first), last])

    def key_from(self, key: RecordKey) -> str:
        """Return the text of a key that a caller gives: a value, or a tuple of the values of several key fields."""
        given = cast("object", key)
        if self._key_is_name and is_plain_name(given):  # what most keys are; it is written as it is
            return cast("str", given)
        names = self.key_fields
        parts = cast("Sequence[object]", given) if isinstance(given, tuple) else (given,)
        if len(parts) != len(names):
            raise InvalidArgument(f"{self.name}: {shown(key)} cannot be used: the key is {' and '.join(names)}")
        return self.key_of_fields(cast("dict[str, str]", self._codec.encode_some(dict(zip(names, parts, strict=True)))))

    def encode(self, record: E) -> dict[str, str]:
        """Return the written fields of a record, without those that are None and those that the book sets.

        Raises InvalidArgument for what would not come back equal.
        """
        self._check_class(record)
        return self._codec.encode(record)

    def encode_and_read(self, record: E, ts_ns: int) -> tuple[dict[str, str], E | None]:
        """Return the written fields of a record, as ``encode`` does, and the record that is read of them.

        That is the record as it is stored first, at ``ts_ns``; None when only ``decode`` says what it is.
        """
        self._check_class(record)
        if not self._codec.is_flat:
            return self._codec.encode(record), None
        return self._codec.encode_and_read(record, {"version": "1", "updated_ns": str(ts_ns)})

    def _check_class(self, record: E) -> None:
        if type(record) is not self.model:
            must_be(record, self.model)
            if (own := type(record).entity_kind) is not None:  # it is stored in another table
                raise InvalidArgument(f"a {type(record).__name__} is a record of the kind {own}, not {self.kind}")
        check_fields(record, self.model)

    def json_and_digest(self, fields: Mapping[str, str]) -> tuple[str, str]:
        """Return what ``encode`` has returned as JSON, and its digest."""
        return self._codec.json_and_digest(fields)

    def stored(self, first: E | None, version: str) -> E | None:
        """Return a record as it is stored, given what ``encode_and_read`` has; None when only ``decode`` says that."""
        if first is None or version == "1":
            return first
        return copied(first, version=int(version)) if _IS_VERSION(version) else None

    def decode(self, hash_key: str, fields: Mapping[str, str], trader: str | None = None, key: str | None = None) -> E:
        """Return the record of the fields of a hash; one of an older schema is upgraded.

        Where they are given, the trader and the text of the key must be the record's own.

        Raises:
            CorruptRecord: A field cannot be read, or not upgraded; it names ``hash_key`` and the field.
            SchemaTooNew: The record is of a newer schema than the model.
            SchemaMismatch: The model has no upgrade from the record's schema.
        """
        return self._read(hash_key, fields, trader, key)[0]

    def decode_stored(
        self, hash_key: str, fields: Mapping[str, str], trader: str | None = None, key: str | None = None
    ) -> E:
        """Return the record of the fields of a hash that a book has written, as ``decode`` does, and as strictly.

        Raises what ``decode`` does, and CorruptRecord for a version or schema that no book has written.
        """
        if (version := fields.get("version", "")) == "0" or len(version) > len(LAST_VERSION):
            raise never_written(hash_key, "version", version)
        if SCHEMA_FIELD not in fields:
            raise CorruptRecord(hash_key, SCHEMA_FIELD, "is missing")
        return self.decode(hash_key, fields, trader, key)

    def upgrade_of(
        self, hash_key: str, fields: Mapping[str, str], trader: str | None, key: str, changes: Mapping[str, str | None]
    ) -> dict[str, str | None]:
        """Return what the upgrade of a record of an older schema, and then some changes, give its written fields.

        It has None for a field that is removed. Raises what ``decode`` does.
        """
        written: dict[str, str | None] = {**self._read(hash_key, fields, trader, key)[1], **changes}
        stored = {name: text for name, text in fields.items() if name not in NO_CONTENT}
        gone = dict.fromkeys(name for name in stored if name not in written)
        return gone | {name: text for name, text in written.items() if text != stored.get(name)}

    def _read(
        self, hash_key: str, fields: Mapping[str, str], trader: str | None, key: str | None
    ) -> tuple[E, Mapping[str, str]]:
        """Return a record, and its fields as they are written in the model's schema."""
        record = self.schemas.read(hash_key, fields)
        if fields.get(SCHEMA_FIELD, self.schemas.text) != self.schemas.text:
            try:
                fields = self._codec.encode(record)
            except InvalidArgument as error:
                raise CorruptRecord(hash_key, SCHEMA_FIELD, f"after its upgrade: {error}") from None
        if trader is not None and (held := fields["trader"]) != trader:
            raise CorruptRecord(hash_key, "trader", f"{held!r} is not {trader!r}: it is the record of another trader")
        if key is not None and (held := self._joined(fields)) != key:
            raise CorruptRecord(hash_key, self.key_fields[0], f"{held!r} is not {key!r}: it is another key's record")
        return record, fields

    def encode_changes(self, changes: Mapping[str, object]) -> dict[str, str | None]:
        """Return the written form of the values that an update gives, None for a field that is removed.

        Raises InvalidArgument for a field that there is not or that does not change, and for a value that is none of
        its type.
        """
        if why := self._codec.whole_record_check:
            raise InvalidArgument(f"{self.name} cannot be updated: {why}; use put")
        for name in mapping("changes", changes):
            self.check_field(name)
            if name == "trader" or name in self.key_fields:
                raise InvalidArgument(f"{self.name}.{name} cannot be changed: it names the record; insert another")
        if not changes:
            raise InvalidArgument(f"{self.name}: an update changes at least one field")
        return self._codec.encode_some(changes)

    def encode_value(self, field: str, value: object) -> str:
        """Return the written form of one value that is looked for. Raises InvalidArgument."""
        self.check_field(field)
        written = self._codec.encode_some({field: value})[field]
        if written is None:
            raise InvalidArgument(f"{self.name}.{field} None cannot be looked for: it is in no index")
        return written

    def encode_indexed(self, field: str, value: object) -> str:
        """Return the written form of a value of a field that has an index. Raises InvalidArgument."""
        self.check_field(field)
        if field not in self.indexes and field not in self.sorted_fields:
            raise self._no_index(field, "index", (*self.indexes, *self.sorted_fields), "Index")
        return self.encode_value(field, value)

    def encode_bound(self, field: str, value: SortValue | None) -> str | None:
        """Return the order text of a bound of a range, None for None. Raises InvalidArgument.

        A number may be one that the field does not take, such as 0 for a quantity.
        """
        self.check_field(field)
        if field not in self.sorted_fields:
            raise self._no_index(field, "sorted index", self.sorted_fields, "Index(sorted=True)")
        if value is None:
            return None
        form = self.sorted_fields[field]
        try:
            written = self.encode_value(field, value)
        except InvalidArgument:
            beyond = written_number(value) if form == "number" else None
            if beyond is None:
                raise
            written = beyond
        return order_text(form, written)

    def _no_index(self, field: str, what: str, names: Collection[str], marker: str) -> InvalidArgument:
        there = f"there are {', '.join(names)}" if names else "it has none"
        instead = f"declare it as Annotated[..., {marker}] to look by it"
        return InvalidArgument(f"{self.name}.{field} has no {what} ({there}); {instead}")

    def digest(self, fields: Mapping[str, str]) -> str:
        """Return 22 characters that are the same for the written fields of equal contents, and for no others."""
        return self._codec.digest(fields)

    def check_field(self, name: str) -> None:
        """Raise InvalidArgument, with the nearest name, unless a record has a field that its caller can set."""
        given = cast("object", name)
        if name in self.fields:
            return
        if name in KEPT_BY_THE_BOOK:
            raise InvalidArgument(f"{self.name}.{name} is set by the book alone")
        near = get_close_matches(given, self.fields, 1, 0) if isinstance(given, str) else []
        raise InvalidArgument(f"{self.name} has no field {shown(name)}; the nearest is {(near or self.fields)[0]}")


_tables: dict[type[Entity], TableModel[Any]] = {}


def known_table(model: type[E]) -> TableModel[E] | None:
    """Return the description of a model's table when it has been made, None for any other class."""
    return _tables.get(model) if isinstance(cast("object", model), type) else None


def table_model(model: type[E]) -> TableModel[E]:
    """Return the description of a model's table, which is made once. Raises InvalidArgument."""
    table = _description(model)
    if not table.has_trader:
        remedy = f"keep its records with book.reference({table.name}), or write trader: Name"
        raise InvalidArgument(f"{table.name} has no trader, to whose book a record would belong: {remedy}")
    return table


def reference_model(model: type[E]) -> TableModel[E]:
    """Return the description of a model without a trader, which is made once. Raises InvalidArgument."""
    table = _description(model)
    if table.has_trader:
        remedy = f"keep its records with book.table({table.name})"
        raise InvalidArgument(f"{table.name} has a trader, to whose book a record belongs: {remedy}")
    return table


def _description(model: type[E]) -> TableModel[E]:
    known = _tables.get(model) if isinstance(cast("object", model), type) else None
    return _tables.setdefault(model, TableModel(model)) if known is None else known

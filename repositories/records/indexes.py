"""Say which members of which indexes a query of own records looks at. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Generic, NamedTuple, TypeVar

from ...models.arguments import mapping, must_be
from ...models.entity import Entity
from ...models.errors import InvalidArgument
from ...models.keys import TraderKeys
from ...models.ordering import SortValue, check_comparable, highest, lowest, order_text
from ...models.table import TableModel

E = TypeVar("E", bound=Entity)

_NO_VALUES: Mapping[str, str] = {}


class Part(NamedTuple):
    """The members of one index that are looked for."""

    index_key: str
    """The key of the index."""
    head: str
    """Their beginning, before the key of the record: nothing, or in a sorted index a value's order text and ':'."""
    beside: str
    """The key of the set beside the index."""


@dataclass(frozen=True, slots=True)
class Range(Generic[E]):
    """A range of a sorted field, as a caller gives it. Raises InvalidArgument for two bounds of one side."""

    field: str
    least: SortValue | None = None
    most: SortValue | None = None
    above: SortValue | None = None
    below: SortValue | None = None
    values: Mapping[str, object] | None = None
    """The values that other fields must have."""
    _: KW_ONLY
    descending: bool = False
    after: E | None = None
    """The record after which it begins."""

    def __post_init__(self) -> None:
        for one, other in (("least", "above"), ("most", "below")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise InvalidArgument(f"{one} and {other} are both given: a range has one bound on a side")


class Walk(NamedTuple):
    """The parts whose records a query finds, and the order in which it finds them."""

    parts: Sequence[Part]
    least: str = ""
    """The bounds of a range of the first part's index, in the server's form; '' for the order of keys."""
    most: str = ""
    after: str = ""
    """The key after which a query in the order of keys begins, '' for its beginning."""
    descends: bool = False
    values: Mapping[str, str] = _NO_VALUES
    """The written values that are looked for, by field."""
    field: str = ""
    """The field whose range it is, '' without one."""
    declared: str = ""
    """The fields whose indexes it reads, as a declaration has them, with a blank between them."""

    @property
    def indexes(self) -> list[str]:
        """The keys of the indexes."""
        return [part.index_key for part in self.parts]

    @property
    def words(self) -> list[str]:
        """The rest of the parts, as the scripts take them."""
        return [word for part in self.parts for word in (part.head, part.beside)]

    def from_cursor(self, cursor: str) -> Walk:
        """Return what is left of the walk after a member of the range, or after a key."""
        if not self.least:
            return self._replace(after=cursor)
        return self._replace(most="(" + cursor) if self.descends else self._replace(least="(" + cursor)


def all_parts(keys: TraderKeys, table: TableModel[E]) -> list[Part]:
    """Return the part that has every record of a trader."""
    return [Part(keys.own_keys(table.kind), "", keys.own_keys(table.kind, beside=True))]


def written_values(table: TableModel[E], values: Mapping[str, object] | None) -> Mapping[str, str]:
    """Return the written values that are looked for. Raises InvalidArgument for a field without an index."""
    if values is None:
        return _NO_VALUES
    return {field: table.encode_indexed(field, value) for field, value in mapping("values", values).items()}


def parts_of(keys: TraderKeys, table: TableModel[E], values: Mapping[str, str]) -> list[Part]:
    """Return a part for each written value that is looked for."""
    found: list[Part] = []
    for name, written in values.items():
        if form := table.sorted_fields.get(name):
            found.append(_sorted_part(keys, table, name, f"{order_text(form, written)}:"))
        else:
            index = keys.own_index(table.kind, name, written)
            found.append(Part(index, "", keys.own_index(table.kind, name, written, beside=True)))
    return found


def walk_of(keys: TraderKeys, table: TableModel[E], values: Mapping[str, object] | None, after: str = "") -> Walk:
    """Return the walk through the records with some values, or through all, in the order of their keys.

    Raises InvalidArgument for a field without an index, and for no values at all.
    """
    if values is None:
        return Walk(all_parts(keys, table), after=after)
    written = written_values(table, values)
    if not written:
        raise InvalidArgument(f"{table.name}: no field is given to look by; all reads every record")
    parts = parts_of(keys, table, written)
    return Walk(parts, after=after, values=written, declared=_declared(table, written))


def range_of(keys: TraderKeys, table: TableModel[E], wanted: Range[E]) -> Walk:
    """Return the walk through a range in its order. Raises InvalidArgument for a field that has no sorted index."""
    name, descends = wanted.field, wanted.descending
    least, above = table.encode_bound(name, wanted.least), table.encode_bound(name, wanted.above)
    most, below = table.encode_bound(name, wanted.most), table.encode_bound(name, wanted.below)
    check_comparable(f"{table.name}.{name}", least or above, most or below)
    low, high = lowest(least, above, most or below), highest(most, below, least or above)
    if wanted.after is not None:
        member = _member_of(table, name, wanted.after)
        if descends and (high == "+" or member < high[1:]):
            high = f"({member}"
        elif not descends and (low == "-" or member >= low[1:]):
            low = f"({member}"
    written = written_values(table, wanted.values)
    parts = [_sorted_part(keys, table, name, ""), *parts_of(keys, table, written)]
    declared = _declared(table, [name, *written])
    return Walk(parts, low, high, descends=descends, values=written, field=name, declared=declared)


def _declared(table: TableModel[E], names: Iterable[str]) -> str:
    """Return fields with an index as a declaration has them: a sorted one with its form."""
    return " ".join(f"{name}:{table.sorted_fields[name]}" if name in table.sorted_fields else name for name in names)


def _sorted_part(keys: TraderKeys, table: TableModel[E], name: str, head: str) -> Part:
    return Part(keys.own_sorted(table.kind, name), head, keys.own_sorted(table.kind, name, beside=True))


def _member_of(table: TableModel[E], name: str, record: E) -> str:
    """Return the member of a sorted index that a record has. Raises InvalidArgument for a record that has none."""
    must_be(record, table.model)
    written = table.encode(record)
    text = order_text(table.sorted_fields[name], written.get(name, ""))
    if text is None:
        raise InvalidArgument(f"{table.name}.{name} of the record to go on after is None: it is in no range")
    return f"{text}:{table.key_of_fields(written)}"

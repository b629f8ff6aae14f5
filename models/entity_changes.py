"""The changes of a desk's own records, as values: steps of a unit, beside orders and fills.

::

    book.commit([order, Insert(allocation), Update(Allocation, "T001", "L1", {"quantity": 40}, expected_version=3)])

Each is checked when it is made: what no book could store is refused before anything is sent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from .arguments import must_be, whole
from .entity import Entity
from .entity_codec import SCHEMA_FIELD
from .errors import InvalidArgument
from .table import RecordKey, TableModel, known_table, table_model
from .times import exact_time
from .types import check_name, new_id

E = TypeVar("E", bound=Entity)

_LATEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)  # no slots: see results.Outcome
class EntityChange(Generic[E]):
    """The base class of the changes of own records, with what a book needs to know of each."""

    table: TableModel[E] = field(init=False, repr=False, compare=False)
    """The description of the model."""
    key_text: str = field(init=False, repr=False, compare=False)
    """The text of the record's key."""

    def _keep(self, **found: object) -> None:
        """Set attributes to what was found out of the arguments."""
        vars(self).update(found)

    def _keep_record(self, record: E, ts_ns: int) -> None:
        """Check a record that is to be stored, and keep its written fields."""
        table, ts_ns = _table_of(record), time_of_change(ts_ns)
        written, first = table.encode_and_read(record, ts_ns)
        self._keep(
            table=table,
            trader=check_name("trader", written["trader"]),
            key_text=table.key_of_fields(written),
            written=written,
            first=first,
            ts_ns=ts_ns,
        )

    def _keep_key(self, model: type[E], trader: str, key: RecordKey, ts_ns: int) -> TableModel[E]:
        """Check what names a record, and return the description of its table."""
        table = table_model(model)
        name = check_name("trader", trader)
        self._keep(table=table, trader=name, key_text=table.key_from(key), ts_ns=time_of_change(ts_ns))
        return table

    def _keep_request(self, request_id: str, expected_version: int | None) -> None:
        self._keep(request_id=check_name("request_id", request_id))
        if expected_version is not None:
            self._keep(expected_version=whole("expected_version", expected_version, least=0))


@dataclass(frozen=True)
class Insert(EntityChange[E]):
    """The insertion of a record; inserted again with the same content it changes nothing.

    ::

        book.commit([order, Insert(Allocation(trader="T001", allocation_id="L1", account="ACC1", quantity=40))])
    """

    record: E
    ts_ns: int = field(default_factory=time.time_ns, kw_only=True)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""
    trader: str = field(init=False, repr=False, compare=False)
    """The trader whose book is changed."""
    written: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """The written fields of the record."""
    first: E | None = field(init=False, repr=False, compare=False)
    """The record that is read of them, as it is stored first; None when that is only known from what is stored."""

    def __post_init__(self) -> None:
        self._keep_record(self.record, self.ts_ns)


@dataclass(frozen=True)
class Put(EntityChange[E]):
    """The storing of a record, whether there is one of its key or not.

    ::

        book.commit([Put(allocation, expected_version=3), fill])
    """

    record: E
    expected_version: int | None = field(default=None, kw_only=True)
    """The version that the record must have, 0 for one that is not there; None for any."""
    request_id: str = field(default_factory=new_id, kw_only=True)
    """Identity of the request; by default random."""
    ts_ns: int = field(default_factory=time.time_ns, kw_only=True)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""
    trader: str = field(init=False, repr=False, compare=False)
    """The trader whose book is changed."""
    written: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """The written fields of the record."""
    first: E | None = field(init=False, repr=False, compare=False)
    """The record that is read of them, as it is stored first; None when that is only known from what is stored."""

    def __post_init__(self) -> None:
        self._keep_request(self.request_id, self.expected_version)
        self._keep_record(self.record, self.ts_ns)


@dataclass(frozen=True)
class Update(EntityChange[E]):
    """The change of some fields of a record that is there; None removes the value of a field that can be None.

    ::

        book.commit([Update(Allocation, "T001", "L1", {"quantity": 40}, expected_version=3)])
    """

    model: type[E]
    trader: str
    key: RecordKey
    changes: Mapping[str, object]
    expected_version: int | None = field(default=None, kw_only=True)
    """The version that the record must have; None for any."""
    request_id: str = field(default_factory=new_id, kw_only=True)
    """Identity of the request; by default random."""
    ts_ns: int = field(default_factory=time.time_ns, kw_only=True)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""
    written: Mapping[str, str | None] = field(init=False, repr=False, compare=False)
    """The written values of the fields that change; None for one that is removed."""
    upgraded: tuple[str, Mapping[str, str | None]] = field(init=False, repr=False, compare=False)
    """Of a record that was found in an older schema, its version and schema, and what this change and its upgrade
    give its fields; ``("", {})`` when none was."""

    def __post_init__(self) -> None:
        self._keep_request(self.request_id, self.expected_version)
        table = self._keep_key(self.model, self.trader, self.key, self.ts_ns)
        none: dict[str, str | None] = {}
        self._keep(written=table.encode_changes(self.changes), changes=dict(self.changes), upgraded=("", none))

    def upgrading(self, hash_key: str, fields: Mapping[str, str]) -> Update[E]:
        """Return the same change, with the upgrade of the record of an older schema that it found.

        Raises what ``TableModel.decode`` does.
        """
        found = self.table.upgrade_of(hash_key, fields, self.trader, self.key_text, self.written)
        again = copy(self)
        again._keep(upgraded=(f"{fields['version']} {fields[SCHEMA_FIELD]}", found))
        return again


@dataclass(frozen=True)
class Delete(EntityChange[E]):
    """The removal of a record; of one that is not there it changes nothing.

    ::

        book.commit([Delete(Allocation, "T001", "L1")])
    """

    model: type[E]
    trader: str
    key: RecordKey
    expected_version: int | None = field(default=None, kw_only=True)
    """The version that the record must have; None for any."""
    request_id: str = field(default_factory=new_id, kw_only=True)
    """Identity of the request; by default random."""
    ts_ns: int = field(default_factory=time.time_ns, kw_only=True)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""

    def __post_init__(self) -> None:
        self._keep_request(self.request_id, self.expected_version)
        self._keep_key(self.model, self.trader, self.key, self.ts_ns)


def _table_of(record: E) -> TableModel[E]:
    """Return the table of a record: that of its class, or of the nearest one above it that has a kind."""
    if (known := known_table(type(record))) is not None and known.has_trader:
        return known
    must_be(record, Entity)
    models = [model for model in type(record).__mro__ if issubclass(model, Entity) and model.entity_kind]
    return table_model(cast("type[E]", models[0]) if models else type(record))


def time_of_change(ts_ns: int) -> int:
    """Return the time of a change in nanoseconds since the epoch. Raises InvalidArgument for what is none."""
    if type(ts_ns) is int and 10**18 <= ts_ns <= _LATEST:
        return ts_ns
    try:
        return whole("ts_ns", exact_time(ts_ns), least=0, most=_LATEST)
    except InvalidArgument:
        raise
    except ValueError as error:
        raise InvalidArgument(f"ts_ns: {error}") from None

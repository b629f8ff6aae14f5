"""The changes of a desk's own records, as values: steps of a unit, beside orders and fills.

::

    book.commit([order, Insert(allocation), Update(Allocation, "T001", "L1", {"quantity": 40}, expected_version=3)])

Each is checked when it is made: what no book could store is refused before anything is sent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .arguments import must_be, whole
from .entity import Entity
from .errors import InvalidArgument
from .table import RecordKey, TableModel, table_model
from .types import check_name, new_id

E = TypeVar("E", bound=Entity)

_LATEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)  # no slots: see results.Outcome
class EntityChange(Generic[E]):
    """The base class of the changes of own records, with what a book needs to know of each."""

    ts_ns: int = field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""
    table: TableModel[E] = field(init=False, repr=False, compare=False)
    """The description of the model."""
    key_text: str = field(init=False, repr=False, compare=False)
    """The text of the record's key."""

    def _set(self, table: TableModel[E], trader: str, key_text: str) -> None:
        whole("ts_ns", self.ts_ns, least=0, most=_LATEST)
        for name, value in (("table", table), ("trader", check_name("trader", trader)), ("key_text", key_text)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Insert(EntityChange[E]):
    """The insertion of a record; inserted again with the same content it changes nothing.

    ::

        book.commit([order, Insert(Allocation(trader="T001", allocation_id="L1", account="ACC1", quantity=40))])
    """

    record: E
    trader: str = field(init=False, repr=False, compare=False)
    """The trader whose book is changed."""
    written: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """The written fields of the record."""

    def __post_init__(self) -> None:
        _set_record(self, self.record)


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
    trader: str = field(init=False, repr=False, compare=False)
    """The trader whose book is changed."""
    written: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """The written fields of the record."""

    def __post_init__(self) -> None:
        _check_request(self.request_id, self.expected_version)
        _set_record(self, self.record)


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
    written: Mapping[str, str | None] = field(init=False, repr=False, compare=False)
    """The written values of the fields that change; None for one that is removed."""

    def __post_init__(self) -> None:
        _check_request(self.request_id, self.expected_version)
        table = table_model(self.model)
        self._set(table, self.trader, table.key_from(self.key))
        object.__setattr__(self, "written", table.encode_changes(self.changes))


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

    def __post_init__(self) -> None:
        _check_request(self.request_id, self.expected_version)
        table = table_model(self.model)
        self._set(table, self.trader, table.key_from(self.key))


def _set_record(change: Insert[E] | Put[E], record: E) -> None:
    must_be(record, Entity)
    table = _table_of(record)
    written = table.encode(record)
    change._set(table, table.trader_of(record), table.key_of_fields(written))  # pyright: ignore[reportPrivateUsage]
    object.__setattr__(change, "written", written)


def _table_of(record: E) -> TableModel[E]:
    """Return the table of a record: that of its class, or of the nearest one above it that has a kind."""
    for model in type(record).__mro__:
        if issubclass(model, Entity) and model.entity_kind is not None:
            return table_model(model)  # type: ignore[return-value]
    raise InvalidArgument(f"{type(record).__name__} has no kind: write class {type(record).__name__}(Entity, kind=...)")


def _check_request(request_id: str, expected_version: int | None) -> None:
    check_name("request_id", request_id)
    if expected_version is not None:
        whole("expected_version", expected_version, least=0)

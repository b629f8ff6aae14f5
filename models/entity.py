"""The base class of a desk's own records, and the markers of their fields.

::

    class Allocation(Entity, kind="allocation"):
        trader: Name
        allocation_id: Annotated[Name, Key]
        account: Annotated[Name, Index]
        reference: Annotated[Name | None, Unique] = None
        quantity: Quantity

What a class says is checked when its table is made (``table``): by then all types that it refers to are there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, cast

from pydantic import ConfigDict

from .arguments import mapping, seconds, shown, whole
from .errors import InvalidArgument
from .record import Record
from .types import Count, Nanoseconds

LONGEST_TTL = 10 * 365 * 86_400
"""Seconds that a record can be kept with ``ttl=``: 10 years."""
KEPT_BY_THE_BOOK = ("version", "updated_ns")
"""The fields that every record has, which only the book sets."""

Upgrade: TypeAlias = Callable[[dict[str, str]], Mapping[str, object]]
"""A function that takes the written fields of a record of one schema, and returns those of the next: texts as they are
written, or values of the fields' types."""
NEWEST_SCHEMA = 9_999_999
"""The highest number of a schema."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII).fullmatch
_PARTS_OF_KEYS = frozenset({"by", "sorted", "unique", "keys", "deleted", "migrating"})
"""Words that follow a kind in the names of its other keys: ``allocation_by_account``."""
_TAKEN = frozenset((
    "account_position", "account_positions",
    "alias", "aliases", "applied", "book", "books", "cache", "caches", "event", "events",
    "fence", "group", "groups", "header", "headers", "index", "indexes", "limit", "limits", "lock", "locks",
    "loss", "losses", "order", "order_events", "orders", "permit", "permits", "position", "positions",
    "record_request", "request", "requests", "session", "sessions", "slot", "snapshot", "snapshots", "swapped",
    "symbol", "symbols", "trader", "traders", "trading", "unit", "units", "value", "values", "version", "versions",
))  # fmt: skip
"""Words that a book's own keys have in the place of a kind, or may have one day."""


class Marker:
    """The base class of what a field of an Entity can be marked with."""

    def __repr__(self) -> str:
        return type(self).__name__


class Key(Marker):
    """A marker of a field that is the record's key, or a part of it: ``Annotated[Name, Key]``.

    The trader comes before it and is not marked. Several fields with this marker are a key together, in their order.
    """


class Index(Marker):
    """A marker of a field by whose values records are found: ``Annotated[Name, Index]``.

    ``Annotated[Price, Index(sorted=True)]`` marks a number or a time: records are found by its values, and by ranges of
    them, in their order.
    """

    def __init__(self, *, sorted: bool = False) -> None:
        """Take the argument. Raises InvalidArgument for one that is no boolean."""
        if sorted is not True and sorted is not False:
            raise InvalidArgument(f"Index(sorted={shown(sorted)}): it is True or False")
        self.sorted = sorted


class SortedIndex(Marker):
    """The marker that ``Index(sorted=True)`` means."""

    def __repr__(self) -> str:
        return "Index(sorted=True)"


class Unique(Marker):
    """A marker of a field that no two records of a trader have the same value in: ``Annotated[Name, Unique]``."""


class Entity(Record):
    """A record of a model of the desk's own, which a book stores with the trader that it belongs to.

    ``kind=`` is the name of the model in keys and events; ``ttl=``, where it is given, the seconds after its last
    change at which a record is gone. The book sets ``version`` and ``updated_ns``, whatever a record has in them.
    ``schema=`` is the number of what the model declares, from 1; ``upgrade=`` has by an older number the function that
    makes the fields of the next one of a record's.

    ::

        class Allocation(Entity, kind="allocation", ttl=86_400):
            trader: Name
            allocation_id: Annotated[Name, Key]
            quantity: Quantity
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")  # JSON has no other form for all bytes

    entity_kind: ClassVar[str | None] = None
    """The class keyword ``kind``; None for a class that other models derive from."""
    entity_ttl: ClassVar[float | None] = None
    """The class keyword ``ttl``, in seconds; None for records that stay."""

    entity_schema: ClassVar[int] = 1
    """The class keyword ``schema``."""
    entity_upgrades: ClassVar[Mapping[int, Upgrade]] = MappingProxyType({})
    """The class keyword ``upgrade``."""

    version: Count = 0
    """Number of changes that the book has applied to this record."""
    updated_ns: Nanoseconds | None = None
    """``ts_ns`` of the last change, in nanoseconds since the epoch."""

    def __init_subclass__(
        cls,
        *,
        kind: str | None = None,
        ttl: float | None = None,
        schema: int = 1,
        upgrade: Mapping[int, Upgrade] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the class keywords. Raises InvalidArgument for a kind, ttl, schema or upgrade that cannot be used."""
        if kwargs:
            known = "kind=, ttl=, schema= and upgrade="
            raise InvalidArgument(f"{cls.__name__}: {min(kwargs)}= is not known; there are {known}")
        super().__init_subclass__()
        cls.entity_kind = None if kind is None else _checked_kind(cls.__name__, kind)  # a subclass has its own, or none
        if ttl is not None:
            cls.entity_ttl = seconds(f"{cls.__name__}: ttl", ttl, least=0.001, most=LONGEST_TTL)
        if kind is None and (schema != 1 or upgrade is not None):
            raise InvalidArgument(f"{cls.__name__}: schema= and upgrade= are of a kind; write them beside kind=")
        cls.entity_schema = whole(f"{cls.__name__}: schema", schema, most=NEWEST_SCHEMA)
        cls.entity_upgrades = _checked_upgrades(cls.__name__, {} if upgrade is None else upgrade, cls.entity_schema)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return the fields in the order of the model, and what the book sets after them."""
        found = list(super().__repr_args__())
        return sorted(found, key=lambda pair: pair[0] in KEPT_BY_THE_BOOK)


def _checked_kind(name: str, kind: str) -> str:
    given = cast("object", kind)
    if not isinstance(given, str) or not _KIND(given):
        raise InvalidArgument(
            f"{name}: kind {shown(kind)} cannot be used: it is 1 to 64 of a-z, 0-9 and _, and begins with a letter"
        )
    if kind in _TAKEN:
        raise InvalidArgument(f"{name}: kind {kind!r} cannot be used: it is one of the book's own words")
    if _PARTS_OF_KEYS.intersection(kind.split("_")[1:]):
        raise InvalidArgument(
            f"{name}: kind {kind!r} cannot be used: its other keys are named with by, sorted, unique, keys and deleted"
        )
    return kind


def _checked_upgrades(name: str, upgrades: Mapping[int, Upgrade], schema: int) -> Mapping[int, Upgrade]:
    mapping(f"{name}: upgrade", cast("Mapping[str, Upgrade]", upgrades))
    found = {whole(f"{name}: upgrade", number): function for number, function in upgrades.items()}
    for number, function in found.items():
        if number >= schema:
            raise InvalidArgument(f"{name}: upgrade={{{number}: ...}} leads past schema={schema}; raise schema=")
        if not callable(function):
            raise InvalidArgument(f"{name}: upgrade={{{number}: {shown(function)}}} is no function")
    if gap := next((number for number in range(min(found, default=schema), schema) if number not in found), None):
        raise InvalidArgument(f"{name}: there is no upgrade={{{gap}: ...}} between {min(found)} and schema={schema}")
    return MappingProxyType(found)

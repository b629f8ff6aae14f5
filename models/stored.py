"""The models that are stored in hashes: the key of each, and how each of its fields can be queried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar, get_args

from pydantic.fields import FieldInfo

from .order import Order
from .position import Position
from .record import Record
from .symbol import SymbolInfo
from .types import PLACES

R_co = TypeVar("R_co", bound=Record, covariant=True)

_STEPS: dict[type[object], Decimal] = {int: Decimal(1), Decimal: Decimal(1).scaleb(-PLACES)}
_PROSE = frozenset({"text", "name"})
"""Fields for people to read: they are searched by their words, and records are not sorted by them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a stored model."""

    name: str
    kind: type[object]
    """``int``, ``Decimal``, ``str`` or an enumeration."""
    optional: bool
    """True for a field that may be None."""
    full_text: bool
    """True for a field that is searched by its words."""

    @property
    def step(self) -> Decimal | None:
        """The smallest difference between two values of a numeric field; None for any other field."""
        return _STEPS.get(self.kind)

    @property
    def sortable(self) -> bool:
        """True when records can be sorted by the field."""
        return not self.full_text

    @property
    def names(self) -> type[StrEnum] | None:
        """The enumeration of the field's values; None for any other field."""
        return self.kind if issubclass(self.kind, StrEnum) else None


class Stored(Generic[R_co]):
    """A model that is stored in hashes, identified by the fields that make its key."""

    def __init__(self, model: type[R_co], kind: str, identity: Sequence[str], least_version: int = 0) -> None:
        self.model = model
        self.least_version = least_version
        """The lowest version of a record that a query finds: a position that never changed is no position yet."""
        self.kind = kind
        """The part of the key after the trader's tag, or the first part of a key without one."""
        self.identity = tuple(identity)
        self.fields: Mapping[str, Field] = {name: _field(name, info) for name, info in model.model_fields.items()}

    @property
    def has_tag(self) -> bool:
        """True when the key begins with the hash tag of the trader that the record belongs to."""
        return self.identity[0] == "trader"

    def key(self, prefix: str, identity: Sequence[str]) -> str:
        """Return the key of one record's hash.

        >>> ORDERS.key("desk1:", ("T001", "A1")), SYMBOLS.key("", ("AAPL",))
        ('desk1:{T001}:order:A1', 'symbol:AAPL')
        """
        *trader, name = identity
        return f"{prefix}{f'{{{trader[0]}}}:' if trader else ''}{self.kind}:{name}"

    def identity_of(self, record: Record) -> tuple[str, ...]:
        """Return the identity of a record: the values of the fields that make its key."""
        return tuple(str(getattr(record, name)) for name in self.identity)


def _field(name: str, info: FieldInfo) -> Field:
    annotation: object = info.annotation
    options = [annotation, *get_args(annotation)]
    options += [argument for option in list(options) for argument in get_args(option)]
    kinds = [option for option in options if isinstance(option, type) and option is not type(None)]
    kind = next((one for one in kinds if issubclass(one, StrEnum)), None) or next(
        one for one in kinds if one in (int, Decimal, str)
    )
    return Field(name, kind, type(None) in get_args(annotation), name in _PROSE)


ORDERS = Stored(Order, "order", ("trader", "order_id"))
POSITIONS = Stored(Position, "position", ("trader", "symbol"), least_version=1)
SYMBOLS = Stored(SymbolInfo, "symbol", ("symbol",))

STORED: Mapping[str, Stored[Record]] = {stored.kind: stored for stored in (ORDERS, POSITIONS, SYMBOLS)}
"""All stored models, by kind."""

"""The models that are kept in hashes, each with its key, and what can be asked of each of their fields."""

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
"""Fields for people to read: searched by their words, and never sorted by."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a stored model."""

    name: str
    kind: type[object]
    """``int``, ``Decimal``, ``str`` or an enumeration."""
    optional: bool
    full_text: bool

    @property
    def step(self) -> Decimal | None:
        """The difference between two neighbouring numbers; None for what is no number."""
        return _STEPS.get(self.kind)

    @property
    def sortable(self) -> bool:
        """Whether records can be sorted by it."""
        return not self.full_text

    @property
    def names(self) -> type[StrEnum] | None:
        """The enumeration that the field is of."""
        return self.kind if issubclass(self.kind, StrEnum) else None


class Stored(Generic[R_co]):
    """A model in hashes, told apart by the fields that make its key."""

    def __init__(self, model: type[R_co], kind: str, identity: Sequence[str]) -> None:
        self.model = model
        self.kind = kind
        """What the key says after the trader's tag, or at its beginning."""
        self.identity = tuple(identity)
        self.fields: Mapping[str, Field] = {name: _field(name, info) for name, info in model.model_fields.items()}

    @property
    def has_tag(self) -> bool:
        """Whether it belongs to a trader, whose tag its key begins with."""
        return self.identity[0] == "trader"

    def key(self, prefix: str, identity: Sequence[str]) -> str:
        """The key of one hash.

        >>> ORDERS.key("desk1:", ("T001", "A1")), SYMBOLS.key("", ("AAPL",))
        ('desk1:{T001}:order:A1', 'symbol:AAPL')
        """
        *trader, name = identity
        return f"{prefix}{f'{{{trader[0]}}}:' if trader else ''}{self.kind}:{name}"

    def identity_of(self, record: Record) -> tuple[str, ...]:
        """The identity of a record."""
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
POSITIONS = Stored(Position, "position", ("trader", "symbol"))
SYMBOLS = Stored(SymbolInfo, "symbol", ("symbol",))

STORED: Mapping[str, Stored[Record]] = {stored.kind: stored for stored in (ORDERS, POSITIONS, SYMBOLS)}
"""All of them, by kind."""

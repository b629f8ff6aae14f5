"""What the verbs of a book answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Generic, TypeVar

from .coordination import Swap
from .errors import SlotbookError
from .order import Order
from .position import Position

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)  # without slots, which a generic class of Python 3.11 cannot be made with: Outcome[int](…)
class Outcome(Generic[T_co]):
    """The answer to one item of a batch: a value or an error, never both."""

    value: T_co | None = None
    error: SlotbookError | None = None

    def result(self) -> T_co:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None is a value of an Outcome[None]


@dataclass(frozen=True, slots=True)
class OrderResult:
    """The answer to a change of an order."""

    order: Order
    """The order after the change; for a repeat, after the change when it was first applied, as far as it is known."""
    applied: bool
    """False for a repeat, which changed nothing: an earlier call had applied it, or this one, before a reply was
    lost."""
    sequence: int
    """The number of the change in the trader's events; 0 for a repeat whose number is not kept."""
    replicas: int | None = None
    """How many replicas have it (``replicated``), or disks (``fsynced``); None when nobody was asked (``local``)."""


@dataclass(frozen=True, slots=True)
class FillResult:
    """The answer to a fill."""

    order: Order
    position: Position
    applied: bool
    """False for a repeat, which changed nothing and has the first result; see :class:`OrderResult`."""
    late: bool
    """True when the order had already been canceled, rejected or expired: the position moved, the status did not."""
    sequence: int
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class PositionResult:
    """The answer to a change of a position."""

    position: Position
    applied: bool
    """False for a repeat and for a refused check: nothing changed."""
    accepted: bool
    """False when ``check_and_update`` would have passed the limit."""
    sequence: int
    replicas: int | None = None


T = TypeVar("T")


def answered_by(result: T, replicas: int) -> T:
    """The same result, with how many replicas have it."""
    if isinstance(result, (OrderResult, FillResult, PositionResult)):
        return replace(result, replicas=replicas)
    return result


def is_stored(result: object) -> bool:
    """Whether the result says that something is stored; a check that was refused has stored nothing."""
    match result:
        case PositionResult():
            return result.accepted
        case Swap():
            return result.swapped
        case _:
            return True


@dataclass(frozen=True, slots=True)
class SymbolTotal:
    """One symbol over all traders; quantities in its unit, amounts in its currency."""

    symbol: str
    traders: int
    quantity: int
    bought_quantity: int
    sold_quantity: int
    cash: Decimal
    """Sold minus bought notional, exact."""

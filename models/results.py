"""The results of a book's methods."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Generic, TypeVar, cast

from typing_extensions import TypeVar as TypeVarWithDefault

from .coordination import Swap
from .cost_path import CostBasis
from .errors import SlotbookError
from .json_schemas import ErrorForm
from .limits import Limits, LimitsResult, Trading, TradingResult
from .order import Order
from .position import Position

T_co = TypeVar("T_co", covariant=True)
O_co = TypeVarWithDefault("O_co", bound=Order, default=Order, covariant=True)
"""A class of orders: Order itself, or one of the desk's own."""


@dataclass(frozen=True)  # no slots: Outcome[int](...) fails with them in Python 3.11, as for every frozen generic class
class Outcome(Generic[T_co]):
    """The result of one item of a batch: a value or an error, never both.

    ::

        for outcome in book.orders.place_many(orders):
            outcome.result()  # raises the error of an order that was refused
    """

    value: T_co | None = None
    error: Annotated[SlotbookError, ErrorForm()] | None = None

    def result(self) -> T_co:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None is a value of an Outcome[None]


@dataclass(frozen=True)  # no slots: see Outcome
class OrderResult(Generic[O_co]):
    """The result of a change of an order.

    ::

        result = book.orders.apply(Cancel(trader="T001", order_id="A1"))
        print(result.order.status, result.applied)
    """

    order: O_co
    """The order after the change; for a repeat, as it was after the first application, as far as that is kept."""
    applied: bool
    """False for a repeat, which changed nothing.

    The change had been applied by an earlier call, or by an earlier try of this call whose reply was lost.
    """
    sequence: int
    """The sequence number of the change's event; 0 for a repeat whose number is not kept."""
    replicas: int | None = None
    """The number of replicas (``replicated``) or disks (``fsynced``) that confirmed it; None for ``local``."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The difference between the quantities that a report of a fill states and those of the order after it.

    ::

        if result.gap is not None and result.gap.filled_quantity > 0:
            print("fills are missing")
    """

    filled_quantity: Decimal
    """The filled quantity of the report, less the order's: above zero when fills are missing, 0 if it has none."""
    open_quantity: Decimal
    """The open quantity that the report states, less the order's. 0 if it has none."""


@dataclass(frozen=True)  # no slots: see Outcome
class FillResult(Generic[O_co]):
    """The result of a fill.

    ::

        result = book.orders.fill(fill)
        if result.applied:
            print(result.order.status, result.position.quantity)
    """

    order: O_co
    """The order after the fill."""
    position: Position
    """The trader's position in the symbol after the fill."""
    applied: bool
    """False for a repeat, which changed nothing and has the first result."""
    late: bool
    """True when the order was already canceled, rejected or expired: the position moved, the status did not."""
    sequence: int
    """The sequence number of the fill's event; see :class:`OrderResult`."""
    replicas: int | None = None
    """The number of confirming replicas or disks; see :class:`OrderResult`."""
    overfilled: bool = False
    """True when the fill went past the quantity of its order, and was recorded (``Fill.overfill``)."""
    gap: Gap | None = None
    """The quantities that the report states otherwise than the order has them; None when they agree, or it has none."""
    cost_basis: CostBasis | None = None
    """For a bust or a correction, "exact" when the position's cost is that of a day on which the execution never was,
    or was as corrected; "approximate" when the events do not reach back far enough, and it was taken back as by a trade
    the other way. None for a fill, for a repeat that adds details, and for a repeat whose event is no longer kept."""
    account_position: Position | None = None
    """The position of the order's account in the symbol after the fill; None for an order without an account."""


@dataclass(frozen=True, slots=True)
class PositionResult:
    """The result of a change of a position.

    ::

        result = book.positions.check_and_update("T001", "AAPL", 100, max_position=1_000)
        if not result.accepted:
            print("the limit would be passed")
    """

    position: Position
    """The position after the change."""
    applied: bool
    """False for a repeat and for a change beyond the limit, which changed nothing."""
    accepted: bool
    """False when ``check_and_update`` would have passed the limit."""
    sequence: int
    """The sequence number of the change's event; see :class:`OrderResult`."""
    replicas: int | None = None
    """The number of confirming replicas or disks; see :class:`OrderResult`."""


@dataclass(frozen=True)  # no slots: see Outcome
class Snapshot(Generic[O_co]):
    """All orders and positions of a trader as they were after one event; records of the desk's own are not in it.

    ::

        snapshot = book.snapshot("T001")
        with book.events.follow("T001", since=snapshot.sequence) as blotter:
            ...
    """

    trader: str
    sequence: int
    """The number of the last event whose change is in it; 0 for a book without any."""
    orders: list[O_co]
    """Every order, whatever its status, sorted by id."""
    positions: list[Position]
    """Every position, sorted by symbol."""
    limits: list[Limits] = field(default_factory=list[Limits])
    """The limits: the trader's own first, then by symbol."""
    trading: Trading = Trading.ACTIVE
    """The switch of trading."""
    account_positions: list[Position] = field(default_factory=list[Position])
    """Every position of an account, sorted by symbol and account."""


@dataclass(frozen=True)  # no slots: see Outcome
class RecordResult(Generic[T_co]):
    """The result of a change of a desk's own record.

    ::

        result = allocations.put(allocation)
        print(result.record, result.version, result.applied)
    """

    record: T_co | None
    """The record after the change, for a repeat as it now is; None where there is none, as after ``delete``."""
    applied: bool
    """False for a repeat, and for a ``delete`` of what was not there, which changed nothing."""
    sequence: int
    """The sequence number of the change's event; see :class:`OrderResult`."""
    version: int
    """The version that the change made, also for a repeat; 0 for a ``delete`` of what was not there."""
    replicas: int | None = None
    """The number of confirming replicas or disks; see :class:`OrderResult`."""


T = TypeVar("T")


def with_replicas(result: T, replicas: int) -> T:
    """Return a result, or each of a list of results or outcomes, with its ``replicas`` set.

    What has no such field is returned unchanged.
    """
    if isinstance(result, (OrderResult, FillResult, PositionResult, Swap, LimitsResult, TradingResult)):
        return cast("T", replace(cast("OrderResult", result), replicas=replicas))
    if isinstance(result, RecordResult):
        return cast("T", replace(cast("RecordResult[object]", result), replicas=replicas))
    if isinstance(result, list):
        several = cast("list[object]", result)
        return cast("T", [with_replicas(one, replicas) for one in several])
    if isinstance(result, Outcome):
        outcome = cast("Outcome[object]", result)
        return cast("T", Outcome(with_replicas(outcome.value, replicas), outcome.error))
    return result


def is_stored(result: object) -> bool:
    """Return True unless a result says that nothing is stored, as for a change beyond the limit or a failed swap."""
    match result:
        case PositionResult():
            return result.accepted
        case RecordResult():
            return result.version > 0
        case Swap():
            return result.swapped
        case list():
            return any(is_stored(one) for one in cast("list[object]", result))
        case Outcome():
            outcome = cast("Outcome[object]", result)
            return outcome.error is None and is_stored(outcome.value)
        case _:
            return True


def first_result(first: T, again: T) -> T:
    """Return the result of a change that was sent twice: the first one, if the second says that the change is there.

    Of a list of outcomes each is taken by itself: what was lost in between may have been refused then, and of two
    refusals the first says why.
    """
    one, other = cast("object", first), cast("object", again)
    if isinstance(one, list) and isinstance(other, list):
        outcomes, later = cast("list[object]", one), cast("list[object]", other)
        if any(isinstance(outcome, Outcome) for outcome in outcomes):
            return cast("T", [first_result(*pair) for pair in zip(outcomes, later, strict=True)])
    return first if is_stored(first) == is_stored(again) else again


@dataclass(frozen=True, slots=True)
class Lag:
    """The events of a trader that a group of consumers has still to handle.

    ::

        print(sum(lag.undelivered + lag.pending for lag in consumer.lag().values()))
    """

    undelivered: int
    """Events that no consumer has been given yet."""
    pending: int
    """Events that consumers have been given, or have given back, and have not acknowledged."""


@dataclass(frozen=True, slots=True)
class SymbolTotal:
    """The positions of all traders in one symbol; quantities in its unit, amounts in its currency.

    ::

        for symbol, total in book.positions.totals().items():
            print(symbol, total.quantity, total.cash)
    """

    symbol: str
    traders: int
    """The number of traders with a position in the symbol."""
    quantity: Decimal
    """The sum of the positions: long is positive, short negative."""
    bought_quantity: Decimal
    sold_quantity: Decimal
    cash: Decimal
    """Sold minus bought notional, exact."""

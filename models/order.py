"""Orders, and the requests that change one."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Self

from pydantic import Field, computed_field, model_validator

from .derived import DerivedRecord
from .enums import OUTLIVE_THE_DAY, OrderStatus, OrderType, Side, TimeInForce
from .numbers import EXACT, per_unit
from .order_reports import Marks, Pending, PendingRequest, pending_requests
from .record import Record
from .types import (
    Amount,
    AnyDecimal,
    Count,
    Currency,
    MultiplierOrNone,
    Name,
    Nanoseconds,
    Price,
    Quantity,
    QuantityOrZero,
    Text,
    new_id,
)
from .wire import text

TERMS = ("account", "display_quantity", "execution_instructions", "expire_at", "currency", "multiplier")
"""The fields of what was ordered that few orders have; they stay as they are first given."""


class Order(DerivedRecord):
    """One order of one trader, identified by ``(trader, order_id)``.

    Quantities are in the symbol's unit, prices and amounts in its currency, times in nanoseconds since the epoch.

    >>> Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23").open_quantity
    Decimal('100')
    """

    trader: Name
    """Owner of the order; all records of a trader are in one hash slot."""
    order_id: Name
    """Identity of the order among the trader's (FIX ClOrdID, tag 11)."""
    symbol: Name
    """Instrument (Symbol, tag 55)."""
    side: Side
    type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    quantity: Quantity
    """Ordered quantity (OrderQty, tag 38): the filled part and the open part together."""
    price: Price | None = None
    """Limit price (Price, tag 44); :class:`~slotbook.models.enums.OrderType` says which types need or may have one."""
    stop_price: Price | None = None
    """Trigger price (StopPx, tag 99), likewise."""
    reference_price: Price | None = None
    """The price by which a limit of the notional values an order without a limit price; it changes nothing else."""
    text: Text | None = None
    """Free text of the last change (Text, tag 58), such as the reason of a rejection."""
    account: Name | None = None
    """Account that the order is for (Account, tag 1)."""
    display_quantity: QuantityOrZero | None = None
    """Quantity that the market is shown (DisplayQty, tag 1138; in FIX 4.4 MaxFloor, 111, or MaxShow, 210)."""
    execution_instructions: Name | None = None
    """Instructions to the broker, codes with a blank between them (ExecInst, tag 18)."""
    expire_at: Nanoseconds | None = None
    """Time until which a GTD order is good (ExpireTime, tag 126), which only such an order has."""
    currency: Currency | None = None
    """Currency of the order's prices (Currency, tag 15), where the symbol alone does not say it."""
    multiplier: MultiplierOrNone = None
    """Amount that one unit pays for a price of 1 (ContractMultiplier, tag 231); None for 1. A position has only one."""
    status: OrderStatus = OrderStatus.NEW
    filled_quantity: QuantityOrZero = Decimal(0)
    """Sum of the fills' quantities (CumQty, tag 14)."""
    filled_notional: Amount = Decimal(0)
    """Sum of quantity times price, times the multiplier where there is one, over the fills; exact."""
    placed_quantity: Quantity | None = None
    """Quantity as first placed; None until a replace is applied."""
    placed_price: Price | None = None
    """Price as first placed; None until a replace is applied."""
    placed_stop_price: Price | None = None
    """Stop price as first placed; None until a replace is applied."""
    revision: Count | None = None
    """Highest revision of the replaces that carried one."""
    version: Count = 0
    """Number of changes that the book has applied to this order; 0 before it is placed."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of placing, by the caller's or the exchange's clock (TransactTime, tag 60); by default the time now."""
    client_order_id: Name | None = None
    """Identity of the last request that has replaced it (ClOrdID, tag 11); None while ``order_id`` is its only one."""
    venue_order_id: Name | None = None
    """The id that the venue has given it, the last one (OrderID, tag 37); None until a report has it."""
    aliases: Count | None = None
    """Number of ids that find it beside ``order_id``: ClOrdIDs of requests and the venue's OrderIDs; None for none."""
    marks: Marks | None = None
    """Statuses that hold beside the one shown, with a blank between: PENDING_NEW, DONE_FOR_DAY, STOPPED, SUSPENDED."""
    pending: Pending | None = None
    """Requests that are not answered yet, in JSON; see ``pending_requests``."""
    updated_ns: Nanoseconds | None = None
    """``ts_ns`` of the last change after the order was placed."""

    @model_validator(mode="after")
    def _prices_fit_the_type(self) -> Self:
        kind = self.type
        if kind.has_price if self.price is None else not kind.takes_price:
            raise ValueError(f"a {kind} order {'needs' if self.price is None else 'takes no'} price")
        if kind.has_stop_price if self.stop_price is None else not kind.takes_stop_price:
            raise ValueError(f"a {kind} order {'needs' if self.stop_price is None else 'takes no'} stop_price")
        if (self.expire_at is None) is (self.time_in_force is TimeInForce.GTD):
            takes = "needs" if self.expire_at is None else "takes no"
            raise ValueError(f"a {self.time_in_force} order {takes} expire_at")
        return self

    @property
    def terms(self) -> str:
        """The written values of TERMS, as far as the order has them, as a JSON object; '' for none."""
        values = self.__dict__
        written = {name: text(value) for name in TERMS if (value := values[name]) is not None}
        return json.dumps(written, ensure_ascii=False, separators=(",", ":")) if written else ""

    @computed_field(repr=False, return_type=QuantityOrZero)  # type: ignore[prop-decorator]
    @property
    def open_quantity(self) -> Decimal:
        """Quantity that can still be filled (LeavesQty, tag 151); 0 once the order is terminal."""
        is_over = "DONE_FOR_DAY" in (self.marks or "") and self.time_in_force not in OUTLIVE_THE_DAY
        is_open = self.status.is_open and not is_over and self.filled_quantity < self.quantity
        return EXACT.subtract(self.quantity, self.filled_quantity) if is_open else Decimal(0)

    @computed_field(repr=False)  # type: ignore[prop-decorator]
    @property
    def pending_requests(self) -> list[PendingRequest]:
        """Requests to cancel or replace it that are not answered yet, the first first."""
        return pending_requests(self.pending)

    @computed_field(repr=False, return_type=AnyDecimal | None)  # type: ignore[prop-decorator]
    @property
    def average_price(self) -> Decimal | None:
        """Average price of the fills (AvgPx, tag 6), rounded to the decimal context's precision; None without fills."""
        return per_unit(self.filled_notional, self.filled_quantity, self.multiplier)


class Replace(Record):
    """A request to change an order's quantity or prices (FIX OrderCancelReplaceRequest, MsgType G).

    A quantity or price of None is left as it is. The request is known by its ``request_id`` for as long as the order is
    kept: sent again, it returns the first result and changes nothing.

    >>> Replace(trader="T001", order_id="A1", request_id="R1", price="187.25").price
    Decimal('187.25')
    """

    trader: Name
    order_id: Name
    """The order to change."""
    request_id: Name = Field(default_factory=new_id)
    """Identity of the change; by default random."""
    quantity: Quantity | None = None
    """New *total* quantity (OrderQty, tag 38), which includes the filled part; one below that cancels the rest."""
    price: Price | None = None
    """New limit price (Price, tag 44)."""
    stop_price: Price | None = None
    """New trigger price (StopPx, tag 99)."""
    revision: Count | None = None
    """A number that grows with each replace of an order; one that is not above the last one applied changes nothing."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the request in nanoseconds since the epoch (TransactTime, tag 60); by default the caller's time now."""
    text: Text | None = None
    """Free text (Text, tag 58), which becomes the order's."""
    client_order_id: Name | None = None
    """Identity of the request that this answers, which is the order's from then on (ClOrdID, tag 11)."""
    original_client_order_id: Name | None = None
    """The id that the request names the order by (OrigClOrdID, tag 41)."""
    venue_order_id: Name | None = None
    """The venue's id of the order (OrderID, tag 37), which is one of the order's from then on."""
    reason: Name | None = None
    """FIX's code of the reason, such as ExecRestatementReason (tag 378); it is kept with the event."""
    symbol: Name | None = None
    """The symbol that the request names; when given, it must be the order's (Symbol, tag 55)."""
    side: Side | None = None
    """The side that the request names; when given, it must be the order's (Side, tag 54)."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.quantity is None and self.price is None and self.stop_price is None:
            raise ValueError("a replace needs a quantity, a price or a stop_price")
        return self


class _Closing(Record):
    trader: Name
    order_id: Name
    request_id: Name = Field(default_factory=new_id)
    """Identity of the change; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch (TransactTime, tag 60); by default the caller's time now."""
    text: Text | None = None
    """Free text (Text, tag 58), such as a reason, which becomes the order's."""
    client_order_id: Name | None = None
    """Identity of the request that this answers (ClOrdID, tag 11)."""
    venue_order_id: Name | None = None
    """The venue's id of the order (OrderID, tag 37), which is one of the order's from then on."""
    reason: Name | None = None
    """FIX's code of the reason, such as OrdRejReason (tag 103); it is kept with the event."""
    symbol: Name | None = None
    """The symbol that the request names; when given, it must be the order's (Symbol, tag 55)."""
    side: Side | None = None
    """The side that the request names; when given, it must be the order's (Side, tag 54)."""


class Cancel(_Closing):
    """A request to cancel the open quantity of an order (FIX OrderCancelRequest, MsgType F).

    ::

        [outcome] = book.orders.apply_many([Cancel(trader="T001", order_id="A1")])
        outcome.result().order.status
    """


class Reject(_Closing):
    """A report that an order was not accepted (FIX ExecType 150=8); only an order without fills can be rejected.

    ::

        book.orders.apply(Reject(trader="T001", order_id="A1", text="unknown account"))
    """


class Expire(_Closing):
    """A report that an order's time in force has run out (FIX ExecType 150=C).

    ::

        book.orders.apply(Expire(trader="T001", order_id="A1"))
    """


class Calculate(_Closing):
    """A report that an order is over, and its commission or settlement details are calculated (FIX ExecType 150=B).

    ::

        book.orders.apply(Calculate(trader="T001", order_id="A1"))
    """

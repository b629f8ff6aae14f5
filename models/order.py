"""An order, and what may be asked of it."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from .enums import OrderStatus, OrderType, Side, TimeInForce
from .record import Record
from .types import Amount, Count, Name, Nanoseconds, Price, Quantity, Text, TotalQuantity


class Order(Record):
    """One order of one trader, identified by ``(trader, order_id)`` (FIX ClOrdID, tag 11).

    Quantities are in the symbol's unit, prices and amounts in its currency, times in nanoseconds since the epoch.

    >>> Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23").open_quantity
    100
    """

    trader: Name
    order_id: Name
    symbol: Name
    side: Side
    type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    quantity: Quantity
    """Ordered quantity (FIX OrderQty, tag 38): what has been filled and what is open."""
    price: Price | None = None
    """Limit price (tag 44) of a LIMIT or STOP_LIMIT order."""
    stop_price: Price | None = None
    """Trigger price (StopPx, tag 99) of a STOP or STOP_LIMIT order."""
    text: Text | None = None
    """Free text of the last change (tag 58), such as the reason of a rejection."""
    status: OrderStatus = OrderStatus.NEW
    filled_quantity: TotalQuantity = 0
    """Sum of the fills (CumQty, tag 14)."""
    filled_notional: Amount = Decimal(0)
    """Sum of quantity times price of the fills; exact."""
    placed_quantity: Quantity | None = None
    """The quantity as first placed, once a replace has been applied."""
    placed_price: Price | None = None
    """The price as first placed, once a replace has been applied."""
    placed_stop_price: Price | None = None
    """The stop price as first placed, once a replace has been applied."""
    revision: Count | None = None
    """The highest revision of a replace that carried one."""
    version: Count = 0
    """How many changes the book has applied to this order; 0 before it is placed."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """When it was placed, by the caller's or the exchange's clock (TransactTime, tag 60)."""
    updated_ns: Nanoseconds | None = None
    """The ``ts_ns`` of the last change after it was placed."""

    @model_validator(mode="after")
    def _prices_fit_the_type(self) -> Self:
        kind = self.type
        if (self.price is not None) is kind.has_price and (self.stop_price is not None) is kind.has_stop_price:
            return self
        field, wanted = ("stop_price", kind.has_stop_price)
        if (self.price is not None) is not kind.has_price:
            field, wanted = ("price", kind.has_price)
        raise ValueError(f"a {kind} order {'needs' if wanted else 'takes no'} {field}")

    @property
    def open_quantity(self) -> int:
        """What can still be filled (LeavesQty, tag 151): 0 once the order is terminal."""
        return self.quantity - self.filled_quantity if self.status.is_open else 0

    @property
    def average_price(self) -> Decimal | None:
        """The average price of the fills (AvgPx, tag 6), None before the first; rounded to the context's precision."""
        return self.filled_notional / self.filled_quantity if self.filled_quantity else None


class Replace(Record):
    """A wish to change an open order's quantity or prices (FIX OrderCancelReplaceRequest, MsgType G).

    What is None stays as it is. The request is known by ``request_id`` as long as the order lives: sent again, it
    returns the first result and changes nothing.
    """

    trader: Name
    order_id: Name
    request_id: Name = Field(default_factory=lambda: uuid.uuid4().hex)
    quantity: Quantity | None = None
    """The new *total* quantity, what has been filled included."""
    price: Price | None = None
    stop_price: Price | None = None
    revision: Count | None = None
    """A number that grows with each change: a replace not above the last one applied is out of date, and no change."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    text: Text | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.quantity is None and self.price is None and self.stop_price is None:
            raise ValueError("a replace needs a quantity, a price or a stop_price")
        return self


class _Closing(Record):
    trader: Name
    order_id: Name
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    text: Text | None = None


class Cancel(_Closing):
    """A wish to cancel what is open of an order (FIX OrderCancelRequest, MsgType F)."""


class Reject(_Closing):
    """Word that an order was not accepted (FIX ExecType 150=8); only an order without fills can be rejected."""


class Expire(_Closing):
    """Word that an order's time in force has run out (FIX ExecType 150=C)."""

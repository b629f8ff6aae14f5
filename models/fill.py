"""A fill: one execution of an order."""

from __future__ import annotations

import time
from decimal import Decimal

from pydantic import Field

from .record import Record
from .types import Name, Nanoseconds, Price, Quantity, times


class Fill(Record):
    """One execution, known by its ``exec_id`` (FIX ExecID, tag 17) as long as its order lives.

    >>> Fill(trader="T001", order_id="A1", exec_id="X1", quantity=40, price="187.22").notional
    Decimal('7488.80')
    """

    trader: Name
    order_id: Name
    exec_id: Name
    quantity: Quantity
    """What was executed (LastQty, tag 32), in the symbol's unit."""
    price: Price
    """At which price (LastPx, tag 31)."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """When it was executed, by the exchange's or the caller's clock (TransactTime, tag 60)."""

    @property
    def notional(self) -> Decimal:
        """Quantity times price, exact."""
        return times(self.quantity, self.price)

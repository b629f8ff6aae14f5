"""A fill: one execution of an order."""

from __future__ import annotations

import time
from decimal import Decimal

from pydantic import Field

from .enums import Side
from .numbers import times
from .record import Record
from .types import Name, Nanoseconds, Price, Quantity, QuantityOrZero


class Fill(Record):
    """One execution of an order.

    It is known by its ``exec_id`` for as long as its order is kept: sent again, it returns the first result and changes
    nothing.

    >>> Fill(trader="T001", order_id="A1", exec_id="X1", quantity=40, price="187.22").notional
    Decimal('7488.80')
    """

    trader: Name
    order_id: Name
    """The order that is filled (FIX ClOrdID, tag 11)."""
    exec_id: Name
    """The identity of the execution (ExecID, tag 17)."""
    quantity: Quantity
    """The executed quantity (LastQty, tag 32), in the symbol's unit."""
    price: Price
    """The price of the execution (LastPx, tag 31), in the symbol's currency."""
    symbol: Name | None = None
    """The symbol that the report names; when given, it must be the order's (Symbol, tag 55)."""
    side: Side | None = None
    """The side that the report names; when given, it must be the order's (Side, tag 54)."""
    cumulative_quantity: QuantityOrZero | None = None
    """The order's filled quantity by the report (CumQty, tag 14): compared, not stored; see ``FillResult.gap``."""
    open_quantity: QuantityOrZero | None = None
    """The order's open quantity by the report (LeavesQty, tag 151): compared, not stored."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """The time of the execution in nanoseconds since the epoch (TransactTime, tag 60); by default the time now."""

    @property
    def notional(self) -> Decimal:
        """Quantity times price, exact, in the symbol's currency."""
        return times(self.quantity, self.price)

"""A fill: one execution of an order."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Literal

from pydantic import Field, computed_field

from .derived import DerivedRecord
from .enums import Liquidity, Side
from .fill_details import CurrencyOfFee, FeeFromQuantity, SettlementDate, details_of
from .numbers import times
from .types import Amount, AnyDecimal, Name, Nanoseconds, Price, Quantity, QuantityOrZero


class Fill(DerivedRecord):
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
    venue_order_id: Name | None = None
    """The venue's id of the order (OrderID, tag 37), which is one of the order's from then on."""
    cumulative_quantity: QuantityOrZero | None = None
    """The order's filled quantity by the report (CumQty, tag 14): compared, not stored; see ``FillResult.gap``."""
    open_quantity: QuantityOrZero | None = None
    """The order's open quantity by the report (LeavesQty, tag 151): compared, not stored."""
    fee: Amount | None = None
    """The amount that was charged for the execution: paid where positive, a rebate where negative (Commission, tag 12,
    or MiscFeeAmt, tag 137)."""
    fee_currency: CurrencyOfFee = None
    """The currency of the fee (CommCurrency, tag 479); None for that of the price."""
    liquidity: Liquidity | None = None
    """The part that it had in the venue's liquidity (LastLiquidityInd, tag 851)."""
    settlement_date: SettlementDate | None = None
    """The day of settlement (SettlDate, tag 64): a date, 2026-11-30 or 20261130."""
    account: Name | None = None
    """The account that the execution is for (Account, tag 1); None for the order's."""
    fee_from_quantity: FeeFromQuantity = None
    """True where the venue takes the fee from what is bought: the order is filled by the whole quantity, the position
    gets what is left of it. The ``fee_currency`` is then the name of what is bought."""
    overfill: Literal["refuse", "record"] | None = None
    """The treatment of a quantity that is more than the order has left: it is refused, or with "record" booked and
    flagged, for it has happened; None for the book's setting. A repeat need not say it."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """The time of the execution in nanoseconds since the epoch (TransactTime, tag 60); by default the time now."""

    @property
    def details(self) -> str:
        """The written values of what it says beside quantity and price, as a JSON object; '' for nothing.

        A repeat of the fill may add to them what was absent.
        """
        return details_of(self)

    @computed_field(repr=False, return_type=AnyDecimal)  # type: ignore[prop-decorator]
    @property
    def notional(self) -> Decimal:
        """Quantity times price, exact; the book books it times the order's multiplier, where it has one."""
        return times(self.quantity, self.price)

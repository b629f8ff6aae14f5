"""Executions: the fills of an order as the book keeps them."""

from __future__ import annotations

from decimal import Decimal

from pydantic import StrictStr, computed_field

from .derived import DerivedRecord
from .enums import Liquidity
from .fill_details import FeeCurrency, SettlementDate
from .numbers import EXACT, multiplied, times
from .types import (
    Amount,
    AnyDecimal,
    Boolean,
    Count,
    MultiplierOrNone,
    Name,
    Nanoseconds,
    Price,
    Quantity,
    QuantityOrZero,
)


class Execution(DerivedRecord):
    """One fill of an order, as the book remembers it.

    ::

        for execution in book.orders.fills("T001", "A1"):
            print(execution.sequence, execution.exec_id, execution.quantity, execution.price)
    """

    trader: Name
    order_id: Name
    exec_id: Name
    """The identity of the execution (FIX ExecID, tag 17); busts and corrections of it are told by ``revised_by``."""
    sequence: Count
    """The sequence number of the fill's event."""
    quantity: Quantity
    """The executed quantity (LastQty, tag 32), in the symbol's unit."""
    price: Price
    """The price of the execution (LastPx, tag 31), in the symbol's currency."""
    live_quantity: QuantityOrZero
    """The quantity that counts now: that of the last correction, 0 of an execution that was busted."""
    live_price: Price
    """The price that counts now."""
    multiplier: MultiplierOrNone = None
    """The multiplier of the order (ContractMultiplier, tag 231); None for 1."""
    busted: Boolean = False
    """True for an execution that was taken back."""
    revised_by: Name | None = None
    """The report that has busted or last corrected it; None for an execution that stands as it was reported."""
    late: Boolean = False
    """True for a fill that arrived after its order was canceled, rejected or expired."""
    overfilled: Boolean = False
    """True for a fill that went past the quantity of its order, and was recorded."""
    ts_ns: Nanoseconds | None = None
    """The time of the execution in nanoseconds since the epoch; None when its event is no longer kept."""
    fee: Amount | None = None
    """The fee of what counts of it now, after corrections; paid where positive, a rebate where negative."""
    fee_currency: FeeCurrency | None = None
    """The currency of the fee (CommCurrency, tag 479); None for that of the price."""
    liquidity: Liquidity | None = None
    """The part that it had in the venue's liquidity (LastLiquidityInd, tag 851)."""
    settlement_date: SettlementDate | None = None
    """The day of settlement (SettlDate, tag 64)."""
    account: Name | None = None
    """The account that the execution is for (Account, tag 1); None for the order's."""
    fee_from_quantity: Boolean | None = None
    """True where the fee is taken from the quantity that was bought; see ``arrived_quantity``."""
    own: StrictStr | None = None
    """The written values of the fill's own fields as a JSON object; None without any, and when its event is no longer
    kept."""

    @computed_field(repr=False, return_type=AnyDecimal)  # type: ignore[prop-decorator]
    @property
    def notional(self) -> Decimal:
        """Live quantity times live price, times the multiplier, exact, in the symbol's currency."""
        return multiplied(times(self.live_quantity, self.live_price), self.multiplier)

    @computed_field(repr=False, return_type=AnyDecimal)  # type: ignore[prop-decorator]
    @property
    def arrived_quantity(self) -> Decimal:
        """Live quantity as the position has it: without a fee that is taken from it."""
        fee = self.fee if self.fee_from_quantity and self.fee is not None else Decimal(0)
        return EXACT.subtract(self.live_quantity, fee)

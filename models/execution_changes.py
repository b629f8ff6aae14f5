"""Requests that take an execution back, or put another in its place."""

from __future__ import annotations

import time
from decimal import Decimal

from pydantic import Field, ValidationInfo, computed_field, field_validator

from .derived import DerivedRecord
from .enums import Liquidity, Side
from .fill_details import CurrencyOfFee, FeeFromQuantity, SettlementDate, details_of
from .numbers import times
from .record import Record
from .types import Amount, AnyDecimal, Name, Nanoseconds, Price, Quantity, Text, new_id


class _Revision(Record):
    trader: Name
    order_id: Name
    """The order of the execution (FIX ClOrdID, tag 11)."""
    exec_ref_id: Name
    """The execution, or the last correction of it (ExecRefID, tag 19)."""
    exec_id: Name = Field(default_factory=new_id)
    """The identity of the report (ExecID, tag 17), which no other execution of the order has; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """The time of the report in nanoseconds since the epoch (TransactTime, tag 60); by default the time now."""
    text: Text | None = None
    """Free text (Text, tag 58), such as a reason, which becomes the order's."""
    symbol: Name | None = None
    """The symbol that the report names; when given, it must be the order's (Symbol, tag 55)."""
    side: Side | None = None
    """The side that the report names; when given, it must be the order's (Side, tag 54)."""
    venue_order_id: Name | None = None
    """The venue's id of the order (OrderID, tag 37), which is one of the order's from then on."""

    @field_validator("exec_id")
    @classmethod
    def _is_another(cls, exec_id: str, info: ValidationInfo) -> str:
        if exec_id == info.data.get("exec_ref_id"):
            raise ValueError("the report needs an exec_id other than the exec_ref_id: leave it out for a random one")
        return exec_id


class Bust(_Revision):
    """A report that an execution has not happened (FIX ExecType 150=H, trade cancel).

    ::

        book.orders.apply(Bust(trader="T001", order_id="A1", exec_ref_id="X1", exec_id="B1"))
    """


class Correct(_Revision, DerivedRecord):
    """A report that an execution had another quantity or price (FIX ExecType 150=G, trade correct).

    ::

        book.orders.apply(Correct(trader="T001", order_id="A1", exec_ref_id="X1", quantity=40, price="187.2"))
    """

    quantity: Quantity
    """The quantity that the execution really had (LastQty, tag 32)."""
    price: Price
    """The price that the execution really had (LastPx, tag 31)."""
    fee: Amount | None = None
    """The fee that the execution really had, as in a Fill: that of the execution before does not stay."""
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

    @property
    def details(self) -> str:
        """The written values of what it says beside quantity and price, as a JSON object; '' for nothing."""
        return details_of(self)

    @computed_field(repr=False, return_type=AnyDecimal)  # type: ignore[prop-decorator]
    @property
    def notional(self) -> Decimal:
        """Quantity times price, exact; the book books it times the order's multiplier, where it has one."""
        return times(self.quantity, self.price)

"""A venue's report of an order as it is sent: what has happened, and what the order is after it."""

from __future__ import annotations

import time
from typing import Self

from pydantic import Field, model_validator

from .enums import ExecType, Liquidity, OrderStatus, OrderType, Side, TimeInForce
from .fill_details import CurrencyOfFee, FeeFromQuantity, SettlementDate
from .fix_messages import FixMessage, record_of, report_values
from .record import Record
from .types import Amount, AnyDecimal, Name, Nanoseconds, Price, QuantityOrZero, Text


class ExecutionReport(Record):
    """A report that brings an order to what the venue says (FIX ExecutionReport, 8); see docs/how-to/reports.md.

    It is known by its ``exec_id`` for as long as the order is kept: sent again, it returns the first result and changes
    nothing. What it says of the order beside what has happened is compared, and what differs is in the result.

    ::

        report = ExecutionReport(
            trader="T001", order_id="A1", exec_id="X1", exec_type="TRADE", status="PARTIALLY_FILLED", symbol="AAPL",
            side="BUY", quantity=100, cumulative_quantity=40, open_quantity=60, last_quantity=40, last_price="187.22",
        )
        result = book.orders.apply(report)
        print(result.order.status, result.differences)
    """

    trader: Name
    order_id: Name
    """The order that the report is about, by any of its ids."""
    exec_id: Name
    """The identity of the report (ExecID, tag 17); that of an ORDER_STATUS is not looked at."""
    exec_type: ExecType
    """The kind of the report (ExecType, tag 150)."""
    status: OrderStatus
    """The order's status by the report (OrdStatus, tag 39)."""
    symbol: Name
    """The instrument, which must be the order's (Symbol, tag 55)."""
    side: Side
    """The side, which must be the order's (Side, tag 54)."""
    quantity: QuantityOrZero | None = None
    """The order's quantity by the report (OrderQty, tag 38)."""
    cumulative_quantity: QuantityOrZero | None = None
    """The order's filled quantity by the report (CumQty, tag 14)."""
    open_quantity: QuantityOrZero | None = None
    """The order's open quantity by the report (LeavesQty, tag 151)."""
    last_quantity: QuantityOrZero | None = None
    """The executed, corrected or guaranteed quantity (LastQty, tag 32)."""
    last_price: Price | None = None
    """The price of it (LastPx, tag 31)."""
    average_price: AnyDecimal | None = None
    """The average price of the order's fills by the report (AvgPx, tag 6), which venues round."""
    price: Price | None = None
    """The order's limit price by the report (Price, tag 44)."""
    stop_price: Price | None = None
    """The order's trigger price by the report (StopPx, tag 99)."""
    exec_ref_id: Name | None = None
    """The execution that is taken back or corrected (ExecRefID, tag 19)."""
    client_order_id: Name | None = None
    """The id of the request that the report answers, or of the order by now (ClOrdID, tag 11)."""
    original_client_order_id: Name | None = None
    """The id of the order before that request (OrigClOrdID, tag 41)."""
    venue_order_id: Name | None = None
    """The venue's id of the order (OrderID, tag 37), by which it is found once a report that is no execution has it."""
    reason: Name | None = None
    """FIX's code of the reason, such as OrdRejReason (tag 103) or ExecRestatementReason (tag 378)."""
    text: Text | None = None
    """Free text (Text, tag 58), which becomes the order's."""
    fee: Amount | None = None
    """The amount that was charged for the execution; this and the next three are those of a Fill."""
    fee_currency: CurrencyOfFee = None
    liquidity: Liquidity | None = None
    settlement_date: SettlementDate | None = None
    account: Name | None = None
    """The account that the execution is for, and an order that is opened (Account, tag 1)."""
    fee_from_quantity: FeeFromQuantity = None
    """True where the fee is taken from the quantity that is bought, as in a Fill."""
    type: OrderType | None = None
    """The order's type (OrdType, tag 40): by this, an order is opened that the book has never seen."""
    time_in_force: TimeInForce | None = None
    """Likewise (TimeInForce, tag 59)."""
    expire_at: Nanoseconds | None = None
    """Likewise, of a GTD order (ExpireTime, tag 126)."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """The time of the report (TransactTime, tag 60), by default now; one that is given tells which is older."""

    @classmethod
    def from_fix(cls, message: FixMessage, *, trader: str, order_id: str | None = None, **fields: object) -> Self:
        """Return the report that a FIX message is (MsgType 8), of FIX 4.2, 4.4 or 5.0.

        ::

            report = ExecutionReport.from_fix(simplefix_message.pairs, trader="T001")
            result = book.orders.apply(report)

        Args:
            message: The tags and their values: a mapping, or pairs such as ``message.pairs`` of simplefix, or a text.
            trader: The trader of the order; no tag says it.
            order_id: The id of the order; by default OrigClOrdID (41), else ClOrdID (11), else OrderID (37).
            fields: Fields by their names, which win over the message, such as ``symbol="AAPL"``.

        Raises:
            InvalidArgument: A tag is missing, contradicts another, or has no value that is known; the message names it.
        """
        return record_of(cls, report_values(message, order_id, {"trader": trader, **fields}))

    @model_validator(mode="after")
    def _says_what_happened(self) -> Self:
        kind, missing = self.exec_type, list[str]()
        if kind.has_execution and not self.last_quantity:
            missing.append("a last_quantity above 0")
        if kind.has_execution and self.last_price is None:
            missing.append("a last_price")
        if kind.revises and self.exec_ref_id is None:
            missing.append("an exec_ref_id")
        if kind.revises and self.exec_ref_id == self.exec_id:
            missing.append("an exec_id other than its exec_ref_id")
        if kind.is_pending_request and self.client_order_id is None:
            missing.append("the client_order_id of the request")
        if kind is ExecType.REPLACED and not self.quantity and self.price is None and self.stop_price is None:
            missing.append("a quantity, a price or a stop_price")
        if missing:
            raise ValueError(f"a report of {kind} needs {' and '.join(missing)}")
        return self

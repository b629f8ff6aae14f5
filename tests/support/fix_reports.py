"""The order state change matrices of FIX 4.4 as reports: each row that is sent becomes one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from slotbook.models import (
    CancelReject,
    EventType,
    ExecType,
    ExecutionReport,
    OrderStatus,
    Side,
)

from .fix_scenarios import EVENTS, Row, Translator, text_of

NO_CHANGE = {"I", "L"}
"""ExecTypes that change nothing."""


@dataclass
class Reporter(Translator):
    """Carries out the rows of one path, what is sent by ``apply`` alone."""

    reports: list[ExecutionReport | CancelReject] = field(default_factory=list[ExecutionReport | CancelReject])
    """The reports that were made until now."""

    def report(self, message: Row) -> ExecutionReport | CancelReject:
        """Return the report that a row is."""
        name = message.get("cl_ord_id", self.current)
        original = message.get("orig_cl_ord_id")
        about: dict[str, Any] = {
            "trader": self.trader,
            "order_id": original or name,
            "status": OrderStatus.from_fix(message["ord_status"]),
            "client_order_id": message.get("cl_ord_id"),
            "original_client_order_id": original,
        }
        if message["msg"] == "9":
            return CancelReject.model_validate({**about, "reason": text_of(message.get("cxl_rej_reason"))})
        kind = ExecType.from_fix(message["exec_type"])
        self.executions += 1
        reason = message.get("exec_restatement_reason", message.get("ord_rej_reason"))
        return ExecutionReport.model_validate(
            {
                **about,
                "exec_id": message.get("exec_id", f"R{self.executions}"),
                "exec_type": kind,
                "symbol": "AAPL",
                "side": Side.BUY,
                "quantity": message.get("order_qty"),
                "cumulative_quantity": message["cum_qty"],
                "open_quantity": message["leaves_qty"],
                "last_quantity": message.get("last_qty"),
                "last_price": message.get("last_px", "10"),
                "average_price": message.get("avg_px"),
                "price": message.get("price"),
                "exec_ref_id": message.get("exec_ref_id"),
                "reason": text_of(reason),
                "text": message.get("text"),
            }
        )

    def send(self, message: Row) -> EventType | None:
        """Carry out what the venue answers, and return the type of the event that it has to leave."""
        report = self.report(message)
        self.reports.append(report)
        result = self.book.orders.apply(report)
        assert result.differences == (), message
        if isinstance(report, CancelReject):
            return EventType.CANCEL_REJECTED
        code = message["exec_type"]
        if code in NO_CHANGE or (code == "8" and report.status is not OrderStatus.REJECTED):
            assert (result.applied, result.changes) == (False, ()), message
            return None
        assert result.applied, message
        return EVENTS[code]

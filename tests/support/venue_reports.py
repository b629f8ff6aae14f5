"""Reports of a venue about the order that tests begin with."""

from __future__ import annotations

from slotbook.models import ExecutionReport

from .make import TS


def report(
    trader: str, exec_id: str, exec_type: str, status: str, order_id: str = "A1", /, **said: object
) -> ExecutionReport:
    """Return a report of an order to BUY 100 AAPL."""
    values = {"symbol": "AAPL", "side": "BUY", "ts_ns": TS + 5, **said}
    about = {"trader": trader, "order_id": order_id, "exec_id": exec_id, "exec_type": exec_type, "status": status}
    return ExecutionReport.model_validate({**about, **values})


def trade(
    trader: str,
    exec_id: str = "X1",
    last: int = 40,
    filled: int = 40,
    ordered: int = 100,
    order_id: str = "A1",
    /,
    **said: object,
) -> ExecutionReport:
    """Return a report of a fill, after which so much of what was ordered is filled."""
    status = "FILLED" if filled == ordered else "PARTIALLY_FILLED"
    values = {
        "quantity": ordered,
        "cumulative_quantity": filled,
        "open_quantity": ordered - filled,
        "last_quantity": last,
        "last_price": "187.22",
        **said,
    }
    return report(trader, exec_id, "TRADE", status, order_id, **values)

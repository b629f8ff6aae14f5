"""Real venues' orders, cancels and rejects become reports that `apply` brings the book in line with, each once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from slotbook.models import ExecutionReport, OrderStatus

from ..support.desk import Desk
from .test_venue_records import check_order, complete, on_a_cluster, order_of, said


def report_of(meaning: dict[str, Any], trader: str, kind: str, status: str, **more: object) -> ExecutionReport:
    """Return the report that a record is; what the record leaves out is of the order that the tests place."""
    about = {
        "symbol": "AAPL",
        "side": "BUY",
        **said(meaning, "order_id", "symbol", "side", "quantity", "ts_ns", "price"),
    }
    ids = {"trader": trader, "exec_id": f"{kind}-{meaning['order_id']}", "exec_type": kind, "status": status}
    return ExecutionReport.model_validate({**about, **ids, **more})


@on_a_cluster
def test_orders_that_the_book_has_never_seen(desk: Desk) -> None:
    for meaning in complete("order"):
        trader, orders = desk.another(), desk.book.orders
        order_type = "LIMIT" if meaning.get("price") is not None else "MARKET"
        zero, quantity = {"cumulative_quantity": 0}, Decimal(meaning["quantity"])
        more = {**said(meaning, "account"), "type": order_type, "open_quantity": quantity, **zero}
        report = report_of(meaning, trader, "NEW", "NEW", **more)
        done = orders.apply(report, external=True)
        assert (done.applied, done.differences) == (True, ())
        check_order(desk, orders.get(trader, meaning["order_id"]), meaning)
        again = orders.apply(report, external=True)
        assert (again.applied, again.order, again.differences) == (False, done.order, ())
        assert len(desk.events(trader)) == 1


@on_a_cluster
def test_orders_that_the_desk_has_sent(desk: Desk) -> None:
    for meaning in complete("order"):
        trader, orders = desk.another(), desk.book.orders
        orders.place(order_of(meaning, trader).model_copy(update={"status": OrderStatus.PENDING_NEW}))
        report = report_of(meaning, trader, "NEW", "NEW", cumulative_quantity=0, venue_order_id="V-1")
        done = orders.apply(report)
        assert (done.applied, done.order.status, done.differences) == (True, "NEW", ())
        assert orders.get(trader, "V-1") == done.order
        assert not orders.apply(report).applied


@on_a_cluster
def test_cancels_and_rejects(desk: Desk) -> None:
    for kind, status in (("cancel", "CANCELED"), ("reject", "REJECTED")):
        for meaning in complete(kind):
            trader, orders = desk.another(), desk.book.orders
            orders.place(order_of({"symbol": "AAPL", "side": "BUY", "quantity": 1, **meaning}, trader))
            done = orders.apply(report_of(meaning, trader, status, status, open_quantity=0, cumulative_quantity=0))
            assert (done.applied, done.order.status, done.differences) == (True, status, ())
            assert done.order.updated_ns == meaning["ts_ns"]
            again = orders.apply(report_of(meaning, trader, status, status, open_quantity=0, cumulative_quantity=0))
            assert (again.applied, again.order) == (False, done.order)
            assert len(desk.events(trader)) == 2

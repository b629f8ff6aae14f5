"""Test cancel_all: every open order of a trader is canceled, and no other."""

from __future__ import annotations

from slotbook.models import OrderStatus

from ...support.desk import Desk
from ...support.make import execution, limit


def test_what_is_open_is_canceled(desk: Desk) -> None:
    trader, orders, other = desk.trader, desk.book.orders, desk.another()
    for number in range(60):
        orders.place(limit(trader, f"A{number}"))
    orders.place(limit(other))
    orders.fill(execution(trader, "X1", 100, order_id="A0"))
    orders.fill(execution(trader, "X2", 40, order_id="A1"))
    desk.book.trading(trader, "halted")
    found = [one.result() for one in orders.cancel_all(trader, text="end of day")]
    assert len(found) == 59
    assert {(one.order.status, one.order.text, one.applied) for one in found} == {
        (OrderStatus.CANCELED, "end of day", True)
    }
    assert (orders.open(trader), orders.count(trader, status="FILLED")) == ([], 1)
    assert orders.cancel_all(trader) == []
    assert [one.order_id for one in orders.open(other)] == ["A1"]

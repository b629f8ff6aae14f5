"""Test delete: a terminal order is removed before it expires."""

from __future__ import annotations

import pytest
from slotbook.models.errors import OrderClosed

from ...support.desk import Desk
from ...support.make import execution, limit


def test_a_terminal_order_goes_with_all_that_belonged_to_it(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader))
    desk.book.orders.cancel(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    assert desk.book.orders.get(desk.trader, "A1") is None
    assert desk.book.orders.count(desk.trader) == desk.book.orders.count(desk.trader, symbol="AAPL") == 0
    tag = f"{{{desk.trader}}}:"
    assert set(desk.contents()) == {tag + rest for rest in ("book", "events", "position:AAPL", "positions")}


def test_its_fills_stay_in_the_position(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    held = desk.book.orders.fill(execution(desk.trader, quantity=100)).position
    desk.book.orders.delete(desk.trader, "A1")
    assert desk.book.positions.get(desk.trader, "AAPL") == held


def test_the_other_orders_stay_listed(desk: Desk) -> None:
    orders = desk.book.orders
    for order_id in ("A1", "A2", "A3"):
        orders.place(limit(desk.trader, order_id))
    orders.cancel(desk.trader, "A1")
    orders.cancel(desk.trader, "A2")
    orders.delete(desk.trader, "A1")
    assert [order.order_id for order in orders.by_status(desk.trader, "CANCELED")] == ["A2"]
    assert {order.order_id for order in orders.by_symbol(desk.trader, "AAPL")} == {"A2", "A3"}


@pytest.mark.parametrize("filled", [0, 40])
def test_an_open_order_is_not_deleted(desk: Desk, filled: int) -> None:
    desk.book.orders.place(limit(desk.trader))
    if filled:
        desk.book.orders.fill(execution(desk.trader, quantity=filled))
    before = desk.contents()
    with pytest.raises(OrderClosed, match="cancel it first"):
        desk.book.orders.delete(desk.trader, "A1")
    assert desk.contents() == before


def test_what_is_gone_can_be_deleted_again(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.reject(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "never-there")


def test_the_id_is_free_for_another_order(desk: Desk) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader))
    orders.fill(execution(desk.trader, "X1", 100))
    orders.delete(desk.trader, "A1")
    placed = orders.place(limit(desk.trader, symbol="MSFT", quantity=7)).order
    assert orders.open(desk.trader) == [placed]
    assert orders.fill(execution(desk.trader, "X1", 7)).applied

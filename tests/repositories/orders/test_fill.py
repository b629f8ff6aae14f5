"""Test fill: an execution is applied to its order and its position exactly once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import FillResult, OrderStatus, Position
from slotbook.models.errors import DuplicateRequest, OrderNotFound, Overfill

from ...support.desk import Desk
from ...support.make import TS, execution, limit


def fill(desk: Desk, exec_id: str, quantity: int, price: str = "187.22", order_id: str = "A1") -> FillResult:
    return desk.book.orders.fill(execution(desk.trader, exec_id, quantity, price, order_id))


def test_a_fill_moves_its_order_and_its_position(desk: Desk) -> None:
    order = desk.book.orders.place(limit(desk.trader)).order
    result = fill(desk, "X1", 40)
    assert result.order == order.model_copy(
        update={
            "status": OrderStatus.PARTIALLY_FILLED,
            "filled_quantity": 40,
            "filled_notional": Decimal("7488.8"),
            "version": 2,
            "updated_ns": TS + 1,
        }
    )
    assert result.position == Position(
        trader=desk.trader,
        symbol="AAPL",
        quantity=40,
        bought_quantity=40,
        bought_notional=Decimal("7488.8"),
        open_cost=Decimal("7488.8"),
        version=1,
        updated_ns=TS + 1,
    )
    assert (result.applied, result.late, result.sequence) == (True, False, 2)
    assert desk.book.orders.get(desk.trader, "A1") == result.order
    assert desk.book.positions.get(desk.trader, "AAPL") == result.position


def test_a_sell_makes_the_position_short(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, side="SELL"))
    held = fill(desk, "X1", 40, "10").position
    assert (held.quantity, held.bought_quantity, held.sold_quantity) == (-40, 0, 40)
    assert (held.bought_notional, held.sold_notional) == (0, 400)


def test_fills_of_several_orders_fold_into_one_position(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, "B1"))
    desk.book.orders.place(limit(desk.trader, "S1", side="SELL"))
    fill(desk, "X1", 100, "10.5", "B1")
    held = fill(desk, "X1", 30, "11.25", "S1").position
    assert (held.quantity, held.cash, held.version) == (70, Decimal("-712.5"), 2)


def test_the_last_fill_makes_the_order_filled(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", 40)
    order = fill(desk, "X2", 60).order
    assert (order.status, order.filled_quantity, order.open_quantity) == (OrderStatus.FILLED, 100, 0)


def test_a_repeat_returns_the_first_result_and_changes_nothing(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    first = fill(desk, "X1", 40)
    before = desk.contents()
    again = fill(desk, "X1", 40)
    assert (again.order, again.position, again.sequence, again.late) == (
        first.order,
        first.position,
        first.sequence,
        first.late,
    )
    assert not again.applied
    assert desk.contents() == before


def test_a_repeat_returns_what_was_even_after_everything_has_moved_on(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    first = fill(desk, "X1", 40)
    desk.book.orders.replace(desk.trader, "A1", quantity=150, price="190", revision=3, text="more")
    fill(desk, "X2", 60, "190")
    desk.book.positions.adjust(desk.trader, "AAPL", 1_000)
    desk.book.orders.cancel(desk.trader, "A1", text="enough")
    before = desk.contents()
    again = fill(desk, "X1", 40)
    assert (again.order, again.position, again.sequence) == (first.order, first.position, first.sequence)
    assert desk.contents() == before


def test_a_repeat_written_otherwise_is_still_the_same_fill(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", 40, "187.5")
    assert not fill(desk, "X1", 40, "187.500000").applied


def test_the_time_is_not_part_of_what_a_fill_is(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    first = fill(desk, "X1", 40)
    again = desk.book.orders.fill(execution(desk.trader, "X1", 40, ts_ns=TS + 99))
    assert (again.applied, again.order) == (False, first.order)


@pytest.mark.parametrize(("quantity", "price"), [(41, "187.22"), (40, "187.23"), (1_000, "187.22")])
def test_an_exec_id_with_other_content_is_refused(desk: Desk, quantity: int, price: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", 40)
    before = desk.contents()
    with pytest.raises(DuplicateRequest, match=r"X1.*40 at 187\.22"):
        fill(desk, "X1", quantity, price)
    assert desk.contents() == before


def test_an_exec_id_belongs_to_its_order(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, "A1"))
    desk.book.orders.place(limit(desk.trader, "A2"))
    fill(desk, "X1", 40, order_id="A1")
    assert fill(desk, "X1", 50, order_id="A2").applied


def test_an_exec_id_is_no_request_id(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.replace(desk.trader, "A1", quantity=200, request_id="X1")
    assert fill(desk, "X1", 40).applied


def test_a_fill_past_the_quantity_is_refused(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", 40)
    before = desk.contents()
    with pytest.raises(Overfill, match="61 is more than the 60 left"):
        fill(desk, "X2", 61)
    assert desk.contents() == before
    assert fill(desk, "X2", 60).applied


def test_a_fill_of_no_order_is_refused(desk: Desk) -> None:
    with pytest.raises(OrderNotFound, match=f"X1 of {desk.trader}/A1"):
        fill(desk, "X1", 40)
    assert desk.contents() == {}


@pytest.mark.parametrize("close", ["cancel", "expire", "reject"])
def test_a_late_fill_is_recorded_and_marked(desk: Desk, close: str) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader))
    if close != "reject":
        fill(desk, "X1", 40)
    verb = {"cancel": orders.cancel, "expire": orders.expire, "reject": orders.reject}[close]
    closed = verb(desk.trader, "A1").order
    before = desk.book.positions.get(desk.trader, "AAPL")
    late = fill(desk, "X2", 25)
    assert (late.applied, late.late) == (True, True)
    assert late.order.status == closed.status
    assert late.order.filled_quantity == closed.filled_quantity + 25
    assert late.position.quantity == before.quantity + 25
    assert desk.events()[-1].late is True
    again = fill(desk, "X2", 25)
    assert (again.applied, again.late, again.order, again.position) == (False, True, late.order, late.position)


def test_a_late_fill_too_cannot_pass_the_quantity(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", 40)
    desk.book.orders.cancel(desk.trader, "A1")
    with pytest.raises(Overfill):
        fill(desk, "X2", 61)
    last = fill(desk, "X3", 60)
    assert (last.late, last.order.status, last.order.filled_quantity) == (True, OrderStatus.CANCELED, 100)


def test_a_fill_in_time_repeated_after_the_cancel_is_not_late(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", 40)
    desk.book.orders.cancel(desk.trader, "A1")
    again = fill(desk, "X1", 40)
    assert (again.late, again.order.status) == (False, OrderStatus.PARTIALLY_FILLED)

"""Test open, by_status, by_symbol and count, which list or count a trader's orders."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models import Order, OrderStatus
from slotbook.models.errors import InvalidArgument
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.topology.steps import Steps

from ...support.desk import Desk
from ...support.make import execution, limit


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Return a desk with one order of each status, in two symbols."""
    orders, trader = desk.book.orders, desk.trader
    for order_id, symbol in [("N", "AAPL"), ("P", "MSFT"), ("F", "AAPL"), ("C", "MSFT"), ("R", "AAPL"), ("E", "AAPL")]:
        orders.place(limit(trader, order_id, symbol=symbol))
    orders.fill(execution(trader, "X1", 40, order_id="P"))
    orders.fill(execution(trader, "X1", 100, order_id="F"))
    orders.cancel(trader, "C")
    orders.reject(trader, "R")
    orders.expire(trader, "E")
    for order_id in ("DONE_FOR_DAY", "PENDING_CANCEL", "STOPPED", "SUSPENDED", "CALCULATED", "PENDING_REPLACE"):
        orders.place(limit(trader, order_id, symbol="TSLA"))
    orders.place(limit(trader, "PENDING_NEW", symbol="TSLA", status="PENDING_NEW"))
    orders.done_for_day(trader, "DONE_FOR_DAY")
    orders.pending_cancel(trader, "PENDING_CANCEL", client_order_id="C2")
    orders.stop(trader, "STOPPED")
    orders.suspend(trader, "SUSPENDED")
    orders.calculate(trader, "CALCULATED")
    orders.pending_replace(trader, "PENDING_REPLACE", client_order_id="C3", quantity=90)
    return desk


def test_open_orders_are_those_that_have_not_ended(full: Desk) -> None:
    assert {order.order_id for order in full.book.orders.open(full.trader)} == {
        *("N", "P", "DONE_FOR_DAY", "PENDING_CANCEL", "STOPPED", "SUSPENDED", "PENDING_NEW", "PENDING_REPLACE")
    }


def test_orders_in_flight_are_those_that_wait_for_an_answer(full: Desk) -> None:
    found = {order.order_id: order.pending_requests for order in full.book.orders.in_flight(full.trader)}
    assert found.keys() == {"PENDING_CANCEL", "PENDING_NEW", "PENDING_REPLACE"}
    assert found["PENDING_NEW"] == []
    (asked,) = found["PENDING_REPLACE"]
    assert (asked.status, asked.client_order_id, asked.quantity) == (OrderStatus.PENDING_REPLACE, "C3", "90")
    assert full.book.orders.in_flight(full.another()) == []


@pytest.mark.parametrize("status", OrderStatus)
def test_each_status_lists_its_orders(full: Desk, status: OrderStatus) -> None:
    (order,) = full.book.orders.by_status(full.trader, status)
    assert order.status is status
    assert order.order_id in (status.value, status.value[0])
    assert full.book.orders.by_status(full.trader, status.value) == [order]
    assert order == full.book.orders.get(full.trader, order.order_id)
    assert full.book.orders.count(full.trader, status=status) == 1


def test_each_symbol_lists_its_orders_whatever_their_status(full: Desk) -> None:
    assert {order.order_id for order in full.book.orders.by_symbol(full.trader, "AAPL")} == {"N", "F", "R", "E"}
    assert {order.order_id for order in full.book.orders.by_symbol(full.trader, "MSFT")} == {"P", "C"}
    assert full.book.orders.by_symbol(full.trader, "IBM") == []
    assert full.book.orders.count(full.trader, symbol="AAPL") == 4
    assert full.book.orders.count(full.trader, symbol="IBM") == 0


def test_count_counts_all(full: Desk) -> None:
    assert full.book.orders.count(full.trader) == 13


def test_one_trader_does_not_see_another_s_orders(full: Desk) -> None:
    stranger = full.another()
    assert full.book.orders.open(stranger) == []
    assert full.book.orders.by_status(stranger, "NEW") == []
    assert full.book.orders.by_symbol(stranger, "AAPL") == []
    assert full.book.orders.count(stranger) == 0


def test_listing_changes_nothing(full: Desk) -> None:
    before = full.contents()
    full.book.orders.open(full.trader)
    full.book.orders.by_symbol(full.trader, "AAPL")
    full.book.orders.count(full.trader)
    assert full.contents() == before


def test_a_long_list_comes_whole(desk: Desk) -> None:
    ids = [f"A{number}" for number in range(2_345)]
    outcomes = desk.book.orders.place_many([limit(desk.trader, order_id) for order_id in ids])
    assert all(outcome.error is None for outcome in outcomes)
    for listed in (
        desk.book.orders.open(desk.trader),
        desk.book.orders.by_status(desk.trader, "NEW"),
        desk.book.orders.by_symbol(desk.trader, "AAPL"),
    ):
        assert sorted(order.order_id for order in listed) == sorted(ids)
    assert desk.book.orders.count(desk.trader) == len(ids)


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
def test_an_order_that_changes_while_a_long_list_is_read_is_not_in_it(
    lone_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages after the first are read by their ids, and orders may have got another status by then."""
    monkeypatch.setattr("slotbook.repositories.orders.calls.PAGE", 2)
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place_many([limit(trader, f"A{number}") for number in range(5)])
    calls = OrderCalls(book.backend.settings, LossDetector())

    def reading() -> Steps[list[Order]]:
        steps = calls.by_status(trader, "NEW")
        answer = yield next(steps)
        for number in range(5):
            book.orders.cancel(trader, f"A{number}")
        while True:
            try:
                answer = yield steps.send(answer)
            except StopIteration as end:
                return cast("list[Order]", end.value)

    assert [order.status for order in book.backend.drive(reading())] == ["NEW"] * 2


def test_questions_without_an_answer_are_refused(desk: Desk) -> None:
    orders = desk.book.orders
    with pytest.raises(InvalidArgument, match="no status 'DONE'; there are NEW, "):
        orders.by_status(desk.trader, "DONE")
    with pytest.raises(InvalidArgument, match="no status"):
        orders.count(desk.trader, status="DONE")
    with pytest.raises(InvalidArgument, match="not both"):
        orders.count(desk.trader, status="NEW", symbol="AAPL")


@pytest.mark.parametrize("status", ["DONE", "new", "", 5, None], ids=repr)
def test_a_status_that_is_none_is_refused(lone_desk: Desk, status: object) -> None:
    with pytest.raises(InvalidArgument, match="there is no status"):
        lone_desk.book.orders.by_status(lone_desk.trader, status)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["", " ab", "a{b", "}", "a\n", "\0", "x" * 257, "\ud800", "\u200b"], ids=ascii)
def test_names_that_no_key_can_be_made_of_are_refused(lone_desk: Desk, name: str) -> None:
    orders, positions, trader = lone_desk.book.orders, lone_desk.book.positions, lone_desk.trader
    for ask in (
        lambda: orders.get(name, "A1"),
        lambda: orders.get(trader, name),
        lambda: orders.open(name),
        lambda: orders.by_symbol(trader, name),
        lambda: orders.count(name),
        lambda: orders.count(trader, symbol=name),
        lambda: orders.delete(trader, name),
        lambda: positions.get(trader, name),
        lambda: positions.get(name, "AAPL"),
        lambda: positions.all(name),
        lambda: positions.net(name),
        lambda: positions.adjust(trader, name, 1),
    ):
        with pytest.raises(InvalidArgument):
            ask()

"""Test cancel_all: every open order of a trader is canceled, and no other."""

from __future__ import annotations

from slotbook.models import EventType, OrderStatus, Side
from slotbook.models.errors import CorruptRecord

from ...support.desk import Desk
from ...support.make import execution, limit

OPEN_BUYS = "open_buy_quantity"
"""The field of a position that has what is open of the orders that buy."""


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


def test_all_symbols_sides_and_states_that_are_open(desk: Desk) -> None:
    """Orders that are pending, stopped, suspended, filled in part or not accepted are open; what has ended is not."""
    trader, orders = desk.trader, desk.book.orders
    for number, symbol in enumerate(("AAPL", "MSFT", "BRK B")):
        for side in Side:
            orders.place(limit(trader, f"{symbol}-{side}", symbol=symbol, side=side, quantity=10 + number))
    orders.place(limit(trader, "NEW", status="PENDING_NEW"))
    orders.pending_cancel(trader, "AAPL-BUY", client_order_id="C1")
    orders.pending_replace(trader, "AAPL-SELL", client_order_id="C2", quantity=20)
    orders.stop(trader, "MSFT-BUY", quantity=5, price="187")
    orders.suspend(trader, "MSFT-SELL")
    orders.fill(execution(trader, "X1", 4, order_id="BRK B-SELL"))
    orders.fill(execution(trader, "X2", 10, order_id="AAPL-SELL_SHORT"))
    orders.reject(trader, "BRK B-BUY")
    desk.book.trading(trader, "reducing")
    open_ids = {order.order_id for order in orders.open(trader)}
    assert len(open_ids) == 11
    outcomes = orders.cancel_all(trader)
    assert {one.result().order.order_id for one in outcomes} == open_ids
    for order_id in open_ids:
        order = orders.get(trader, order_id)
        assert order is not None
        assert (order.status, order.open_quantity, order.pending) == ("CANCELED", 0, None)
    assert (orders.in_flight(trader), orders.open(trader)) == ([], [])
    late = orders.cancel_reject(trader, "AAPL-BUY", client_order_id="C1")
    assert late.order.status == "CANCELED", "the refusal of an earlier request changes nothing of that"


def test_one_that_cannot_be_canceled_leaves_the_others(lone_desk: Desk) -> None:
    """The position of one symbol has garbage where its open quantity is, so nothing in that symbol is changed."""
    desk, trader, orders = lone_desk, lone_desk.trader, lone_desk.book.orders
    symbols = ("AAPL", "MSFT", "ORCL")
    for number in range(60):
        symbol = symbols[number % 3]
        orders.place(limit(trader, f"A{number:02}", symbol=symbol))
    right = desk.ask("HGET", "%:position:MSFT", OPEN_BUYS)
    assert isinstance(right, str)
    desk.ask("HSET", "%:position:MSFT", OPEN_BUYS, "many")
    outcomes = orders.cancel_all(trader)
    failed = [one.error for one in outcomes if one.error is not None]
    assert (len(outcomes), len(failed)) == (60, 20)
    assert {type(error) for error in failed} == {CorruptRecord}
    assert {order.symbol for order in orders.open(trader)} == {"MSFT"}
    desk.ask("HSET", "%:position:MSFT", OPEN_BUYS, right)
    assert [one.result().applied for one in orders.cancel_all(trader)] == [True] * 20
    assert orders.open(trader) == []


def test_more_than_a_thousand(lone_desk: Desk) -> None:
    """More than one page of open orders, and than one call takes."""
    trader, orders = lone_desk.trader, lone_desk.book.orders
    placed = orders.place_many([limit(trader, f"A{number}", side=Side.SELL) for number in range(1_050)])
    assert all(one.error is None for one in placed)
    lone_desk.book.trading(trader, "halted")
    outcomes = orders.cancel_all(trader)
    assert len({one.result().order.order_id for one in outcomes}) == 1_050
    assert (orders.open(trader), orders.count(trader, status="CANCELED")) == ([], 1_050)
    canceled = [event for event in lone_desk.events() if event.type is EventType.CANCELED]
    assert len({event.order_id for event in canceled}) == len(canceled) == 1_050

"""Test the rules by which a report changes what it may still change, and nothing else."""

from __future__ import annotations

import pytest
from slotbook.models import Order

from ...support.desk import Desk
from ...support.make import TS, limit
from ...support.venue_reports import report, trade


def now(desk: Desk) -> Order:
    order = desk.book.orders.get(desk.trader, "A1")
    assert order is not None
    return order


def test_a_fill_may_fill_all_of_another_quantity(lone_desk: Desk) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    filled = lone_desk.book.orders.apply(trade(lone_desk.trader, "X1", 150, 150, 150))
    assert (filled.order.status, filled.order.quantity, filled.differences) == ("FILLED", 150, ())


@pytest.mark.parametrize("ordered", [100, 120])
def test_a_repeat_never_sets_the_quantity_back(lone_desk: Desk, ordered: int) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    asked = report(trader, "E1", "PENDING_CANCEL", "PENDING_CANCEL", quantity=ordered, client_order_id="C2")
    first = orders.apply(asked)
    orders.restate(trader, "A1", quantity=300, ts_ns=TS + 5)
    again = orders.apply(asked)
    assert (again.applied, again.order, again.changes[-1]) == (False, first.order, first.changes[-1])
    assert now(lone_desk).quantity == 300


def test_an_order_with_fills_is_not_rejected(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1"))
    late = orders.apply(report(trader, "E1", "REJECTED", "REJECTED"))
    assert (late.applied, [one.field for one in late.differences]) == (False, ["status"])


def test_the_id_before_a_request_says_of_which_version_a_report_is(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    ids = {"client_order_id": "A2", "original_client_order_id": "A1"}
    orders.apply(report(trader, "E1", "REPLACED", "NEW", quantity=110, **ids))
    asked = {"client_order_id": "A3", "original_client_order_id": "A2", "quantity": 120}
    assert orders.apply(report(trader, "E2", "PENDING_CANCEL", "PENDING_CANCEL", **asked)).order.quantity == 120
    ended = {"client_order_id": "A3", "original_client_order_id": "A1", "quantity": 130}
    canceled = orders.apply(report(trader, "E3", "CANCELED", "CANCELED", **ended))
    assert (canceled.order.status, canceled.order.quantity) == ("CANCELED", 120)


def test_prices_are_changed_as_far_as_the_type_has_them(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader, type="STOP_LIMIT", stop_price=180))
    told = report(trader, "E1", "REPLACED", "NEW", price=190, stop_price=185)
    replaced = orders.apply(told)
    assert (replaced.order.price, replaced.order.stop_price, replaced.differences) == (190, 185, ())
    restated = orders.apply(report(trader, "E2", "RESTATED", "NEW", price=191, stop_price=186))
    assert (restated.order.price, restated.order.stop_price) == (191, 186)
    asked = orders.apply(report(trader, "E3", "ORDER_STATUS", "NEW", stop_price=1))
    assert [tuple(one) for one in asked.differences] == [("stop_price", 1, 186)]
    orders.place(limit(trader, "A2", type="MARKET", price=None))
    market = orders.apply(report(trader, "E1", "REPLACED", "NEW", "A2", price=190))
    assert (market.applied, market.order.price) == (False, None)


def test_a_calculated_order_may_be_restated(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(report(trader, "E1", "CALCULATED", "CALCULATED"))
    assert orders.apply(report(trader, "E2", "RESTATED", "NEW", quantity=100)).order.status == "NEW"


def test_what_a_stop_guarantees_is_in_its_event(lone_desk: Desk) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    told = report(lone_desk.trader, "E1", "STOPPED", "STOPPED", last_quantity=30, last_price="187.5", reason="7")
    assert lone_desk.book.orders.apply(told).order.status == "STOPPED"
    event = lone_desk.events()[-1]
    assert (event.requested_quantity, str(event.requested_price), event.reason) == (30, "187.5", "7")


def test_a_fill_has_its_fee_and_completes_it(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1"))
    completed = orders.apply(trade(trader, "X1", fee="0.25", fee_currency="USD"))
    assert (completed.applied, completed.order.filled_quantity) == (True, 40)
    assert not orders.apply(trade(trader, "X1", fee="0.25", fee_currency="USD")).applied
    (execution,) = orders.fills(trader, "A1")
    assert str(execution.fee) == "0.25"


def test_a_bust_of_what_was_busted_may_still_say_another_quantity(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1"))
    orders.apply(report(trader, "B1", "TRADE_CANCEL", "NEW", exec_ref_id="X1"))
    result = orders.apply(report(trader, "B2", "TRADE_CANCEL", "NEW", exec_ref_id="X1", quantity=120))
    assert (result.applied, result.order.quantity, [one.sequence for one in result.changes]) == (True, 120, [4, 0])


def test_an_average_price_may_be_rounded(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1", 20, 20, 100, last_price=33))
    orders.apply(trade(trader, "X2", 10, 30, 100, last_price=34))
    for average, agrees in {"33.33": True, "33.333": True, "33.34": True, "33.335": False, "33.3": False}.items():
        asked = report(trader, "Q", "ORDER_STATUS", "PARTIALLY_FILLED", average_price=average)
        assert (orders.apply(asked).differences == ()) is agrees, average

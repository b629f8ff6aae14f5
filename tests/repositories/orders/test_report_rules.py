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


def test_a_report_that_is_no_fill_says_a_quantity_above_what_is_filled(lone_desk: Desk) -> None:
    """With that the order would be full, which only a fill or a replace makes it; a bust leaves less of it filled."""
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1"))
    asked = orders.apply(report(trader, "E1", "PENDING_CANCEL", "PENDING_CANCEL", quantity=40, client_order_id="C2"))
    assert (asked.order.quantity, [one.field for one in asked.differences]) == (100, ["quantity"])
    busted = orders.apply(report(trader, "B1", "TRADE_CANCEL", "PENDING_CANCEL", quantity=40, exec_ref_id="X1"))
    assert (busted.order.quantity, busted.order.filled_quantity, busted.differences) == (40, 0, ())


@pytest.mark.parametrize("kind", ["REPLACED", "RESTATED"])
def test_a_filled_order_takes_only_a_quantity_above_what_is_filled(lone_desk: Desk, kind: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1", 100, 100, 100))
    before = lone_desk.contents()
    for number, quantity in enumerate((100, 90)):
        same = orders.apply(report(trader, f"E{number}", kind, "FILLED", quantity=quantity))
        assert (same.applied, [one.field for one in same.differences]) == (False, ["quantity"] if number else [])
    assert lone_desk.contents() == before
    more = orders.apply(report(trader, "E3", kind, "PARTIALLY_FILLED", quantity=101))
    assert (more.applied, more.order.status, more.differences) == (True, "PARTIALLY_FILLED", ())


@pytest.mark.parametrize("kind", ["CANCELED", "EXPIRED", "DONE_FOR_DAY", "SUSPENDED", "STOPPED", "CALCULATED"])
def test_a_filled_order_is_judged_with_the_quantity_that_the_report_says(lone_desk: Desk, kind: str) -> None:
    """It has grown at the venue meanwhile, and so is open when what the report says happens to it."""
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1", 100, 100, 100))
    said = report(trader, "E1", kind, kind, quantity=102, cumulative_quantity=100, last_quantity=2, last_price=10)
    told = orders.apply(said)
    assert [change.type for change in told.changes] == ["RESTATED", kind]
    assert (told.order.status, told.order.quantity, told.differences) == (kind, 102, ())
    again = orders.apply(said)
    assert (again.applied, again.order) == (False, told.order)


def test_a_rejection_that_leaves_the_order_as_it_is_is_of_another_order_with_its_id(lone_desk: Desk) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    told = lone_desk.book.orders.apply(report(lone_desk.trader, "E1", "REJECTED", "NEW", reason="6"))
    assert (told.applied, told.order.status, told.differences) == (False, "NEW", ())


def test_the_first_report_of_an_order_may_say_another_quantity(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    first = orders.apply(report(trader, "E1", "NEW", "NEW", quantity=120))
    assert (first.applied, first.order.quantity, first.differences) == (True, 120, ())
    late = orders.apply(report(trader, "E2", "NEW", "NEW", quantity=130))
    assert (late.applied, late.order.quantity, [one.field for one in late.differences]) == (False, 120, ["quantity"])


@pytest.mark.parametrize("ordered", [100, 120])
def test_a_repeat_never_sets_the_quantity_back(lone_desk: Desk, ordered: int) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    asked = report(trader, "E1", "PENDING_CANCEL", "PENDING_CANCEL", quantity=ordered, client_order_id="C2")
    first = orders.apply(asked)
    orders.restate(trader, "A1", quantity=300, ts_ns=TS + 5)
    again = orders.apply(asked)
    assert (again.applied, again.order, again.changes) == (False, first.order, first.changes)
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
    assert {name: getattr(lone_desk.events()[-1], name) for name in ids} == ids
    asked = {"client_order_id": "A3", "original_client_order_id": "A2", "quantity": 120}
    assert orders.apply(report(trader, "E2", "PENDING_CANCEL", "PENDING_CANCEL", **asked)).order.quantity == 120
    told = {"client_order_id": "A3", "quantity": 125}  # the id of what is asked, and not of the order before it
    assert orders.apply(report(trader, "E4", "PENDING_CANCEL", "PENDING_CANCEL", **told)).order.quantity == 125
    ended = {"client_order_id": "A3", "original_client_order_id": "A1", "quantity": 130}
    canceled = orders.apply(report(trader, "E3", "CANCELED", "CANCELED", **ended))
    assert (canceled.order.status, canceled.order.quantity) == ("CANCELED", 125)


def test_the_answer_to_a_request_that_is_pending_is_taken(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.pending_replace(trader, "A1", client_order_id="A2", original_client_order_id="A1", quantity=150)
    ids = {"client_order_id": "A2", "original_client_order_id": "A1"}
    told = orders.apply(report(trader, "E1", "REPLACED", "NEW", quantity=150, **ids))
    assert (told.applied, told.order.quantity, told.order.pending, told.differences) == (True, 150, None, ())


@pytest.mark.parametrize("kind", ["SUSPENDED", "STOPPED", "DONE_FOR_DAY"])
def test_nothing_is_marked_on_an_order_that_is_full_while_it_waits(lone_desk: Desk, kind: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.pending_cancel(trader, "A1", client_order_id="C2")
    orders.apply(trade(trader, "X1", 100, 100, 100, status="PENDING_CANCEL"))
    told = orders.apply(report(trader, "E1", kind, kind))
    assert (told.applied, told.order.status, told.order.marks) == (False, "PENDING_CANCEL", None)


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
    only = orders.apply(report(trader, "E4", "REPLACED", "NEW", stop_price=187))
    assert (only.applied, only.order.price, only.order.stop_price) == (True, 191, 187)
    orders.place(limit(trader, "A2", type="MARKET", price=None))
    market = orders.apply(report(trader, "E1", "REPLACED", "NEW", "A2", price=190))
    assert (market.applied, market.order.price) == (False, None)


def test_a_filled_order_may_be_calculated(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(trade(trader, "X1", 100, 100, 100))
    told = report(trader, "E1", "CALCULATED", "CALCULATED", cumulative_quantity=100, open_quantity=0)
    assert [orders.apply(told).applied for _ in range(2)] == [True, False]
    assert (now(lone_desk).status, orders.apply(told).differences) == ("CALCULATED", ())


def test_a_calculated_order_may_be_restated(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(report(trader, "E1", "CALCULATED", "CALCULATED"))
    assert orders.apply(report(trader, "E2", "RESTATED", "NEW", quantity=100)).order.status == "NEW"


@pytest.mark.parametrize("kind", ["SUSPENDED", "DONE_FOR_DAY"])
def test_an_order_that_does_not_trade_keeps_its_quantity(lone_desk: Desk, kind: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.apply(report(trader, "E1", kind, kind))
    asked = report(trader, "E2", "PENDING_CANCEL", "PENDING_CANCEL", quantity=120, client_order_id="C2")
    assert (orders.apply(asked).applied, now(lone_desk).quantity) == (True, 100)


def test_a_stop_may_guarantee_no_quantity(lone_desk: Desk) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    told = lone_desk.book.orders.apply(report(lone_desk.trader, "E1", "STOPPED", "STOPPED", last_quantity=0))
    assert (told.applied, lone_desk.events()[-1].requested_quantity) == (True, None)


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
    for average, agrees in {"0": True, "0.01": False}.items():
        asked = report(trader, "Q", "ORDER_STATUS", "NEW", average_price=average)
        assert (orders.apply(asked).differences == ()) is agrees, "nothing is filled"
    orders.apply(trade(trader, "X1", 20, 20, 100, last_price=33))
    asked = report(trader, "Q", "ORDER_STATUS", "PARTIALLY_FILLED", average_price="33.01")
    assert [one.field for one in orders.apply(asked).differences] == ["average_price"]  # one unit more is no rounding
    orders.apply(trade(trader, "X2", 10, 30, 100, last_price=34))
    for average, agrees in {"33.33": True, "33.333": True, "33.34": True, "33.335": False, "33.3": False}.items():
        asked = report(trader, "Q", "ORDER_STATUS", "PARTIALLY_FILLED", average_price=average)
        assert (orders.apply(asked).differences == ()) is agrees, average

"""Test reports of a venue as requests: one effect, repeats, what is refused, and what is said to differ."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest
from pydantic import ValidationError
from slotbook.models import CancelReject, EventType, ExecutionReport, OrderStatus, ReportResult, errors

from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit
from ...support.venue_reports import report, trade


def fields_of(result: ReportResult) -> list[str]:
    return [one.field for one in result.differences]


def test_a_fill_moves_order_and_position_once(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    told = trade(desk.trader, average_price="187.22", client_order_id="A1")
    result = desk.book.orders.apply(told)
    assert (result.order.status, result.order.filled_quantity, result.applied) == ("PARTIALLY_FILLED", 40, True)
    assert result.position is not None
    assert (result.position.quantity, result.differences, result.late) == (40, (), False)
    assert result.changes == ((EventType.TRADE, 2),)
    again = desk.book.orders.apply(told)
    assert (again.applied, again.order, again.position, again.sequence) == (False, result.order, result.position, 2)
    assert (again.changes, again.differences) == (result.changes, ())
    assert len(desk.events()) == 2


def test_another_quantity_is_restated_in_the_same_step(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    told = trade(desk.trader, "X1", 120, 120, 150)
    result = desk.book.orders.apply(told)
    assert (result.order.quantity, result.order.filled_quantity, result.differences) == (150, 120, ())
    assert [one.type for one in desk.events()] == ["NEW", "RESTATED", "TRADE"]
    assert result.changes == ((EventType.RESTATED, 2), (EventType.TRADE, 3))
    desk.book.orders.replace(desk.trader, "A1", quantity=300)
    again = desk.book.orders.apply(told)  # it does not set the quantity back
    assert (again.applied, again.order) == (False, result.order)
    order = desk.book.orders.get(desk.trader, "A1")
    assert order is not None
    assert (order.quantity, len(desk.events())) == (300, 4)


def test_what_is_refused_leaves_the_quantity_alone(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    before = desk.contents()
    with pytest.raises(errors.Overfill):
        desk.book.orders.apply(trade(desk.trader, "X1", 160, 160, 150, open_quantity=0))
    told = report(desk.trader, "X2", "TRADE_CANCEL", "NEW", quantity=150, exec_ref_id="X1")
    with pytest.raises(errors.ExecutionNotFound):
        desk.book.orders.apply(told)
    assert desk.contents() == before


@pytest.mark.parametrize("said", [{"symbol": "MSFT"}, {"side": "SELL"}], ids=lambda said: next(iter(said)))
@pytest.mark.parametrize("kind", ["TRADE", "NEW", "CANCELED", "ORDER_STATUS", "TRADE_CANCEL"])
def test_another_instrument_is_refused_before_anything_is_written(
    lone_desk: Desk, kind: str, said: dict[str, str]
) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    before = lone_desk.contents()
    more = {"last_quantity": 5, "last_price": 1, "exec_ref_id": "X0", "quantity": 150}
    with pytest.raises(errors.OrderMismatch, match=r"it says \w+ \w+, but the order is BUY AAPL"):
        lone_desk.book.orders.apply(report(lone_desk.trader, "X1", kind, "NEW", **more, **said))
    assert lone_desk.contents() == before


@pytest.mark.parametrize("kind", ["TRADE", "NEW", "CANCELED", "ORDER_STATUS", "TRADE_CORRECT"])
def test_an_order_that_is_not_there_is_refused(desk: Desk, kind: str) -> None:
    more = {"last_quantity": 5, "last_price": 1, "exec_ref_id": "X0", "quantity": 150}
    with pytest.raises(errors.OrderNotFound):
        desk.book.orders.apply(report(desk.trader, "X1", kind, "NEW", **more))
    assert desk.contents() == {}


def test_one_exec_id_is_one_report(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, status="PENDING_NEW"))
    desk.book.orders.apply(report(desk.trader, "X1", "NEW", "NEW", quantity=100))
    desk.book.orders.apply(trade(desk.trader, "X2"))
    before = desk.contents()
    others = [
        trade(desk.trader, "X1"),
        trade(desk.trader, "X2", 30),
        trade(desk.trader, "X2", last_price="187.23"),
        report(desk.trader, "X2", "CANCELED", "CANCELED"),
        report(desk.trader, "X1", "CANCELED", "CANCELED"),
        report(desk.trader, "X1", "TRADE_CANCEL", "NEW", exec_ref_id="X2"),
        report(desk.trader, "X2", "TRADE_CANCEL", "NEW", exec_ref_id="X0"),
    ]
    for other in others:
        with pytest.raises(errors.DuplicateRequest):
            desk.book.orders.apply(other)
    desk.book.orders.apply(report(desk.trader, "X1", "ORDER_STATUS", "PARTIALLY_FILLED"))  # it is known by nothing
    assert desk.contents() == before


def test_what_differs_is_said_and_not_guessed(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    result = desk.book.orders.apply(
        trade(desk.trader, "X2", 10, 60, 150, average_price="180.1", price="187.5", client_order_id="A1")
    )
    assert (result.order.quantity, result.order.filled_quantity) == (100, 10)
    assert [tuple(one) for one in result.differences] == [
        ("quantity", 150, 100),
        ("cumulative_quantity", 60, 10),
        ("price", Decimal("187.5"), Decimal("187.23")),
        ("average_price", Decimal("180.1"), Decimal("187.22")),
    ]
    late = desk.book.orders.apply(trade(desk.trader, "X1", 50, 60, 150))  # what was missing: now it all fits
    assert (late.order.quantity, late.order.filled_quantity, late.differences) == (150, 60, ())


def test_a_report_of_before_a_replace_does_not_set_the_quantity_back(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.apply(
        report(desk.trader, "E1", "REPLACED", "NEW", quantity=150, client_order_id="A2", original_client_order_id="A1")
    )
    result = desk.book.orders.apply(trade(desk.trader, "X1", client_order_id="A1"))
    assert (result.order.quantity, result.order.filled_quantity) == (150, 40)
    assert fields_of(result) == ["quantity", "open_quantity"]
    older = desk.book.orders.apply(trade(desk.trader, "X2", 10, 50, client_order_id="A2", ts_ns=TS + 4))
    assert (older.order.quantity, fields_of(older)) == (150, ["quantity", "open_quantity"])
    late = desk.book.orders.apply(
        report(desk.trader, "E0", "REPLACED", "NEW", quantity=90, client_order_id="A0", original_client_order_id="A1")
    )
    assert (late.applied, late.order.quantity) == (False, 150)
    assert fields_of(late) == ["status", "quantity", "client_order_id"]


def test_an_older_report_is_known_by_its_time(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader, ts_ns=TS + 9))
    told = report(trader, "E1", "RESTATED", "NEW", quantity=110, ts_ns=TS + 5)  # an order is not older than its placing
    assert orders.apply(told).order.quantity == 110
    for kind in ("RESTATED", "DONE_FOR_DAY", "SUSPENDED", "STOPPED"):
        late = orders.apply(report(trader, f"late-{kind}", kind, "NEW", quantity=90, ts_ns=TS + 4))
        assert (late.applied, fields_of(late)) == (False, ["quantity"])
    orders.pending_cancel(trader, "A1", client_order_id="C2", ts_ns=TS + 20)  # by the desk's clock
    told = report(trader, "E2", "RESTATED", "PENDING_CANCEL", quantity=120, ts_ns=TS + 6)
    assert (orders.apply(told).order.quantity, orders.apply(told).applied) == (120, False)
    told = report(trader, "E3", "RESTATED", "PENDING_CANCEL", quantity=130, ts_ns=TS + 6)
    assert orders.apply(told).order.quantity == 130  # at the same time, it is not older
    unsaid = ExecutionReport.model_validate(
        {**told.model_dump(exclude={"ts_ns"}, exclude_none=True), "exec_id": "E4", "quantity": 140}
    )
    assert orders.apply(unsaid).order.quantity == 140


def test_any_id_of_the_order_finds_it(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, status="PENDING_NEW"))
    orders.apply(report(trader, "E1", "NEW", "NEW", venue_order_id="V1"))
    filled = orders.apply(trade(trader, "X1", 40, 40, 100, "V1"))
    assert (filled.order.order_id, filled.order.venue_order_id, filled.differences) == ("A1", "V1", ())
    replaced = report(trader, "E2", "REPLACED", "PARTIALLY_FILLED", "V1", quantity=150, client_order_id="A2")
    assert orders.apply(replaced).order.quantity == 150
    restated = trade(trader, "X2", 10, 50, 160, "A2", client_order_id="A2")
    assert (orders.apply(restated).order.quantity, orders.apply(restated).applied) == (160, False)
    assert orders.apply(trade(trader, "X1"), external=True).applied is False
    assert orders.apply(trade(trader, "X1", 40, 40, 100, "A2"), external=True).applied is False
    late = report(trader, "E3", "PENDING_REPLACE", "PENDING_REPLACE", "V1", client_order_id="A2")
    assert fields_of(orders.apply(late)) == ["status"]  # it was answered
    assert [one.order_id for one in orders.open(trader)] == ["A1"]


def test_reports_that_come_late_change_nothing(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, status="PENDING_NEW"))
    orders.apply(trade(trader, "X1"))
    late = orders.apply(report(trader, "E1", "NEW", "NEW", quantity=120, cumulative_quantity=0, open_quantity=120))
    assert (late.applied, late.changes) == (False, ())
    assert fields_of(late) == ["status", "quantity", "cumulative_quantity", "open_quantity"]
    orders.apply(CancelReject(trader=trader, order_id="A1", client_order_id="C2", status=OrderStatus.PARTIALLY_FILLED))
    pending = report(trader, "E2", "PENDING_CANCEL", "PENDING_CANCEL", client_order_id="C2")
    assert (orders.apply(pending).applied, fields_of(orders.apply(pending))) == (False, ["status"])
    orders.apply(report(trader, "E3", "CANCELED", "CANCELED", client_order_id="C3"))
    for kind, more in {"PENDING_CANCEL": {"client_order_id": "C4"}, "DONE_FOR_DAY": {}, "EXPIRED": {}}.items():
        assert fields_of(orders.apply(report(trader, f"late-{kind}", kind, kind, **more))) == ["status"]
    assert fields_of(orders.apply(report(trader, "E5", "RESTATED", "PARTIALLY_FILLED", quantity=70))) == [
        "status",
        "quantity",
    ]
    order = orders.get(trader, "A1")
    assert order is not None
    assert (order.status, order.filled_quantity, order.quantity) == ("CANCELED", 40, 100)
    filled = orders.apply(trade(trader, "X2", 10, 50, status="CANCELED", open_quantity=0))
    assert (filled.late, filled.order.filled_quantity, filled.differences) == (True, 50, ())


def test_a_refused_request_is_known_by_its_id(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.pending_cancel(desk.trader, "A1", client_order_id="C2")
    refused = CancelReject(
        trader=desk.trader, order_id="A1", client_order_id="C2", status=OrderStatus.FILLED, reason="0"
    )
    result = desk.book.orders.apply(refused)
    assert (result.order.status, result.applied) == ("NEW", True)
    assert result.changes == ((EventType.CANCEL_REJECTED, 3),)
    assert [tuple(one) for one in result.differences] == [("status", "FILLED", "NEW")]
    again = desk.book.orders.apply(
        CancelReject.model_validate({**refused.model_dump(exclude={"request_id"}), "ts_ns": 9})
    )
    assert (again.applied, again.order, again.differences) == (False, result.order, result.differences)
    other = CancelReject(trader=desk.trader, order_id="A1", client_order_id="C2", reason="1")
    with pytest.raises(errors.DuplicateRequest):
        desk.book.orders.apply(other)
    with pytest.raises(errors.OrderNotFound):
        desk.book.orders.apply(CancelReject(trader=desk.trader, order_id="A9", client_order_id="C2"))


@on_one_server
def test_a_long_id_of_a_report_is_taken(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, status="PENDING_NEW"))
    told = report(desk.trader, "E" * 256, "NEW", "NEW", quantity=150)
    assert desk.book.orders.apply(told).changes == ((EventType.RESTATED, 2), (EventType.NEW, 3))
    assert not desk.book.orders.apply(told).applied
    other = report(desk.trader, "E" * 255 + "F", "CANCELED", "CANCELED", client_order_id="C" * 256)
    assert desk.book.orders.apply(other).order.status == "CANCELED"


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("TRADE", "a last_quantity above 0 and a last_price"),
        ("TRADE_CANCEL", "an exec_ref_id"),
        ("TRADE_CORRECT", "a last_quantity above 0 and a last_price and an exec_ref_id"),
        ("PENDING_CANCEL", "the client_order_id of the request"),
        ("PENDING_REPLACE", "the client_order_id of the request"),
        ("REPLACED", "a quantity, a price or a stop_price"),
    ],
)
def test_a_report_says_what_has_happened(kind: str, missing: str) -> None:
    with pytest.raises(ValidationError, match=f"a report of {kind} needs {missing}"):
        report("T1", "X1", kind, "NEW")
    with pytest.raises(ValidationError, match="an exec_id other than its exec_ref_id"):
        report("T1", "X1", "TRADE_CANCEL", "NEW", exec_ref_id="X1")


def test_reports_of_many_traders_with_other_requests(desk: Desk) -> None:
    first, second = desk.trader, desk.another()
    requests = [
        limit(first),
        limit(second),
        trade(first, "X1", 120, 120, 150),
        trade(second, "X1"),
        trade(first, "X1", 120, 120, 150),
        trade(second, "X9", 90, 130, open_quantity=0),
        execution(second, "X2", 10),
        trade(second, "X2", 10, 50),
        report(second, "E1", "CANCELED", "CANCELED"),
    ]
    outcomes = desk.book.orders.apply_many(requests)
    assert [type(one.error) for one in outcomes if one.error] == [errors.Overfill]
    assert [one.value.applied for one in outcomes if one.value] == [True, True, True, True, False, True, False, True]
    order = desk.book.orders.get(second, "A1")
    assert order is not None
    assert (order.status, order.filled_quantity) == ("CANCELED", 50)
    with pytest.raises(errors.InvalidArgument):
        desk.book.orders.apply_many([trade(first, "X5", 10, 130, 150), cast("ExecutionReport", "no request")])
    assert len(desk.events(first)) == 3


def test_the_model_of_the_orders_is_that_of_the_repository(lone_desk: Desk) -> None:
    class Noted(ExecutionReport):
        note: str

    told = Noted(**trade(lone_desk.trader).model_dump(), note="mine")
    lone_desk.book.orders.place(limit(lone_desk.trader))
    with pytest.raises(errors.InvalidArgument, match="has fields that no book stores: note"):
        lone_desk.book.orders.apply(told)

"""Test orders that a report opens, which the book has never seen."""

from __future__ import annotations

import pytest
from slotbook.models import ExecutionReport, Limits, Order, Outcome, errors

from ...support.desk import Desk
from ...support.make import limit
from ...support.venue_reports import report, trade


def test_a_report_opens_an_order_where_it_may(desk: Desk) -> None:
    told = trade(desk.trader, "X2", 40, 60, price="187.5", account="ACC1", client_order_id="V1")
    with pytest.raises(errors.OrderNotFound, match="external=True"):
        desk.book.orders.apply(told, external=False)
    assert desk.contents() == {}
    result = desk.book.orders.apply(told, external=True)
    order = result.order
    assert (order.type, order.price, order.quantity, order.account) == ("LIMIT", told.price, 100, "ACC1")
    assert (order.status, order.filled_quantity, result.applied) == ("PARTIALLY_FILLED", 40, True)
    assert [tuple(one) for one in result.differences] == [
        ("cumulative_quantity", 60, 40),  # what it had filled before is not known, and not guessed
        ("open_quantity", 40, 60),
    ]
    assert [one.type for one in result.changes] == [one.type for one in desk.events()] == ["NEW", "TRADE"]
    again = desk.book.orders.apply(told, external=True)
    assert (again.applied, again.order, len(desk.events())) == (False, order, 2)
    missing = desk.book.orders.apply(trade(desk.trader, "X1", 20, 60, price="187.5"), external=True)
    assert (missing.order.filled_quantity, missing.differences) == (60, ())


TERMS: dict[str, dict[str, object]] = {
    "MARKET": {},
    "LIMIT": {"price": 9},
    "STOP": {"stop_price": 8},
    "STOP_LIMIT": {"price": 9, "stop_price": 8},
}


@pytest.mark.parametrize("kind", TERMS)
def test_the_type_follows_from_the_prices_or_is_said(lone_desk: Desk, kind: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    told = {"quantity": 100, "cumulative_quantity": 0, "open_quantity": 100, **TERMS[kind]}
    found = orders.apply(report(trader, "E1", "NEW", "NEW", "A1", **told, text="as told"), external=True)
    assert (found.order.type, found.differences, found.applied) == (kind, (), True)
    assert found.order.text == "as told"
    pegged = report(trader, "E1", "NEW", "NEW", "A2", **told, type="PEGGED", time_in_force="GTD", expire_at=2 * 10**18)
    order = orders.apply(pegged, external=True).order
    assert (order.type, order.time_in_force, order.expire_at) == ("PEGGED", "GTD", 2 * 10**18)
    assert order.price == found.order.price


@pytest.mark.parametrize(
    ("kind", "status"),
    {
        "NEW": "NEW", "PENDING_NEW": "PENDING_NEW", "CANCELED": "CANCELED", "EXPIRED": "EXPIRED",
        "REJECTED": "REJECTED", "PENDING_CANCEL": "PENDING_CANCEL", "REPLACED": "NEW", "RESTATED": "NEW",
        "DONE_FOR_DAY": "DONE_FOR_DAY", "SUSPENDED": "SUSPENDED", "STOPPED": "STOPPED", "ORDER_STATUS": "NEW",
        "CALCULATED": "CALCULATED",
    }.items(),
)  # fmt: skip
def test_each_kind_opens_an_order_with_its_status(lone_desk: Desk, kind: str, status: str) -> None:
    told = report(lone_desk.trader, "E1", kind, status, quantity=100, cumulative_quantity=0, client_order_id="V2")
    result = lone_desk.book.orders.apply(told, external=True)
    assert (result.order.status, result.differences, result.applied) == (status, (), True)
    assert [tuple(one) for one in result.changes] == [(one.type, one.sequence) for one in lone_desk.events()]
    again = lone_desk.book.orders.apply(told, external=True)
    assert (again.applied, again.order) == (False, result.order)


def test_an_order_that_is_opened_before_it_is_accepted_waits_for_that(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    told = report(trader, "E1", "NEW", "PENDING_NEW", quantity=100)
    result = orders.apply(told, external=True)
    assert [one.type for one in result.changes] == ["PENDING_NEW", "NEW"]
    assert (result.order.status, result.order.marks) == ("NEW", None)


def test_what_opens_no_order_is_refused(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    refused: list[tuple[type[Exception], ExecutionReport]] = [
        (errors.OrderNotFound, report(trader, "E1", "ORDER_STATUS", "FILLED", quantity=100)),  # its fills are not known
        (errors.ExecutionNotFound, report(trader, "E1", "TRADE_CANCEL", "NEW", quantity=100, exec_ref_id="X1")),
        (errors.InvalidArgument, report(trader, "E1", "NEW", "NEW")),
        (errors.InvalidArgument, report(trader, "E1", "NEW", "NEW", quantity=0)),
        (errors.Overfill, trade(trader, "X1", 120, 100)),
    ]
    for error, told in refused:
        with pytest.raises(error):
            orders.apply(told, external=True)
    lone_desk.book.limits.set(Limits(trader=trader, max_order=50))
    with pytest.raises(errors.LimitExceeded):
        orders.apply(trade(trader), external=True)
    assert orders.get(trader, "A1") is None
    assert [type(one.error) for one in orders.apply_many([trade(trader)])] == [errors.OrderNotFound]


def test_two_reports_open_one_order_side_by_side(desk: Desk) -> None:
    """Both have seen no order: the one that comes second finds it, with the same content or with other."""
    reports = desk.book.orders
    first, second = trade(desk.trader, "X1"), trade(desk.trader, "X2", 10, 50, 150)
    outcomes: list[Outcome[object]] = []
    known = desk.book.orders.apply_many([first, second], external=True)
    outcomes.extend(known)
    assert [one.error for one in outcomes] == [None, None]
    order = reports.get(desk.trader, "A1")
    assert order is not None
    assert (order.quantity, order.filled_quantity) == (150, 50)


def test_a_class_of_the_desks_own_is_opened_as_such(lone_desk: Desk) -> None:
    class Noted(Order):
        note: str | None = None

    class Strict(Order):
        note: str

    orders = lone_desk.book.orders.of(Noted)
    result = orders.apply(trade(lone_desk.trader), external=True)
    assert (type(result.order), result.order.note) == (Noted, None)
    with pytest.raises(errors.InvalidArgument, match="note"):
        lone_desk.book.orders.of(Strict).apply(trade(lone_desk.another()), external=True)
    lone_desk.book.orders.place(limit(lone_desk.trader, "A2"))
    assert type(orders.apply(trade(lone_desk.trader, "X1", 40, 40, 100, "A2")).order) is Noted

"""Test replace: an open order gets new terms, once per request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest
from slotbook.models import OrderStatus, Replace
from slotbook.models.errors import DuplicateRequest, InvalidArgument, OrderClosed, OrderMismatch, OrderNotFound

from ...support.desk import Desk
from ...support.make import TS, execution, limit


def test_only_what_is_given_changes(desk: Desk) -> None:
    order = desk.book.orders.place(limit(desk.trader)).order
    replaced = desk.book.orders.replace(desk.trader, "A1", quantity=150, ts_ns=TS + 7, text="more").order
    assert replaced == order.model_copy(
        update={
            "quantity": 150,
            "text": "more",
            "placed_quantity": 100,
            "placed_price": Decimal("187.23"),
            "version": 2,
            "updated_ns": TS + 7,
        }
    )
    assert desk.book.orders.get(desk.trader, "A1") == replaced


def test_price_and_stop_price_can_be_replaced(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, type="STOP_LIMIT", stop_price="190"))
    replaced = desk.book.orders.replace(desk.trader, "A1", price="1.5", stop_price=Decimal("-2")).order
    assert (replaced.price, replaced.stop_price, replaced.quantity) == (Decimal("1.5"), Decimal(-2), 100)
    again = desk.book.orders.replace(desk.trader, "A1", quantity=50, price="2.5", stop_price="3").order
    for order in (replaced, again, desk.book.orders.get(desk.trader, "A1")):  # as it was placed, whatever came since
        assert order is not None
        assert (order.placed_quantity, order.placed_price, order.placed_stop_price) == (100, Decimal("187.23"), 190)


@pytest.mark.parametrize("verb", ["replace", "cancel"])
def test_a_change_without_a_text_takes_the_text_away(lone_desk: Desk, verb: str) -> None:
    """The text says why the order is as it is now."""
    trader, orders = lone_desk.trader, lone_desk.book.orders
    orders.place(limit(trader, text="why it was placed"))
    change = orders.replace(trader, "A1", quantity=90) if verb == "replace" else orders.cancel(trader, "A1")
    assert change.order.text is None
    assert orders.get(trader, "A1") == change.order


def test_a_request_sent_again_returns_the_first_result_and_changes_nothing(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    first = desk.book.orders.replace(desk.trader, "A1", quantity=150, request_id="R1").order
    desk.book.orders.replace(desk.trader, "A1", quantity=70, price="5", request_id="R2")
    desk.book.orders.fill(execution(desk.trader))
    desk.book.orders.cancel(desk.trader, "A1", text="enough")
    before = desk.contents()
    assert desk.book.orders.replace(desk.trader, "A1", quantity=150, request_id="R1").order == first
    assert desk.contents() == before


def test_apply_marks_a_repeat_by_applied_and_its_sequence(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    request = Replace(trader=desk.trader, order_id="A1", quantity=150)
    first, again = desk.book.orders.apply(request), desk.book.orders.apply(request)
    assert (first.applied, first.sequence, again.applied, again.sequence) == (True, 2, False, 2)
    assert first.order == again.order


@pytest.mark.parametrize(
    "other",
    [
        {"quantity": 151},
        {"quantity": 150, "price": "1"},
        {"quantity": 150, "stop_price": "1"},
        {"price": "150"},
        {"quantity": 150, "revision": 1},
    ],
    ids=str,
)
def test_a_request_id_with_other_content_is_refused(desk: Desk, other: dict[str, object]) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.replace(desk.trader, "A1", quantity=150, request_id="R1")
    before = desk.contents()
    with pytest.raises(DuplicateRequest, match="R1"):
        desk.book.orders.apply(
            Replace.model_validate({"trader": desk.trader, "order_id": "A1", "request_id": "R1", **other})
        )
    assert desk.contents() == before


def test_without_a_request_id_every_call_is_a_request_of_its_own(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.replace(desk.trader, "A1", quantity=150)
    desk.book.orders.replace(desk.trader, "A1", quantity=100)
    assert desk.book.orders.replace(desk.trader, "A1", quantity=150).order.version == 4


def test_a_revision_that_is_not_above_the_last_changes_nothing(desk: Desk) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader))
    newest = orders.replace(desk.trader, "A1", quantity=150, revision=2).order
    before = desk.contents()
    assert orders.replace(desk.trader, "A1", quantity=120, revision=1).order == newest
    assert orders.replace(desk.trader, "A1", quantity=130, revision=2).order == newest
    assert desk.contents() == before
    assert orders.replace(desk.trader, "A1", quantity=140, revision=3).order.quantity == 140


def test_a_replace_without_a_revision_keeps_the_last_one(desk: Desk) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader))
    orders.replace(desk.trader, "A1", quantity=150, revision=5)
    assert orders.replace(desk.trader, "A1", quantity=160).order.revision == 5
    assert orders.replace(desk.trader, "A1", quantity=170, revision=5).order.quantity == 160


def test_replaced_down_to_what_is_filled_the_order_is_filled(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, quantity=40))
    order = desk.book.orders.replace(desk.trader, "A1", quantity=40).order
    assert (order.status, order.open_quantity) == (OrderStatus.FILLED, 0)
    assert desk.book.orders.open(desk.trader) == []
    assert desk.book.orders.by_status(desk.trader, "FILLED") == [order]


def test_below_what_is_filled_it_cancels_the_rest(desk: Desk) -> None:
    """The quantity becomes what is filled, as in FIX 4.4's order state change C.3.c; the event says what was asked."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, quantity=40))
    first = orders.replace(trader, "A1", quantity=39, price="188", request_id="R1")
    assert (first.order.status, first.order.quantity, first.order.open_quantity) == (OrderStatus.FILLED, 40, 0)
    assert first.order.price == 188
    event = desk.events()[-1]
    assert (event.quantity, event.requested_quantity, event.filled_quantity) == (40, 39, 40)
    again = orders.replace(trader, "A1", quantity=39, price="188", request_id="R1")
    assert (again.applied, again.order) == (False, first.order)
    with pytest.raises(DuplicateRequest):
        orders.replace(trader, "A1", quantity=40, price="188", request_id="R1")


def test_a_filled_order_is_opened_again_by_a_larger_quantity(desk: Desk) -> None:
    """It stays from then on, with all that belongs to it, and what is open is counted again."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, quantity=100))
    opened = orders.replace(trader, "A1", quantity=150).order
    assert (opened.status, opened.open_quantity) == (OrderStatus.PARTIALLY_FILLED, 50)
    assert orders.open(trader) == orders.by_symbol(trader, "AAPL") == [opened]
    for key in ("%:order:A1", "%:applied:A1", "%:orders_by_status:PARTIALLY_FILLED", "%:orders_by_symbol:AAPL"):
        assert desk.ask("PTTL", key) == -1
    assert desk.ask("HGET", "%:position:AAPL", "open_buy_quantity") == "50"
    filled = orders.fill(execution(trader, "X2", quantity=50)).order
    assert filled.status is OrderStatus.FILLED
    assert cast(int, desk.ask("PTTL", "%:order:A1")) > 0


@pytest.mark.parametrize("terms", [{"quantity": 100}, {"quantity": 1}, {"price": "188"}], ids=str)
def test_a_filled_order_that_would_stay_filled_is_not_replaced(desk: Desk, terms: dict[str, Any]) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, quantity=100))
    before = desk.contents()
    with pytest.raises(OrderClosed, match="the order is FILLED"):
        desk.book.orders.replace(desk.trader, "A1", **terms)
    assert desk.contents() == before


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ({"type": "MARKET", "price": None}, {"price": "1"}),
        ({}, {"stop_price": "1"}),
        ({"type": "STOP", "price": None, "stop_price": "2"}, {"price": "1"}),
    ],
)
def test_an_order_is_not_given_a_price_that_its_type_does_not_take(
    desk: Desk, kind: dict[str, object], change: dict[str, str]
) -> None:
    order = desk.book.orders.place(limit(desk.trader, **kind)).order
    with pytest.raises(OrderMismatch, match=f"a {order.type} order takes no {next(iter(change))}"):
        desk.book.orders.replace(desk.trader, "A1", price=change.get("price"), stop_price=change.get("stop_price"))
    assert desk.book.orders.get(desk.trader, "A1") == order


def test_an_order_that_is_not_there_cannot_be_replaced(desk: Desk) -> None:
    with pytest.raises(OrderNotFound):
        desk.book.orders.replace(desk.trader, "A1", quantity=1)
    assert desk.contents() == {}


@pytest.mark.parametrize(
    "terms",
    [{}, {"quantity": 0}, {"quantity": 10**18}, {"price": "1e13"}, {"quantity": 1, "request_id": " ab"}],
    ids=str,
)
def test_a_request_that_no_book_could_apply_is_not_sent(desk: Desk, terms: dict[str, object]) -> None:
    desk.book.orders.place(limit(desk.trader))
    with pytest.raises(InvalidArgument, match=r"^replace: "):
        desk.book.orders.replace(desk.trader, "A1", **terms)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

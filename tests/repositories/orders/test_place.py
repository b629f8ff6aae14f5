"""Test place: a new order is put in the book once."""

from __future__ import annotations

import pytest
from slotbook.models import Order, OrderStatus
from slotbook.models.errors import DuplicateOrder, InvalidArgument

from ...support.desk import Desk
from ...support.make import TS, execution, limit

KINDS: dict[str, dict[str, object]] = {
    "limit": {},
    "market": {"type": "MARKET", "price": None},
    "stop": {"type": "STOP", "price": None, "stop_price": "190"},
    "stop limit": {"type": "STOP_LIMIT", "stop_price": "190"},
    "with everything": {"side": "SELL", "time_in_force": "GTC", "text": "for “Ünï” & co.", "ts_ns": 0},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_placed_is_what_is_got(desk: Desk, kind: str) -> None:
    order = limit(desk.trader, **KINDS[kind])
    placed = desk.book.orders.place(order).order
    assert placed == order.model_copy(update={"version": 1})
    assert desk.book.orders.get(desk.trader, "A1") == placed


@pytest.mark.parametrize("kind", KINDS)
def test_placed_again_it_changes_nothing(desk: Desk, kind: str) -> None:
    order = limit(desk.trader, **KINDS[kind])
    placed = desk.book.orders.place(order).order
    before = desk.contents()
    assert desk.book.orders.place(order).order == placed
    assert desk.contents() == before


def test_the_time_and_the_text_are_not_part_of_what_an_order_is(desk: Desk) -> None:
    placed = desk.book.orders.place(limit(desk.trader, text="first")).order
    assert desk.book.orders.place(limit(desk.trader, text="second", ts_ns=TS + 5)).order == placed


def test_the_same_price_written_otherwise_is_the_same_order(desk: Desk) -> None:
    placed = desk.book.orders.place(limit(desk.trader, price="187.5")).order
    assert desk.book.orders.place(limit(desk.trader, price="187.500")).order == placed
    assert desk.book.orders.place(limit(desk.trader, price="1875e-1")).order == placed


@pytest.mark.parametrize(
    "other",
    [
        {"symbol": "MSFT"},
        {"side": "SELL"},
        {"quantity": 101},
        {"price": "187.24"},
        {"time_in_force": "GTC"},
        {"type": "MARKET", "price": None},
        {"type": "STOP_LIMIT", "stop_price": "190"},
    ],
    ids=str,
)
def test_another_order_under_the_same_id_is_refused(desk: Desk, other: dict[str, object]) -> None:
    desk.book.orders.place(limit(desk.trader))
    before = desk.contents()
    with pytest.raises(DuplicateOrder, match=f"{desk.trader}/A1.*BUY 100 AAPL LIMIT at 187.23"):
        desk.book.orders.place(limit(desk.trader, **other))
    assert desk.contents() == before


def test_another_stop_price_is_another_order(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, **KINDS["stop"]))
    with pytest.raises(DuplicateOrder):
        desk.book.orders.place(limit(desk.trader, **{**KINDS["stop"], "stop_price": "191"}))


def test_after_fills_a_repeat_returns_the_order_as_it_is_now(desk: Desk) -> None:
    order = limit(desk.trader)
    desk.book.orders.place(order)
    filled = desk.book.orders.fill(execution(desk.trader)).order
    assert desk.book.orders.place(order).order == filled


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("limit", {"quantity": 250}),
        ("limit", {"price": "190.01"}),
        ("limit", {"quantity": 250, "price": "190.01"}),
        ("market", {"quantity": 250}),
        ("stop", {"stop_price": "188"}),
        ("stop limit", {"price": "191", "stop_price": "188"}),
    ],
    ids=str,
)
def test_after_a_replace_a_repeat_is_compared_with_what_was_first_placed(
    desk: Desk, kind: str, change: dict[str, object]
) -> None:
    order = limit(desk.trader, **KINDS[kind])
    desk.book.orders.place(order)
    replaced = desk.book.orders.replace(desk.trader, "A1", request_id="R1", **change).order  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert desk.book.orders.place(order).order == replaced
    with pytest.raises(DuplicateOrder):
        desk.book.orders.place(Order.model_validate({**dict(order), **change}))


def test_what_was_first_placed_is_remembered_through_two_replaces(desk: Desk) -> None:
    order = limit(desk.trader)
    desk.book.orders.place(order)
    desk.book.orders.replace(desk.trader, "A1", quantity=200)
    last = desk.book.orders.replace(desk.trader, "A1", quantity=300, price="1").order
    assert desk.book.orders.place(order).order == last
    with pytest.raises(DuplicateOrder, match=r"BUY 100 AAPL LIMIT at 187\.23"):
        desk.book.orders.place(limit(desk.trader, quantity=200))


def test_an_order_that_is_not_accepted_yet_is_answered_as_it_is_stored(desk: Desk) -> None:
    placed = desk.book.orders.place(limit(desk.trader, status="PENDING_NEW")).order
    assert (placed.status, placed.marks) == ("PENDING_NEW", "PENDING_NEW")
    assert desk.book.orders.get(desk.trader, "A1") == placed


def test_a_closed_order_is_not_placed_anew(desk: Desk) -> None:
    order = limit(desk.trader)
    desk.book.orders.place(order)
    canceled = desk.book.orders.cancel(desk.trader, "A1").order
    assert desk.book.orders.place(order).order == canceled


def test_only_a_new_order_can_be_placed(desk: Desk) -> None:
    order = limit(desk.trader)
    for change in ({"status": OrderStatus.CANCELED}, {"filled_quantity": 1}, {"version": 1}, {"placed_quantity": 5}):
        with pytest.raises(InvalidArgument, match="not new"):
            desk.book.orders.place(order.model_copy(update=change))
    assert desk.contents() == {}


def test_the_same_id_of_two_traders_is_two_orders(desk: Desk) -> None:
    other = desk.another()
    desk.book.orders.place(limit(desk.trader, quantity=1))
    desk.book.orders.place(limit(other, quantity=2))
    assert desk.book.orders.get(desk.trader, "A1") == limit(desk.trader, quantity=1, version=1)
    assert desk.book.orders.get(other, "A1") == limit(other, quantity=2, version=1)


NAMES = ["x" * 256, "日本:株*?[a]\\", "a:b:order:c", "ö" * 64, "AAPL  240119C00150000"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:8])
def test_any_name_the_model_takes_works_as_a_key(desk: Desk, name: str) -> None:
    desk.book.orders.place(limit(desk.trader, name, symbol=name))
    desk.book.orders.fill(execution(desk.trader, name, order_id=name))
    assert [order.order_id for order in desk.book.orders.by_symbol(desk.trader, name)] == [name]
    assert [held.symbol for held in desk.book.positions.all(desk.trader)] == [name]


def test_an_order_that_was_never_placed_is_none(desk: Desk) -> None:
    assert desk.book.orders.get(desk.trader, "A1") is None

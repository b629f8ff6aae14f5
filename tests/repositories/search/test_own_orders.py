"""Orders are found by own fields too, through an index of their class, which plain orders do not see."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import pytest
from slotbook import Index, Order, OrderStatus
from slotbook.models.conditions import Condition, searchable
from slotbook.models.errors import InvalidArgument, SearchUnavailable, UnknownField
from slotbook.models.hashes import OrderHash
from slotbook.models.types import Name, Price, Text

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.search.server import searching
from .conftest import OpenBook


class Route(StrEnum):
    LIT = "LIT"
    DARK = "DARK"


class DeskOrder(Order):
    strategy: Annotated[Name, Index] = "NONE"
    desk_note: Text | None = None
    tier: int = 3
    cap: Price | None = None
    route: Route | None = Route.LIT
    hints: dict[str, int] = {}  # noqa: RUF012


class OtherOrder(Order):
    client: Name | None = None


D = searchable(DeskOrder)


def desk_order(number: int, **values: Any) -> DeskOrder:
    plain = limit(f"T{number % 5}", f"A{number:02}", quantity=number + 1).model_dump(exclude_none=True)
    return DeskOrder.model_validate({**plain, **values})


def filled(opened: OpenBook) -> tuple[Any, list[DeskOrder]]:
    """Return a book with orders of the class and plain ones, and all of them as the class reads them."""
    book = opened()
    book.indexes.create(DeskOrder)
    orders = book.orders.of(DeskOrder)
    for number in range(20):
        values: dict[str, Any] = {"strategy": f"S{number % 3}"} if number % 2 else {}
        values |= {"desk_note": f" note {number % 4}"} if number % 3 else {}
        values |= {"tier": number % 4, "cap": Decimal("0.000000001") * number} if number % 5 else {}
        values |= {"route": (Route.DARK, None)[number % 2]} if number % 7 else {}
        orders.place(desk_order(number, **values, hints={"a": number}))
    for number in range(20, 30):
        book.orders.place(limit(f"T{number % 5}", f"A{number:02}", quantity=number + 1))
    book.orders.fill(execution("T1", order_id="A01", quantity=1))
    ids = [(f"T{number % 5}", f"A{number:02}") for number in range(30)]
    everything = [order for one in orders.get_many(ids) if (order := one.result())]
    assert len(everything) == len(ids)
    return book, sorted(everything, key=lambda order: (order.trader, order.order_id))


@searching
def test_every_condition_gives_what_a_filter_gives(opened: OpenBook) -> None:
    book, everything = filled(opened)
    orders = book.orders.of(DeskOrder)
    queries: list[tuple[Condition, Callable[[DeskOrder], bool]]] = [
        (D.strategy == "S1", lambda order: order.strategy == "S1"),
        (D.strategy == "NONE", lambda order: order.strategy == "NONE"),
        (D.strategy != "NONE", lambda order: order.strategy != "NONE"),
        (D.strategy << ["S1", "NONE"], lambda order: order.strategy in ("S1", "NONE")),
        (D.strategy >> ["S1", "S2"], lambda order: order.strategy not in ("S1", "S2")),
        (D.strategy.startswith("S"), lambda order: order.strategy.startswith("S")),
        (D.desk_note == " note 1", lambda order: order.desk_note == " note 1"),
        (D.desk_note == None, lambda order: order.desk_note is None),  # noqa: E711
        (D.tier == 3, lambda order: order.tier == 3),
        (D.tier > 1, lambda order: order.tier > 1),
        (D.tier < 3, lambda order: order.tier < 3),
        (~(D.tier << [1, 3]), lambda order: order.tier not in (1, 3)),
        (D.cap > "0.000000003", lambda order: order.cap is not None and order.cap > Decimal("0.000000003")),
        (D.cap == None, lambda order: order.cap is None),  # noqa: E711
        (D.cap != None, lambda order: order.cap is not None),  # noqa: E711
        (D.route == "LIT", lambda order: order.route == Route.LIT),
        (D.route != "LIT", lambda order: order.route != Route.LIT),
        (D.route == None, lambda order: order.route is None),  # noqa: E711
        (
            (D.strategy == "S1") & (D.status == "NEW"),
            lambda order: order.strategy == "S1" and order.status is OrderStatus.NEW,
        ),
        ((D.tier == 3) | (OrderHash.quantity > 28), lambda order: order.tier == 3 or order.quantity > 28),
    ]
    for condition, holds in queries:
        wanted = [order for order in everything if holds(order)]
        assert orders.find(condition).all() == wanted, condition
        assert orders.find(condition).count() == len(wanted), condition
        assert orders.find(condition).page(1, 3) == wanted[1:4], condition
    assert orders.find().all() == everything
    for name in ("tier", "strategy"):
        page = orders.find().sort_by(name, "-quantity").page(0, 12)
        assert page == sorted(everything, key=lambda order: (getattr(order, name), -order.quantity))[:12]
    assert [order.cap for order in orders.find(D.cap > 0).sort_by("-cap").page(0, 2)] == [
        Decimal("0.000000019"), Decimal("0.000000018"),
    ]  # fmt: skip


@searching
def test_each_class_of_orders_has_an_index_of_its_own(opened: OpenBook) -> None:
    book, everything = filled(opened)
    orders, others = book.orders.of(DeskOrder), book.orders.of(OtherOrder)
    assert len(book.orders.find().all()) == len(everything)
    assert type(book.orders.find(OrderHash.order_id == "A01").first()) is Order
    assert {status.kind for status in book.indexes.info([DeskOrder, "order"])} == {"order.DeskOrder", "order"}
    with pytest.raises(SearchUnavailable, match=r"no index of orders yet.*index create \S*:OtherOrder"):
        others.find(searchable(OtherOrder).client == "C1").all()
    book.indexes.create()
    book.indexes.create(OtherOrder)
    assert others.find(searchable(OtherOrder).client == "C1").all() == []
    assert orders.find(D.strategy == "S1").count() == len([one for one in everything if one.strategy == "S1"])
    assert book.indexes.drop([OtherOrder]) == []
    assert orders.find().count() == book.orders.find().count() == len(everything)
    assert book.indexes.drop([DeskOrder]) == []
    assert book.orders.find().count() == len(everything)


@searching
def test_a_class_with_another_field_is_told_to_make_its_index_again(opened: OpenBook) -> None:
    book, _ = filled(opened)
    later = type("DeskOrder", (DeskOrder,), {"__annotations__": {"client": Name | None}, "client": None})
    fields = searchable(later)
    orders = book.orders.of(later)
    assert orders.find(fields.strategy == "S1").count() == 4
    with pytest.raises(SearchUnavailable, match="of another version of the model, which has no client"):
        orders.find(fields.client == "C1").all()
    book.indexes.create(later)
    assert orders.find(fields.client == "C1").all() == []
    assert orders.find(fields.client == None).count() == 30  # noqa: E711


def test_what_is_no_field_of_the_class_is_refused(desk: Desk) -> None:
    orders = desk.book.orders.of(DeskOrder)
    for make, message in (
        (lambda: D.stratgy, "orders have no field 'stratgy' to search by; the nearest is strategy"),
        (lambda: D.hints, "DeskOrder.hints cannot be searched by: its values are stored as JSON"),
    ):
        with pytest.raises(UnknownField, match=message):
            make()
    for condition, message in ((D.route == "GREY", "DeskOrder.route 'GREY'"), (D.strategy == 5, "with strings")):
        with pytest.raises(InvalidArgument, match=message):
            orders.find(condition)
    with pytest.raises(InvalidArgument, match="orders have no field 'strategy'"):
        desk.book.orders.find(D.strategy == "S1")
    with pytest.raises(SearchUnavailable, match=r"use orders.by_symbol\(trader, 'AAPL'\)"):
        orders.find(D.strategy == "S1", D.symbol == "AAPL").all()

"""Test the indexes of own fields of orders: pages, several values together, keys that are of another program."""

from __future__ import annotations

from typing import Annotated

import pytest
from slotbook import Index, Order
from slotbook.models.errors import WrongType
from slotbook.models.types import Name
from slotbook.repositories.orders import calls

from ...support.desk import Desk, on_one_server
from ...support.make import limit
from ...support.own_orders import DeskOrder, desk_order


def test_pages_follow_one_another(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAGE", 3)
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    orders.place_many([desk_order(trader, f"A{number}") for number in range(8)])
    every = [f"A{number}" for number in range(8)]
    assert [one.order_id for one in orders.by(trader, {"strategy": "S1"})] == every
    for limit_of in (1, 3, 5, 8, 9):
        assert [one.order_id for one in orders.by(trader, {"strategy": "S1"}, limit=limit_of)] == every[:limit_of]
        assert [one.order_id for one in orders.by(trader, {"strategy": "S1"}, limit=limit_of, after="A1")] == (
            every[2 : 2 + limit_of]
        )


def test_an_order_must_have_every_value(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    orders.place_many([desk_order(trader, f"A{number}", strategy=f"S{number % 2}") for number in range(4)])
    orders.place(desk_order(trader, "B1", strategy="S2", target=None))
    orders.place(desk_order(trader, "B2", strategy="S2", target="9", symbol="MSFT"))
    for values, found in (
        ({"strategy": "S2", "target": "187.5"}, []),
        ({"strategy": "S2", "target": "9"}, ["B2"]),
        ({"strategy": "S0", "target": "187.5"}, ["A0", "A2"]),
        ({"strategy": "S2", "symbol": "AAPL"}, ["B1"]),
        ({"strategy": "S2", "symbol": "AAPL", "status": "FILLED"}, []),
        ({"symbol": "MSFT"}, ["B2"]),
    ):
        assert [one.order_id for one in orders.by(trader, values)] == found
        assert orders.count(trader, values) == len(found)


@on_one_server
def test_an_index_of_another_type_refuses_its_order_alone(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    desk.vandalise("SET", "%:orders_by_+strategy:S1", "of another program")
    before = desk.contents()
    with pytest.raises(WrongType):
        orders.place(desk_order(trader))
    with pytest.raises(WrongType):
        desk.book.commit([limit(trader, "A0"), desk_order(trader)])
    assert desk.contents() == before
    outcomes = orders.place_many([desk_order(trader, "A1"), desk_order(trader, "A2", strategy="S2")])
    assert [type(one.error) for one in outcomes] == [WrongType, type(None)]
    assert [one.order_id for one in desk.book.orders.open(trader)] == ["A2"]
    assert desk.ask("EXISTS", "%:order:A1") == 0
    assert desk.book.orders.count(trader, symbol="AAPL") == 1
    assert [one.order_id for one in orders.by(trader, {"strategy": "S2"})] == ["A2"]


def test_a_class_that_was_not_seen_before_reads_a_snapshot(desk: Desk) -> None:
    class Late(Order):
        strategy: Annotated[Name, Index]

    placed = desk.book.orders.of(DeskOrder).place(desk_order(desk.trader)).order
    (found,) = desk.book.snapshot(desk.trader, Late).orders
    assert (type(found), found.strategy, found.version) == (Late, placed.strategy, 1)

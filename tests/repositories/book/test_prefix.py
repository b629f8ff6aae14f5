"""A prefix is put before every key of a book, and does not change its hash tag."""

from __future__ import annotations

from ...support.desk import Desk
from ...support.make import execution, limit


def test_every_key_carries_the_prefix_and_then_the_tag(desk: Desk) -> None:
    book = desk.open(prefix="desk1:")
    book.orders.place(limit(desk.trader))
    book.orders.fill(execution(desk.trader))
    book.orders.fill(execution(desk.trader, "X2"))
    book.positions.adjust(desk.trader, "MSFT", 1, request_id="R1")
    assert set(desk.contents()) == {
        f"desk1:{{{desk.trader}}}:{rest}"
        for rest in (
            "order:A1",
            "applied:A1",
            "orders_by_status:PARTIALLY_FILLED",
            "orders_by_symbol:AAPL",
            "position:AAPL",
            "position:MSFT",
            "positions",
            "request:R1",
            "events",
            "book",
        )
    }


def test_without_a_prefix_the_tag_comes_first(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    assert all(key.startswith(f"{{{desk.trader}}}:") for key in desk.contents())


def test_two_prefixes_do_not_see_each_other(desk: Desk) -> None:
    one, two = desk.open(prefix="one:"), desk.open(prefix="two:")
    one.orders.place(limit(desk.trader, quantity=1))
    two.orders.place(limit(desk.trader, quantity=2))
    assert [order.quantity for order in one.orders.open(desk.trader)] == [1]
    assert [order.quantity for order in two.orders.by_symbol(desk.trader, "AAPL")] == [2]
    assert desk.book.orders.count(desk.trader) == 0
    assert len(desk.events(prefix="one:")) == len(desk.events(prefix="two:")) == 1

"""Test limits that lie as doubles beside what an order reads: those of a symbol only once an order has written them."""

from __future__ import annotations

import pytest
from slotbook.models import Limits, LimitsChange
from slotbook.models.errors import LimitExceeded, TradingHalted

from ...support import doubles
from ...support.desk import Desk
from ...support.make import execution, limit

ALL: dict[str, object] = {"max_order": 500, "max_notional": 100_000, "max_position": 900, "orders_per_second": 50}
WHOSE = pytest.mark.parametrize("whose", [None, "AAPL"], ids=["trader", "symbol"])


def limited(desk: Desk, symbol: str | None = None, /, **values: object) -> None:
    """Set limits, and have an order in the symbol, which writes them beside the position."""
    desk.book.limits.set(Limits.model_validate({"trader": desk.trader, "symbol": symbol, **values}))
    desk.book.orders.place(limit(desk.trader, "A0", quantity=1, price="1"))


@WHOSE
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"quantity": 501, "price": "1"}, "max_order"),
        ({"quantity": 500, "price": "200.01"}, "max_notional"),
        ({"quantity": 500, "price": "-200.01"}, "max_notional"),
    ],
    ids=["order", "notional", "below zero"],
)
def test_one_of_several_limits_refuses(
    lone_desk: Desk, changes: dict[str, object], name: str, whose: str | None
) -> None:
    desk = lone_desk
    limited(desk, whose, **ALL)
    desk.book.orders.place(limit(desk.trader, "A1", quantity=100))
    with pytest.raises(LimitExceeded) as caught:
        desk.book.orders.place(limit(desk.trader, "A2", **changes))
    assert (caught.value.limit, caught.value.symbol) == (name, whose)


@WHOSE
def test_counting_an_order_leaves_the_other_limits(lone_desk: Desk, whose: str | None) -> None:
    desk = lone_desk
    limited(desk, whose, **ALL)
    key = "%:position:AAPL" if whose else "%:book"
    before = doubles.read(desk, key)
    for number in range(3):
        desk.book.orders.place(limit(desk.trader, f"B{number}", quantity=10))
        after = doubles.read(desk, key)
        assert after[2:] == before[2:]
        assert after[1] in (1, before[1] + 1 + number)
    assert desk.book.audit.verify(desk.trader) == []


@WHOSE
@pytest.mark.parametrize("to", ["halted", "reducing"])
def test_the_switch_holds_beside_limits(lone_desk: Desk, to: str, whose: str | None) -> None:
    desk = lone_desk
    limited(desk, whose, max_order=500)
    desk.book.trading(desk.trader, to)
    with pytest.raises(TradingHalted):
        desk.book.orders.place(limit(desk.trader, "A1"))


def test_a_fill_in_the_same_call_keeps_the_count(lone_desk: Desk) -> None:
    desk = lone_desk
    limited(desk, "AAPL", orders_per_second=50)
    desk.ask("HSET", "%:position:AAPL", "limits", doubles.packed([0, 0, *doubles.read(desk, "%:position:AAPL")[2:]]))
    desk.book.commit([limit(desk.trader, "A1"), execution(desk.trader)])
    second, passed = doubles.read(desk, "%:position:AAPL")[:2]
    assert second > 1_700_000_000
    assert passed == 1


def test_limits_of_a_symbol_hold_in_the_call_that_sets_them(lone_desk: Desk) -> None:
    desk = lone_desk
    limited(desk, "AAPL", max_order=500)
    tight = LimitsChange(trader=desk.trader, symbol="AAPL", max_order=50)
    with pytest.raises(LimitExceeded):
        desk.book.commit([limit(desk.trader, "A1"), tight, limit(desk.trader, "A2")])
    desk.book.commit([limit(desk.trader, "A1"), tight])
    with pytest.raises(LimitExceeded):
        desk.book.orders.place(limit(desk.trader, "A2"))


@pytest.mark.parametrize("trader_s", [None, 50])
def test_what_a_position_has_of_orders_per_second_ends_with_a_change(lone_desk: Desk, trader_s: int | None) -> None:
    desk = lone_desk
    desk.book.limits.set(Limits(trader=desk.trader, orders_per_second=trader_s))
    limited(desk, "AAPL", orders_per_second=50)
    desk.book.orders.place(limit(desk.trader, "A1"))
    desk.book.limits.set(Limits(trader=desk.trader, symbol="AAPL", orders_per_second=0))
    with pytest.raises(LimitExceeded):
        desk.book.orders.place(limit(desk.trader, "A2"))


def test_limits_that_are_removed_leave_nothing_in_the_hash(lone_desk: Desk) -> None:
    desk = lone_desk
    limited(desk, "AAPL", max_order=500)
    desk.book.limits.delete(desk.trader, "AAPL")
    assert desk.ask("HKEYS", "%:limits") == ["trader"]
    desk.book.orders.place(limit(desk.trader, "A1", quantity=501))


@WHOSE
def test_a_limit_of_more_digits_is_minus_one(lone_desk: Desk, whose: str | None) -> None:
    """A double may not hold it, so nothing is within it for certain."""
    desk = lone_desk
    limited(desk, whose, max_order=10**15)
    place = 4 if whose else 3
    assert doubles.read(desk, "%:position:AAPL" if whose else "%:book")[place] == -1
    assert desk.book.audit.verify(desk.trader) == []

"""Test each limit at its bound: what is equal passes, and the least more is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import Limits, Order
from slotbook.models.errors import LimitExceeded, TradingHalted

from ...support import doubles
from ...support.desk import Desk
from ...support.make import execution, limit

BIG = 2**53 - 1


def limited(desk: Desk, symbol: str | None = None, /, **values: object) -> None:
    desk.book.limits.set(Limits.model_validate({"trader": desk.trader, "symbol": symbol, **values}))


def passed_by(call: Callable[[], object]) -> tuple[str, str | None] | None:
    """Return the limit that refuses a call, and whose it is; None when the call is made."""
    try:
        call()
    except LimitExceeded as error:
        return error.limit, error.symbol
    return None


@pytest.mark.parametrize("whose", [None, "AAPL"], ids=["trader", "symbol"])
@pytest.mark.parametrize("bound", [1, 100, 999_999_999_999_999, 10**15, BIG - 1], ids=str)
@pytest.mark.parametrize("name", ["max_order", "max_position"])
def test_a_quantity_at_its_bound(desk: Desk, name: str, bound: int, whose: str | None) -> None:
    limited(desk, whose, **{name: bound})
    place, trader = desk.book.orders.place, desk.trader
    assert passed_by(lambda: place(limit(trader, "A1", quantity=f"{bound}.000000000000000001"))) == (name, whose)
    assert passed_by(lambda: place(limit(trader, "A1", quantity=bound + 1))) == (name, whose)
    assert passed_by(lambda: place(limit(trader, "A1", quantity=bound))) is None
    assert passed_by(lambda: desk.book.orders.replace(trader, "A1", quantity=bound + 1)) == (name, whose)
    assert passed_by(lambda: desk.book.orders.replace(trader, "A1", quantity=bound, price="1")) is None
    assert passed_by(lambda: place(limit(trader, "S1", quantity=bound + 1, side="SELL"))) == (name, whose)
    assert passed_by(lambda: place(limit(trader, "S1", quantity=bound, side="SELL_SHORT"))) is None


@pytest.mark.parametrize("whose", [None, "AAPL"], ids=["trader", "symbol"])
@pytest.mark.parametrize(
    ("price", "bound", "more"),
    [
        ("187.23", "18723", "187.230000001"),
        ("-187.23", "18723", "-187.230000001"),
        ("0.000000001", "0.0000001", "0.000000002"),
        ("999999999999.99", "99999999999999", "999999999999.999999999"),
        ("0", "0", "0.000000001"),
    ],
)
def test_a_notional_at_its_bound(desk: Desk, price: str, bound: str, more: str, whose: str | None) -> None:
    limited(desk, whose, max_notional=bound)
    place, trader = desk.book.orders.place, desk.trader
    assert passed_by(lambda: place(limit(trader, "A1", price=more))) == ("max_notional", whose)
    expected = None if abs(Decimal(price)) * 100 <= Decimal(bound) else ("max_notional", whose)
    assert passed_by(lambda: place(limit(trader, "A1", price=price))) == expected
    market = Order.model_validate(
        {"trader": trader, "order_id": "M1", "symbol": "AAPL", "side": "BUY", "type": "MARKET", "quantity": 100}
    )
    assert passed_by(lambda: place(market)) == ("max_notional", whose)
    assert passed_by(lambda: place(market.model_copy(update={"reference_price": Decimal(price)}))) == expected


def test_a_position_beside_what_is_open_at_its_bound(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, max_position=100)
    desk.book.positions.set(trader, "AAPL", -30)
    orders.place(limit(trader, "B1", quantity=70))
    assert passed_by(lambda: orders.place(limit(trader, "B2", quantity=61))) == ("max_position", None)
    orders.place(limit(trader, "B2", quantity=60))
    assert passed_by(lambda: orders.place(limit(trader, "S1", quantity=71, side="SELL"))) == ("max_position", None)
    orders.place(limit(trader, "S1", quantity=70, side="SELL"))
    orders.fill(execution(trader, "X1", 70, order_id="B1"))
    assert passed_by(lambda: orders.replace(trader, "B2", quantity=61)) == ("max_position", None)
    assert passed_by(lambda: orders.replace(trader, "S1", quantity=141)) == ("max_position", None)
    orders.replace(trader, "S1", quantity=140)


def test_the_limits_of_a_symbol_come_before_the_trader_s(desk: Desk) -> None:
    trader, place = desk.trader, desk.book.orders.place
    limited(desk, max_order=10, max_notional=5, max_position=5)
    limited(desk, "AAPL", max_order=20, max_position=50)
    assert passed_by(lambda: place(limit(trader, quantity=21))) == ("max_order", "AAPL")
    assert passed_by(lambda: place(limit(trader, quantity=11))) == ("max_order", None)
    assert passed_by(lambda: place(limit(trader, quantity=10))) == ("max_notional", None)
    assert passed_by(lambda: place(limit(trader, quantity=10, price="0.5"))) is None
    limited(desk, "AAPL", max_position=12, max_notional=1)
    assert passed_by(lambda: place(limit(trader, "A2", quantity=3, price="0.5"))) == ("max_notional", "AAPL")
    assert passed_by(lambda: place(limit(trader, "A2", quantity=3, price="0.1"))) == ("max_position", "AAPL")
    assert passed_by(lambda: place(limit(trader, "A2", quantity=2, price="0.1"))) is None
    assert passed_by(lambda: place(limit(trader, "M1", quantity=6, price="0.1", symbol="MSFT"))) == (
        "max_position",
        None,
    )


def in_one_second(desk: Desk, calls: Callable[[int], object]) -> object:
    """Return what calls return that were all made in one second of the server's clock, given the number of the try."""
    for number in range(50):
        while int(cast("list[str]", desk.ask("TIME"))[1]) > 200_000:
            time.sleep(0.01)
        began = cast("list[str]", desk.ask("TIME"))[0]
        found = calls(number)
        if cast("list[str]", desk.ask("TIME"))[0] == began:
            return found
    raise AssertionError("no second was long enough")


@pytest.mark.parametrize("whose", [None, "AAPL"], ids=["trader", "symbol"])
def test_a_second_begins_anew(lone_desk: Desk, whose: str | None) -> None:
    desk = lone_desk
    trader, orders = desk.trader, desk.book.orders
    limited(desk, whose, orders_per_second=3)

    def some(number: int) -> list[object]:
        placed = limit(trader, f"A{number}")
        found: list[object] = [passed_by(lambda: orders.place(placed))]
        found.append(orders.place(placed).applied)
        found.append(passed_by(lambda: orders.place(limit(trader, f"B{number}", quantity=2**53 - 1, price="0"))))
        orders.cancel(trader, f"B{number}")
        found.append(passed_by(lambda: orders.restate(trader, f"A{number}", quantity=90)))
        found.append(passed_by(lambda: orders.replace(trader, f"A{number}", quantity=80)))
        found.append(passed_by(lambda: orders.replace(trader, f"A{number}", quantity=70)))
        found.append(passed_by(lambda: orders.place(limit(trader, f"C{number}"))))
        found.append(passed_by(lambda: orders.restate(trader, f"A{number}", quantity=60)))
        return found

    refused = ("orders_per_second", whose)
    for _ in range(2):
        assert in_one_second(desk, some) == [None, False, None, None, None, refused, refused, None]
        trader = desk.trader = desk.another()
        limited(desk, whose, orders_per_second=3)


@pytest.mark.parametrize("whose", [None, "AAPL"], ids=["trader", "symbol"])
def test_what_an_earlier_second_let_pass_does_not_count(lone_desk: Desk, whose: str | None) -> None:
    """The count that is stored begins anew, whether an order is placed by plain numbers or digit by digit."""
    desk = lone_desk
    limited(desk, whose, orders_per_second=3)
    desk.book.orders.place(limit(desk.trader, "A0"))
    key = "%:position:AAPL" if whose else "%:book"
    for quantity in ("100", "100.000000000000000001"):
        desk.ask("HSET", key, "limits", doubles.packed([1_700_000_000, 2, *doubles.read(desk, key)[2:]]))
        desk.book.orders.place(limit(desk.trader, f"A{quantity}", quantity=quantity))
        second, passed, rate = doubles.read(desk, key)[:3]
        assert second > 1_700_000_000
        assert (passed, rate) == (1, 3)


@pytest.mark.parametrize("whose", [None, "AAPL"], ids=["trader", "symbol"])
def test_orders_of_one_call_are_counted_together(lone_desk: Desk, whose: str | None) -> None:
    """The first may be looked at with plain numbers, and those after it one limit after the other."""
    desk = lone_desk
    limited(desk, whose, orders_per_second=2)
    outcomes = desk.book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(4)])
    assert [type(outcome.error) for outcome in outcomes] == [type(None), type(None), LimitExceeded, LimitExceeded]
    assert doubles.read(desk, "%:position:AAPL" if whose else "%:book")[1:3] == [2, 2]


def test_a_restate_passes_every_limit_and_the_switch(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    orders.place(limit(trader))
    limited(desk, max_order=1, max_notional=1, max_position=1, orders_per_second=0)
    desk.book.trading(trader, "halted")
    assert orders.restate(trader, "A1", quantity=500, price="200").order.quantity == 500
    desk.book.trading(trader, "active")
    assert passed_by(lambda: orders.replace(trader, "A1", quantity=501)) == ("max_order", None)
    assert passed_by(lambda: orders.replace(trader, "A1", price="150")) == ("orders_per_second", None)


def test_a_replace_that_lowers_an_order_passes_what_has_become_too_much(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    orders.place(limit(trader, quantity=100, price="10"))
    limited(desk, max_order=5, max_notional=5, max_position=5)
    orders.replace(trader, "A1", quantity=90)
    assert passed_by(lambda: orders.replace(trader, "A1", price="10.000000001")) == ("max_notional", None)
    assert passed_by(lambda: orders.replace(trader, "A1", quantity=91, price="9")) == ("max_order", None)
    assert passed_by(lambda: orders.replace(trader, "A1", quantity=85, price="10.5")) is None
    desk.book.trading(trader, "reducing")
    with pytest.raises(TradingHalted):
        orders.replace(trader, "A1", quantity=80)
    desk.book.positions.set(trader, "AAPL", -80)
    orders.replace(trader, "A1", quantity=80)


def test_limits_that_a_batch_shares_count_each_of_its_orders(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, max_position=100)
    limited(desk, "MSFT", max_position=50)
    batch = [limit(trader, f"A{number}", quantity=30, symbol=("AAPL", "MSFT")[number % 2]) for number in range(8)]
    outcomes = orders.place_many(batch)
    assert [one.error is None for one in outcomes] == [True, True, True, False, True, False, False, False]
    symbols = [one.error.symbol for one in outcomes if isinstance(one.error, LimitExceeded)]
    assert symbols == ["MSFT", "MSFT", None, "MSFT"]


def test_a_second_that_was_not_used_up_leaves_nothing_to_the_next(lone_desk: Desk) -> None:
    desk = lone_desk
    limited(desk, orders_per_second=3)

    def placed(names: str, number: int) -> list[object]:
        place = desk.book.orders.place
        return [passed_by(lambda name=name: place(limit(desk.trader, f"{name}{number}"))) for name in names]  # type: ignore[misc]

    assert in_one_second(desk, lambda number: placed("AB", number)) == [None, None]
    began = cast("list[str]", desk.ask("TIME"))[0]
    while cast("list[str]", desk.ask("TIME"))[0] == began:
        time.sleep(0.01)
    refused = ("orders_per_second", None)
    assert in_one_second(desk, lambda number: placed("CDEF", number)) == [None, None, None, refused]


def test_an_order_that_had_no_price_gets_one_within_the_notional(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    orders.place(limit(trader, "A1", quantity=10, type="PEGGED", price=None))
    limited(desk, max_notional=100)
    with pytest.raises(LimitExceeded, match="max_notional of the trader is 100, and the order has 110"):
        orders.replace(trader, "A1", price=11)
    assert orders.replace(trader, "A1", price=10).order.price == 10

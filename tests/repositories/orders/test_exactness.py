"""Test that arithmetic is exact to the last of nine decimal places, or refused."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models.errors import AmountOverflow
from slotbook.models.types import MAX_QUANTITY

from ...support.desk import Desk
from ...support.make import execution, limit

prices = st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=9, allow_nan=False)


@pytest.mark.parametrize(
    ("trades", "notional"),
    [
        ([(1, "0.000000001")], "0.000000001"),
        ([(3, "0.333333333")], "0.999999999"),
        ([(1, "0.999999999"), (1, "0.000000001")], "1"),
        ([(1, "-37.63"), (2, "37.63")], "37.63"),
        ([(1, "-37.63"), (1, "37.63")], "0"),
        ([(1, "0.1")] * 10, "1"),
        ([(1, "99999.999999999"), (1, "0.000000001")], "100000"),
        ([(1, "-99999.999999999"), (1, "-0.000000001")], "-100000"),
        ([(1, "199999.999999999"), (1, "0.000000001")], "200000"),
        ([(1, "-199999.999999999"), (1, "-0.000000001")], "-200000"),
        ([(1, "200000"), (1, "-0.000000001")], "199999.999999999"),
        ([(1, "200000"), (1, "-300000.000000001")], "-100000.000000001"),
        ([(1, "100000"), (1, "-0.000000001")], "99999.999999999"),
        ([(1, "-100000"), (1, "0.000000001")], "-99999.999999999"),
        ([(9, "999999999999.999999999")] * 3, "26999999999999.999999973"),
        ([(10_000_000, "999999999999.999999999")] * 9, "89999999999999999999.91"),
    ],
    ids=str,
)
def test_sums_of_money_are_exact(desk: Desk, trades: list[tuple[int, str]], notional: str) -> None:
    desk.book.orders.place(limit(desk.trader, quantity=MAX_QUANTITY))
    for number, (quantity, price) in enumerate(trades):
        desk.book.orders.fill(execution(desk.trader, f"X{number}", quantity, price))
    order = desk.book.orders.get(desk.trader, "A1")
    assert order is not None
    assert order.filled_notional == Decimal(notional)
    assert desk.book.positions.get(desk.trader, "AAPL").bought_notional == Decimal(notional)
    assert desk.ask("HGET", "%:position:AAPL", "bought_notional") == notional


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trades=st.lists(st.tuples(st.integers(1, 10**6), prices, st.booleans()), min_size=1, max_size=25))
def test_any_sum_of_money_is_exact(lone_desk: Desk, trades: list[tuple[int, Decimal, bool]]) -> None:
    trader, ids = lone_desk.another(), count()
    lone_desk.book.orders.place_many(
        [limit(trader, side, side=side, quantity=MAX_QUANTITY) for side in ("BUY", "SELL")]
    )
    outcomes = lone_desk.book.orders.fill_many(
        [
            execution(trader, f"X{next(ids)}", quantity, str(price), "BUY" if buys else "SELL")
            for quantity, price, buys in trades
        ]
    )
    assert all(outcome.error is None for outcome in outcomes)
    held = lone_desk.book.positions.get(trader, "AAPL")
    bought = sum((quantity * price for quantity, price, buys in trades if buys), Decimal(0))
    sold = sum((quantity * price for quantity, price, buys in trades if not buys), Decimal(0))
    assert (held.bought_notional, held.sold_notional, held.cash) == (bought, sold, sold - bought)
    assert held.quantity == sum(quantity if buys else -quantity for quantity, _, buys in trades)


def test_the_largest_quantity_is_kept_exactly(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, quantity=MAX_QUANTITY, price="0.000000001"))
    desk.book.orders.fill(execution(desk.trader, "X1", MAX_QUANTITY - 1, "0.000000001"))
    result = desk.book.orders.fill(execution(desk.trader, "X2", 1, "0.000000001"))
    assert (result.order.status, result.order.filled_quantity) == ("FILLED", MAX_QUANTITY)
    assert result.position.quantity == result.position.bought_quantity == MAX_QUANTITY
    assert result.position.bought_notional == Decimal("9007199.254740991")


def test_a_position_past_the_largest_quantity_is_refused_whole(desk: Desk) -> None:
    desk.book.positions.set(desk.trader, "AAPL", MAX_QUANTITY)
    desk.book.orders.place(limit(desk.trader))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="quantity"):
        desk.book.orders.fill(execution(desk.trader, quantity=1))
    with pytest.raises(AmountOverflow, match="quantity"):
        desk.book.positions.adjust(desk.trader, "AAPL", 1)
    assert desk.contents() == before
    assert desk.book.positions.adjust(desk.trader, "AAPL", -1).position.quantity == MAX_QUANTITY - 1
    assert desk.book.orders.fill(execution(desk.trader, quantity=1)).position.quantity == MAX_QUANTITY


def test_a_short_position_past_the_largest_quantity_is_refused_whole(desk: Desk) -> None:
    desk.book.positions.set(desk.trader, "AAPL", -MAX_QUANTITY)
    desk.book.orders.place(limit(desk.trader, side="SELL"))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="quantity"):
        desk.book.orders.fill(execution(desk.trader, quantity=1))
    with pytest.raises(AmountOverflow, match="quantity"):
        desk.book.positions.adjust(desk.trader, "AAPL", -1)
    assert desk.contents() == before
    assert desk.book.positions.adjust(desk.trader, "AAPL", MAX_QUANTITY).position.quantity == 0


@pytest.mark.parametrize(("side", "total"), [("BUY", "bought_quantity"), ("SELL", "sold_quantity")])
def test_a_traded_total_past_the_largest_quantity_is_refused_whole(desk: Desk, side: str, total: str) -> None:
    desk.book.orders.place(limit(desk.trader, "A1", side=side, quantity=MAX_QUANTITY))
    desk.book.orders.fill(execution(desk.trader, "X1", MAX_QUANTITY, "1"))
    desk.book.positions.set(desk.trader, "AAPL", 0)
    desk.book.orders.place(limit(desk.trader, "A2", side=side))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match=total):
        desk.book.orders.fill(execution(desk.trader, "X2", 1, order_id="A2"))
    assert desk.contents() == before


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_amount_past_what_can_be_counted_is_refused_whole(desk: Desk, sign: str) -> None:
    desk.book.orders.place(limit(desk.trader, quantity=MAX_QUANTITY))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="notional"):
        desk.book.orders.fill(execution(desk.trader, "X1", MAX_QUANTITY, f"{sign}999999999999.999999999"))
    assert desk.contents() == before
    desk.book.orders.fill(execution(desk.trader, "X2", 99_999_999, f"{sign}999999999999.999999999"))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="notional"):
        desk.book.orders.fill(execution(desk.trader, "X3", 2, f"{sign}999999999999"))
    assert desk.contents() == before

"""Test what a position has cost and what was realized, by moving average: exact, and conserved at every step."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models import Fill, FillResult, Order, Position, PositionAction, PositionChange, PositionResult
from slotbook.models.errors import AmountOverflow
from slotbook.models.guards import Expect

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.reference.costs import places

Trade = tuple[str, int, str]
"""A side, a quantity and a price."""


def traded(desk: Desk, trades: list[Trade], trader: str | None = None) -> list[Position]:
    """Trade one after the other, and return the position after each."""
    trader, steps = trader or desk.trader, list[Order | Fill | PositionChange | Expect]()
    for number, (side, quantity, price) in enumerate(trades):
        order_id = f"A{number}"
        steps.append(limit(trader, order_id, side=side, quantity=quantity))
        steps.append(execution(trader, "X1", quantity, price, order_id))
    return [moved(result) for result in desk.book.commit(steps)[1::2]]


def moved(result: object) -> Position:
    assert isinstance(result, FillResult | PositionResult)
    return result.position


def figures(held: Position) -> tuple[int | Decimal, str, str]:
    return held.quantity, f"{held.open_cost:f}", f"{held.realized_profit:f}"


@pytest.mark.parametrize(
    ("trades", "expected"),
    [
        ([("BUY", 100, "187.23")], [(100, "18723", "0")]),
        ([("SELL", 100, "187.23")], [(-100, "-18723", "0")]),
        (
            [("BUY", 100, "10"), ("BUY", 50, "13"), ("SELL", 30, "12"), ("SELL", 120, "10")],
            [(100, "1000", "0"), (150, "1650", "0"), (120, "1320", "30"), (0, "0", "-90")],
        ),
        (
            [("SELL", 100, "10"), ("SELL", 50, "13"), ("BUY", 30, "12"), ("BUY", 120, "10")],
            [(-100, "-1000", "0"), (-150, "-1650", "0"), (-120, "-1320", "-30"), (0, "0", "90")],
        ),
        # What goes through zero closes first, and opens the rest at its own price.
        ([("BUY", 10, "10"), ("SELL", 25, "11.5")], [(10, "100", "0"), (-15, "-172.5", "15")]),
        ([("SELL", 10, "10"), ("BUY", 25, "11.5")], [(-10, "-100", "0"), (15, "172.5", "-15")]),
        # A share that does not end is rounded at the ninth place, half to even; the last one takes what is left.
        (
            [("BUY", 3, "0.000000001"), ("BUY", 3, "33.333333333"), ("SELL", 1, "20"), ("SELL", 5, "20")],
            [
                (3, "0.000000003", "0"),
                (6, "100.000000002", "0"),
                (5, "83.333333335", "3.333333333"),
                (0, "0", "19.999999998"),
            ],
        ),
        (
            [("BUY", 1, "0.000000002"), ("BUY", 1, "0.000000003"), ("SELL", 1, "0")],
            [(1, "0.000000002", "0"), (2, "0.000000005", "0"), (1, "0.000000003", "-0.000000002")],
        ),
        # Prices may be negative: one is paid for taking it.
        ([("BUY", 10, "-37.63"), ("SELL", 5, "1")], [(10, "-376.3", "0"), (5, "-188.15", "193.15")]),
        ([("BUY", 4, "0"), ("SELL", 4, "7")], [(4, "0", "0"), (0, "0", "28")]),
    ],
)
def test_a_position_in_steps(desk: Desk, trades: list[Trade], expected: list[tuple[int, str, str]]) -> None:
    held = traded(desk, trades)
    assert list(map(figures, held)) == expected
    assert desk.book.positions.get(desk.trader, "AAPL") == held[-1]


def test_prices_and_profits_follow_from_the_cost(desk: Desk) -> None:
    held = traded(desk, [("SELL", 100, "10"), ("SELL", 50, "13"), ("BUY", 30, "12")])[-1]
    assert (held.average_open_price, held.unrealized("12"), held.profit("12")) == (11, -120, -150)
    assert held.profit("12") == held.cash + held.quantity * 12


def test_a_repeat_answers_what_the_position_had_cost_then(desk: Desk) -> None:
    [first, _] = traded(desk, [("BUY", 100, "187.23"), ("SELL", 30, "190")])
    again = desk.book.orders.fill(execution(desk.trader, "X1", 100, "187.23", "A0"))
    assert (again.applied, again.position) == (False, first)


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (50, (50, "18723", "0")),
        (300, (300, "18723", "0")),
        (100, (100, "18723", "0")),
        (0, (0, "0", "-18723")),
        (-5, (-5, "0", "-18723")),
    ],
)
def test_a_change_keeps_the_cost_until_nothing_is_left(
    desk: Desk, quantity: int, expected: tuple[int, str, str]
) -> None:
    traded(desk, [("BUY", 100, "187.23")])
    held = desk.book.positions.set(desk.trader, "AAPL", quantity).position
    assert figures(held) == expected
    assert desk.book.positions.get(desk.trader, "AAPL") == held


def test_a_quantity_without_a_trade_has_no_cost(desk: Desk) -> None:
    assert figures(desk.book.positions.adjust(desk.trader, "AAPL", 100).position) == (100, "0", "0")
    assert figures(traded(desk, [("SELL", 60, "10"), ("SELL", 50, "10")])[-1]) == (-10, "-100", "1000")


def test_a_cost_that_is_too_large_is_refused(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    traded(lone_desk, [("BUY", 1, "5")])
    key = "%:position:AAPL"
    lone_desk.vandalise("HSET", key, "realized_profit", "-" + "9" * 36, "open_cost", "1")
    with pytest.raises(AmountOverflow, match="realized_profit"):
        lone_desk.book.positions.set(trader, "AAPL", 0)
    orders.place(limit(trader, "B", side="SELL", quantity=2))
    with pytest.raises(AmountOverflow, match="realized_profit"):
        orders.fill(execution(trader, "X1", 1, "0", "B"))
    lone_desk.vandalise("HSET", key, "realized_profit", "0", "open_cost", "9" * 36)
    orders.place(limit(trader, "C", quantity=2))
    with pytest.raises(AmountOverflow, match="open_cost"):
        orders.fill(execution(trader, "X1", 1, "1", "C"))


trades = st.tuples(
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from([1, 2, 3, 7, 10, 999, 10**9 + 7, 10**15 + 1]),
    st.sampled_from(["187.23", "0.01", "-37.63", "0", "33.333333333", "999999999999.999999999", "0.000000001"])
    | st.decimals(-1000, 1000, places=9).map(str),
)


def test_nothing_is_created_and_nothing_lost_at_any_step(lone_desk: Desk) -> None:
    """Realized profit, less the open cost, less the cash stays zero to the last digit, through flips and closes."""

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(trades, min_size=1, max_size=25))
    def run(some: list[Trade]) -> None:
        for held in traded(lone_desk, some, lone_desk.another()):
            cash = Fraction(held.sold_notional) - Fraction(held.bought_notional)
            assert Fraction(held.realized_profit) - Fraction(held.open_cost) == cash
            assert held.quantity or not held.open_cost
            assert max(places(held.open_cost), places(held.realized_profit)) <= 9

    run()


def test_a_change_is_refused_or_applied_with_its_cost_in_a_unit(desk: Desk) -> None:
    trader = desk.trader
    results = desk.book.commit(
        [
            limit(trader, "A1", quantity=10),
            execution(trader, "X1", 10, "5", "A1"),
            PositionChange(trader=trader, symbol="AAPL", quantity=0, action=PositionAction.SET),
            limit(trader, "A2", quantity=4),
            execution(trader, "X1", 4, "6", "A2"),
        ]
    )
    assert figures(moved(results[2])) == (0, "0", "-50")
    assert figures(moved(results[4])) == (4, "24", "-50")

"""Nothing is lost of numbers of 18 places: profit, cost and cash balance to the last digit at every step."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models import Position
from slotbook.models.errors import AmountOverflow, InexactSplit
from slotbook.models.numbers import plain

from ...support.desk import Desk
from ...support.make import execution, limit

LEAST = Decimal("0.000000000000000001")
trades = st.tuples(
    st.sampled_from(["BUY", "SELL"]),
    st.decimals(LEAST, "999999999999999.999999999999999999", places=18)
    | st.decimals("0.00000001", 10, places=8)
    | st.sampled_from([Decimal(1), Decimal("0.5"), LEAST, Decimal("1.000000000000000003")]),
    st.decimals("-999999999999.999999999999999999", "999999999999.999999999999999999", places=18).map(plain)
    | st.sampled_from(["187.23", "0.000000000000000001", "-37.63", "3"]),
)
splits = st.tuples(st.integers(1, 9), st.integers(1, 9))


def check(held: Position, quantity: Fraction) -> None:
    """Check that what is held is right, and that profit and cost balance with the cash."""
    assert Fraction(held.quantity) == quantity
    cash = Fraction(held.sold_notional) - Fraction(held.bought_notional)
    assert Fraction(held.realized_profit) - Fraction(held.open_cost) == cash
    assert held.quantity or not held.open_cost


def test_nothing_is_lost_through_flips_and_splits(lone_desk: Desk) -> None:
    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(trades | splits, min_size=1, max_size=12))
    def run(steps: list[tuple[str, Decimal, str] | tuple[int, int]]) -> None:
        trader, quantity = lone_desk.another(), Fraction(0)
        for number, step in enumerate(steps):
            if len(step) == 3:
                side, traded, price = step
                lone_desk.book.orders.place(limit(trader, f"A{number}", side=side, quantity=traded))
                result = lone_desk.book.orders.fill(execution(trader, "X1", traded, price, f"A{number}"))
                quantity += Fraction(traded) * (1 if side == "BUY" else -1)
                check(result.position, quantity)
            else:
                quantity = split(lone_desk, trader, quantity, *step)

    run()


def split(desk: Desk, trader: str, held: Fraction, new: int, old: int) -> Fraction:
    """Split a position, and return what it holds: as much as before, where that has no form or is too much."""
    after = held * new / old
    try:
        position = desk.book.positions.split(trader, "AAPL", new, old).position
    except InexactSplit:
        assert 10**18 % after.denominator
        return held
    except AmountOverflow:
        assert abs(after) >= 10**18
        return held
    check(position, after)
    return after

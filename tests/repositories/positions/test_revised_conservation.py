"""Busts and corrections among flips, splits, rolls and adjustments: the cost is the oracle's, and nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import cast

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slotbook.models import (
    Bust,
    Correct,
    FillResult,
    LimitsChange,
    Position,
    PositionChange,
    PositionResult,
    Roll,
    Split,
    TradingChange,
)
from slotbook.models.errors import SlotbookError
from slotbook.models.numbers import plain

from ...support.desk import Desk
from ...support.make import NIGHTLY, execution, limit
from ...support.reference import Answer, ReferenceBook, Request

LEAST = Decimal("0.000000000000000001")
QUANTITIES = st.sampled_from([1, 2, 3, 7, 10]).map(Decimal) | st.decimals(LEAST, "99.999999999999999999", places=18)
PRICES = st.sampled_from(["10", "20.5", "-37.63", "0", "33.333333333"]) | st.decimals(
    "-999.999999999999999999", "999999.999999999999999999", places=18
).map(plain)
NUMBERS = st.integers(0, 30)
steps = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(["BUY", "SELL"]), QUANTITIES, PRICES),
    st.tuples(st.just("trade"), st.sampled_from(["BUY", "SELL"]), QUANTITIES, PRICES),
    st.tuples(st.just("bust"), NUMBERS, QUANTITIES, PRICES),
    st.tuples(st.just("correct"), NUMBERS, QUANTITIES, PRICES),
    st.tuples(st.just("split"), st.integers(1, 4), st.sampled_from([1, 2]), st.just("")),
    st.tuples(st.just("roll"), st.just(""), st.just(""), st.just("")),
    st.tuples(st.just("adjust"), st.integers(-5, 5), st.just(""), st.just("")),
)


def balance(held: Position) -> Fraction:
    cash = Fraction(held.sold_notional) - Fraction(held.bought_notional)
    return Fraction(held.realized_profit) - Fraction(held.open_cost) - cash


class Side:
    """A book on the servers and one in plain Python, which are asked for the same."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.trader, self.reference = desk, desk.another(), ReferenceBook()
        self.reports: list[tuple[str, str]] = []
        self.kept = Fraction(0)
        """Profit, less cost, less cash: only a roll changes it."""

    def ask(self, request: Request) -> FillResult | PositionResult | None:
        """Ask both, compare the positions, and return the result; None for what is refused."""
        expected: Answer | type[SlotbookError]
        try:
            expected = self.reference.apply(request)
        except SlotbookError as error:
            expected = type(error)
        try:
            result: object = self._answer(request)
        except SlotbookError as error:
            result = type(error)
        if not isinstance(result, FillResult | PositionResult):
            assert result == expected
            return None
        assert isinstance(expected, Answer)
        found = cast("FillResult | PositionResult", result)
        assert found.position == expected.position
        assert getattr(found, "cost_basis", None) == expected.cost_basis
        return found

    def _answer(self, request: Request) -> object:
        if isinstance(request, PositionChange | Split | Roll):
            return self.desk.book.positions.apply_many([request])[0].result()
        assert not isinstance(request, LimitsChange | TradingChange)
        return self.desk.book.orders.apply(request)

    def take(self, number: int, step: tuple[object, object, object, object]) -> None:
        """Carry out one step, and check that nothing is lost."""
        kind, first, quantity, price = step
        named = {"trader": self.trader, "symbol": "AAPL", "request_id": f"R{number}"}
        request: Request
        match kind:
            case "trade":
                order = limit(self.trader, f"A{number}", side=first, quantity=quantity)
                self.desk.book.orders.place(order)
                self.reference.apply(order)
                self.reports.append((order.order_id, "X1"))
                request = execution(self.trader, "X1", cast("int", quantity), str(price), order.order_id)
            case "bust" | "correct":
                if not self.reports:
                    return
                order_id, revised = self.reports[cast("int", first) % len(self.reports)]
                report = {"trader": self.trader, "order_id": order_id, "exec_id": f"V{number}", "exec_ref_id": revised}
                self.reports.append((order_id, f"V{number}"))
                terms = {"quantity": quantity, "price": price}
                request = Bust.model_validate(report) if kind == "bust" else Correct.model_validate({**report, **terms})
            case "split":
                request = Split.model_validate({**named, "new": first, "old": quantity})
            case "roll":
                request = Roll.model_validate(named)
            case _:
                request = PositionChange.model_validate({**named, "quantity": first})
        result = self.ask(request)
        if result is None or not result.applied:
            return
        if kind == "roll":
            self.kept = -Fraction(result.position.open_cost)
        assert balance(result.position) == self.kept
        assert result.position.quantity or not result.position.open_cost


def test_nothing_is_lost_through_busts_and_corrections(lone_desk: Desk) -> None:
    @settings(
        max_examples=400 if NIGHTLY else 30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    @given(st.lists(steps, min_size=3, max_size=14))
    @example(
        [("adjust", -2, "", ""), ("trade", "BUY", Decimal(2), "0"), ("roll", "", "", ""), ("bust", 0, Decimal(1), "1")]
    )
    def run(some: list[tuple[object, object, object, object]]) -> None:
        side = Side(lone_desk)
        for number, step in enumerate(some):
            side.take(number, step)
        assert not any(one.is_difference for one in lone_desk.book.audit.verify(side.trader))

    run()

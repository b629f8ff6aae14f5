"""Costs after busts and corrections: those of a day without the execution, or approximate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from slotbook.models import Bust, Correct, Fill, FillResult, Order, Position, PositionAction, PositionChange, Roll

from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit


def trade(desk: Desk, name: str, signed: int, price: str, symbol: str = "AAPL") -> Position:
    """Place an order and fill it whole, by the execution X1; below zero sells."""
    side = "BUY" if signed > 0 else "SELL"
    desk.book.orders.place(limit(desk.trader, name, side=side, quantity=abs(signed), symbol=symbol))
    return desk.book.orders.fill(execution(desk.trader, "X1", abs(signed), price, name)).position


def figures(result: FillResult) -> tuple[object, ...]:
    held = result.position
    return result.cost_basis, held.quantity, f"{held.open_cost:f}", f"{held.realized_profit:f}"


def balance(held: Position) -> Decimal:
    return held.realized_profit - held.open_cost - held.cash


def bust(desk: Desk, name: str, exec_id: str | None = None) -> FillResult:
    return desk.book.orders.bust(desk.trader, name, "X1", exec_id=exec_id)


@pytest.mark.parametrize(
    ("trades", "busted", "expected"),
    [
        ([10, 10, -5], 0, (5, "100", "50")),  # 10 at 10, 10 at 20, -5 at 30
        ([10, 10, -5], 1, (5, "50", "100")),
        ([10, 10, -5], 2, (20, "300", "0")),
        ([10, -25], 0, (-25, "-500", "0")),  # without the first, nothing is closed
        ([10, -25, 20], 1, (30, "700", "0")),  # the flip
        ([-10, 25, -20], 1, (-30, "-700", "0")),
        ([10, -10, 5], 0, (-5, "-100", "-50")),  # it was flat between
        ([10, -10, 5], 1, (15, "250", "0")),
    ],
)
def test_a_cost_is_that_of_a_day_without_the_execution(
    desk: Desk, trades: Sequence[int], busted: int, expected: tuple[int, str, str]
) -> None:
    for number, quantity in enumerate(trades):
        trade(desk, f"A{number}", quantity, str(10 * (number + 1)))
    done = bust(desk, f"A{busted}", exec_id="B1")
    assert figures(done) == ("exact", *expected)
    assert balance(done.position) == 0
    assert desk.book.positions.get(desk.trader, "AAPL") == done.position
    assert desk.events()[-1].cost_basis is None
    again = bust(desk, f"A{busted}", exec_id="B1")
    assert (again.applied, again.cost_basis, again.position) == (False, "exact", done.position)
    other = bust(desk, f"A{busted}", exec_id="B2")
    assert (other.applied, other.cost_basis, other.position) == (False, None, done.position)


def test_corrections_of_corrections_and_busts_of_them(desk: Desk) -> None:
    for name, quantity, price in (("A1", 10, "10"), ("A2", 10, "20"), ("A3", -10, "30")):
        trade(desk, name, quantity, price)
    orders, trader = desk.book.orders, desk.trader
    first = orders.correct(trader, "A1", "X1", quantity=5, price=12, exec_id="C1")  # 5 at 12, 10 at 20
    assert figures(first) == ("exact", 5, "86.666666667", "126.666666667")
    second = orders.correct(trader, "A1", "C1", quantity=10, price=11, exec_id="C2")
    assert figures(second) == ("exact", 10, "155", "145")
    third = orders.correct(trader, "A3", "X1", quantity=10, price=31)
    assert figures(third) == ("exact", 10, "155", "155")
    assert figures(orders.bust(trader, "A1", "C1")) == ("exact", 0, "0", "110")
    assert figures(bust(desk, "A3")) == ("exact", 10, "200", "0")
    assert figures(bust(desk, "A2")) == ("exact", 0, "0", "0")


def test_what_comes_between_counts_as_it_did(desk: Desk) -> None:
    trader, positions = desk.trader, desk.book.positions
    trade(desk, "M1", 7, "3", "MSFT")
    trade(desk, "A1", 10, "10")
    trade(desk, "A2", 30, "20")
    positions.split(trader, "AAPL", 2)
    trade(desk, "A3", -20, "15")
    positions.adjust(trader, "AAPL", -10)
    trade(desk, "M2", -7, "4", "MSFT")
    done = bust(desk, "A1")
    # 30 for 600; 40 more for nothing; 20 of the 70 sold for 300, and 10 of them taken away.
    assert figures(done) == ("exact", 40, "428.571428571", "128.571428571")
    assert balance(done.position) == 0


def test_a_closed_period_stays_and_the_current_one_has_the_difference(desk: Desk) -> None:
    trader, positions = desk.trader, desk.book.positions
    for name, quantity, price in (("A1", 10, "10"), ("A2", 10, "20"), ("A3", -10, "30")):
        trade(desk, name, quantity, price)
    closed = positions.get(trader, "AAPL")
    rolled = positions.roll(trader, "AAPL").position
    assert (balance(rolled), closed.realized_profit) == (-150, 150)
    trade(desk, "A4", -5, "40")
    done = bust(desk, "A1")
    # Without A1: 10 at 20, 10 sold at 30 realizes 100, and -5 at 40 are open: 50 less than the closed period says.
    assert figures(done) == ("exact", -5, "-200", "-50")
    assert balance(done.position) == -150
    assert figures(bust(desk, "A4")) == ("exact", 0, "0", "-50")
    assert balance(positions.get(trader, "AAPL")) == -150


def test_a_cost_that_cannot_be_folded_is_approximate(desk: Desk) -> None:
    for name, quantity, price in (("A1", 10, "10"), ("A2", 10, "20"), ("A3", -5, "30")):
        trade(desk, name, quantity, price)
    orders, trader = desk.book.orders, desk.trader
    desk.vandalise("XTRIM", "%:events", "MINID", "6-0")
    done = bust(desk, "A1", exec_id="B1")
    assert figures(done) == ("approximate", 5, "75", "25")  # a sale of 10 at 10
    assert (balance(done.position), desk.events()[-1].cost_basis) == (0, "approximate")
    again = bust(desk, "A1", exec_id="B1")
    assert (again.applied, again.cost_basis, again.position) == (False, "approximate", done.position)
    # What follows it would be exact only if the cost before was: from where it is flat, it is.
    assert figures(bust(desk, "A3", exec_id="B2"))[0] == "approximate"
    trade(desk, "A5", -10, "30")
    trade(desk, "A6", 10, "20")
    trade(desk, "A7", 10, "30")
    trade(desk, "A8", -10, "40")
    assert figures(bust(desk, "A7", exec_id="B3")) == ("exact", 0, "0", "300")
    assert (orders.bust(trader, "A1", "X1").cost_basis, orders.bust(trader, "A1", "X1").applied) == (None, False)


@on_one_server
def test_a_cost_that_was_set_is_not_folded_across(desk: Desk) -> None:
    trader, positions = desk.trader, desk.book.positions
    trade(desk, "A1", 10, "10")
    positions.set(trader, "AAPL", 100, cost=1500)
    trade(desk, "A2", 100, "17")
    trade(desk, "A3", -50, "20")
    assert figures(bust(desk, "A2")) == ("exact", 50, "750", "250")
    before = balance(positions.get(trader, "AAPL"))
    done = bust(desk, "A1")
    assert figures(done) == ("approximate", 40, "600", "200")
    assert balance(done.position) == before
    assert figures(bust(desk, "A3")) == ("approximate", 90, "1600", "200")
    trade(desk, "A4", 10, "20")
    positions.set(trader, "AAPL", 10, cost=100)
    trade(desk, "A5", -10, "20")
    trade(desk, "A6", 10, "20")
    assert figures(bust(desk, "A5"))[:3] == ("exact", 20, "300")


@on_one_server
def test_a_unit_folds_over_what_its_steps_have_done(desk: Desk) -> None:
    trader = desk.trader
    trade(desk, "A1", 10, "10")
    trade(desk, "A2", 10, "20")

    def steps() -> list[Order | Fill | Bust | Correct | PositionChange | Roll]:
        named = {"trader": trader, "exec_ref_id": "X1", "ts_ns": TS}
        return [
            limit(trader, "B1", side="SELL", quantity=40),
            execution(trader, "X1", 5, "30", "B1"),
            Bust.model_validate({**named, "order_id": "A1", "exec_id": "R1"}),
            PositionChange(trader=trader, symbol="AAPL", quantity=10, request_id="P1", ts_ns=TS),
            execution(trader, "X2", 5, "30", "B1"),
            Roll(trader=trader, symbol="AAPL", request_id="P2", ts_ns=TS),
            Correct.model_validate({**named, "order_id": "B1", "exec_id": "R2", "quantity": 10, "price": 31}),
            Bust.model_validate({**named, "order_id": "A1", "exec_id": "R3"}),
            PositionChange(
                trader=trader, symbol="AAPL", quantity=0, action=PositionAction.SET, request_id="P3", ts_ns=TS
            ),
            execution(trader, "X1", 5, "30", "B1"),
            Bust.model_validate({**named, "order_id": "B1", "exec_id": "R4", "exec_ref_id": "X2"}),
        ]

    results = desk.book.commit(steps())
    revised = [result for result in results if isinstance(result, FillResult) and result.cost_basis]
    assert [figures(one) for one in revised] == [
        ("exact", 5, "100", "50"),
        ("exact", 5, "0", "93.333333333"),  # 10 sold at 31, and 5 of those that were added at 30; 166.666666667 closed
        ("exact", 5, "0", "-56.666666667"),
    ]
    assert [result.applied for result in results] == [True] * 7 + [False, True, False, True]
    again = desk.book.commit(steps())
    assert [getattr(one, "position", None) for one in again[1:7]] == [
        getattr(one, "position", None) for one in results[1:7]
    ]
    assert not any(result.applied for result in again)


@on_one_server
def test_a_unit_whose_steps_do_something_else_than_foreseen_is_approximate_or_refused(desk: Desk) -> None:
    trader = desk.trader
    trade(desk, "A1", 10, "10")
    trade(desk, "A2", 10, "20")
    trade(desk, "A3", -5, "30")
    desk.vandalise("HSET", "%:position:AAPL", "open_cost", "77")
    done = bust(desk, "A1")
    assert done.cost_basis == "approximate"
    [one, other] = desk.book.commit(
        [Bust(trader=trader, order_id="A2", exec_ref_id="X1"), Bust(trader=trader, order_id="A3", exec_ref_id="X1")]
    )
    assert isinstance(one, FillResult)
    assert isinstance(other, FillResult)
    assert (one.cost_basis, other.cost_basis) == ("approximate", "approximate")

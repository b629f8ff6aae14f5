"""Test that arithmetic is exact to the last decimal place, or refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models.errors import AmountOverflow, CorruptRecord, InvalidArgument
from slotbook.models.numbers import EXACT, MAX_COUNT, MAX_QUANTITY, plain, times
from slotbook.repositories.positions.calls import totals

from ...support.desk import Desk
from ...support.make import execution, limit

MOST = 10**18 - 1
"""The largest whole quantity."""
quantities = (
    st.integers(1, 10**6)
    | st.decimals(Decimal("0.00000001"), 10**6, places=8)
    | st.decimals(Decimal("1E-18"), 10**6, places=18)
)
prices = st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=18, allow_nan=False)


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
        ([("0.00000001", "0.01")], "0.0000000001"),
        ([("0.12345678", "187.23")] * 3, "69.3444387582"),
        ([("1.5", "0.000000000000000001")], "0.0000000000000000015"),
        ([("0.000000000000000001", "0.000000000000000001")] * 9, "0." + "0" * 35 + "9"),
        ([("0.999999999999999999", "1"), ("0.000000000000000001", "1")], "1"),
    ],
    ids=str,
)
def test_sums_of_money_are_exact(lone_desk: Desk, trades: list[tuple[int | str, str]], notional: str) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader, quantity=MAX_QUANTITY))
    for number, (quantity, price) in enumerate(trades):
        lone_desk.book.orders.fill(execution(lone_desk.trader, f"X{number}", quantity, price))
    order = lone_desk.book.orders.get(lone_desk.trader, "A1")
    assert order is not None
    assert order.filled_notional == Decimal(notional)
    assert lone_desk.book.positions.get(lone_desk.trader, "AAPL").bought_notional == Decimal(notional)
    assert lone_desk.ask("HGET", "%:position:AAPL", "bought_notional") == notional


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trades=st.lists(st.tuples(quantities, prices, st.booleans()), min_size=1, max_size=25))
def test_any_sum_of_money_is_exact(lone_desk: Desk, trades: list[tuple[Decimal | int, Decimal, bool]]) -> None:
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
    bought = sum(Fraction(quantity) * Fraction(price) for quantity, price, buys in trades if buys)
    sold = sum(Fraction(quantity) * Fraction(price) for quantity, price, buys in trades if not buys)
    amounts = (held.bought_notional, held.sold_notional, held.cash)
    assert [Fraction(amount) for amount in amounts] == [bought, sold, sold - bought]
    assert Fraction(held.quantity) == sum(
        Fraction(quantity) if buys else -Fraction(quantity) for quantity, _, buys in trades
    )


def test_the_largest_quantity_is_kept_exactly(desk: Desk) -> None:
    smallest = Decimal("1E-18")
    desk.book.orders.place(limit(desk.trader, quantity=MAX_QUANTITY, price=smallest))
    desk.book.orders.fill(execution(desk.trader, "X1", EXACT.subtract(MAX_QUANTITY, smallest), smallest))
    result = desk.book.orders.fill(execution(desk.trader, "X2", smallest, smallest))
    assert (result.order.status, result.order.filled_quantity) == ("FILLED", MAX_QUANTITY)
    assert result.position.quantity == result.position.bought_quantity == MAX_QUANTITY
    assert result.position.bought_notional == times(MAX_QUANTITY, smallest)


@pytest.mark.parametrize("step", [1, "0.000000000000000001"])
@pytest.mark.parametrize(("side", "sign"), [("BUY", ""), ("SELL", "-")])
def test_a_position_past_the_largest_quantity_is_refused_whole(
    desk: Desk, side: str, sign: str, step: int | str
) -> None:
    most, back = Decimal(sign + plain(MAX_QUANTITY)), f"{'-' if not sign else ''}{step}"
    desk.book.positions.set(desk.trader, "AAPL", most)
    desk.book.orders.place(limit(desk.trader, side=side))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match=r"the position would reach 10\*\*18: reduce it first"):
        desk.book.orders.fill(execution(desk.trader, quantity=step))
    with pytest.raises(AmountOverflow, match="the position would reach"):
        desk.book.positions.adjust(desk.trader, "AAPL", f"{sign}{step}")
    assert desk.contents() == before
    assert desk.book.positions.adjust(desk.trader, "AAPL", back).position.quantity == EXACT.add(most, Decimal(back))
    assert desk.book.orders.fill(execution(desk.trader, quantity=step)).position.quantity == most


@pytest.mark.parametrize("price", ["0.000000001", "187.23", "-37.63", "999999999999.999999999999999999"])
def test_a_coin_is_bought_and_sold_for_ever(lone_desk: Desk, price: str) -> None:
    """The totals pass what a double holds, and are exact; the position is flat after each round."""
    orders, rounds = lone_desk.book.orders, 30
    for number in range(rounds):
        for side in ("BUY", "SELL"):
            order = limit(lone_desk.trader, f"{side}{number}", side=side, quantity=MAX_QUANTITY)
            fill = execution(lone_desk.trader, "X1", MAX_QUANTITY, price, order.order_id)
            lone_desk.book.commit([order, fill])
    held = lone_desk.book.positions.get(lone_desk.trader, "AAPL")
    traded, amount = times(rounds, MAX_QUANTITY), times(times(rounds, MAX_QUANTITY), Decimal(price))
    assert (held.quantity, held.bought_quantity, held.sold_quantity) == (0, traded, traded)
    assert (held.bought_notional, held.sold_notional, held.cash) == (amount, amount, 0)
    assert orders.fill(execution(lone_desk.trader, "X1", MAX_QUANTITY, price, "BUY3")).position.bought_quantity == (
        times(4, MAX_QUANTITY)
    )
    assert totals([held, held])["AAPL"].bought_quantity == times(2, traded)
    assert lone_desk.book.snapshot(lone_desk.trader).positions == [held]
    assert lone_desk.book.audit.verify(lone_desk.trader) == []


@pytest.mark.parametrize(
    ("side", "total", "most"),
    [
        ("BUY", "bought_quantity", Decimal("9" * 36)),
        ("SELL", "sold_quantity", Decimal("9" * 36)),
        ("BUY", "bought_notional", Decimal("9" * 36 + "." + "9" * 18)),
        ("SELL", "sold_notional", Decimal("-" + "9" * 36 + "." + "9" * 18)),
    ],
)
def test_a_total_past_its_end_is_refused_whole(desk: Desk, side: str, total: str, most: Decimal) -> None:
    price = "0.000000000000000001" if most > 0 else "-0.000000000000000001"
    desk.book.orders.place(limit(desk.trader, side=side))
    desk.book.orders.fill(execution(desk.trader, "X1", 1, price))
    step = Decimal(1) if "quantity" in total else Decimal(price)
    desk.vandalise("HSET", "%:position:AAPL", total, plain(EXACT.subtract(most, step)))
    at_the_end = desk.book.orders.fill(execution(desk.trader, "X2", 1, price)).position
    assert getattr(at_the_end, total) == most
    before = desk.contents()
    with pytest.raises(AmountOverflow, match=rf"{total} would reach 10\*\*\d+: roll the position first"):
        desk.book.orders.fill(execution(desk.trader, "X3", 1, price))
    assert desk.contents() == before
    desk.book.positions.roll(desk.trader, "AAPL")
    assert desk.book.orders.fill(execution(desk.trader, "X3", 1, price)).applied


def test_an_order_whose_amount_has_no_end_is_refused_whole(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.vandalise("HSET", "%:order:A1", "filled_notional", "9" * 36)
    before = desk.contents()
    with pytest.raises(AmountOverflow, match=r"of the order would reach .*: fill the rest as another order"):
        desk.book.orders.fill(execution(desk.trader, "X1", 1, "1"))
    assert desk.contents() == before
    assert desk.book.orders.fill(execution(desk.trader, "X1", 1, "0.1")).order.filled_notional == Decimal(
        "9" * 36 + ".1"
    )


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_what_is_open_past_its_end_is_refused_whole(desk: Desk, side: str) -> None:
    desk.book.orders.place(limit(desk.trader, side=side, quantity=1))
    desk.vandalise("HSET", "%:position:AAPL", f"open_{side.lower()}_quantity", str(10**36 - 101))
    desk.book.orders.place(limit(desk.trader, "A2", side=side))
    before = desk.contents()
    advice = f"what is open to {side.lower()} in the symbol would reach .*: cancel or fill"
    with pytest.raises(AmountOverflow, match=advice):
        desk.book.orders.place(limit(desk.trader, "A3", side=side, quantity=1))
    with pytest.raises(AmountOverflow, match=advice):
        desk.book.orders.replace(desk.trader, "A2", quantity=101)
    assert desk.contents() == before
    assert desk.book.orders.replace(desk.trader, "A2", quantity=99).applied


def test_what_is_open_is_exact_beyond_what_a_double_holds(lone_desk: Desk) -> None:
    trader, orders = lone_desk.trader, lone_desk.book.orders
    orders.place(limit(trader))
    lone_desk.vandalise("HSET", "%:position:AAPL", "open_buy_quantity", str(2**53 + 101))
    for number, quantity in enumerate((2, 1)):
        orders.place(limit(trader, f"B{number}", quantity=quantity))
        assert lone_desk.ask("HGET", "%:position:AAPL", "open_buy_quantity") == str(2**53 + 101 + quantity)
        orders.cancel(trader, f"B{number}")
    orders.cancel(trader, "A1")
    assert lone_desk.ask("HGET", "%:position:AAPL", "open_buy_quantity") == str(2**53 + 1)


@pytest.mark.parametrize("verb", ["fill", "replace", "cancel"])
def test_no_more_is_closed_than_is_open(lone_desk: Desk, verb: str) -> None:
    trader, orders = lone_desk.trader, lone_desk.book.orders
    orders.place(limit(trader))
    lone_desk.vandalise("HSET", "%:position:AAPL", "open_buy_quantity", "29")
    before = lone_desk.contents()
    change: Callable[[], object] = {
        "fill": lambda: orders.fill(execution(trader, quantity=30)),
        "replace": lambda: orders.replace(trader, "A1", quantity=70),
        "cancel": lambda: orders.cancel(trader, "A1"),
    }[verb]
    with pytest.raises(CorruptRecord) as caught:
        change()
    assert (caught.value.key, caught.value.field) == (f"{{{trader}}}:position:AAPL", "open_buy_quantity")
    assert lone_desk.contents() == before
    assert orders.fill(execution(trader, "X2", 29)).applied


@pytest.mark.parametrize("key", ["%:order:A1", "%:position:AAPL"])
def test_the_last_version_is_reached_and_not_passed(lone_desk: Desk, key: str) -> None:
    """It is the largest number that every language keeps exactly; one past it would look like the one before."""
    trader, orders = lone_desk.trader, lone_desk.book.orders
    orders.place(limit(trader))
    orders.fill(execution(trader, "X1", 1))
    lone_desk.vandalise("HSET", key, "version", str(MAX_COUNT - 1))
    result = orders.fill(execution(trader, "X2", 1))
    assert (result.order if "order" in key else result.position).version == MAX_COUNT
    before = lone_desk.contents()
    with pytest.raises(CorruptRecord) as caught:
        orders.fill(execution(trader, "X3", 1))
    assert (caught.value.key, caught.value.field) == (key.replace("%", f"{{{trader}}}"), "version")
    assert lone_desk.contents() == before


def test_the_last_revision_is_reached_and_not_passed(lone_desk: Desk) -> None:
    trader, orders = lone_desk.trader, lone_desk.book.orders
    orders.place(limit(trader))
    last = MAX_COUNT
    for quantity, revision, applied in ((80, last - 1, True), (70, last, True), (60, last, False)):
        result = orders.replace(trader, "A1", quantity=quantity, revision=revision)
        assert (result.applied, result.order.revision) == (applied, revision)
    with pytest.raises(InvalidArgument, match="revision"):
        orders.replace(trader, "A1", quantity=50, revision=MAX_COUNT + 1)


@pytest.mark.parametrize("sign", ["", "-"])
def test_the_largest_fill_is_counted_exactly(desk: Desk, sign: str) -> None:
    price = f"{sign}{'9' * 12}.{'9' * 18}"
    desk.book.orders.place(limit(desk.trader, quantity=MAX_QUANTITY))
    result = desk.book.orders.fill(execution(desk.trader, "X1", MAX_QUANTITY, price))
    assert result.order.filled_notional == result.position.bought_notional == times(MAX_QUANTITY, Decimal(price))

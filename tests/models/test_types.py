"""The arithmetic of prices and amounts is exact, whatever decimal context the caller has set."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from slotbook.models import Fill, Position
from slotbook.models.errors import InvalidArgument
from slotbook.models.numbers import MAX_QUANTITY, plain, times
from slotbook.models.types import check_name

from ..support.strategies import amounts, names, prices, signed


@given(amounts | prices)
def test_the_written_form_means_the_number_and_nothing_else(number: Decimal) -> None:
    text = plain(number)
    assert Fraction(text) == Fraction(number)
    assert "e" not in text.lower()
    assert text == plain(Decimal(text))


@given(signed, prices)
def test_a_product_is_exact(quantity: Decimal | int, price: Decimal) -> None:
    with decimal.localcontext(decimal.Context(prec=3)):
        product = times(quantity, price)
    assert Fraction(product) == Fraction(quantity) * Fraction(price)


@given(signed, amounts, amounts, amounts, amounts, prices)
def test_cash_and_profit_are_exact(
    quantity: Decimal | int, paid: Decimal, got: Decimal, cost: Decimal, realized: Decimal, mark: Decimal
) -> None:
    held = Position(
        trader="T",
        symbol="S",
        quantity=quantity,
        bought_notional=paid,
        sold_notional=got,
        open_cost=cost,
        realized_profit=realized,
    )
    with decimal.localcontext(decimal.Context(prec=3)):
        cash, profit, unrealized = held.cash, held.profit(mark), held.unrealized(mark)
        adjusted = held.adjusted_quantity
    assert Fraction(cash) == Fraction(got) - Fraction(paid)
    assert Fraction(unrealized) == Fraction(quantity) * Fraction(mark) - Fraction(cost)
    assert Fraction(profit) == Fraction(realized) + Fraction(quantity) * Fraction(mark) - Fraction(cost)
    assert Fraction(adjusted) == Fraction(quantity)


@pytest.mark.parametrize("mark", ["0", "100", "-37.63", "0.000000001"])
def test_the_profit_of_a_flat_position_is_the_same_at_any_mark(mark: str) -> None:
    """A short of 6,907 is adjusted for a split by another 6,907, and then covered."""
    held = Position(
        trader="T", symbol="S", quantity=0, bought_quantity=13814, sold_quantity=6907,
        bought_notional=Decimal("523826.88"), sold_notional=Decimal("520235.24"), realized_profit=Decimal("-3591.64"),
    )  # fmt: skip
    assert (held.adjusted_quantity, held.profit(mark)) == (-6907, Decimal("-3591.64"))


def test_a_position_in_figures() -> None:
    held = Position(
        trader="T", symbol="S", quantity=55, bought_quantity=100, sold_quantity=40,
        bought_notional=Decimal("1050.5"), sold_notional=Decimal("450"), open_cost=Decimal("620.4"),
        realized_profit=Decimal("19.9"),
    )  # fmt: skip
    assert (held.adjusted_quantity, held.cash) == (-5, Decimal("-600.5"))
    assert (held.average_bought_price, held.average_sold_price) == (Decimal("10.505"), Decimal("11.25"))
    assert (held.average_open_price, held.unrealized("10.5"), held.profit("10.5")) == (
        Decimal("11.28"),
        Decimal("-42.9"),
        Decimal("-23"),
    )
    flat = Position.flat("T", "S")
    assert flat.average_bought_price is flat.average_sold_price is flat.average_open_price is None


@pytest.mark.parametrize("mark", ["x", float("nan"), 0.1 + 0.2, "1e-19"])
def test_a_mark_that_is_not_exact_is_refused(mark: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^mark: "):
        Position.flat("T", "S").profit(mark)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_largest_fill_has_an_exact_notional() -> None:
    fill = Fill(trader="T", order_id="A", exec_id="X", quantity=MAX_QUANTITY, price=Decimal("9" * 12 + "." + "9" * 18))
    largest, dearest = 10**36 - 1, 10**30 - 1
    assert Fraction(fill.notional) == Fraction(largest * dearest, 10**36)


@given(names)
def test_a_good_name_is_returned(name: str) -> None:
    assert check_name("trader", name) == name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\u00a0b", "{", "x" * 257, "\n", "\ud800", 5.0, True, None, b"x"], ids=ascii
)
def test_a_bad_name_is_refused_in_one_short_line(name: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^trader .*cannot be used") as caught:
        check_name("trader", name)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250

"""Numbers are taken in every form that is exactly one, NumPy's included, and refused in any other."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slotbook.models import Fill, Order, OrderEvent, PositionChange, Replace, SymbolInfo
from slotbook.models.arguments import seconds, whole
from slotbook.models.errors import InvalidArgument
from slotbook.models.guards import Expect
from slotbook.models.numbers import (
    MAX_COUNT,
    exact_decimal,
    exact_integer,
    exact_price,
    exact_quantity,
    exact_total,
    plain,
)
from slotbook.models.times import exact_time
from slotbook.repositories.changes.digest import digest_of

NS = 1_703_422_805_243_925_307
YEAR_1980 = 315_532_800


class Lots(IntEnum):
    """A number that is an int with a name."""

    ROUND = 100


class Indexed:
    """A number of no library at all."""

    def __index__(self) -> int:
        return 100


class Evil:
    """An object that raises what it should not."""

    @property
    def dtype(self) -> object:
        raise RuntimeError("dtype")


HUNDRED: list[object] = [
    *("100", "100.0", "100.000", "+100", "+100.0", "0100", 100.0, Decimal(100), Decimal("100.0"), Decimal("1E+2")),
    *(np.int8(100), np.int64(100), np.uint64(100), np.float64(100.0), np.float32(100.0), np.float16(100.0)),
    *(np.array(100), np.array(100.0), np.str_("100.0"), Lots.ROUND, Indexed()),
]
NO_NUMBER: list[object] = [
    *(True, np.bool_(1), np.array([True])[0], None, b"100", [100], np.array([100]), np.array([100, 200]), {100}),
    *(np.datetime64("NaT", "ns"), np.timedelta64(100, "ns"), np.complex128(100), 100j, np.int64, Evil(), object()),
    *("100.", "1_00", "1 00", "0x64", "100a", "", np.float64("nan"), np.float32("inf"), Decimal("sNaN")),
]


@pytest.mark.parametrize("number", HUNDRED)
def test_what_is_exactly_a_number_is_taken(number: object) -> None:
    fill = Fill.model_validate(
        {"trader": "T", "order_id": "A", "exec_id": "X", "quantity": number, "price": number, "ts_ns": number}
    )
    assert (fill.quantity, fill.price, fill.ts_ns) == (100, 100, 100)
    assert (type(fill.quantity), type(fill.price), type(fill.ts_ns)) == (Decimal, Decimal, int)
    assert str(fill.quantity) == "100"
    change = PositionChange.model_validate({"trader": "T", "symbol": "S", "quantity": number, "ts_ns": number})
    replace = Replace.model_validate({"trader": "T", "order_id": "A", "quantity": number, "revision": number})
    info = SymbolInfo.model_validate({"symbol": "S", "name": "N", "lot_size": number, "tick_size": number})
    found = (change.quantity, replace.quantity, replace.revision, info.lot_size)
    assert (*found, info.tick_size) == (100, 100, 100, 100, Decimal(100))
    assert [type(one) for one in found] == [Decimal, Decimal, int, Decimal]
    assert [str(one) for one in found] == ["100"] * 4


@pytest.mark.parametrize("text", ["1e2", "1E2", "100.5", "100.", ".0", "100\n", "100.0\n", "1" * 41, "1." + "0" * 21])
def test_a_text_is_a_whole_number_only_with_zeros_behind_its_point(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        exact_integer(text)


@pytest.mark.parametrize("number", NO_NUMBER)
@pytest.mark.parametrize("exact", [exact_integer, exact_time, exact_decimal, exact_price, exact_quantity, exact_total])
def test_what_is_not_is_refused(exact: Callable[[object], object], number: object) -> None:
    with pytest.raises(ValueError, match="number"):
        exact(number)
    with pytest.raises(ValidationError):
        Order.model_validate({"trader": "T", "order_id": "A", "symbol": "S", "side": "BUY", "quantity": number})


@pytest.mark.parametrize("number", [100, *(one for one in HUNDRED if not isinstance(one, str))])
def test_arguments_are_taken_like_fields(number: object) -> None:
    found = whole("count", number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (found, type(found)) == (100, int)
    expected = Expect("A1", number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (expected.version, type(expected.version)) == (100, int)
    lasting = seconds("wait", number, 0, 1_000)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (lasting, type(lasting)) == (100.0, float)


@pytest.mark.parametrize("number", [*NO_NUMBER, "100", 10**400, -(10**400), 99.5, 2**53])
def test_arguments_are_refused_like_fields(number: object) -> None:
    with pytest.raises(InvalidArgument, match="count"):
        whole("count", number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument, match="wait"):
        seconds("wait", number, 0, 50)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_bounds_of_arguments_are_taken() -> None:
    assert [whole("count", number) for number in (1, MAX_COUNT)] == [1, MAX_COUNT]
    assert [whole("count", number, 3, 5) for number in (3, 5)] == [3, 5]
    assert [seconds("wait", number, 0.5, 2) for number in (0.5, 2)] == [0.5, 2.0]
    for number in (2, 6):
        with pytest.raises(InvalidArgument, match="from 3 to 5"):
            whole("count", number, 3, 5)
    for wait in (0.499, 2.001):
        with pytest.raises(InvalidArgument, match=r"0\.5 to 2 seconds"):
            seconds("wait", wait, 0.5, 2)


def test_a_flag_of_numpy_is_taken() -> None:
    event = {"trader": "T", "sequence": 1, "type": "TRADE", "ts_ns": NS, "symbol": "S"}
    assert OrderEvent.model_validate({**event, "late": np.array([True])[0]}).late is True
    for wrong in (Evil(), np.array([True]), np.int64(2)):
        with pytest.raises(ValidationError):
            OrderEvent.model_validate({**event, "late": wrong})


@pytest.mark.parametrize("number", [NS, str(NS), Decimal(NS), np.int64(NS), np.uint64(NS), f"{NS}.0"], ids=repr)
def test_a_time_keeps_its_last_nanosecond(number: object) -> None:
    assert exact_time(number) == NS
    order = Order.model_validate(
        {"trader": "T", "order_id": "A", "symbol": "S", "side": "BUY", "quantity": 1, "price": 1, "ts_ns": number}
    )
    assert (order.ts_ns, type(order.ts_ns)) == (NS, int)


@pytest.mark.parametrize("number", [1.7034228052439252e18, np.float64(NS), 2.0**53, -(2.0**60), np.float32(1e20)])
def test_a_float_that_may_have_lost_digits_is_refused(number: float) -> None:
    for exact in (exact_integer, exact_decimal, exact_quantity, exact_time):
        with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
            exact(number)
    assert exact_integer(float(MAX_COUNT)) == MAX_COUNT


@pytest.mark.parametrize(
    ("unit", "factor"), [("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3)], ids=str
)
@given(when=st.integers(YEAR_1980 * 10**9, 4_102_444_800 * 10**9))
def test_a_time_of_this_age_in_another_unit_is_refused_with_its_unit(unit: str, factor: int, when: int) -> None:
    given_time = when // factor
    for form in (given_time, str(given_time), Decimal(given_time), np.int64(given_time)):
        with pytest.raises(ValueError, match=rf"looks like {unit}: .* multiply it by {factor:,}$"):
            exact_time(form)


@pytest.mark.parametrize("number", [0, 1, YEAR_1980 - 1, YEAR_1980 * 10**9, 2**63 - 1])
def test_a_time_that_no_other_unit_explains_is_taken(number: int) -> None:
    assert exact_time(number) == number


@pytest.mark.parametrize("number", [YEAR_1980, YEAR_1980 * 10**9 - 1])
def test_the_bounds_of_what_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="looks like"):
        exact_time(number)


@pytest.mark.parametrize(
    ("number", "taken"),
    [(np.float64(187.25), "187.25"), (np.float32(-0.5), "-0.5"), ("187.230", "187.23"), (np.int16(-7), "-7")],
    ids=repr,
)
def test_a_price_is_taken_exactly(number: object, taken: str) -> None:
    assert exact_decimal(number) == Decimal(taken)


@pytest.mark.parametrize(
    ("number", "taken"),
    [
        *(
            (187.23, "187.23"),
            (0.1, "0.1"),
            (-0.25, "-0.25"),
            (1e-9, "0.000000001"),
            (123456789.012345, "123456789.012345"),
        ),
        *((np.float64(187.23), "187.23"), (1e17, "1" + "0" * 17), (float(MAX_COUNT), str(MAX_COUNT)), (-0.0, "0")),
        (123456789.012345, "123456789.012345"),
    ],
    ids=repr,
)
def test_a_float_of_few_digits_is_what_it_shows(number: float, taken: str) -> None:
    assert plain(exact_decimal(number)) == plain(exact_quantity(number)) == taken


@pytest.mark.parametrize(
    "number",
    [0.1 + 0.2, 1.1 * 3, np.float32(0.1), 1 / 3, 123456789.0123456, 2.675 * 100 + 1e-13, -(0.1 + 0.2)],
    ids=repr,
)
def test_a_float_that_is_not_what_it_shows_is_refused(number: float) -> None:
    for exact in (exact_decimal, exact_price, exact_quantity, exact_total):
        with pytest.raises(ValueError, match="is not exactly a decimal of 15 digits; pass a string or Decimal"):
            exact(number)


@pytest.mark.parametrize(
    ("exact", "whole", "places"),
    [(exact_quantity, 18, 18), (exact_total, 36, 18), (exact_price, 12, 18), (exact_decimal, 36, 36)],
    ids=["quantity", "total", "price", "amount"],
)
def test_the_digits_of_a_decimal(exact: Callable[[object], Decimal], whole: int, places: int) -> None:
    for sign in ("", "-"):
        most = f"{sign}{'9' * whole}.{'9' * places}"
        for form in (most, Decimal(most), f"{most}000"):
            assert plain(exact(form)) == most
        for form in (f"{sign}1{'0' * whole}", Decimal(f"{sign}1E{whole}"), int(f"{sign}1{'0' * whole}")):
            with pytest.raises(ValueError, match=rf"is too large: it has more than {whole} digits before the point"):
                exact(form)
        for form in (f"{sign}0.{'0' * places}1", Decimal(f"{sign}1E-{places + 1}"), f"{most}1"):
            with pytest.raises(ValueError, match=rf"has more than {places} decimal places"):
                exact(form)


@pytest.mark.parametrize("number", ["100.0", "0100", 1e2, Decimal("1E2"), Decimal("100.00"), np.int8(100)], ids=repr)
def test_a_quantity_has_one_form(number: object) -> None:
    for exact in (exact_quantity, exact_total):
        assert repr(exact(number)) == "Decimal('100')"
        assert [repr(exact(zero)) for zero in (0, "-0", "0.00", Decimal("0E+5"))] == ["Decimal('0')"] * 4
    assert digest_of(placed(number)) == digest_of(placed(100)) != digest_of(placed("100.5"))


def placed(quantity: object) -> Order:
    return Order.model_validate(
        {"trader": "T", "order_id": "A", "symbol": "S", "side": "BUY", "quantity": quantity, "price": 1}
    )


@given(st.integers(-(2**70), 2**70) | st.floats() | st.decimals() | st.fractions())
def test_what_is_taken_is_what_was_given(number: float | Decimal | Fraction) -> None:
    for exact in (exact_integer, exact_decimal, exact_price, exact_quantity, exact_total):
        try:
            taken = exact(number)
        except ValueError:
            continue
        assert Fraction(taken) == Fraction(repr(number) if isinstance(number, float) else number)

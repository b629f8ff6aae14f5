"""Test products and shares of decimals in the server's scripts: exact, and rounded half to even, as integers are."""

from __future__ import annotations

import decimal
import itertools
from collections.abc import Iterable
from decimal import Decimal
from importlib import resources
from typing import TypeAlias, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.topology.script_assembly import assembled

from ...support.desk import Desk
from .test_decimals import decimals, text_of

BODY = """
local answers = {}
for i = 1, #ARGV, 4 do
  local amount, part, whole = decimal(ARGV[i]), decimal(ARGV[i + 1]), decimal(ARGV[i + 2])
  local share = share_of(amount, part, whole, ARGV[i + 3] + 0)
  local all = product(amount, part)
  answers[#answers + 1] = decimal_text(share) .. ' ' .. decimal_text(all)
end
return answers
"""
EXACT = decimal.Context(prec=300)
Case: TypeAlias = "tuple[Decimal, Decimal, Decimal, int]"
"""An amount, the part and the whole of which a share is taken, and the places of the share."""


def _source() -> str:
    folder = resources.files("slotbook.repositories.changes") / "lua"
    names = ("numbers", "decimals", "ratio")
    return assembled(BODY, "\n".join((folder / f"{name}.lua").read_text("utf-8") for name in names))


SOURCE = _source()


def expected(amount: Decimal, part: Decimal, whole: Decimal, places: int) -> str:
    """Return the share and the product; the share by integers, so that nothing is rounded twice."""
    with decimal.localcontext(EXACT):
        numerator, denominator = (amount * part).as_integer_ratio()
        over, under = whole.as_integer_ratio()
        numerator, denominator = numerator * under * 10**places, denominator * over
        quotient, rest = divmod(abs(numerator), denominator)
        quotient += 2 * rest > denominator or (2 * rest == denominator and quotient % 2)
        share = Decimal(quotient if numerator >= 0 else -quotient).scaleb(-places)
        return f"{text_of(share)} {text_of(amount * part)}"


def check(desk: Desk, cases: Iterable[Case]) -> None:
    some = list(cases)
    words = [text for *numbers, places in some for text in (*map(text_of, numbers), places)]
    answers = cast("list[str]", desk.fleet.ask("any", "EVAL", SOURCE, 0, *words))
    assert dict(zip(some, answers, strict=True)) == {case: expected(*case) for case in some}


def places_of(number: Decimal) -> int:
    return len(text_of(number).partition(".")[2])


AMOUNTS = [
    *(
        Decimal(number)
        for number in ("0", "1", "0.5", "18723", "7488.8", "12345678.91", "-520235.24", "999999999999999")
    ),
    *(Decimal(2) ** 53 + step for step in (-1, 0, 1)),
    *(Decimal(10) ** power + step for power in (7, 14, 21, 35) for step in (-1, 0, 1)),
    *(Decimal(10) ** -power for power in (1, 7, 9, 18, 36)),
    Decimal("9" * 36 + "." + "9" * 36),
    Decimal("123456789.123456789123456789"),
]
PARTS = [
    *((1, 2), (1, 3), (2, 3), (1, 7), (3, 8), (30, 150), (9999999, 10**7), (10**7, 10**7 + 1), (1, 2**53 - 1)),
    *((6, 7), (5, 10**7), (1, 2 * 10**9), (3, 2 * 10**9), (10**14, 10**14 + 1), (10**17, 10**18 - 1)),
    *(("0.5", "1"), ("0.25", "1.5"), ("0.00000001", "0.3"), ("1", "1.000000000000000001")),
    *(("0.000000000000000001", "0.000000000000000003"), ("123456.789", "999999999999999999.999999999999999999")),
]


def test_shares_and_products_at_the_bounds_of_doubles_and_limbs(lone_desk: Desk) -> None:
    with decimal.localcontext(EXACT):
        check(
            lone_desk,
            [
                (amount, Decimal(part), Decimal(whole), places)
                for amount, (part, whole) in itertools.product(AMOUNTS, PARTS)
                for places in {max(9, places_of(amount)), 36}
            ],
        )


@pytest.mark.parametrize(
    ("amount", "part", "whole", "places", "share"),
    [
        ("1", 1, 2, 0, "0"),
        ("3", 1, 2, 0, "2"),
        ("5", 1, 2, 0, "2"),
        ("-3", 1, 2, 0, "-2"),
        ("-5", 1, 2, 0, "-2"),
        ("0.000000001", 1, 2, 9, "0"),
        ("0.000000003", 1, 2, 9, "0.000000002"),
        ("0.000000003", 10**14, 2 * 10**14, 9, "0.000000002"),
        ("0.000000005", 10**14, 2 * 10**14, 9, "0.000000002"),
        ("28085.5", 30, 150, 9, "5617.1"),
        ("28085.51", 1, 3, 9, "9361.836666667"),
        ("2", 2, 3, 9, "1.333333333"),
        ("1", 1999999999, 2 * 10**9, 9, "1"),  # 0.9999999995: the even neighbour has a carry
        ("19999999", 99999999, 10**8, 0, "19999999"),
        ("99999999999999.5", 10**15 - 1, 10**15, 1, "99999999999999.4"),
    ],
)
def test_halves_go_to_the_even_neighbour(
    lone_desk: Desk, amount: str, part: int, whole: int, places: int, share: str
) -> None:
    case = (Decimal(amount), Decimal(part), Decimal(whole), places)
    assert expected(*case).split(" ")[0] == share
    check(lone_desk, [case])


def test_halves_are_halves_in_every_way_of_counting(lone_desk: Desk) -> None:
    """Round what is half of the last place in the same way for a few digits, which doubles hold, and for many."""
    with decimal.localcontext(EXACT):
        check(
            lone_desk,
            [
                ((2 * Decimal(number) + 1).scaleb(-places), Decimal(whole) / 2, Decimal(whole), places)
                for number in (0, 1, 2, 9999999, 10**14 - 1, 10**14, 10**21 - 1, 10**28)
                for places in (0, 2, 9, 18, 36)
                for whole in (2, 10, 10**7, 2**40, 10**15)
            ],
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    amount = draw(decimals())
    some = st.integers(1, 10**18 - 1) | st.integers(1, 1_000) | st.integers(1, 10**36 - 1)
    numbers = draw(some), draw(some)
    scale = draw(st.sampled_from([0, 0, 2, 8, 18]))
    with decimal.localcontext(EXACT):
        part, whole = (Decimal(number).scaleb(-scale) for number in sorted(numbers))
        return amount, part, whole, draw(st.sampled_from([max(9, places_of(amount)), 36]))


def test_any_shares_and_products_are_exact(lone_desk: Desk) -> None:
    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(cases(), min_size=1, max_size=40))
    def run(some: list[Case]) -> None:
        check(lone_desk, some)

    run()

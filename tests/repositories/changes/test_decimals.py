"""Test the arithmetic of the server's scripts against Python's decimal: exact for any whole numbers and fractions."""

from __future__ import annotations

import decimal
import itertools
from collections.abc import Iterable
from decimal import Decimal
from importlib import resources
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.topology.script_assembly import assembled

from ...support.desk import Desk

BODY = """
local answers = {}
for i = 1, #ARGV, 2 do
  local a, b = decimal(ARGV[i]), decimal(ARGV[i + 1])
  local grown = a
  for _ = 1, 12 do grown = sum(sum(grown, grown), a) end
  answers[#answers + 1] = table.concat({
    decimal_text(sum(a, b)), decimal_text(sum(a, negative(b))), decimal_text(negative(a)), decimal_text(magnitude(a)),
    tostring(is_less(a, b)), decimal_text(sum(sum(a, b), negative(b))), decimal_text(sum(sum(a, a), sum(a, b))),
    decimal_text(grown),
  }, ' ')
end
return answers
"""
EXACT = decimal.Context(prec=200)


def _source() -> str:
    folder = resources.files("slotbook.repositories.changes") / "lua"
    return assembled(BODY, "\n".join((folder / f"{name}.lua").read_text("utf-8") for name in ("numbers", "decimals")))


SOURCE = _source()


def text_of(number: Decimal) -> str:
    """Return a number as Slotbook writes it: no exponent, no zeros behind, no negative zero."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"", "-0"} else text


def expected(a: Decimal, b: Decimal) -> str:
    with decimal.localcontext(EXACT):
        found = (a + b, a - b, -a, abs(a), a + b - b, a + a + (a + b), a * (2**13 - 1))
        words = [text_of(one) for one in found]
        return " ".join([*words[:4], str(a < b).lower(), *words[4:]])


def check(desk: Desk, pairs: Iterable[tuple[Decimal, Decimal]]) -> None:
    given_pairs = list(pairs)
    words = [text_of(number) for pair in given_pairs for number in pair]
    answers = cast("list[str]", desk.fleet.ask("any", "EVAL", SOURCE, 0, *words))
    assert dict(zip(given_pairs, answers, strict=True)) == {pair: expected(*pair) for pair in given_pairs}


EDGES = [
    *(Decimal(10) ** power + step for power in (7, 14, 15, 16, 20, 21, 28) for step in (-1, 0, 1)),
    *(Decimal(2) ** 53 + step for step in (-2, -1, 0, 1)),
    *(Decimal(10) ** -power for power in (1, 7, 9, 14, 36)),
    *(1 - Decimal(10) ** -power for power in (1, 7, 9, 14, 36)),
    *map(Decimal, ("0", "1", "0.5", "9999999.9999999", "999999999999.999999999", "123456789012345", "5000000")),
    Decimal(10) ** 20 - Decimal(10) ** -9,
]


@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=2)), ids=str)
def test_numbers_at_the_bounds_of_digits_and_limbs(lone_desk: Desk, signs: tuple[int, int]) -> None:
    with decimal.localcontext(EXACT):
        check(lone_desk, [(a * signs[0], b * signs[1]) for a, b in itertools.product(EDGES, repeat=2)])


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    """Draw a number of up to 36 digits, up to 36 of them behind the point; often made of nines and zeros."""
    digits = draw(st.text("09", min_size=1, max_size=36) | st.text("0123456789", min_size=1, max_size=36))
    with decimal.localcontext(EXACT):
        number = Decimal(digits).scaleb(-draw(st.integers(0, 36)))
        return -number if draw(st.booleans()) else number


def test_any_numbers_are_summed_and_compared_exactly(lone_desk: Desk) -> None:
    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(st.tuples(decimals(), decimals()), min_size=1, max_size=20))
    def run(pairs: list[tuple[Decimal, Decimal]]) -> None:
        check(lone_desk, pairs)

    run()


@pytest.mark.parametrize(
    ("terms", "total"),
    [
        (["9999999", "1"], "10000000"),
        (["99999999999999", "1"], "100000000000000"),
        (["999999999999999", "1"], "1000000000000000"),
        (["99999999999999999999", "1"], "100000000000000000000"),
        (["99999999999999999999.999999999", "0.000000001"], "100000000000000000000"),
        (["100000000000000000000", "-0.000000001"], "99999999999999999999.999999999"),
        (["100000000000000000000", "-100000000000000000000"], "0"),
        (["-1000000000000000", "1"], "-999999999999999"),
        (["0.9999999", "0.0000001"], "1"),
        (["1", "-0.0000001"], "0.9999999"),
        (["187.23", "-187.23"], "0"),
    ],
)
def test_carries_and_borrows(lone_desk: Desk, terms: list[str], total: str) -> None:
    [answer] = cast("list[str]", lone_desk.fleet.ask("any", "EVAL", SOURCE, 0, *terms))
    assert answer.split(" ")[0] == total

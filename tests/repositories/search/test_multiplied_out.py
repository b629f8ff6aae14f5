"""Conditions are multiplied out where a server would lose matches, and stay as they are where that would grow."""

from __future__ import annotations

from slotbook.models.hashes import Condition, OrderHash
from slotbook.models.stored import ORDERS
from slotbook.repositories.search.query import query


def written(*conditions: Condition) -> str:
    found = query(ORDERS, conditions).certain
    assert found is not None
    return found.text


def test_a_union_with_a_negation_is_no_part_of_an_intersection() -> None:
    one, other, third, last = (OrderHash.symbol == name for name in "ABCD")
    text = written((one & ~other) | third, last)
    assert text.count("|") == 1
    assert text.partition("|")[0].count("@symbol") == 3
    assert text.partition("|")[2].count("@symbol") == 2


def test_a_union_of_comparisons_stays_as_it_is() -> None:
    one, other, last = (OrderHash.symbol == name for name in "ABC")
    assert written(one | other, last).count("@symbol") == 3


def test_a_condition_does_not_grow_without_bound() -> None:
    pairs = [(OrderHash.symbol == f"S{n}") & ~(OrderHash.trader == f"T{n}") for n in range(60)]
    unions = [pairs[n] | pairs[n + 1] | pairs[n + 2] | pairs[n + 3] for n in range(0, 60, 4)]
    assert len(written(*unions)) < 100_000

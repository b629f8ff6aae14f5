"""Fault "writes lost": a writer's memory of its acknowledged changes, compared with a plain set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from slotbook.repositories.changes.loss_detector import MOST_RUNS, Acknowledged


@given(st.lists(st.integers(1, 120), max_size=MOST_RUNS))
def test_a_number_given_twice_is_found_and_no_other(numbers: list[int]) -> None:
    known, plain = Acknowledged(), set[int]()
    for number in numbers:
        lost = known.add(number, 0)
        assert lost == (min(plain) if number in plain else 0)
        plain.add(number)
        assert known.highest == max(plain)
    assert sum(end - start + 1 for start, end in known.runs) == len(plain)
    assert known.before(60).highest == max((number for number in plain if number < 60), default=0)


def test_the_first_lost_is_one_that_was_acknowledged_after_the_change_was_made() -> None:
    known = Acknowledged()
    for number in (1, 2, 3, 5, 6):
        assert known.add(number, 0) == 0
    assert (known.add(5, 2), known.add(6, 4), known.add(3, 0)) == (3, 5, 1)


def test_only_the_latest_runs_are_kept() -> None:
    known = Acknowledged()
    for number in range(1, 1_000, 2):
        known.add(number, 0)
    assert (len(known.runs), known.highest, known.add(1, 0)) == (MOST_RUNS, 999, 0)

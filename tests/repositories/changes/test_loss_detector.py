"""Fault "writes lost": a writer's memory of its acknowledged changes, and how it reads what scripts say of losses."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slotbook.models.errors import OrderNotFound, StateLost
from slotbook.repositories.changes.loss_detector import MOST_RUNS, Acknowledged, LossDetector, ReplyReader
from slotbook.topology.call import Reply


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


class Answered(NamedTuple):
    """A result of a change, as far as the detector reads it."""

    applied: bool
    sequence: int


def read(name: str, key: str, request: str, reply: list[Reply]) -> Answered:
    """Return a result, or raise a refusal, as the readers of verbs do."""
    match reply:
        case [("applied" | "repeat") as state, str(sequence)]:
            return Answered(state == "applied", int(sequence))
        case _:
            raise OrderNotFound(f"{name} {key} {request}")


def reader_of(detector: LossDetector) -> ReplyReader[str, Answered]:
    return detector.reply_reader("T1", read, "fill", "{T1}:order:A1", "X1")


def highest(detector: LossDetector) -> int:
    """Return the number that the next change would say was acknowledged last."""
    return int(detector.acknowledged("T1").split()[0])


def with_acknowledged(count: int) -> LossDetector:
    """Return a detector to which the changes from 1 on were acknowledged."""
    detector = LossDetector()
    for number in range(1, count + 1):
        reader_of(detector)(["applied", str(number)])
    assert highest(detector) == count
    return detector


def test_an_answer_to_a_repeat_counts_only_up_to_the_number_that_it_names() -> None:
    detector = with_acknowledged(3)
    assert reader_of(detector)(["repeat", "50"]) == (False, 50)
    assert highest(detector) == 3
    for seen in ("9", "5"):  # the replies of two changes may come in another order
        reader_of(detector)(["seen", seen, ["repeat", "2"]])
        assert highest(detector) == 9


def test_a_change_that_is_applied_after_a_loss_is_the_last_that_counts() -> None:
    detector = with_acknowledged(5)
    with pytest.raises(StateLost) as caught:
        reader_of(detector)(["lost", "3", ["applied", "4"]])
    assert (caught.value.first, caught.value.last, caught.value.result) == (3, 5, Answered(applied=True, sequence=4))
    assert highest(detector) == 4


@pytest.mark.parametrize(
    ("reply", "last"),
    [
        (["lost", "3", ["repeat", "0"]], 2),
        (["lost", "3", ["repeat", "7"]], 2),
        (["lost", "3", ["seen", "6", ["repeat", "2"]]], 6),
        (["lost", "3", ["missing"]], 2),
    ],
)
def test_after_a_loss_without_a_change_all_before_it_counts(reply: list[Reply], last: int) -> None:
    detector = LossDetector()
    detector.acknowledge_to("T1", 5)
    with pytest.raises(StateLost) as caught:
        reader_of(detector)(reply)
    assert (caught.value.first, caught.value.last) == (3, 5)
    assert highest(detector) == last


def test_after_a_question_that_finds_a_loss_all_before_it_counts() -> None:
    detector = LossDetector()
    detector.acknowledge_to("T1", 5)
    with pytest.raises(StateLost):
        detector.loss_reader("T1")(["lost", "3", []])
    assert highest(detector) == 2


def test_a_change_that_is_sent_again_may_have_its_own_number_again() -> None:
    detector = with_acknowledged(1)
    reader = reader_of(detector)
    assert reader(["applied", "2"]) == reader(["applied", "2"])
    assert highest(detector) == 2


def test_a_change_that_gets_a_number_acknowledged_while_it_was_on_its_way_finds_a_loss() -> None:
    detector = with_acknowledged(1)
    on_its_way = reader_of(detector)
    for number in ("2", "3"):
        reader_of(detector)(["applied", number])
    with pytest.raises(StateLost) as caught:
        on_its_way(["applied", "2"])
    assert (caught.value.first, caught.value.last, highest(detector)) == (2, 3, 2)

"""Fault "writes lost": what a writer tells of its acknowledged changes, and what it concludes from an answer."""

from __future__ import annotations

from collections import deque

import pytest
from slotbook.models.errors import OrderNotFound
from slotbook.repositories.changes.loss_detector import MOST_ACKNOWLEDGED, MOST_TIPS, LossDetector, Lost, Tip, Told

from ...support.faults.writer import T, acknowledge, at_once, event, survivors, told_numbers, with_acknowledged

# ---------------------------------------------------------------------- what is told


def test_a_change_tells_the_last_event_with_its_writers_mark_and_count() -> None:
    detector = LossDetector()
    first = detector.tell(T)
    assert (first.tips, first.acknowledged, first.mark) == ((), "", detector.mark)
    detector.acknowledge(first, event(first, 1))
    second = detector.tell(T)
    assert second.acknowledged == f"1 {detector.mark} {first.counted}"
    detector.acknowledge(second, event(second, 2))
    assert detector.tell(T).tips == (event(second, 2),)


def test_every_call_has_a_count_of_its_own_whichever_trader_it_is_of() -> None:
    detector = LossDetector()
    counts = [detector.tell(f"T{number % 3}").counted for number in range(50)]
    assert sorted(set(counts)) == counts


def test_changes_that_were_on_their_way_together_do_not_prove_each_other() -> None:
    detector = with_acknowledged(1)
    at_once(detector, 2, 3)
    assert told_numbers(detector) == [2, 3]
    acknowledge(detector, 4)
    assert told_numbers(detector) == [4]


def test_a_repeat_of_an_early_change_proves_nothing_that_came_after_it() -> None:
    detector = with_acknowledged(5)
    told = detector.tell(T)
    assert detector.acknowledge(told, Tip(2, f"{detector.mark} 77")) == 2, "another event than the one known"
    detector = with_acknowledged(5)
    second = Tip(2, "00000000 1")
    detector = LossDetector()
    acknowledge(detector, 5)
    assert detector.acknowledge(detector.tell(T), second) == 0
    assert told_numbers(detector) == [5]


def test_a_repeat_of_the_change_that_is_told_leaves_it_told() -> None:
    detector = with_acknowledged(3)
    told = detector.tell(T)
    assert detector.acknowledge(told, told.tips[0]) == 0
    assert detector.tell(T).tips == told.tips


def test_a_refusal_and_a_call_of_another_mark_leave_everything_as_it_was() -> None:
    detector = with_acknowledged(2)
    told = detector.tell(T)
    assert detector.acknowledge(told, None) == 0
    assert detector.acknowledge(told._replace(mark="ffffffff"), Tip(9, "ffffffff 1")) == 0
    assert told_numbers(detector) == [2]


def test_the_highest_is_always_told_and_the_others_by_turns() -> None:
    detector = LossDetector()
    events = at_once(detector, 1, 20)
    told = [detector.tell(T).tips for _ in range(7)]
    assert all(len(tips) == MOST_TIPS and events[-1] in tips for tips in told)
    assert {tip for tips in told for tip in tips} == set(events)
    assert set(detector.tell_all(T).tips) == set(events)


@pytest.mark.parametrize("on_their_way", [1, 2, 50, 300])
def test_the_tips_are_no_more_than_the_calls_on_their_way(on_their_way: int) -> None:
    """However long it goes on: each call proves more tips than it adds."""
    detector, waiting = LossDetector(), deque[Told]()
    for number in range(1, 10 * on_their_way):
        waiting.append(detector.tell(T))
        if len(waiting) == on_their_way:
            told = waiting.popleft()
            detector.acknowledge(told, event(told, number))
        assert len(detector.tell_all(T).tips) <= on_their_way + 2 * MOST_TIPS


# ---------------------------------------------------------------------- what is lost


def lost(detector: LossDetector, told: Told, there: list[Tip], first_kept: int = 1) -> Lost:
    """Return what a script says of a stream with some events of the writer, which has all it is said to have."""
    numbers = [tip.sequence for tip in told.tips if tip not in there]
    own = [tip for tip in there if tip.sequence < min(numbers) and tip.writer.startswith(detector.mark)]
    return Lost(numbers, first_kept, survivors(*own))


def test_the_first_lost_is_the_one_after_the_last_that_is_there() -> None:
    detector = LossDetector()
    there = [event(acknowledge(detector, number), number) for number in (1, 2)]
    acknowledge(detector, 3)
    acknowledge(detector, 5)
    told = detector.tell(T)
    found = lost(detector, told, there)
    assert (list(found.sequences), detector.first_lost(told, found)) == ([5], 3)
    own = event(told, 3)
    loss = detector.record_loss(told, 3, own, "result", None, found.sequences)
    assert (loss.trader, loss.first, loss.last, loss.result, loss.refusal) == (T, 3, 5, "result", None)
    assert detector.tell_all(T).tips == (own,)


def test_without_a_change_of_its_own_all_before_the_loss_counts() -> None:
    detector = with_acknowledged(5)
    refusal = OrderNotFound("there is no such order")
    told = detector.tell(T)
    loss = detector.record_loss(told, 3, None, None, refusal, [5])
    assert (loss.first, loss.last, loss.refusal) == (3, 5, refusal)
    assert told_numbers(detector) == [2]


def test_of_a_book_that_others_began_only_the_own_changes_are_lost() -> None:
    detector = LossDetector()
    for number in range(5, 5 + MOST_ACKNOWLEDGED):
        acknowledge(detector, number)
    assert detector.first_lost(detector.tell(T), Lost([4 + MOST_ACKNOWLEDGED], 1, [])) == 5


def test_a_loss_begins_with_the_first_event_of_its_call() -> None:
    detector = LossDetector()
    for last in (8, 12):
        told = detector.tell(T)
        assert detector.acknowledge(told, event(told, last), written=4) == 0
    assert detector.first_lost(detector.tell(T), Lost([12], 1, [])) == 5
    on_its_way = detector.tell(T)
    told = detector.tell(T)
    detector.acknowledge(told, event(told, 16), written=4)
    assert detector.acknowledge(on_its_way, Tip(16, on_its_way.own)) == 13, "of a server that has what was told"


def test_a_book_of_which_nothing_is_left() -> None:
    detector = with_acknowledged(3)
    told = detector.tell(T)
    assert detector.first_lost(told, Lost([3], 0, [])) == 1
    assert detector.record_loss(told, 1, None, None, None, [3]).last == 3
    assert told_numbers(detector) == []


@pytest.mark.parametrize("acknowledged", [10, MOST_ACKNOWLEDGED, 5 * MOST_ACKNOWLEDGED])
@pytest.mark.parametrize("left", [0, 1, 5, 9])
def test_the_range_of_a_loss_is_right_however_long_it_is(acknowledged: int, left: int) -> None:
    detector = LossDetector()
    events = [event(acknowledge(detector, number), number) for number in range(1, acknowledged + 1)]
    told = detector.tell(T)
    found = lost(detector, told, events[:left])
    first = detector.first_lost(told, found)
    loss = detector.record_loss(told, first, event(told, left + 1), None, None, found.sequences)
    assert (loss.first, loss.last) == (left + 1, acknowledged)
    for number in range(left + 2, left + 5):
        acknowledge(detector, number)
    again = detector.tell(T)
    found = Lost([left + 4], 1, survivors(event(told, left + 1)))
    loss = detector.record_loss(again, detector.first_lost(again, found), None, None, None, found.sequences)
    assert (loss.first, loss.last) == (left + 2, left + 4)
    on_its_way = detector.tell(T)
    acknowledge(detector, left + 2)
    assert detector.acknowledge(on_its_way, event(on_its_way, left + 2)) == left + 2


def test_of_a_trimmed_book_the_range_begins_with_what_is_kept() -> None:
    detector = with_acknowledged(5 * MOST_ACKNOWLEDGED)
    told = detector.tell(T)
    assert detector.first_lost(told, Lost([5 * MOST_ACKNOWLEDGED], 42, [])) == 42


def test_a_change_on_its_way_that_gets_an_acknowledged_number_finds_a_loss() -> None:
    detector = with_acknowledged(1)
    on_its_way = detector.tell(T)
    acknowledge(detector, 2)
    acknowledge(detector, 3)
    own = event(on_its_way, 2)
    assert detector.acknowledge(on_its_way, own) == 2
    loss = detector.record_loss(on_its_way, 2, own, None, None)
    assert (loss.first, loss.last) == (2, 3)
    assert detector.tell_all(T).tips == (own,), "told once"


def test_the_only_one_that_was_acknowledged_meanwhile_is_told_once() -> None:
    detector = with_acknowledged(1)
    on_its_way = detector.tell(T)
    acknowledge(detector, 2)
    own = event(on_its_way, 2)
    assert detector.acknowledge(on_its_way, own) == 2
    detector.record_loss(on_its_way, 2, own, None, None)
    assert detector.tell_all(T).tips == (own,)


def test_a_change_on_its_way_for_long_reports_all_that_may_be_lost() -> None:
    """The numbers of the first lost ones are forgotten by then."""
    detector, many = with_acknowledged(1), 4 * MOST_ACKNOWLEDGED
    on_their_way = [detector.tell(T) for _ in range(many)]
    for number in range(2, many):
        acknowledge(detector, number)
    for number, told in enumerate(on_their_way, 2):
        if first := detector.acknowledge(told, event(told, number)):
            loss = detector.record_loss(told, first, event(told, number), None, None)
            assert (loss.first, loss.last) == (2, many - 1)
            return
        assert number < many
    pytest.fail("no loss was found")


def test_what_was_written_after_a_loss_is_not_taken_for_what_was_there_before_it() -> None:
    """A change on its way gets a number so low that the one which had it is forgotten."""
    detector, many = with_acknowledged(1), 4 * MOST_ACKNOWLEDGED
    on_its_way = detector.tell(T)
    for number in range(2, many):
        acknowledge(detector, number)
    own = event(on_its_way, 3)
    assert detector.acknowledge(on_its_way, own) == 0
    told = detector.tell(T)
    assert own in told.tips
    found = Lost([many - 1], 1, [(3, own.writer.split()[1]), (1, "1")])
    assert detector.first_lost(told, found) == 2


def test_two_changes_that_find_the_same_loss_do_not_forget_each_other() -> None:
    detector = with_acknowledged(3)
    one, two, late = detector.tell(T), detector.tell(T), detector.tell(T)
    for told, number in ((two, 4), (one, 3)):  # the replies may come in another order than the changes
        loss = detector.record_loss(told, 3, event(told, number), None, None, [3])
        assert (loss.first, loss.last) == (3, 3)
    assert set(detector.tell_all(T).tips) == {event(one, 3), event(two, 4)}
    assert detector.acknowledge(late, event(late, 4)) == 4


def test_what_is_known_to_be_there_after_a_loss_is_kept() -> None:
    """A question, a refusal or a repeat says which of the told events are lost, and proves none of the others."""
    for tip in (None, Tip(1, "ffffffff 1")):
        detector = with_acknowledged(1)
        at_once(detector, 2, 3)
        told = detector.tell(T)
        detector.record_loss(told, 2, tip, None, None, [2])
        assert 3 in told_numbers(detector)


def test_what_was_told_a_lost_event_is_lost_with_it() -> None:
    detector = with_acknowledged(1)
    asked = detector.tell(T)
    acknowledge(detector, 2)
    acknowledge(detector, 3)
    loss = detector.record_loss(asked, 2, None, None, None, [2])
    assert (loss.last, told_numbers(detector)) == (3, [1])


def test_after_a_loss_nothing_is_reported_twice() -> None:
    detector = LossDetector()
    at_once(detector, 1, 30)
    told = detector.tell(T)
    loss = detector.record_loss(told, 1, event(told, 1), None, None, [tip.sequence for tip in told.tips])
    assert (loss.first, loss.last) == (1, 30)
    assert detector.tell_all(T).tips == (event(told, 1),)

"""Test units that come again, as a whole or in part: what was applied gets its first result, the rest is applied."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import Cancel, Fill, LimitsChange, PositionChange, Replace, Roll, Split, TradingChange
from slotbook.models.errors import DuplicateRequest, OrderNotFound, Overfill, VersionConflict
from slotbook.models.guards import Expect
from slotbook.repositories.units.calls import UnitStep

from ...support.desk import Desk
from ...support.histories import as_answer
from ...support.make import execution, limit
from ...support.reference import Request


def unit(trader: str) -> list[Request]:
    """Return a unit of one change of each kind."""
    return [
        limit(trader),
        execution(trader, quantity=40),
        Replace(
            trader=trader, order_id="A1", request_id="R1", quantity=90, price=Decimal(188), revision=1, text="less"
        ),
        PositionChange(trader=trader, symbol="AAPL", request_id="P1", quantity=5),
        Cancel(trader=trader, order_id="A1", request_id="C1", text="enough"),
        execution(trader, "X2", 10),
    ]


def test_the_whole_again_gets_the_first_results_and_changes_nothing(desk: Desk) -> None:
    first = desk.book.commit(unit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, "X3", 5))
    desk.book.positions.set(desk.trader, "AAPL", 1_000)
    before, now = desk.contents(), desk.book.orders.get(desk.trader, "A1")
    again = desk.book.commit(unit(desk.trader))
    assert desk.contents() == before
    assert [one.applied for one in again] == [False] * 6
    assert as_answer(again[0]).order == now  # an order that is placed again is answered with what it is by now
    for one, other in zip(first[1:], again[1:], strict=True):
        assert (one.sequence, result_of(one)) == (other.sequence, result_of(other))


def result_of(result: object) -> tuple[object, object, object]:
    answer = as_answer(result)
    return answer.order, answer.position, answer.late


@pytest.mark.parametrize("done", range(1, 6))
def test_of_a_unit_that_was_begun_one_by_one_the_rest_is_applied(desk: Desk, done: int) -> None:
    first = [apply_alone(desk, step) for step in unit(desk.trader)[:done]]
    results = desk.book.commit(unit(desk.trader))
    assert [one.applied for one in results] == [False] * done + [True] * (6 - done)
    assert [event.sequence for event in desk.events()] == list(range(1, 7))
    for one, other in zip(first[1:], results[1:done], strict=True):
        assert result_of(one) == result_of(other)
    desk.trader, as_one = desk.another(), [result_of(one) for one in results[done:]]
    for (order, position, late), other in zip(as_one, desk.book.commit(unit(desk.trader))[done:], strict=True):
        whole = as_answer(other)
        assert late == whole.late
        for mine, theirs in ((order, whole.order), (position, whole.position)):
            assert getattr(mine, "version", None) == getattr(theirs, "version", None)


def apply_alone(desk: Desk, step: Request) -> object:
    if isinstance(step, (PositionChange, Split, Roll)):
        return desk.book.positions.apply_many([step])[0].result()
    assert not isinstance(step, LimitsChange | TradingChange)
    return desk.book.orders.apply(step)


def test_a_step_that_comes_twice_in_a_unit_is_applied_once(desk: Desk) -> None:
    steps = unit(desk.trader)
    results = desk.book.commit([step for step in steps for _ in range(2)])
    assert [one.applied for one in results] == [True, False] * 6
    assert [one.sequence for one in results[2::2]] == [one.sequence for one in results[3::2]]
    for first, again in zip(results[2::2], results[3::2], strict=True):
        assert result_of(first) == result_of(again)
    assert len(desk.events()) == 6


def test_a_step_that_comes_again_later_in_a_unit_gets_its_first_result(desk: Desk) -> None:
    results = desk.book.commit([*unit(desk.trader), *unit(desk.trader)])
    assert [one.applied for one in results] == [True] * 6 + [False] * 6
    for first, again in zip(results[1:6], results[7:], strict=True):
        assert (first.sequence, result_of(first)) == (again.sequence, result_of(again))
    assert as_answer(results[6]).order == desk.book.orders.get(desk.trader, "A1")


def test_an_identity_that_was_used_in_the_same_unit_for_something_else_refuses_it(desk: Desk) -> None:
    steps = [*unit(desk.trader), execution(desk.trader, "X2", 11)]
    with pytest.raises(DuplicateRequest) as caught:
        desk.book.commit(steps)
    assert caught.value.index == 6
    assert desk.contents() == {}


def test_a_unit_that_was_refused_is_applied_once_nothing_refuses_it(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, quantity=10))
    steps: list[UnitStep] = [execution(desk.trader, quantity=40), limit(desk.trader, "A2")]
    with pytest.raises(Overfill):
        desk.book.commit(steps)
    desk.book.orders.replace(desk.trader, "A1", quantity=50)
    assert [one.applied for one in desk.book.commit(steps)] == [True, True]


def test_a_unit_is_remembered_for_single_calls_too(desk: Desk) -> None:
    desk.book.commit(unit(desk.trader))
    before = desk.contents()
    for step in unit(desk.trader):
        assert not as_answer(apply_alone(desk, step)).applied
    assert desk.contents() == before


def test_a_guard_is_checked_where_it_stands(desk: Desk) -> None:
    def fill(exec_id: str) -> Fill:
        return execution(desk.trader, exec_id, 10)

    results = desk.book.commit([limit(desk.trader), Expect("A1", 1), fill("X1"), Expect("A1", 2), fill("X2")])
    assert [one.sequence for one in results] == [1, 2, 3]  # a guard has no result
    before = desk.contents()
    for steps, index in [
        ([Expect("A1", 2), fill("X3")], 0),
        ([fill("X3"), Expect("A1", 3)], 1),
        ([fill("X3"), Expect("A1", 4), Expect("A1", 9)], 2),
        ([Expect("A1", 0), fill("X3"), Expect("A1", 5)], 0),
    ]:
        with pytest.raises(VersionConflict, match=r"has version [34], not [02359]") as caught:
            desk.book.commit(steps)
        assert caught.value.index == index
    with pytest.raises(OrderNotFound) as missing:
        desk.book.commit([fill("X3"), Expect("A2", 1)])
    assert missing.value.index == 1
    assert desk.contents() == before
    assert desk.book.commit([Expect("A1", 3), fill("X3"), Expect("A1", 4)])[0].applied


def test_a_refusal_comes_before_a_guard_that_does_not_hold(desk: Desk) -> None:
    with pytest.raises(Overfill) as caught:
        desk.book.commit([limit(desk.trader), Expect("A1", 7), execution(desk.trader, quantity=101)])
    assert caught.value.index == 2
    assert desk.contents() == {}


def test_the_sequence_that_is_expected_is_that_before_the_unit(desk: Desk) -> None:
    [placed] = desk.book.commit([limit(desk.trader)], expected_sequence=0)
    before = desk.contents()
    for expected in (0, 2):
        with pytest.raises(VersionConflict, match=f"sequence {placed.sequence}") as caught:
            desk.book.commit([execution(desk.trader), limit(desk.trader, "A2")], expected_sequence=expected)
        assert caught.value.index is None
    assert desk.contents() == before
    [_, last] = desk.book.commit([execution(desk.trader), limit(desk.trader, "A2")], expected_sequence=1)
    assert last.sequence == 3


def test_guards_do_not_refuse_a_repeat(desk: Desk) -> None:
    steps: list[UnitStep] = [Expect("A1", 1), execution(desk.trader)]
    desk.book.orders.place(limit(desk.trader))
    first = desk.book.commit(steps, expected_sequence=1)
    desk.book.orders.cancel(desk.trader, "A1")
    before = desk.contents()
    again = desk.book.commit(steps, expected_sequence=1)
    assert (again[0].applied, result_of(again[0])) == (False, result_of(first[0]))
    assert desk.contents() == before


def test_guards_refuse_a_unit_of_which_a_part_is_new(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.commit([Expect("A1", 1), execution(desk.trader)], expected_sequence=1)
    before = desk.contents()
    with pytest.raises(VersionConflict) as caught:
        desk.book.commit([Expect("A1", 1), execution(desk.trader), limit(desk.trader, "A2")])
    assert caught.value.index == 0
    with pytest.raises(VersionConflict):
        desk.book.commit([execution(desk.trader), limit(desk.trader, "A2")], expected_sequence=1)
    assert desk.contents() == before

"""Test units under a lock: they are made while it is held, and refused once it is not."""

from __future__ import annotations

import pytest
from slotbook.models.errors import FenceRefused, InvalidArgument

from ...support.desk import Desk
from ...support.make import execution, limit


def test_a_unit_is_made_while_the_lock_is_held(desk: Desk) -> None:
    with desk.book.lock("L", trader=desk.trader, lease=60) as held:
        results = held.commit([limit(desk.trader), execution(desk.trader)])
    assert [one.sequence for one in results] == [1, 2]


def test_once_the_lock_is_lost_a_unit_is_refused_and_a_repeat_answered(desk: Desk) -> None:
    held = desk.book.lock("L", trader=desk.trader, lease=60).acquire()
    steps = [limit(desk.trader), execution(desk.trader)]
    held.commit(steps)
    held.release()
    before = desk.contents()
    assert [one.applied for one in held.commit(steps)] == [False, False]
    with pytest.raises(FenceRefused, match=f"fence {held.fence}") as caught:
        held.commit([*steps, limit(desk.trader, "A2")])
    assert caught.value.index == 2
    with desk.book.lock("L", trader=desk.trader, lease=60):
        with pytest.raises(FenceRefused) as caught:
            held.commit([limit(desk.trader, "A3"), limit(desk.trader, "A2")])
        assert caught.value.index == 0
    after = desk.contents()
    lock = f"{{{desk.trader}}}:lock:L"
    assert {**before, lock: None} == {**after, lock: None}


def test_a_lock_fences_the_units_of_its_own_trader_alone(desk: Desk) -> None:
    for lock, trader in [
        (desk.book.lock("L", trader=desk.trader, lease=60), desk.another()),
        (desk.book.lock(desk.another(), lease=60), desk.trader),
    ]:
        with lock as held, pytest.raises(InvalidArgument, match="cannot fence"):
            held.commit([limit(trader)])
    assert desk.events() == []

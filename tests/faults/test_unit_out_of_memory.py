"""Fault "out of memory": units are applied as a whole or not at all while the limit moves up and down."""

from __future__ import annotations

import random
import time

import pytest
from slotbook.models.errors import OutOfMemory

from ..support.faults.control import info
from ..support.faults.history import CallOutcome
from ..support.faults.stand import Stand
from ..support.faults.units import Units, unit, units_there


def _used(stand: Stand) -> int:
    return int(info(stand.control.data[0], "memory")["used_memory"])


@pytest.mark.parametrize("lone_stand", ["sync"], indirect=True)
def test_limits_move_while_units_run(lone_stand: Stand) -> None:
    """The memory often runs out between two writes of one unit."""
    stand, dice = lone_stand, random.Random(5)
    book = stand.open()
    try:
        with Units(book, stand.trader) as units:
            for _ in range(300):
                stand.ask("CONFIG", "SET", "maxmemory", _used(stand) + dice.randint(-10_000, 30_000))
                time.sleep(0.005)
    finally:
        stand.ask("CONFIG", "SET", "maxmemory", "0")
    units.judge(stand.control.ask)
    assert units.count(CallOutcome.ACKNOWLEDGED) > 20
    assert units.count(CallOutcome.NOT_APPLIED) > 20
    assert units.count(CallOutcome.UNKNOWN) == 0


def test_every_limit_is_refused_before_anything_is_written_or_does_not_matter(lone_stand: Stand) -> None:
    stand = lone_stand
    book = stand.open()
    book.commit(unit(stand.trader, 0))
    applied = number = 0
    try:
        for spare in range(-200_000, 200_000, 10_000):
            number += 1
            stand.ask("CONFIG", "SET", "maxmemory", _used(stand) + spare)
            try:
                book.commit(unit(stand.trader, number))
                applied += 1
            except OutOfMemory:
                pass
            stand.ask("CONFIG", "SET", "maxmemory", "0")
            assert len(units_there(stand.control.ask, stand.trader, number + 1)) == 1 + applied
    finally:
        stand.ask("CONFIG", "SET", "maxmemory", "0")
    assert 0 < applied < number

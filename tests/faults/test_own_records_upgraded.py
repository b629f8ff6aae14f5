"""Fault "primary killed", cut replies, little memory and moving slots, while older records are upgraded."""

from __future__ import annotations

import asyncio
import threading

import pytest
from slotbook.models import Update
from slotbook.models.errors import OutcomeUnknown, OutOfMemory, StateLost, Unavailable, UnderReplicated
from slotbook.models.results import RecordResult

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control, info
from ..support.faults.migration import Migration
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand, Stands
from ..support.make import fresh, limit
from ..support.schemas import First, Third, upgraded
from .conftest import Deploy


def insert(stand: Stand, trader: str, *keys: str) -> list[First]:
    table = stand.open().table(First)
    return [
        found
        for key in keys
        if (found := table.insert(First(trader=trader, lot_id=key, reference=f"R{key}")).record) is not None
    ]


@pytest.mark.parametrize("trip", [0, 1], ids=["first-trip", "second-trip"])
@pytest.mark.parametrize("in_unit", [False, True], ids=["alone", "in-a-unit"])
def test_an_update_of_an_older_record_has_one_effect(lone_stand: Stand, trip: int, in_unit: bool) -> None:
    stand = lone_stand
    book, at, sizes = stand.open(pool_size=1), 0, [1]
    while at < max(sizes):
        trader = f"{stand.trader}.{at}"
        (record,) = insert(stand, trader, "L1")
        change = Update(Third, trader, "L1", {"account": "ACC2"}, expected_version=1, request_id="Q1", ts_ns=9)
        stand.veil.add(Rule(Do.CUT, at=at, skip=trip))
        if in_unit:
            result = book.commit([limit(trader), change])[1]
        else:
            result = book.table(Third).update(
                trader, "L1", {"account": "ACC2"}, expected_version=1, request_id="Q1", ts_ns=9
            )
        sizes += [stand.veil.plan.size]
        assert stand.veil.plan.idle
        stand.veil.plan.clear()
        expected = upgraded(record).model_copy(update={"account": "ACC2", "version": 2, "updated_ns": 9})
        assert isinstance(result, RecordResult)
        assert (result.record, result.version) == (expected, 2), at
        assert stand.kinds(trader) == (["INSERT", "NEW", "UPDATE"] if in_unit else ["INSERT", "UPDATE"]), at
        at += 11
    assert at > 20


def test_a_migration_whose_replies_are_lost_ends(lone_stand: Stand) -> None:
    stand = lone_stand
    for skip in range(7):
        trader = f"{stand.trader}.{skip}"
        records = insert(stand, trader, *(f"L{number:02}" for number in range(30)))
        stand.veil.add(Rule(Do.CUT, at=3, skip=skip))
        table = stand.open(pool_size=1).table(Third)
        assert table.migrate([trader]).is_complete
        stand.veil.plan.clear()
        assert table.all(trader) == [upgraded(record) for record in records]
        assert stand.kinds(trader) == ["INSERT"] * 30
        assert table.count(trader, {"venue": "XNAS"}) == 30


def test_without_memory_a_record_is_rewritten_whole_or_not(lone_stand: Stand) -> None:
    stand, trader = lone_stand, lone_stand.trader
    insert(stand, trader, *(f"L{number:02}" for number in range(30)))
    table, refused, done = stand.open().table(Third), 0, False
    try:
        for spare in range(-100_000, 300_000, 10_000):
            used = int(info(stand.control.data[0], "memory")["used_memory"])
            stand.ask("CONFIG", "SET", "maxmemory", used + spare)
            try:
                done = table.migrate([trader]).is_complete
            except OutOfMemory:
                refused += 1
            stand.ask("CONFIG", "SET", "maxmemory", "0")
            assert len(table.all(trader)) == 30
            assert len(stand.kinds()) == 30
    finally:
        stand.ask("CONFIG", "SET", "maxmemory", "0")
    assert done
    assert refused > 0
    assert table.count(trader, {"venue": "XNAS"}) == 30


@pytest.mark.parametrize("part", [0, 1], ids=["half", "other-half"])
def test_a_migration_waits_for_records_that_have_moved(stands: Stands, runner: asyncio.Runner, part: int) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        trader = stand.trader
        records = insert(stand, trader, *(f"L{number}" for number in range(5)))
        migration = Migration(stand.control, f"{{{trader}}}").begin()
        migration.move(migration.keys()[part::2])
        with pytest.raises((Unavailable, OutcomeUnknown)):
            stand.hurried(0.3).table(Third).migrate([trader])
        migration.finish()
        table = stand.open().table(Third)
        assert table.migrate([trader]).is_complete
        assert table.all(trader) == [upgraded(record) for record in records]


@pytest.mark.parametrize("caller", CALLERS)
def test_a_failover_amid_a_migration(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("sentinel"), fresh()
    with open_book(control.url(deadline=20, durability="replicated=1"), caller, runner) as book:
        made = [First(trader=trader, lot_id=f"L{number:04}", reference=f"R{number}") for number in range(3_000)]
        records = [outcome.result().record for outcome in book.table(First).insert_many(made)]
        broken = threading.Event()
        breaker = threading.Thread(target=lambda: (broken.wait(60), kill(control, f"{{{trader}}}")))
        breaker.start()
        table = book.table(Third)
        while True:
            try:
                if table.migrate([trader], progress=lambda now: broken.set()).is_complete:
                    break
            except (UnderReplicated, StateLost, OutcomeUnknown, Unavailable):
                pass
        breaker.join(60)
        assert table.migrate([trader]).is_complete
        assert table.all(trader) == [upgraded(record) for record in records if record is not None]
        assert table.count(trader, {"venue": "XNAS"}) == 3_000


def kill(control: Control, key: str) -> None:
    """Kill the primary, and wait until another has taken its place."""
    was = control.primary(key)
    control.kill(was)
    control.promoted(was, key)
    control.restart(was)

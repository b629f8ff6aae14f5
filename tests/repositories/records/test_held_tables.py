"""Test tables under a lock: changes are made while it is held, and refused once it is not, and reads go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from slotbook.models.errors import FenceRefused, InvalidArgument
from slotbook.repositories import AcquiredLock, Table

from ...support.desk import Desk
from .conftest import Allocation

Change: TypeAlias = Callable[[Table[Allocation], Allocation], object]

CHANGES: Mapping[str, Change] = {
    "insert": lambda table, record: table.insert(_other(record)),
    "insert_many": lambda table, record: table.insert_many([_other(record)])[0].result(),
    "put": lambda table, record: table.put(record),
    "put_many": lambda table, record: table.put_many([record], request_ids=["P1"])[0].result(),
    "update": lambda table, record: table.update(record.trader, "L1", {"quantity": 5}),
    "delete": lambda table, record: table.delete(record.trader, "L1"),
}
READS = {"all", "by", "count", "exists", "find", "get", "get_many", "iter"}


def _other(record: Allocation) -> Allocation:
    return record.model_copy(update={"allocation_id": "L2"})


def prepared(desk: Desk) -> Allocation:
    """Insert a record of a new trader, and return it."""
    desk.trader = desk.another()
    record = Allocation(trader=desk.trader, allocation_id="L1")
    desk.book.table(Allocation).insert(record)
    return record


def granted(desk: Desk, lease: float = 60) -> AcquiredLock:
    return desk.book.lock("L", trader=desk.trader, lease=lease, wait=30).acquire()


def test_a_holders_changes_are_made(desk: Desk) -> None:
    for name, change in CHANGES.items():
        record, held = prepared(desk), granted(desk)
        before = desk.contents()
        change(held.table(Allocation), record)
        assert desk.contents() != before, name


def test_a_stale_fence_changes_nothing(desk: Desk) -> None:
    record = prepared(desk)
    expired, taken = granted(desk, 0.01), granted(desk)
    for held in (expired, taken):
        if held is taken:
            held.release()
        before, table = desk.contents(), held.table(Allocation)
        for name, change in CHANGES.items():
            with pytest.raises(FenceRefused, match=str(held.fence)):
                change(table, record)
            assert desk.contents() == before, name
        assert table.get(desk.trader, "L1") == desk.book.table(Allocation).get(desk.trader, "L1")


def test_a_repeat_gets_its_first_result_when_the_lock_is_lost(desk: Desk) -> None:
    prepared(desk)
    held = granted(desk)
    table = held.table(Allocation)
    first = table.update(desk.trader, "L1", {"quantity": 5}, request_id="Q1")
    held.release()
    again = table.update(desk.trader, "L1", {"quantity": 5}, request_id="Q1")
    assert (again.applied, again.version, again.sequence) == (False, first.version, first.sequence)


def test_a_lock_fences_the_records_of_its_own_trader_alone(desk: Desk) -> None:
    record = prepared(desk)
    for lock in (desk.book.lock("L", trader=desk.another(), lease=60), desk.book.lock(desk.another(), lease=60)):
        with lock as held:
            for change in CHANGES.values():
                with pytest.raises(InvalidArgument, match="cannot fence"):
                    change(held.table(Allocation), record)


def test_every_change_of_a_table_is_here() -> None:
    assert {name for name in vars(Table) if not name.startswith("_")} == {"migrate", *READS, *CHANGES}


def test_a_migration_is_under_no_lock(desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match=r"migrate makes none; use book\.table"):
        granted(desk).table(Allocation).migrate()

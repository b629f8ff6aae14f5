"""Fault "slot migrating": a record without a trader is changed once, whichever of its keys has moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import pytest
from slotbook.models import Entity, Key, RecordResult
from slotbook.models.errors import OutcomeUnknown, Unavailable
from slotbook.models.types import Name
from slotbook.repositories import ReferenceTable

from ..support.faults.migration import Migration
from ..support.faults.stand import Stand, Stands


class Site(Entity, kind="site_moved"):
    site_id: Annotated[Name, Key]
    lots: int = 1


Sites = ReferenceTable[Site]
CHANGES: dict[str, Callable[[Sites, str], RecordResult[Site]]] = {
    "insert": lambda table, key: table.insert(Site(site_id=key, lots=7)),
    "put": lambda table, key: table.put(Site(site_id=key, lots=7), request_id="Q9"),
    "update": lambda table, key: table.update(key, {"lots": 7}, request_id="Q9"),
    "delete": lambda table, key: table.delete(key, request_id="Q9"),
}


def prepare(table: Sites, key: str, change: str) -> None:
    """Have a record, one that was deleted before, and requests that are remembered; for an insert no record."""
    table.put(Site(site_id=key), request_id="Q1")
    table.delete(key, request_id="Q2")
    if change != "insert":
        table.put(Site(site_id=key, lots=2), request_id="Q3")


@pytest.mark.parametrize("change", CHANGES)
def test_at_every_key_a_change_waits_or_works(stands: Stands, runner: asyncio.Runner, change: str) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        table, hurried = stand.open().reference(Site), stand.hurried().reference(Site)
        at, keys = 0, [""]
        while at < len(keys):
            key = f"{stand.trader}.{at}"
            prepare(table, key, change)
            before = table.get(key)
            migration = Migration(stand.control, f"site_moved:{key}").begin()
            keys = migration.keys()
            migration.move([keys[at]])
            try:
                done: bool | None = CHANGES[change](hurried, key).applied
            except Unavailable:
                done = False
            except OutcomeUnknown:
                done = None
            migration.finish()
            assert done is None or (table.get(key) != before) is done, keys[at]
            again = CHANGES[change](table, key)
            assert done is None or again.applied is not done, keys[at]
            found = table.get(key)
            assert (found and found.lots) == (None if change == "delete" else 7), keys[at]
            assert again.version == {"insert": 1}.get(change, 2), keys[at]
            migration.back()
            left = migration.keys()
            stand.control.ask(left[0], "UNLINK", *left)
            at += 1
        assert at >= 3


def test_a_record_is_read_wherever_it_is(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        table, key = stand.open().reference(Site), stand.trader
        table.insert(Site(site_id=key, lots=3))
        migration = Migration(stand.control, f"site_moved:{key}").begin()
        for moved in (False, True):
            if moved:
                migration.move(migration.keys())
            found = table.get(key)
            assert (found and found.lots, table.exists(key), table.count()) == (3, True, 1)
            assert [one.lots for one in table.all()] == [3]
        migration.finish()
        assert table.delete(key).applied
        migration.back()

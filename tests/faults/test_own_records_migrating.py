"""Fault "slot migrating": a unit of own records is applied as a whole or not at all, whichever key has moved."""

from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from slotbook.models import Delete, Entity, Index, Insert, Key, Put, Unique, Update
from slotbook.models.errors import OutcomeUnknown, Unavailable
from slotbook.models.types import Name
from slotbook.repositories.units.calls import UnitStep

from ..support.faults.migration import Migration
from ..support.faults.stand import Stand, Stands


class Lot(Entity, kind="lot"):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Annotated[Name, Index]
    reference: Annotated[Name | None, Unique] = None
    size: Annotated[int, Index(sorted=True)] = 5


def lot(trader: str, name: str, account: str, reference: str | None = None) -> Lot:
    return Lot(trader=trader, lot_id=name, account=account, reference=reference)


def changes(trader: str) -> list[UnitStep]:
    return [
        Delete(Lot, trader, "L1", request_id="D1"),
        Insert(lot(trader, "L4", "ACC3", "R1")),
        Update(Lot, trader, "L2", {"account": "ACC3", "reference": "R9", "size": -1}, request_id="U1"),
        Put(lot(trader, "L3", "ACC1"), request_id="P1"),
    ]


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
def test_at_every_key_a_unit_waits_or_works(stands: Stands, runner: asyncio.Runner, alone: bool) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried, base = stand.open(), stand.hurried(), stand.trader
        at, keys = 0, [""]
        while at < len(keys):
            stand.trader = trader = f"{base}.{at}"
            for number in (1, 2, 3):
                book.table(Lot).insert(lot(trader, f"L{number}", f"ACC{number}", f"R{number}"))
            before = stand.contents()
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            try:
                hurried.commit(changes(trader))
                done: bool | None = True
            except Unavailable:
                done = False
            except OutcomeUnknown:
                done = None
            migration.finish()
            assert done is None or (stand.contents() != before) is done, keys[at]
            again = book.commit(changes(trader))
            assert done is None or [one.applied for one in again] == [not done] * 4, keys[at]
            _is_whole(stand, keys[at])
            table = book.table(Lot)
            assert [one.lot_id for one in table.by(trader, {"account": "ACC3"})] == ["L2", "L4"], keys[at]
            assert [one.lot_id for one in table.range(trader, "size", -1, 5)] == ["L2", "L3", "L4"], keys[at]
            migration.back()
            at += 1
        stand.trader = base
        assert at > 10


def _is_whole(stand: Stand, moved: str) -> None:
    """Assert that all of the changes are there, each once."""
    assert stand.kinds()[3:] == ["DELETE", "INSERT", "UPDATE", "PUT"], moved
    assert stand.ask("HGET", "%:book", "sequence") == "7", moved
    assert stand.ask("ZRANGE", "%:lot_keys", 0, -1) == ["L2", "L3", "L4"], moved
    by_account = [stand.ask("ZRANGE", f"%:lot_by_account:ACC{n}", 0, -1) for n in (1, 2, 3)]
    assert by_account == [["L3"], [], ["L2", "L4"]], moved
    owners = [stand.ask("GET", f"%:lot_unique_reference:R{n}") for n in (1, 2, 3, 9)]
    assert owners == ["L4", None, None, "L2"], moved
    assert stand.ask("EXISTS", "%:lot:L1", "%:lot_deleted:L1") == 1, moved
    assert [stand.ask("HGET", f"%:lot:L{n}", "version") for n in (2, 3, 4)] == ["2", "2", "1"], moved


def test_records_that_stay_are_listed_until_the_first_key_moves(stands: Stands, runner: asyncio.Runner) -> None:
    """Ask for nothing that is not there, such as the set beside an index: the server would stop the script there."""
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        table, trader = stand.open(deadline=2).table(Lot), stand.trader
        for number in (1, 2):
            table.insert(lot(trader, f"L{number}", "ACC1"))
        migration = Migration(stand.control, f"{{{trader}}}").begin()
        both = table.all(trader)
        assert [one.lot_id for one in both] == ["L1", "L2"]
        assert table.by(trader, {"account": "ACC1"}) == table.by(trader, {"account": "ACC1", "size": 5}) == both
        assert table.range(trader, "size") == table.range(trader, "size", 5, values={"account": "ACC1"}) == both
        migration.finish()
        assert (table.all(trader), table.count(trader)) == (both, 2)
        migration.back()

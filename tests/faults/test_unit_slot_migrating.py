"""Fault "slot migrating": units are applied as a whole or not at all while their slot moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from slotbook import Book
from slotbook.models import Cancel, Replace
from slotbook.models.errors import EmbeddedError, OutcomeUnknown, Unavailable
from slotbook.repositories.units.calls import UnitStep

from ..support.faults.control import Control, wait_until
from ..support.faults.history import CallOutcome
from ..support.faults.migration import Migration
from ..support.faults.stand import Stand, Stands
from ..support.faults.units import Units, contents_of, unit, units_there
from ..support.make import execution, fresh, limit
from .conftest import Deploy


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
def test_at_every_key_a_unit_waits_or_works(stands: Stands, runner: asyncio.Runner, alone: bool) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried = stand.open(), stand.hurried()
        at, keys = 0, [""]
        while at < len(keys):
            trader = f"{stand.trader}.{at}"
            book.commit(unit(trader, 0))
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            done = _try(hurried, unit(trader, 1))
            migration.finish()
            there = units_there(stand.control.ask, trader, 2)
            assert there in {True: [[0, 1]], False: [[0]], None: [[0], [0, 1]]}[done], keys[at]
            first = contents_of(book.commit(unit(trader, 1)))
            assert contents_of(book.commit(unit(trader, 1))) == first, keys[at]
            assert units_there(stand.control.ask, trader, 2) == [0, 1], keys[at]
            migration.back()
            at += 1
        assert at > 12


def _try(book: Book, steps: Sequence[UnitStep]) -> bool | None:
    """Return True when the unit was applied, None when that is not known."""
    try:
        book.commit(steps)
    except Unavailable:
        return False
    except OutcomeUnknown:
        return None
    return True


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
def test_at_every_key_a_unit_of_orders_that_are_there_waits_or_works(
    stands: Stands, runner: asyncio.Runner, alone: bool
) -> None:
    """Every key that its call names exists, so the server lets it begin; the indexes are missed only on the way.

    An order's own id is no alias: that key is there for the server alone.
    """
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried, base = stand.open(), stand.hurried(), stand.trader
        at, keys, begun = 0, [""], set[bool | None]()
        while at < len(keys):
            stand.trader = trader = f"{base}.{at}"
            fills = [execution(trader, name, 5, order_id="E1") for name in ("E0", "E00")]
            book.commit([*unit(trader, 0), limit(trader, "E1"), *fills])
            stand.ask("SET", "%:alias:E1", "E1")
            before = stand.contents()
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            done = _try(hurried, _changes(trader))
            begun.add(done)
            migration.finish()
            after = stand.contents()
            assert done is None or (after != before) is done, keys[at]
            if after != before:
                _is_whole(stand, keys[at])
            book.commit(_changes(trader))
            _is_whole(stand, keys[at])
            migration.back()
            at += 1
        stand.trader = base
        assert at > 12
        # Without a key that it does not need, the unit works, perhaps later than it is waited for.
        assert begun & {True, None} if alone else True not in begun


def _changes(trader: str) -> list[UnitStep]:
    order_id = "E1"
    return [
        execution(trader, "E1", 40, order_id=order_id),
        Replace(trader=trader, order_id=order_id, quantity=120, request_id="ER"),
        Cancel(trader=trader, order_id=order_id, request_id="EC"),
    ]


def _is_whole(stand: Stand, moved: str) -> None:
    """Assert that all of the changes are there."""
    assert stand.kinds()[-4:] == ["TRADE", "TRADE", "REPLACED", "CANCELED"], moved
    indexed = {
        status: stand.ask("ZSCORE", f"%:orders_by_status:{status}", "E1") is not None
        for status in ("NEW", "PARTIALLY_FILLED", "CANCELED")
    }
    assert indexed == {"NEW": False, "PARTIALLY_FILLED": False, "CANCELED": True}, moved
    assert str(stand.ask("ZSCORE", "%:orders_by_symbol:AAPL", "E1")).startswith("1"), moved
    assert stand.ask("HMGET", "%:order:E1", "status", "filled_quantity", "version") == ["CANCELED", "50", "6"], moved
    assert stand.ask("HMGET", "%:position:AAPL", "quantity", "open_buy_quantity") == ["130", "10"], moved
    assert (stand.ask("HLEN", "%:applied:E1"), stand.ask("HEXISTS", "%:order:E1", "fill:E0")) == (4, 1), moved
    assert stand.ask("HGET", "%:book", "sequence") == str(len(stand.kinds())), moved


def test_key_by_key_while_units_run(deploy: Deploy) -> None:
    control, trader = deploy("cluster"), fresh()
    with Book.open(control.url(deadline=20)) as book, Units(book, trader) as units:
        for _ in range(2):
            _more(units)
            migration = Migration(control, f"{{{trader}}}").begin()
            for _ in range(25):
                migration.move(migration.keys()[::-3][:2])
                time.sleep(0.005)
            migration.finish()
            _more(units)
            migration.back()
    units.judge(control.ask)
    assert units.count(CallOutcome.ACKNOWLEDGED) == len(units.outcomes), "no unit fails within the deadline"


def test_at_once_while_units_run(deploy: Deploy) -> None:
    """Where the server can move a slot by itself: CLUSTER MIGRATESLOTS, Valkey 9."""
    control, trader = deploy("cluster"), fresh()
    key = f"{{{trader}}}"
    with Book.open(control.url(deadline=20)) as book, Units(book, trader) as units:
        for _ in range(3):
            _more(units)
            if not _migrate_slot(control, key):
                pytest.skip("the server has no CLUSTER MIGRATESLOTS")
        _more(units)
    units.judge(control.ask)
    assert units.count(CallOutcome.ACKNOWLEDGED) == len(units.outcomes), "no unit fails within the deadline"


def _migrate_slot(control: Control, key: str) -> bool:
    """Have the key's slot moved to another primary by the servers; False when they cannot."""
    source = control.primary(key)
    migration = Migration(control, key)
    owner = str(migration.target.ask("CLUSTER", "MYID"))
    try:
        source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", migration.slot, migration.slot, "NODE", owner)
    except EmbeddedError as error:
        if "MIGRATESLOTS" not in str(error).upper():
            raise
        return False
    wait_until(lambda: control.primary(key) is migration.target, "the slot has moved")
    return True


def _more(units: Units) -> None:
    """Wait until ten more units are acknowledged."""
    goal = units.count(CallOutcome.ACKNOWLEDGED) + 10
    wait_until(lambda: units.count(CallOutcome.ACKNOWLEDGED) >= goal, "more units are acknowledged")

"""Fault "slot migrating": a unit of orders with own fields is applied whole or not at all, whichever key has moved."""

from __future__ import annotations

import asyncio

import pytest
from slotbook.models import Cancel
from slotbook.models.errors import OutcomeUnknown, Unavailable
from slotbook.repositories.units.calls import UnitStep

from ..support.faults.migration import Migration
from ..support.faults.stand import Stand, Stands
from ..support.own_orders import DeskOrder, desk_fill, desk_order


def changes(trader: str) -> list[UnitStep]:
    return [
        desk_order(trader, "A2", strategy="S2"),
        desk_fill(trader, "X2", 100, order_id="A2"),
        Cancel(trader=trader, order_id="A1", request_id="C1", ts_ns=1),
    ]


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
def test_at_every_key_own_indexes_follow_their_orders(stands: Stands, runner: asyncio.Runner, alone: bool) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried, base = stand.open(), stand.hurried(), stand.trader
        at, keys = 0, [""]
        while at < len(keys):
            stand.trader = trader = f"{base}.{at}"
            orders = book.orders.of(DeskOrder)
            orders.place_many([desk_order(trader), desk_order(trader, "A0", strategy="S2")])
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
            assert done is None or [one.applied for one in again] == [not done] * 3, keys[at]
            assert [one.order_id for one in orders.by(trader, {"strategy": "S2"})] == ["A0", "A2"], keys[at]
            assert orders.count(trader, {"strategy": "S1", "status": "CANCELED"}) == 1, keys[at]
            assert [one for one in book.audit.verify(trader) if one.is_difference] == [], keys[at]
            migration.back()
            at += 1
        stand.trader = base
        assert at > 8

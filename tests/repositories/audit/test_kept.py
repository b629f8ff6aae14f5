"""Orders, fills and events that were damaged are reported, and never written: they are the evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome

from ...support.audit.damage import Command, Expected, damage, differences_of
from ...support.desk import Desk

KEPT: dict[str, tuple[Sequence[Command], Sequence[Expected]]] = {
    "an order's filled quantity": (
        [("HSET", "%:order:A1", "filled_quantity", 41)],
        [Expected(FindingKind.ORDER, "%order:A1", "filled_quantity", "41", "50")],
    ),
    "an order's filled notional": (
        [("HSET", "%:order:A1", "filled_notional", "9361.9")],
        [Expected(FindingKind.ORDER, "%order:A1", "filled_notional", "9361.9", "9361.8")],
    ),
    "an order's price": (
        [("HSET", "%:order:A1", "price", "1")],
        [Expected(FindingKind.ORDER, "%order:A1", "price", "1", "187.5")],
    ),
    "garbage in an order": (
        [("HSET", "%:order:A1", "quantity", "1e2")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "quantity", "1e2", None)],
    ),
    "an order with a field missing": (
        [("HDEL", "%:order:A1", "status")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "status", None, None)],
    ),
    "an order that thinks it is another": (
        [("HSET", "%:order:A1", "order_id", "A2")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "order_id", "A2", None)],
    ),
    "a fill no longer recorded": (
        [("HDEL", "%:applied:A1", "fill:X2")],
        [Expected(FindingKind.FILL, "%applied:A1", "fill:X2", None, "4")],
    ),
    "a fill recorded at another price": (
        [("HSET", "%:applied:A1", "fill:X2", '["10","1","4","0",[],["50","50","0","7498.8","0","2",""]]')],
        [
            Expected(FindingKind.FILL, "%applied:A1", "fill:X2", "10 at 1 in event 4", "10 at 187.3 in event 4"),
            Expected(FindingKind.ORDER, "%order:A1", "filled_notional", "9361.8", "7498.8"),
        ],
    ),
    "a fill recorded with half of its position": (
        [("HSET", "%:applied:A1", "fill:X2", '["10","187.3","4","0",[],["50"]]')],
        [Expected(FindingKind.CORRUPT, "%applied:A1", "fill:X2", '["10","187.3","4","0",[],["50"]]', None)],
    ),
    "a record of no known kind": (
        [("HSET", "%:applied:A1", "bust:X2", "[]")],
        [Expected(FindingKind.CORRUPT, "%applied:A1", "bust:X2", "[]", None)],
    ),
    "garbage in what is recorded": (
        [("HSET", "%:applied:A1", "fill:X2", "[" * 100_000)],
        [Expected(FindingKind.CORRUPT, "%applied:A1", "fill:X2", "[" * 100_000, None)],
    ),
    "a replace that never was": (
        [("HSET", "%:applied:A1", "replace:R2", '["120   ","5",[]]')],
        [Expected(FindingKind.FILL, "%applied:A1", "replace:R2", "5", None)],
    ),
    "what was applied would outlive its order": (
        [("PEXPIREAT", "%:applied:A1", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%applied:A1", None, "9999999999999", "-1")],
    ),
    "a terminal order that never expires": (
        [
            ("PERSIST", "%:order:C"),
            ("ZADD", "%:orders_by_status:CANCELED", "inf", "C"),
            ("ZADD", "%:orders_by_symbol:MSFT", "inf", "C"),
            ("PERSIST", "%:orders_by_status:CANCELED"),
            ("PERSIST", "%:orders_by_symbol:MSFT"),
        ],
        [Expected(FindingKind.EXPIRY, "%order:C", None, "-1", None)],
    ),
    "an event gone": (
        [("XDEL", "%:events", "4-0")],
        [Expected(FindingKind.EVENTS, "%events", "4", None, None)],
    ),
    "several events gone": (
        [("XDEL", "%:events", "9-0", "10-0", "11-0")],
        [Expected(FindingKind.EVENTS, "%events", "9-11", None, None)],
    ),
    "the last event gone": (
        [("XDEL", "%:events", "20-0")],
        [Expected(FindingKind.EVENTS, "%events", "20", None, None)],
    ),
    "all events gone": (
        [("DEL", "%:events")],
        [Expected(FindingKind.EVENTS, "%events", None, None, None)],
    ),
    "an event that cannot be read": (
        [("XADD", "%:events", "21-0", "type", "TRADE", "ts_ns", "1", "symbol", "AAPL")],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 order_id", None, None)],
    ),
    "an event between two": (
        [("XADD", "%:events", "20-1", "type", "POSITION", "ts_ns", "1", "symbol", "AAPL", "position_quantity", "1")],
        [Expected(FindingKind.CORRUPT, "%events", "20-1 id", None, None)],
    ),
    "an execution that is in the events twice": (
        [
            (
                *("XADD", "%:events", "21-0", "type", "TRADE", "ts_ns", "1", "symbol", "AAPL", "order_id", "A1"),
                *("side", "BUY", "status", "PARTIALLY_FILLED", "quantity", "120", "price", "187.5", "exec_id", "X1"),
                *("last_quantity", "40", "last_price", "187.22", "position_quantity", "165"),
            ),
        ],
        [
            Expected(FindingKind.FILL, "%applied:A1", "fill:X1", "21", None),
            Expected(FindingKind.POSITION, "%position:AAPL", "bought_notional", "28083.8", "35572.6"),
            Expected(FindingKind.POSITION, "%position:AAPL", "bought_quantity", "150", "190"),
            Expected(FindingKind.POSITION, "%position:AAPL", "quantity", "125", "165"),
            Expected(FindingKind.POSITION, "%position:AAPL", "updated_ns", "1700000000000000009", "1"),
            Expected(FindingKind.POSITION, "%position:AAPL", "version", "5", "6"),
        ],
    ),
    "a key of another type": (
        [("DEL", "%:position:MSFT"), ("SET", "%:position:MSFT", "7")],
        [Expected(FindingKind.CORRUPT, "%", None, None, None)],
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_damaged_evidence_is_found_and_left(busy: Desk, auditor: Auditor, name: str) -> None:
    commands, expected = KEPT[name]
    damage(busy, commands)
    damaged = busy.contents()
    found = auditor.verify(busy.trader)
    assert differences_of(busy.trader, found) == expected
    assert not any(finding.repairable for finding in found)
    repairs = auditor.repair(busy.trader)
    assert {repair.outcome for repair in repairs} == {RepairOutcome.LEFT}
    assert busy.contents() == damaged


def test_of_an_order_that_is_gone_only_the_entries_are_removed(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("DEL", "%:order:A1")
    repairs = auditor.repair(busy.trader)
    assert [(one.finding.kind, one.finding.entry, one.outcome) for one in repairs if one.finding.is_difference] == [
        (FindingKind.INDEX, "A1", RepairOutcome.REPAIRED),
        (FindingKind.INDEX, "A1", RepairOutcome.REPAIRED),
        (FindingKind.EXPIRY, None, RepairOutcome.LEFT),
    ]
    assert busy.ask("EXISTS", "%:applied:A1") == 1
    assert busy.book.orders.by_symbol(busy.trader, "AAPL")

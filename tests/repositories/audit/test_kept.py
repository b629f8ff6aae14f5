"""Orders, fills and events that were damaged are reported, and never written: they are the evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome

from ...support.audit.damage import Command, Expected, damage, differences_of
from ...support.desk import Desk

HEADER_SAYS_21 = ("HSET", "%:book", "sequence", "21")
SET_AAPL = ("XADD", "%:events", "21-0", "type", "POSITION", "ts_ns", "1", "symbol", "AAPL", "position_quantity", "9")

KEPT: dict[str, tuple[Sequence[Command], Sequence[Expected]]] = {
    "an order's filled quantity": (
        [("HSET", "%:order:A1", "filled_quantity", 41)],
        [
            Expected(FindingKind.ORDER, "%order:A1", "filled_quantity", "41", "50"),
            Expected(FindingKind.POSITION, "%position:AAPL", "open_buy_quantity", "70", "79"),
        ],
    ),
    "an order's filled notional": (
        [("HSET", "%:order:A1", "filled_notional", "9361.9")],
        [Expected(FindingKind.ORDER, "%order:A1", "filled_notional", "9361.9", "9361.8")],
    ),
    "an order's price": (
        [("HSET", "%:order:A1", "price", "1")],
        [Expected(FindingKind.ORDER, "%order:A1", "price", "1", "187.5")],
    ),
    "an order's side": (
        [("HSET", "%:order:A1", "side", "SELL")],
        [
            Expected(FindingKind.ORDER, "%order:A1", "side", "SELL", "BUY"),
            Expected(FindingKind.POSITION, "%position:AAPL", "open_buy_quantity", "70", "0"),
            Expected(FindingKind.POSITION, "%position:AAPL", "open_sell_quantity", "0", "70"),
        ],
    ),
    "an order's version": (
        [("HSET", "%:order:C", "version", "3")],
        [Expected(FindingKind.ORDER, "%order:C", "version", "3", "2")],
    ),
    "an open order gone, with all that belongs to it": (
        [
            ("DEL", "%:order:T1"),
            ("ZREM", "%:orders_by_status:NEW", "T1"),
            ("ZREM", "%:orders_by_symbol:TSLA", "T1"),
        ],
        [
            Expected(FindingKind.ORDER, "%order:T1", None, None, "NEW"),
            Expected(FindingKind.POSITION, "%position:TSLA", "open_buy_quantity", "103", "3"),
        ],
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
        [("HSET", "%:applied:A1", "fill:X2", "4 10 1|")],
        [
            Expected(FindingKind.FILL, "%applied:A1", "fill:X2", "10 at 1 in event 4", "10 at 187.3 in event 4"),
            Expected(FindingKind.ORDER, "%order:A1", "filled_notional", "9361.8", "7498.8"),
        ],
    ),
    "a fill recorded without its price": (
        [("HSET", "%:applied:A1", "fill:X2", "4 10|")],
        [Expected(FindingKind.CORRUPT, "%applied:A1", "fill:X2", "4 10|", None)],
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
        [("HSET", "%:applied:A1", "request:R2", "5 REPLACED 120   |")],
        [Expected(FindingKind.FILL, "%applied:A1", "request:R2", "5", None)],
    ),
    "a replace no longer recorded": (
        [("HDEL", "%:applied:A1", "request:R1")],
        [Expected(FindingKind.FILL, "%applied:A1", "request:R1", None, "3")],
    ),
    "a cancel that never was": (
        [("HSET", "%:applied:A1", "request:Q9", "5 CANCELED|")],
        [Expected(FindingKind.FILL, "%applied:A1", "request:Q9", "5", None)],
    ),
    "a cancel no longer recorded": (
        [("HDEL", "%:applied:C", "request:Q1")],
        [Expected(FindingKind.FILL, "%applied:C", "request:Q1", None, "13")],
    ),
    "a reject recorded with another event": (
        [("HSET", "%:applied:R", "request:Q2", "13 REJECTED|")],
        [Expected(FindingKind.FILL, "%applied:R", "request:Q2", "in event 13", "in event 14")],
    ),
    "an expiry recorded as a cancel": (
        [("HSET", "%:applied:E", "request:Q3", "15 CANCELED|")],
        [
            Expected(FindingKind.FILL, "%applied:E", "request:Q3", "15", None),
            Expected(FindingKind.FILL, "%applied:E", "request:Q3", None, "15"),
        ],
    ),
    "what was applied would outlive its order": (
        [("PEXPIREAT", "%:applied:A1", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%applied:A1", None, "9999999999999", "-1")],
    ),
    "a terminal order that never expires": (
        [
            ("PERSIST", "%:order:C"),
            ("PERSIST", "%:applied:C"),
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
        [("XADD", "%:events", "21-0", "type", "TRADE", "ts_ns", "1", "symbol", "AAPL"), HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 order_id", None, None)],
    ),
    "an event without totals": (
        [SET_AAPL, HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", None, None)],
    ),
    "an event with a total too many": (
        [(*SET_AAPL, "totals", "150 30 28083.8 5703.70370367 6 1"), HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", "150 30 28083.8 5703.70370367 6 1", None)],
    ),
    "an event with totals that are no numbers": (
        [(*SET_AAPL, "totals", "150 30 28083.80 5703.70370367 6"), HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", "150 30 28083.80 5703.70370367 6", None)],
    ),
    "an event with totals of an order that are no numbers": (
        [
            (
                *("XADD", "%:events", "21-0", "type", "CANCELED", "ts_ns", "1", "symbol", "TSLA", "order_id", "T1"),
                *("side", "BUY", "status", "CANCELED", "quantity", "100", "price", "187.23", "filled_quantity", "0"),
                *("request_id", "Q9", "totals", "-2 0"),
            ),
            HEADER_SAYS_21,
        ],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", "-2 0", None)],
    ),
    "an event with other totals than those before make": (
        [(*SET_AAPL, "totals", "160 30 28083.8 5703.70370367 6"), HEADER_SAYS_21],
        [
            Expected(
                *(FindingKind.EVENTS, "%events", "21"),
                *("160 30 28083.8 5703.70370367 6", "150 30 28083.8 5703.70370367 6"),
            ),
            Expected(FindingKind.POSITION, "%position:AAPL", "quantity", "125", "9"),
            Expected(FindingKind.POSITION, "%position:AAPL", "updated_ns", "1700000000000000009", "1"),
            Expected(FindingKind.POSITION, "%position:AAPL", "version", "5", "6"),
        ],
    ),
    "the header gone": (
        [("DEL", "%:book")],
        [Expected(FindingKind.EVENTS, "%book", None, None, "20")],
    ),
    "a header that is behind": (
        [("HSET", "%:book", "sequence", "19")],
        [Expected(FindingKind.EVENTS, "%book", "sequence", "19", "20")],
    ),
    "a header that is ahead": (
        [("HSET", "%:book", "sequence", "21")],
        [Expected(FindingKind.EVENTS, "%book", "sequence", "21", "20")],
    ),
    "a header of another format": (
        [("HSET", "%:book", "format", "2")],
        [Expected(FindingKind.CORRUPT, "%book", "format", "2", "1")],
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
                *("filled_quantity", "90", "last_quantity", "40", "last_price", "187.22", "position_quantity", "165"),
                *("totals", "4 16850.6 190 30 35572.6 5703.70370367 6"),
            ),
            HEADER_SAYS_21,
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


def test_of_an_open_order_that_is_gone_only_the_entries_are_removed(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("DEL", "%:order:A1")
    repairs = auditor.repair(busy.trader)
    assert [(one.finding.kind, one.finding.entry, one.outcome) for one in repairs if one.finding.is_difference] == [
        (FindingKind.INDEX, "A1", RepairOutcome.REPAIRED),
        (FindingKind.INDEX, "A1", RepairOutcome.REPAIRED),
        (FindingKind.ORDER, None, RepairOutcome.LEFT),
        (FindingKind.EXPIRY, None, RepairOutcome.LEFT),
        (FindingKind.POSITION, "open_buy_quantity", RepairOutcome.LEFT),
    ]
    assert busy.ask("EXISTS", "%:applied:A1") == 1
    assert busy.book.orders.by_symbol(busy.trader, "AAPL")

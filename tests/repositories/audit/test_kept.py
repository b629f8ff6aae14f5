"""Damage of which no two independent records prove what was there is reported, says who says what, and is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome

from ...support.audit.damage import Command, Expected, damage, differences_of
from ...support.desk import Desk, on_one_server

TOTALS_21 = "150 30 28083.8 5703.70370367 6 22466.72 86.62370367"
HEADER_SAYS_21 = ("HSET", "%:book", "sequence", "21", "writer", "abc", "count", "1")
EVENT_21 = ("XADD", "%:events", "21-0", "writer", "abc", "count", "1")
SET_AAPL = (
    *(*EVENT_21, "type", "POSITION", "ts_ns", "1", "symbol", "AAPL", "request_id", "P9"),
    *("position_quantity", "9", "position_change", "-116"),
)

NAMED_BY_ITSELF = (FindingKind.CORRUPT, FindingKind.EVENTS, FindingKind.EXPIRY)
"""Kinds of findings of which it may be that no other record speaks."""

KEPT: dict[str, tuple[Sequence[Command], Sequence[Expected]]] = {
    "an order's type": (
        [("HSET", "%:order:C", "type", "STOP_LIMIT", "stop_price", "1")],
        [Expected(FindingKind.ORDER, "%order:C", "digest", "=", "=")],
    ),
    "an order's type, to one with the same prices": (
        [("HSET", "%:order:A1", "type", "LIMIT_ON_CLOSE")],
        [Expected(FindingKind.ORDER, "%order:A1", "type", "LIMIT_ON_CLOSE", "LIMIT")],
    ),
    "an order's time in force": (
        [("HSET", "%:order:A1", "time_in_force", "IOC")],
        [Expected(FindingKind.ORDER, "%order:A1", "time_in_force", "IOC", "DAY")],
    ),
    "an order's digest": (
        [("HSET", "%:order:A1", "digest", "AAAAAAAAAAA")],
        [Expected(FindingKind.ORDER, "%order:A1", "digest", "=", "=")],
    ),
    "when an order was placed, and when it was changed": (
        [("HSET", "%:order:A1", "ts_ns", "1", "updated_ns", "2")],
        [
            Expected(FindingKind.ORDER, "%order:A1", "ts_ns", "1", "1700000000000000000"),
            Expected(FindingKind.ORDER, "%order:A1", "updated_ns", "2", "1700000000000000003"),
        ],
    ),
    "the text of an order": (
        [("HSET", "%:order:C", "text", "because")],
        [Expected(FindingKind.ORDER, "%order:C", "text", "because", None)],
    ),
    "a field that no order has": (
        [("HSET", "%:order:A1", "odd", "1")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "odd", "1", None)],
    ),
    "a field that no position has": (
        [("HSET", "%:position:AAPL", "odd", "1")],
        [Expected(FindingKind.CORRUPT, "%position:AAPL", "odd", "1", None)],
    ),
    "when a position was changed": (
        [("HSET", "%:position:AAPL", "updated_ns", "1")],
        [Expected(FindingKind.POSITION, "%position:AAPL", "updated_ns", "1", "1700000000000000009")],
    ),
    "an order of which no event is": (
        [("COPY", "%:order:T1", "%:order:T9"), ("HSET", "%:order:T9", "order_id", "T9")],
        [
            Expected(FindingKind.ORDER, "%order:T9", None, None, None),
            Expected(FindingKind.INDEX, "%orders_by_status:NEW", "T9", None, "inf"),
            Expected(FindingKind.INDEX, "%orders_by_symbol:TSLA", "T9", None, "inf"),
            Expected(FindingKind.POSITION, "%position:TSLA", "open_buy_quantity", "103", "203"),
        ],
    ),
    "a position of which no event is": (
        [("COPY", "%:position:MSFT", "%:position:IBM"), ("HSET", "%:position:IBM", "symbol", "IBM")],
        [
            Expected(FindingKind.POSITION, "%position:IBM", "bought_notional", "561.66", "0"),
            Expected(FindingKind.POSITION, "%position:IBM", "bought_quantity", "3", "0"),
            Expected(FindingKind.POSITION, "%position:IBM", "open_cost", "561.66", "0"),
            Expected(FindingKind.POSITION, "%position:IBM", "quantity", "10", "0"),
            Expected(FindingKind.POSITION, "%position:IBM", "updated_ns", "1700000000000000008", None),
            Expected(FindingKind.POSITION, "%position:IBM", "version", "3", "0"),
            Expected(FindingKind.LISTING, "%positions", "IBM", None, "IBM"),
        ],
    ),
    "what was applied to an order that is not there": (
        [("COPY", "%:applied:A1", "%:applied:A9")],
        [Expected(FindingKind.EXPIRY, "%applied:A9", None, None, None)],
    ),
    "a request of a change that is another": (
        [("SET", "%:request:P1", "7 AAPL ADJUST 50 ", "KEEPTTL")],
        [Expected(FindingKind.FILL, "%request:P1", None, "P1 AAPL 50", "P1 AAPL 5")],
    ),
    "a request of a change that never was": (
        [("SET", "%:request:P9", "6 AAPL ADJUST 5 ", "EX", "1000")],
        [Expected(FindingKind.FILL, "%request:P9", None, "6 AAPL ADJUST 5 ", None)],
    ),
    "garbage in a request": (
        [("SET", "%:request:P1", "much", "KEEPTTL")],
        [Expected(FindingKind.CORRUPT, "%request:P1", None, "much", None)],
    ),
    "a request that never expires": (
        [("PERSIST", "%:request:P1")],
        [Expected(FindingKind.EXPIRY, "%request:P1", None, "inf", None)],
    ),
    "a fill recorded as late": (
        [("HSET", "%:order:A1", "fill:X1", "2 40 187.22 late|")],
        [
            Expected(
                *(FindingKind.FILL, "%order:A1", "fill:X1"),
                *("40 at 187.22 late in event 2", "40 at 187.22 in event 2"),
            )
        ],
    ),
    "what a fill remembers of its order": (
        [("HSET", "%:applied:A1", "fill:X2", '4 10 187.3|["","x","100","187.23","","","","","","",""]')],
        [Expected(FindingKind.FILL, "%applied:A1", "fill:X2", "text=x", "text=nothing")],
    ),
    "a header of another writer": (
        [("HSET", "%:book", "writer", "abc")],
        [Expected(FindingKind.EVENTS, "%book", "writer", "abc", "=")],
    ),
    "a header with another count": (
        [("HDEL", "%:book", "count")],
        [Expected(FindingKind.EVENTS, "%book", "count", None, "=")],
    ),
    "a header with an earlier time than an event": (
        [("HSET", "%:book", "latest_ns", "1700000000000000008")],
        [Expected(FindingKind.EVENTS, "%book", "latest_ns", "1700000000000000008", "=")],
    ),
    "a header with a later time than all events, which are all kept": (
        [("HSET", "%:book", "latest_ns", "9223372036854775807")],
        [Expected(FindingKind.EVENTS, "%book", "latest_ns", "9223372036854775807", "=")],
    ),
    "a header without a time": (
        [("HDEL", "%:book", "latest_ns")],
        [Expected(FindingKind.EVENTS, "%book", "latest_ns", None, "=")],
    ),
    "a field that no header has": (
        [("HSET", "%:book", "odd", "1")],
        [Expected(FindingKind.CORRUPT, "%book", "odd", "1", None)],
    ),
    "the first event gone": (
        [("XDEL", "%:events", "1-0")],
        [Expected(FindingKind.EVENTS, "%events", "1", None, None)],
    ),
    "an open order gone, with all that belongs to it": (
        [
            ("DEL", "%:order:T1"),
            ("ZREM", "%:orders_by_status:NEW", "T1"),
            ("ZREM", "%:orders_by_symbol:TSLA", "T1"),
        ],
        [Expected(FindingKind.ORDER, "%order:T1", None, None, "NEW")],
    ),
    "garbage in an order": (
        [("HSET", "%:order:A1", "type", "DARK")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "type", "DARK", None)],
    ),
    "a fill no longer recorded": (
        [("HDEL", "%:applied:A1", "fill:X2")],
        [Expected(FindingKind.FILL, "%applied:A1", "fill:X2", None, "4")],
    ),
    "a fill recorded at another price": (
        [("HSET", "%:applied:A1", "fill:X2", "4 10 1|")],
        [
            Expected(FindingKind.FILL, "%applied:A1", "fill:X2", "10 at 1 in event 4", "10 at 187.3 in event 4"),
            Expected(
                *(FindingKind.FILL, "%applied:A1", "fill:X2", "placed_price=nothing placed_quantity=nothing"),
                "placed_price=187.23 placed_quantity=100",
            ),
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
        [("HDEL", "%:order:C", "request:Q1")],
        [Expected(FindingKind.FILL, "%applied:C", "request:Q1", None, "13")],
    ),
    "a reject recorded with another event": (
        [("HSET", "%:order:R", "request:Q2", "13 REJECTED|")],
        [Expected(FindingKind.FILL, "%order:R", "request:Q2", "in event 13", "in event 14")],
    ),
    "an expiry recorded as a cancel": (
        [("HSET", "%:applied:E", "request:Q3", "15 CANCELED|")],
        [Expected(FindingKind.FILL, "%applied:E", "request:Q3", "15", None)],
    ),
    "a terminal order that never expires": (
        [
            ("PERSIST", "%:order:C"),
            ("ZADD", "%:orders_by_status:CANCELED", "inf", "C"),
            ("ZADD", "%:orders_by_symbol:MSFT", "inf", "C"),
            ("PERSIST", "%:orders_by_status:CANCELED"),
            ("PERSIST", "%:orders_by_symbol:MSFT"),
        ],
        [Expected(FindingKind.EXPIRY, "%order:C", None, "inf", None)],
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
        [(*EVENT_21, "type", "TRADE", "ts_ns", "1", "symbol", "AAPL"), HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 order_id", None, None)],
    ),
    "an event without totals": (
        [SET_AAPL, HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", None, None)],
    ),
    "an event with a total too many": (
        [(*SET_AAPL, "totals", f"{TOTALS_21} 1"), HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", f"{TOTALS_21} 1", None)],
    ),
    "an event with totals that are no numbers": (
        [(*SET_AAPL, "totals", TOTALS_21.replace(".8 ", ".80 ")), HEADER_SAYS_21],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", TOTALS_21.replace(".8 ", ".80 "), None)],
    ),
    "an event with totals of an order that are no numbers": (
        [
            (
                *(*EVENT_21, "type", "CANCELED", "ts_ns", "1", "symbol", "TSLA", "order_id", "T1"),
                *("side", "BUY", "status", "CANCELED", "quantity", "100", "price", "187.23", "filled_quantity", "0"),
                *("request_id", "Q9", "totals", "-2 0"),
            ),
            HEADER_SAYS_21,
        ],
        [Expected(FindingKind.CORRUPT, "%events", "21-0 totals", "-2 0", None)],
    ),
    "an event with other totals than those before make": (
        [(*SET_AAPL, "totals", TOTALS_21.replace("150", "160")), HEADER_SAYS_21],
        [
            Expected(FindingKind.EVENTS, "%events", "21 totals", TOTALS_21.replace("150", "160"), TOTALS_21),
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
                *(*EVENT_21, "type", "TRADE", "ts_ns", "1", "symbol", "AAPL", "order_id", "A1"),
                *("side", "BUY", "status", "PARTIALLY_FILLED", "quantity", "120", "price", "187.5", "exec_id", "X1"),
                *("filled_quantity", "90", "last_quantity", "40", "last_price", "187.22", "position_quantity", "165"),
                *("totals", "5 16850.6 190 30 35572.6 5703.70370367 6 29955.52 86.62370367"),
            ),
            HEADER_SAYS_21,
        ],
        [
            Expected(FindingKind.FILL, "%order:A1", "fill:X1", "21", None),
            Expected(FindingKind.ORDER, "%order:A1", "filled_notional", "9361.8", "16850.6"),
            Expected(FindingKind.ORDER, "%order:A1", "filled_quantity", "50", "90"),
            Expected(FindingKind.ORDER, "%order:A1", "updated_ns", "1700000000000000003", "1"),
            Expected(FindingKind.ORDER, "%order:A1", "version", "4", "5"),
            Expected(FindingKind.POSITION, "%position:AAPL", "bought_notional", "28083.8", "35572.6"),
            Expected(FindingKind.POSITION, "%position:AAPL", "bought_quantity", "150", "190"),
            Expected(FindingKind.POSITION, "%position:AAPL", "open_cost", "22466.72", "29955.52"),
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


@on_one_server
@pytest.mark.parametrize("name", KEPT)
def test_damaged_evidence_is_found_and_left(busy: Desk, auditor: Auditor, name: str) -> None:
    commands, expected = KEPT[name]
    damage(busy, commands)
    damaged = busy.contents()
    found = auditor.verify(busy.trader)
    assert without_random(differences_of(busy.trader, found)) == without_random(expected)
    assert all(finding.says or finding.kind in NAMED_BY_ITSELF for finding in found if finding.is_difference)
    assert not any(finding.repairable for finding in found)
    repairs = auditor.repair(busy.trader)
    assert {repair.outcome for repair in repairs} == {RepairOutcome.LEFT}
    assert busy.contents() == damaged


def without_random(found: Sequence[Expected]) -> list[Expected]:
    """Return findings without the digests and writers in them, which are not the same each time."""
    random = ("digest", "writer", "count", "latest_ns")
    return [replace(one, stored="=", expected="=") if one.entry in random else one for one in found]

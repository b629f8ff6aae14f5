"""Whatever is broken by hand is found, named, and put right where orders and events prove how it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from slotbook.repositories._sync.audit import Auditor
from slotbook.repositories.audit import Finding, Kind, Mending

from ..desk import Desk
from ..raw import Word

Command = tuple[Word, ...]


@dataclass(frozen=True)
class Wrong:
    """A finding, as a test expects it; ``%`` stands for ``{trader}:``."""

    kind: Kind
    key: str
    entry: str | None
    stored: str | None
    expected: str | None


def told(trader: str, findings: Sequence[Finding]) -> list[Wrong]:
    """The differences, in a comparable form."""
    return [
        Wrong(one.kind, one.key.replace(f"{{{trader}}}:", "%"), one.entry, one.stored, one.expected)
        for one in findings
        if one.is_difference
    ]


MENDED: dict[str, tuple[Sequence[Command], Sequence[Wrong]]] = {
    "status index lost an order": (
        [("ZREM", "%:orders_by_status:PARTIALLY_FILLED", "A1")],
        [Wrong(Kind.INDEX, "%orders_by_status:PARTIALLY_FILLED", "A1", None, "inf")],
    ),
    "symbol index lost an order": (
        [("ZREM", "%:orders_by_symbol:AAPL", "A1")],
        [Wrong(Kind.INDEX, "%orders_by_symbol:AAPL", "A1", None, "inf")],
    ),
    "an order listed in the wrong status": (
        [("ZADD", "%:orders_by_status:NEW", "inf", "A1")],
        [Wrong(Kind.INDEX, "%orders_by_status:NEW", "A1", "inf", None)],
    ),
    "an order listed in the wrong symbol": (
        [("ZADD", "%:orders_by_symbol:MSFT", "inf", "A1")],
        [Wrong(Kind.INDEX, "%orders_by_symbol:MSFT", "A1", "inf", None)],
    ),
    "an order listed in a symbol found late": (
        [("DEL", "%:position:ZZZ"), ("SADD", "%:positions", "ZZZ"), ("ZADD", "%:orders_by_symbol:ZZZ", "inf", "A1")],
        [
            Wrong(Kind.INDEX, "%orders_by_symbol:ZZZ", "A1", "inf", None),
            Wrong(Kind.LISTING, "%positions", "ZZZ", "ZZZ", None),
        ],
    ),
    "a ghost": (
        [("ZADD", "%:orders_by_status:NEW", "inf", "ghost")],
        [Wrong(Kind.INDEX, "%orders_by_status:NEW", "ghost", "inf", None)],
    ),
    "a ghost that is not text": (
        [("ZADD", "%:orders_by_status:NEW", "inf", b"\xff\x00 {x}")],
        [Wrong(Kind.INDEX, "%orders_by_status:NEW", "\udcff\x00 {x}", "inf", None)],
    ),
    "a ghost in an index of its own": (
        [("ZADD", "%:orders_by_status:FILLED", "9999999999999", "ghost")],
        [Wrong(Kind.INDEX, "%orders_by_status:FILLED", "ghost", "9999999999999", None)],
    ),
    "a wrong score": (
        [("ZADD", "%:orders_by_symbol:AAPL", "5", "A1")],
        [Wrong(Kind.INDEX, "%orders_by_symbol:AAPL", "A1", "5", "inf")],
    ),
    "an index that would die too early": (
        [("PEXPIREAT", "%:orders_by_symbol:AAPL", "9999999999999")],
        [Wrong(Kind.EXPIRY, "%orders_by_symbol:AAPL", None, "9999999999999", "inf")],
    ),
    "a whole index gone": (
        [("DEL", "%:orders_by_status:NEW")],
        [
            Wrong(Kind.INDEX, "%orders_by_status:NEW", "G", None, "inf"),
            Wrong(Kind.INDEX, "%orders_by_status:NEW", "T1", None, "inf"),
        ],
    ),
    "a position's quantity": (
        [("HSET", "%:position:AAPL", "quantity", 99)],
        [Wrong(Kind.POSITION, "%position:AAPL", "quantity", "99", "125")],
    ),
    "a position's notional": (
        [("HSET", "%:position:AAPL", "sold_notional", "0.1")],
        [Wrong(Kind.POSITION, "%position:AAPL", "sold_notional", "0.1", "5703.70370367")],
    ),
    "a position with garbage in it": (
        [("HSET", "%:position:AAPL", "bought_quantity", b"\xfflots", "updated_ns", "soon")],
        [
            Wrong(Kind.POSITION, "%position:AAPL", "bought_quantity", "\udcfflots", "150"),
            Wrong(Kind.POSITION, "%position:AAPL", "updated_ns", "soon", "1700000000000000009"),
        ],
    ),
    "a position with a field missing": (
        [("HDEL", "%:position:AAPL", "version")],
        [Wrong(Kind.POSITION, "%position:AAPL", "version", None, "5")],
    ),
    "a position that thinks it is another's": (
        [("HSET", "%:position:MSFT", "symbol", "AAPL")],
        [Wrong(Kind.POSITION, "%position:MSFT", "symbol", "AAPL", "MSFT")],
    ),
    "a position gone": (
        [("DEL", "%:position:AAPL")],
        [Wrong(Kind.POSITION, "%position:AAPL", None, None, "125")],
    ),
    "a position and its listing gone": (
        [("DEL", "%:position:AAPL"), ("SREM", "%:positions", "AAPL")],
        [Wrong(Kind.POSITION, "%position:AAPL", None, None, "125")],
    ),
    "a position not listed": (
        [("SREM", "%:positions", "MSFT")],
        [Wrong(Kind.LISTING, "%positions", "MSFT", None, "MSFT")],
    ),
    "no position listed": (
        [("DEL", "%:positions")],
        [
            Wrong(Kind.LISTING, "%positions", "AAPL", None, "AAPL"),
            Wrong(Kind.LISTING, "%positions", "MSFT", None, "MSFT"),
        ],
    ),
    "a symbol listed without a position": (
        [("SADD", "%:positions", "TSLA")],
        [Wrong(Kind.LISTING, "%positions", "TSLA", "TSLA", None)],
    ),
    "garbage listed as a symbol": (
        [("SADD", "%:positions", b"\xff {")],
        [Wrong(Kind.LISTING, "%positions", "\udcff {", "\udcff {", None)],
    ),
    "a position out of nothing": (
        [
            ("COPY", "%:position:MSFT", "%:position:TSLA"),
            ("HSET", "%:position:TSLA", "symbol", "TSLA", "version", 0, "bought_notional", 0, "bought_quantity", 0),
        ],
        [
            Wrong(Kind.POSITION, "%position:TSLA", "quantity", "10", "0"),
            Wrong(Kind.POSITION, "%position:TSLA", "updated_ns", "1700000000000000008", None),
            Wrong(Kind.LISTING, "%positions", "TSLA", None, "TSLA"),
        ],
    ),
}

KEPT: dict[str, tuple[Sequence[Command], Sequence[Wrong]]] = {
    "an order's filled quantity": (
        [("HSET", "%:order:A1", "filled_quantity", 41)],
        [Wrong(Kind.ORDER, "%order:A1", "filled_quantity", "41", "50")],
    ),
    "an order's filled notional": (
        [("HSET", "%:order:A1", "filled_notional", "9361.9")],
        [Wrong(Kind.ORDER, "%order:A1", "filled_notional", "9361.9", "9361.8")],
    ),
    "an order's price": (
        [("HSET", "%:order:A1", "price", "1")],
        [Wrong(Kind.ORDER, "%order:A1", "price", "1", "187.5")],
    ),
    "garbage in an order": (
        [("HSET", "%:order:A1", "quantity", "1e2")],
        [Wrong(Kind.CORRUPT, "%order:A1", "quantity", "1e2", None)],
    ),
    "an order with a field missing": (
        [("HDEL", "%:order:A1", "status")],
        [Wrong(Kind.CORRUPT, "%order:A1", "status", None, None)],
    ),
    "an order that thinks it is another": (
        [("HSET", "%:order:A1", "order_id", "A2")],
        [Wrong(Kind.CORRUPT, "%order:A1", "order_id", "A2", None)],
    ),
    "a fill no longer recorded": (
        [("HDEL", "%:applied:A1", "fill:X2")],
        [Wrong(Kind.FILL, "%applied:A1", "fill:X2", None, "4")],
    ),
    "garbage in what is recorded": (
        [("HSET", "%:applied:A1", "fill:X2", "[" * 100_000)],
        [Wrong(Kind.CORRUPT, "%applied:A1", "fill:X2", "[" * 100_000, None)],
    ),
    "a replace that never was": (
        [("HSET", "%:applied:A1", "replace:R2", '["120   ","5",[]]')],
        [Wrong(Kind.FILL, "%applied:A1", "replace:R2", "5", None)],
    ),
    "what was applied would outlive its order": (
        [("PEXPIREAT", "%:applied:A1", "9999999999999")],
        [Wrong(Kind.EXPIRY, "%applied:A1", None, "9999999999999", "-1")],
    ),
    "a terminal order that never expires": (
        [
            ("PERSIST", "%:order:C"),
            ("ZADD", "%:orders_by_status:CANCELED", "inf", "C"),
            ("ZADD", "%:orders_by_symbol:MSFT", "inf", "C"),
            ("PERSIST", "%:orders_by_status:CANCELED"),
            ("PERSIST", "%:orders_by_symbol:MSFT"),
        ],
        [Wrong(Kind.EXPIRY, "%order:C", None, "-1", None)],
    ),
    "an event gone": (
        [("XDEL", "%:events", "4-0")],
        [Wrong(Kind.EVENTS, "%events", "4", None, None)],
    ),
    "several events gone": (
        [("XDEL", "%:events", "9-0", "10-0", "11-0")],
        [Wrong(Kind.EVENTS, "%events", "9-11", None, None)],
    ),
    "the last event gone": (
        [("XDEL", "%:events", "20-0")],
        [Wrong(Kind.EVENTS, "%events", "20", None, None)],
    ),
    "all events gone": (
        [("DEL", "%:events")],
        [Wrong(Kind.EVENTS, "%events", None, None, None)],
    ),
    "an event that cannot be read": (
        [("XADD", "%:events", "21-0", "type", "TRADE", "ts_ns", "1", "symbol", "AAPL")],
        [Wrong(Kind.CORRUPT, "%events", "21-0 order_id", None, None)],
    ),
    "an event between two": (
        [("XADD", "%:events", "20-1", "type", "POSITION", "ts_ns", "1", "symbol", "AAPL", "position_quantity", "1")],
        [Wrong(Kind.CORRUPT, "%events", "20-1 id", None, None)],
    ),
    "an execution told twice": (
        [
            (
                *("XADD", "%:events", "21-0", "type", "TRADE", "ts_ns", "1", "symbol", "AAPL", "order_id", "A1"),
                *("side", "BUY", "status", "PARTIALLY_FILLED", "quantity", "120", "price", "187.5", "exec_id", "X1"),
                *("last_quantity", "40", "last_price", "187.22", "position_quantity", "165"),
            ),
        ],
        [
            Wrong(Kind.FILL, "%applied:A1", "fill:X1", "21", None),
            Wrong(Kind.POSITION, "%position:AAPL", "bought_notional", "28083.8", "35572.6"),
            Wrong(Kind.POSITION, "%position:AAPL", "bought_quantity", "150", "190"),
            Wrong(Kind.POSITION, "%position:AAPL", "quantity", "125", "165"),
            Wrong(Kind.POSITION, "%position:AAPL", "updated_ns", "1700000000000000009", "1"),
            Wrong(Kind.POSITION, "%position:AAPL", "version", "5", "6"),
        ],
    ),
    "a key of another type": (
        [("DEL", "%:position:MSFT"), ("SET", "%:position:MSFT", "7")],
        [Wrong(Kind.CORRUPT, "%", None, None, None)],
    ),
}


def damage(desk: Desk, commands: Sequence[Command]) -> None:
    for command in commands:
        desk.vandalise(*command)


@pytest.mark.parametrize("name", MENDED)
def test_what_is_proven_is_found_and_mended(busy: Desk, auditor: Auditor, name: str) -> None:
    commands, expected = MENDED[name]
    before = busy.contents()
    damage(busy, commands)
    damaged = busy.contents()

    found = auditor.verify(busy.trader)
    assert told(busy.trader, found) == expected
    assert all(finding.repairable for finding in found)
    assert busy.contents() == damaged, "verify wrote"

    repairs = auditor.repair(busy.trader)
    assert [repair.finding for repair in repairs] == found
    assert {repair.mending for repair in repairs} == {Mending.REPAIRED}
    assert auditor.verify(busy.trader) == []
    if name != "a position out of nothing":
        assert expiries(busy, before) == expiries(busy, busy.contents())
    mended = busy.contents()
    assert auditor.repair(busy.trader) == []
    assert busy.contents() == mended, "a second repair wrote"


def expiries(desk: Desk, contents: Mapping[str, object]) -> dict[str, object]:
    """The keys that are there and when they expire."""
    return {key: desk.ask("PEXPIRETIME", key) for key in contents}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_evidence_is_found_and_left(busy: Desk, auditor: Auditor, name: str) -> None:
    commands, expected = KEPT[name]
    damage(busy, commands)
    damaged = busy.contents()
    found = auditor.verify(busy.trader)
    assert told(busy.trader, found) == expected
    assert not any(finding.repairable for finding in found)
    repairs = auditor.repair(busy.trader)
    assert {repair.mending for repair in repairs} == {Mending.LEFT}
    assert busy.contents() == damaged

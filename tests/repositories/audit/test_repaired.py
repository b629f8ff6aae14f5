"""Damage is repaired where at least two independent records agree against the one that was damaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import cast

import pytest
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome

from ...support.audit.damage import Command, Expected, damage, differences_of
from ...support.audit.image import image_of
from ...support.desk import Desk, on_one_server
from ...support.raw import mapping

REPAIRABLE: dict[str, tuple[Sequence[Command], Sequence[Expected]]] = {
    "an order's filled quantity": (
        [("HSET", "%:order:A1", "filled_quantity", 41)],
        [Expected(FindingKind.ORDER, "%order:A1", "filled_quantity", "41", "50")],
    ),
    "an order's filled notional": (
        [("HSET", "%:order:A1", "filled_notional", "9361.9")],
        [Expected(FindingKind.ORDER, "%order:A1", "filled_notional", "9361.9", "9361.8")],
    ),
    "an order's side": (
        [("HSET", "%:order:A1", "side", "SELL")],
        [Expected(FindingKind.ORDER, "%order:A1", "side", "SELL", "BUY")],
    ),
    "an order's version": (
        [("HSET", "%:order:C", "version", "3")],
        [Expected(FindingKind.ORDER, "%order:C", "version", "3", "2")],
    ),
    "an order with a field missing": (
        [("HDEL", "%:order:A1", "status")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "status", None, "PARTIALLY_FILLED")],
    ),
    "an order that thinks it is another": (
        [("HSET", "%:order:A1", "order_id", "A2")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "order_id", "A2", "A1")],
    ),
    "what was applied would outlive its order": (
        [("PEXPIREAT", "%:applied:A1", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%applied:A1", None, "9999999999999", "inf")],
    ),
    "an order's price": (
        [("HSET", "%:order:A1", "price", "1")],
        [Expected(FindingKind.ORDER, "%order:A1", "price", "1", "187.5")],
    ),
    "an order's symbol": (
        [("HSET", "%:order:A1", "symbol", "MSFT")],
        [Expected(FindingKind.ORDER, "%order:A1", "symbol", "MSFT", "AAPL")],
    ),
    "an order's status": (
        [("HSET", "%:order:A1", "status", "FILLED")],
        [Expected(FindingKind.ORDER, "%order:A1", "status", "FILLED", "PARTIALLY_FILLED")],
    ),
    "garbage in an order's quantity": (
        [("HSET", "%:order:T1", "quantity", "1e2")],
        [Expected(FindingKind.CORRUPT, "%order:T1", "quantity", "1e2", "100")],
    ),
    "garbage in the quantity of an order that was replaced": (
        [("HSET", "%:order:A1", "quantity", "1e2")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "quantity", "1e2", "120")],
    ),
    "an order's trader": (
        [("HSET", "%:order:A1", "trader", "T9")],
        [Expected(FindingKind.CORRUPT, "%order:A1", "trader", "T9", "=")],
    ),
    "what an order was placed with": (
        [("HSET", "%:order:A1", "placed_quantity", "7")],
        [Expected(FindingKind.ORDER, "%order:A1", "placed_quantity", "7", "100")],
    ),
    "an open order that would expire": (
        [("PEXPIREAT", "%:order:A1", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%order:A1", None, "9999999999999", "inf")],
    ),
    "a position that would expire": (
        [("PEXPIREAT", "%:position:AAPL", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%position:AAPL", None, "9999999999999", "inf")],
    ),
    "events, header and symbols that would expire": (
        [("PEXPIREAT", f"%:{key}", "9999999999999") for key in ("book", "events", "positions")],
        [
            Expected(FindingKind.EXPIRY, f"%{key}", None, "9999999999999", "inf")
            for key in ("book", "events", "positions")
        ],
    ),
    "a terminal order that lives longer than its entries": (
        [("PEXPIREAT", "%:order:C", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%order:C", None, "9999999999999", "=")],
    ),
    "what was applied to a terminal order never expires": (
        [("PERSIST", "%:applied:E")],
        [Expected(FindingKind.EXPIRY, "%applied:E", None, "inf", "=")],
    ),
    "an entry that lives longer than its terminal order": (
        [("ZADD", "%:orders_by_status:CANCELED", "9999999999999", "C")],
        [Expected(FindingKind.INDEX, "%orders_by_status:CANCELED", "C", "9999999999999", "=")],
    ),
    "an index of a symbol that nobody traded": (
        [("ZADD", "%:orders_by_symbol:ZZZ", "9999999999999", "A1")],
        [Expected(FindingKind.INDEX, "%orders_by_symbol:ZZZ", "A1", "9999999999999", None)],
    ),
    "status index lost an order": (
        [("ZREM", "%:orders_by_status:PARTIALLY_FILLED", "A1")],
        [Expected(FindingKind.INDEX, "%orders_by_status:PARTIALLY_FILLED", "A1", None, "inf")],
    ),
    "symbol index lost an order": (
        [("ZREM", "%:orders_by_symbol:AAPL", "A1")],
        [Expected(FindingKind.INDEX, "%orders_by_symbol:AAPL", "A1", None, "inf")],
    ),
    "an order listed in the wrong status": (
        [("ZADD", "%:orders_by_status:NEW", "inf", "A1")],
        [Expected(FindingKind.INDEX, "%orders_by_status:NEW", "A1", "inf", None)],
    ),
    "an order listed in the wrong symbol": (
        [("ZADD", "%:orders_by_symbol:MSFT", "inf", "A1")],
        [Expected(FindingKind.INDEX, "%orders_by_symbol:MSFT", "A1", "inf", None)],
    ),
    "an order listed in a symbol found late": (
        [("DEL", "%:position:ZZZ"), ("SADD", "%:positions", "ZZZ"), ("ZADD", "%:orders_by_symbol:ZZZ", "inf", "A1")],
        [
            Expected(FindingKind.INDEX, "%orders_by_symbol:ZZZ", "A1", "inf", None),
            Expected(FindingKind.LISTING, "%positions", "ZZZ", "ZZZ", None),
        ],
    ),
    "an entry of no order": (
        [("ZADD", "%:orders_by_status:NEW", "inf", "ghost")],
        [Expected(FindingKind.INDEX, "%orders_by_status:NEW", "ghost", "inf", None)],
    ),
    "an entry of no order whose id is not text": (
        [("ZADD", "%:orders_by_status:NEW", "inf", b"\xff\x00 {x}")],
        [Expected(FindingKind.INDEX, "%orders_by_status:NEW", "\udcff\x00 {x}", "inf", None)],
    ),
    "an entry of no order in an index of its own": (
        [("ZADD", "%:orders_by_status:FILLED", "9999999999999", "ghost")],
        [Expected(FindingKind.INDEX, "%orders_by_status:FILLED", "ghost", "9999999999999", None)],
    ),
    "a wrong score": (
        [("ZADD", "%:orders_by_symbol:AAPL", "5", "A1")],
        [Expected(FindingKind.INDEX, "%orders_by_symbol:AAPL", "A1", "5", "inf")],
    ),
    "an index that would expire too early": (
        [("PEXPIREAT", "%:orders_by_symbol:AAPL", "9999999999999")],
        [Expected(FindingKind.EXPIRY, "%orders_by_symbol:AAPL", None, "9999999999999", "inf")],
    ),
    "a whole index gone": (
        [("DEL", "%:orders_by_status:NEW")],
        [
            Expected(FindingKind.INDEX, "%orders_by_status:NEW", "G", None, "inf"),
            Expected(FindingKind.INDEX, "%orders_by_status:NEW", "T1", None, "inf"),
        ],
    ),
    "a position's quantity": (
        [("HSET", "%:position:AAPL", "quantity", 99)],
        [Expected(FindingKind.POSITION, "%position:AAPL", "quantity", "99", "125")],
    ),
    "a position's notional": (
        [("HSET", "%:position:AAPL", "sold_notional", "0.1")],
        [Expected(FindingKind.POSITION, "%position:AAPL", "sold_notional", "0.1", "5703.70370367")],
    ),
    "a position with garbage in it": (
        [("HSET", "%:position:AAPL", "bought_quantity", b"\xfflots", "updated_ns", "soon")],
        [
            Expected(FindingKind.POSITION, "%position:AAPL", "bought_quantity", "\udcfflots", "150"),
            Expected(FindingKind.POSITION, "%position:AAPL", "updated_ns", "soon", "1700000000000000009"),
        ],
    ),
    "a position with a field missing": (
        [("HDEL", "%:position:AAPL", "version")],
        [Expected(FindingKind.POSITION, "%position:AAPL", "version", None, "5")],
    ),
    "a position that thinks it is another's": (
        [("HSET", "%:position:MSFT", "symbol", "AAPL")],
        [Expected(FindingKind.POSITION, "%position:MSFT", "symbol", "AAPL", "MSFT")],
    ),
    "what is open of the buys": (
        [("HSET", "%:position:AAPL", "open_buy_quantity", 1)],
        [Expected(FindingKind.POSITION, "%position:AAPL", "open_buy_quantity", "1", "70")],
    ),
    "what is open of sells, where there are none": (
        [("HSET", "%:position:TSLA", "open_sell_quantity", 3)],
        [Expected(FindingKind.POSITION, "%position:TSLA", "open_sell_quantity", "3", "0")],
    ),
    "what is open, missing and garbled": (
        [("HDEL", "%:position:AAPL", "open_sell_quantity"), ("HSET", "%:position:AAPL", "open_buy_quantity", "lots")],
        [
            Expected(FindingKind.POSITION, "%position:AAPL", "open_buy_quantity", "lots", "70"),
            Expected(FindingKind.POSITION, "%position:AAPL", "open_sell_quantity", None, "0"),
        ],
    ),
    "a position of nothing but orders gone": (
        [("DEL", "%:position:TSLA"), ("SREM", "%:positions", "TSLA")],
        [Expected(FindingKind.POSITION, "%position:TSLA", None, None, "0")],
    ),
    "a position gone": (
        [("DEL", "%:position:AAPL")],
        [Expected(FindingKind.POSITION, "%position:AAPL", None, None, "125")],
    ),
    "a position and its listing gone": (
        [("DEL", "%:position:AAPL"), ("SREM", "%:positions", "AAPL")],
        [Expected(FindingKind.POSITION, "%position:AAPL", None, None, "125")],
    ),
    "a position not listed": (
        [("SREM", "%:positions", "MSFT")],
        [Expected(FindingKind.LISTING, "%positions", "MSFT", None, "MSFT")],
    ),
    "no position listed": (
        [("DEL", "%:positions")],
        [
            Expected(FindingKind.LISTING, "%positions", "AAPL", None, "AAPL"),
            Expected(FindingKind.LISTING, "%positions", "MSFT", None, "MSFT"),
            Expected(FindingKind.LISTING, "%positions", "TSLA", None, "TSLA"),
        ],
    ),
    "a symbol listed without a position": (
        [("SADD", "%:positions", "IBM")],
        [Expected(FindingKind.LISTING, "%positions", "IBM", "IBM", None)],
    ),
    "garbage listed as a symbol": (
        [("SADD", "%:positions", b"\xff {")],
        [Expected(FindingKind.LISTING, "%positions", "\udcff {", "\udcff {", None)],
    ),
    "a position out of nothing": (
        [
            ("HSET", "%:position:TSLA", "quantity", 10, "updated_ns", "1700000000000000008"),
            ("SREM", "%:positions", "TSLA"),
        ],
        [
            Expected(FindingKind.POSITION, "%position:TSLA", "quantity", "10", "0"),
            Expected(FindingKind.POSITION, "%position:TSLA", "updated_ns", "1700000000000000008", None),
            Expected(FindingKind.LISTING, "%positions", "TSLA", None, "TSLA"),
        ],
    ),
}


@on_one_server
@pytest.mark.parametrize("name", REPAIRABLE)
def test_what_evidence_proves_is_found_and_repaired(busy: Desk, auditor: Auditor, name: str) -> None:
    commands, expected = REPAIRABLE[name]
    before, positions, image = busy.contents(), positions_of(busy), image_of(busy)
    damage(busy, commands)
    damaged = busy.contents()

    found = auditor.verify(busy.trader)
    assert without_random(differences_of(busy.trader, found), expected) == expected
    assert all(one.says or one.kind is FindingKind.EXPIRY for one in found if one.is_difference)
    assert all(finding.repairable for finding in found if finding.is_difference)
    assert busy.contents() == damaged, "verify wrote"

    repairs = auditor.repair(busy.trader)
    assert [repair.finding for repair in repairs] == found
    assert {repair.outcome for repair in repairs if repair.finding.is_difference} == {RepairOutcome.REPAIRED}
    assert auditor.verify(busy.trader) == []
    assert expiries(busy, before) == expiries(busy, busy.contents())
    assert positions_of(busy) == positions
    assert image_of(busy) == image
    repaired = busy.contents()
    assert auditor.repair(busy.trader) == []
    assert busy.contents() == repaired, "a second repair wrote"


def without_random(found: Sequence[Expected], expected: Sequence[Expected]) -> list[Expected]:
    """Return findings without values that are not the same each time, where they are expected as ``=``."""
    return [
        replace(one, expected="=") if wanted.expected == "=" and one.expected else one
        for one, wanted in zip_longest(found, expected, fillvalue=expected[0])
    ]


def expiries(desk: Desk, contents: Mapping[str, object]) -> dict[str, object]:
    """Return when each of the keys expires."""
    return {key: desk.ask("PEXPIRETIME", key) for key in contents}


def positions_of(desk: Desk) -> dict[str, dict[str, str]]:
    """Return the fields of every listed position."""
    symbols = cast("list[str]", desk.ask("SMEMBERS", "%:positions"))
    return {symbol: mapping(desk.ask("HGETALL", f"%:position:{symbol}")) for symbol in symbols}

"""verify compares limits and the switch of trading with their events, and says who says what."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models import Limits
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome

from ...support.desk import Desk
from ...support.doubles import NO_LIMIT, packed, read
from ...support.make import execution, limit


@pytest.fixture
def limited(lone_desk: Desk) -> Desk:
    """Have limits of the trader and of a symbol, an order that they have let pass, and the switch turned."""
    book, trader = lone_desk.book, lone_desk.trader
    book.limits.set(Limits(trader=trader, max_order=500, orders_per_second=9), request_id="L1")
    book.limits.set(Limits(trader=trader, symbol="AAPL", max_position=250), request_id="L2")
    book.limits.set(Limits(trader=trader, symbol="MSFT", max_position=250), request_id="L3")
    book.limits.delete(trader, "MSFT", request_id="L4")
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    book.trading(trader, "reducing", request_id="H1")
    assert book.audit.verify(trader) == []
    return lone_desk


def _header(*, order: float = 500, rate: float = 9, change: float = 4) -> bytes:
    return packed([0, 0, rate, order, NO_LIMIT, NO_LIMIT, change], "+")


def _beside(*, position: float = 250, change: float = 4) -> bytes:
    return packed([0, 0, NO_LIMIT, change, NO_LIMIT, NO_LIMIT, position])


CASES: dict[str, tuple[tuple[str | bytes, ...], FindingKind, str, str | None]] = {
    "another limit": (("HSET", "%:limits", "trader", "600 - - 9"), FindingKind.EVENTS, "limits", "trader"),
    "a limit gone": (("HDEL", "%:limits", "symbol:AAPL"), FindingKind.EVENTS, "limits", "symbol:AAPL"),
    "a limit more": (("HSET", "%:limits", "symbol:MSFT", "5 - - -"), FindingKind.EVENTS, "limits", "symbol:MSFT"),
    "unreadable": (("HSET", "%:limits", "trader", "x - - -"), FindingKind.CORRUPT, "limits", "trader"),
    "another field": (("HSET", "%:limits", "others", "1"), FindingKind.CORRUPT, "limits", "others"),
    "another switch": (("HSET", "%:book", "trading", "ACTIVE"), FindingKind.EVENTS, "book", "trading"),
    "no switch": (("HDEL", "%:book", "trading"), FindingKind.EVENTS, "book", "trading"),
    "an odd switch": (("HSET", "%:book", "trading", "OFF"), FindingKind.CORRUPT, "book", "trading"),
    "no mark": (("HDEL", "%:book", "limits"), FindingKind.EVENTS, "book", "limits"),
    "another mark": (("HSET", "%:book", "limits", "2"), FindingKind.EVENTS, "book", "limits"),
    "another text": (("HSET", "%:book", "limits", _header(order=600)), FindingKind.EVENTS, "book", "limits"),
    "another rate": (("HSET", "%:book", "limits", _header(rate=8)), FindingKind.EVENTS, "book", "limits"),
    "no symbols": (("HSET", "%:book", "limits", _header()[:48]), FindingKind.EVENTS, "book", "limits"),
    "no position": (("HSET", "%:book", "limits", _header()[:-1]), FindingKind.EVENTS, "book", "limits"),
    "another change": (("HSET", "%:book", "limits", _header(change=3)), FindingKind.EVENTS, "book", "limits"),
    "too many passed": (("HSET", "%:book", "limits", "\0" * 72), FindingKind.EVENTS, "book", "limits"),
    "another position": (
        ("HSET", "%:position:AAPL", "limits", _beside(position=260)),
        FindingKind.POSITION,
        "position:AAPL",
        "limits",
    ),
    "no limit beside": (
        ("HSET", "%:position:AAPL", "limits", _beside()[:32]),
        FindingKind.POSITION,
        "position:AAPL",
        "limits",
    ),
    "a later change": (
        ("HSET", "%:position:AAPL", "limits", _beside(change=90)),
        FindingKind.POSITION,
        "position:AAPL",
        "limits",
    ),
    "odd ones beside": (
        ("HSET", "%:position:AAPL", "limits", "- - 250 -"),
        FindingKind.POSITION,
        "position:AAPL",
        "limits",
    ),
    "an end": (("PEXPIRE", "%:limits", "9000000"), FindingKind.EXPIRY, "limits", None),
    "another request": (("SET", "%:request:L1", "1 LIMITS trader 600 - - 9"), FindingKind.FILL, "request:L1", None),
    "the request of another": (("SET", "%:request:H1", "1 TRADING REDUCING"), FindingKind.FILL, "request:H1", None),
}


@pytest.mark.parametrize("name", CASES)
def test_each_difference_is_found(limited: Desk, name: str) -> None:
    command, kind, key, entry = CASES[name]
    limited.vandalise(*command)
    found = {(one.kind, one.key, one.entry) for one in limited.book.audit.verify(limited.trader)}
    assert (kind, f"{{{limited.trader}}}:{key}", entry) in found


def test_what_must_not_end_is_made_to_last(limited: Desk) -> None:
    limited.vandalise("PEXPIRE", "%:limits", 9_000_000)
    assert [one.outcome for one in limited.book.audit.repair(limited.trader)] == [RepairOutcome.REPAIRED]
    assert cast("int", limited.ask("PTTL", "%:limits")) == -1


@pytest.mark.parametrize("stored", [_beside(position=260), b"- - 250 -"], ids=["other", "odd"])
def test_limits_beside_a_position_are_removed_where_they_are_wrong(limited: Desk, stored: bytes) -> None:
    """The next order writes anew what is removed, from the limits themselves."""
    limited.ask("HSET", "%:position:AAPL", "limits", stored)
    assert [one.outcome for one in limited.book.audit.repair(limited.trader)] == [RepairOutcome.REPAIRED]
    assert limited.ask("HGET", "%:position:AAPL", "limits") is None
    limited.book.trading(limited.trader, "active")
    limited.book.orders.place(limit(limited.trader, "A2", quantity=1))
    assert read(limited, "%:position:AAPL")[3:] == [4, NO_LIMIT, NO_LIMIT, 250]


@pytest.mark.parametrize("change", [2, 3], ids=str)
def test_limits_beside_a_position_that_a_later_change_has_replaced_are_not_compared(limited: Desk, change: int) -> None:
    limited.ask("HSET", "%:position:AAPL", "limits", _beside(position=999, change=change))
    assert limited.book.audit.verify(limited.trader) == []


def test_limits_whose_events_are_not_kept_are_not_compared(limited: Desk) -> None:
    limited.ask("XTRIM", "%:events", "MAXLEN", 1)
    limited.vandalise("HSET", "%:limits", "symbol:AAPL", "600 - - 9")
    found = limited.book.audit.verify(limited.trader)
    assert [one.message for one in found if one.kind is FindingKind.EVENTS] == []

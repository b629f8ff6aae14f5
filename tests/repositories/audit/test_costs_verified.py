"""The audit of a position's cost: wrong ones are found, also after busts, and what nothing proves any more is said."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import FillResult
from slotbook.models.numbers import plain
from slotbook.repositories.audit.findings import FindingKind

from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit
from ...support.raw import Reply, mapping


def revised(desk: Desk) -> FillResult:
    """Trade, split, set, roll, bust and correct, so that something is held."""
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    for name, side, price in (("A1", "BUY", "10"), ("A2", "BUY", "20"), ("A3", "SELL", "30")):
        orders.place(limit(trader, name, side=side, quantity=30))
        orders.fill(execution(trader, "X1", 10, price, name))
    positions.split(trader, "AAPL", 3)
    positions.roll(trader, "AAPL")
    positions.adjust(trader, "AAPL", -3)
    orders.correct(trader, "A2", "X1", quantity=15, price="21", exec_id="C1")
    return orders.bust(trader, "A1", "X1", exec_id="B1")


@on_one_server
@pytest.mark.parametrize("name", ["open_cost", "realized_profit"])
def test_a_wrong_cost_is_found_and_repaired(desk: Desk, name: str) -> None:
    held = revised(desk).position
    assert desk.book.audit.verify(desk.trader) == []
    desk.vandalise("HSET", "%:position:AAPL", name, "7")
    (found,) = desk.book.audit.verify(desk.trader)
    assert (found.kind, found.entry, found.stored, found.repairable) == (FindingKind.POSITION, name, "7", True)
    assert all(repair.outcome.is_settled for repair in desk.book.audit.repair(desk.trader))
    assert desk.book.positions.get(desk.trader, "AAPL") == held
    assert desk.book.audit.verify(desk.trader) == []


@on_one_server
def test_a_cost_is_folded_and_not_believed(desk: Desk) -> None:
    """The event and the position agree, and the money balances: only a fold of the path finds it."""
    orders, trader = desk.book.orders, desk.trader
    for name, side, price in (("A1", "BUY", "10"), ("A2", "BUY", "20"), ("A3", "SELL", "30")):
        orders.place(limit(trader, name, side=side, quantity=30))
        orders.fill(execution(trader, "X1", 10, price, name))
    orders.correct(trader, "A1", "X1", quantity=11, price="10", exec_id="C1")
    (entry,) = cast("list[tuple[str, list[str]]]", desk.ask("XRANGE", "%:events", "7-0", "7-0"))
    fields = mapping(cast("Reply", entry[1]))
    *others, cost, profit = fields["totals"].split(" ")
    wrong = [plain(Decimal(number) + 1) for number in (cost, profit)]
    fields["totals"] = " ".join([*others, *wrong])
    desk.vandalise("DEL", "%:copy")
    rest = cast("list[tuple[str, list[str]]]", desk.ask("XRANGE", "%:events", "-", "6-0"))
    desk.vandalise("DEL", "%:events")
    for event_id, flat in (*rest, ("7-0", [word for pair in fields.items() for word in pair])):
        desk.vandalise("XADD", "%:events", event_id, *flat)
    desk.vandalise("HSET", "%:position:AAPL", "open_cost", wrong[0], "realized_profit", wrong[1])
    found = desk.book.audit.verify(trader)
    assert ("7 totals", False) in [(one.entry, one.repairable) for one in found]
    assert {one.entry for one in found if one.kind is FindingKind.POSITION} == {"open_cost", "realized_profit"}


@on_one_server
def test_what_cannot_be_proven_is_said(desk: Desk) -> None:
    revised(desk)
    events = desk.events()
    desk.vandalise("XTRIM", "%:events", "MINID", f"{events[-1].sequence - 1}-0")
    found = desk.book.audit.verify(desk.trader)
    assert all(one.kind is FindingKind.UNCHECKED for one in found)
    assert any("from which" in one.message or "folded its cost from" in one.message for one in found)


@on_one_server
def test_the_mark_of_an_approximate_cost_is_verified(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, "A1", quantity=100))
    orders.fill(execution(trader, "X1", 10, "10", "A1"))
    desk.book.positions.set(trader, "AAPL", 20, cost=300)
    assert orders.bust(trader, "A1", "X1").cost_basis == "approximate"
    assert desk.book.audit.verify(trader) == []
    assert desk.ask("HGET", "%:position:AAPL", "approximated") == "4"
    desk.vandalise("HDEL", "%:position:AAPL", "approximated")
    (found,) = desk.book.audit.verify(trader)
    assert (found.entry, found.stored, found.expected) == ("approximated", None, "4")

"""The audit knows an account's position by its listing, its events or its orders, whichever of them is left."""

from __future__ import annotations

import pytest
from slotbook.repositories.audit.findings import FindingKind

from ...support.audit.damage import Expected, damage, differences_of
from ...support.audit.image import image_of
from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit

HELD = "%:account_position:a:AAPL"
KEY = "%account_position:a:AAPL"


def repaired(desk: Desk) -> bool:
    """Repair what is broken; return True when nothing is after that."""
    repairs = desk.book.audit.repair(desk.trader)
    assert all(repair.outcome.is_settled for repair in repairs if repair.finding.is_difference)
    return not any(one.is_difference for one in desk.book.audit.verify(desk.trader))


@on_one_server
def test_by_its_events_alone(desk: Desk) -> None:
    desk.book.positions.adjust(desk.trader, "AAPL", 5, account="a")
    desk.book.positions.adjust(desk.trader, "AAPL", 1, account="a")
    before = image_of(desk)
    damage(desk, [("DEL", HELD), ("DEL", "%:account_positions")])
    found = differences_of(desk.trader, desk.book.audit.verify(desk.trader))
    assert Expected(FindingKind.POSITION, KEY, None, None, "6") in found
    assert repaired(desk)
    assert image_of(desk) == before


@on_one_server
def test_by_its_orders_alone(desk: Desk) -> None:
    """It is named, whatever became of it: its events do not reach back to its beginning."""
    desk.book.orders.place(limit(desk.trader, account="a"))
    desk.book.orders.fill(execution(desk.trader))
    desk.book.orders.place(limit(desk.trader, "A2"))
    damage(desk, [("DEL", HELD), ("DEL", "%:account_positions"), ("XTRIM", "%:events", "MINID", "3-0")])
    found = desk.book.audit.verify(desk.trader)
    assert [one.kind for one in found if one.key.endswith("account_position:a:AAPL")] == [FindingKind.POSITION]


@on_one_server
def test_by_the_event_of_an_order_that_was_deleted(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, account="a"))
    desk.book.orders.cancel(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    before = image_of(desk)
    for commands in ([("HSET", HELD, "quantity", "5")], [("SREM", "%:account_positions", "a:AAPL")]):
        damage(desk, commands)
        assert [one.repairable for one in desk.book.audit.verify(desk.trader) if one.is_difference] == [True]
        assert repaired(desk)
        assert image_of(desk) == before


@on_one_server
def test_not_by_an_account_that_an_order_was_given_by_hand(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, account="a"))
    desk.book.orders.fill(execution(desk.trader))
    damage(desk, [("HSET", "%:order:A1", "account", "b")])
    found = desk.book.audit.verify(desk.trader)
    assert {one.entry for one in found} == {"account"}
    assert {one.key.rpartition(":")[2] for one in found} == {"A1"}


@on_one_server
@pytest.mark.parametrize("multiplier", ["7", "1", None, "x"])
def test_its_multiplier_is_that_of_its_events(desk: Desk, multiplier: str | None) -> None:
    desk.book.orders.place(limit(desk.trader, account="a", multiplier=50))
    for number in range(3):
        desk.book.orders.fill(execution(desk.trader, f"X{number}", 1))
    before = image_of(desk)
    damage(desk, [("HSET", HELD, "multiplier", multiplier) if multiplier else ("HDEL", HELD, "multiplier")])
    found = differences_of(desk.trader, desk.book.audit.verify(desk.trader))
    assert found == [Expected(FindingKind.POSITION, KEY, "multiplier", multiplier, "50")]
    assert repaired(desk)
    assert image_of(desk) == before


@on_one_server
def test_what_was_set_for_an_account_is_proven_beside_what_the_trader_has(desk: Desk) -> None:
    desk.book.positions.adjust(desk.trader, "AAPL", 3)
    desk.book.positions.set(desk.trader, "AAPL", 7, account="a", request_id="R1")
    assert desk.book.audit.verify(desk.trader) == []


@on_one_server
def test_the_mark_of_its_approximate_cost_is_verified(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, account="a"))
    desk.book.orders.fill(execution(desk.trader, "X1", 10))
    desk.book.positions.set(desk.trader, "AAPL", 20, cost=300, account="a")
    desk.book.orders.bust(desk.trader, "A1", "X1")
    assert desk.book.audit.verify(desk.trader) == []
    assert desk.ask("HGET", HELD, "approximated") == "4"
    damage(desk, [("HDEL", HELD, "approximated")])
    found = differences_of(desk.trader, desk.book.audit.verify(desk.trader))
    assert found == [Expected(FindingKind.POSITION, KEY, "approximated", None, "4")]

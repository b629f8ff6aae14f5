"""Test that verify knows the ids of an order, and that repair puts their keys right by what the order says."""

from __future__ import annotations

import pytest
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome
from slotbook.repositories.audit.repair_calls import REPAIR_ALIAS

from ...support.audit.damage import Command, Expected, damage, differences_of
from ...support.audit.image import image_of
from ...support.desk import Desk, on_one_server
from ...support.make import limit

EXPIRY = "9999999999999"
REPAIRED: dict[str, tuple[tuple[Command, ...], Expected]] = {
    "an id names nothing": (
        (("DEL", "%:alias:C2"),),
        Expected(FindingKind.ALIAS, "%alias:C2", "A1", None, "A1"),
    ),
    "an id of an order that has ended names nothing": (
        (("DEL", "%:alias:C4"),),
        Expected(FindingKind.ALIAS, "%alias:C4", "A2", None, "A2"),
    ),
    "an id names another order": (
        (("SET", "%:alias:V9", "A2"),),
        Expected(FindingKind.ALIAS, "%alias:V9", "A1", "A2", "A1"),
    ),
    "an id names an order that never was": (
        (("SET", "%:alias:ZZ", "A9"),),
        Expected(FindingKind.ALIAS, "%alias:ZZ", None, "A9", None),
    ),
    "an id names an order that does not have it": (
        (("SET", "%:alias:ZZ", "A1"),),
        Expected(FindingKind.ALIAS, "%alias:ZZ", None, "A1", None),
    ),
    "an id expires before its order": (
        (("PEXPIREAT", "%:alias:C2", EXPIRY),),
        Expected(FindingKind.EXPIRY, "%alias:C2", "A1", EXPIRY, "inf"),
    ),
    "the number of ids": (
        (("HSET", "%:order:A1", "aliases", "3"),),
        Expected(FindingKind.ORDER, "%order:A1", "aliases", "3", "2"),
    ),
    "the venue's id": (
        (("HSET", "%:order:A1", "venue_order_id", "V8"),),
        Expected(FindingKind.ORDER, "%order:A1", "venue_order_id", "V8", "V9"),
    ),
}
NAMED: dict[str, tuple[tuple[Command, ...], FindingKind]] = {
    "what is remembered of an id is gone": ((("HDEL", "%:applied:A1", "alias:C2"),), FindingKind.FILL),
    "it is remembered of another event": ((("HSET", "%:applied:A1", "alias:C2", "2"),), FindingKind.FILL),
    "an id is remembered that no event has given": ((("HSET", "%:applied:A1", "alias:ZZ", "2"),), FindingKind.FILL),
    "an id is another order's own": ((("COPY", "%:order:A2", "%:order:C2"),), FindingKind.ALIAS),
}


@pytest.fixture
def named(desk: Desk) -> Desk:
    """Return a desk with an order that has two ids beside its own, and one that has ended."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, status="PENDING_NEW"))
    orders.accept(trader, "A1", venue_order_id="V9")
    orders.replace(trader, "A1", quantity=90, client_order_id="C2")
    orders.place(limit(trader, "A2"))
    orders.pending_cancel(trader, "A2", client_order_id="C4")
    orders.cancel(trader, "A2", client_order_id="C4")
    return desk


def test_nothing_is_wrong_with_a_book_of_ids(named: Desk) -> None:
    assert named.book.audit.verify(named.trader) == []


@on_one_server
@pytest.mark.parametrize("damaged", REPAIRED)
def test_it_is_repaired(named: Desk, damaged: str) -> None:
    commands, expected = REPAIRED[damaged]
    before = image_of(named)
    damage(named, commands)
    assert differences_of(named.trader, named.book.audit.verify(named.trader)) == [expected]
    [repair] = named.book.audit.repair(named.trader)
    assert repair.outcome is RepairOutcome.REPAIRED
    assert image_of(named) == before
    assert named.book.audit.verify(named.trader) == []


@on_one_server
@pytest.mark.parametrize("damaged", NAMED)
def test_what_is_not_known_is_named_and_left(named: Desk, damaged: str) -> None:
    commands, kind = NAMED[damaged]
    damage(named, commands)
    before = image_of(named)
    repairs = named.book.audit.repair(named.trader)
    assert kind in {one.finding.kind for one in repairs}
    assert {one.outcome for one in repairs} <= {RepairOutcome.LEFT, RepairOutcome.REPAIRED}
    changed = {
        part for part in before.items() ^ image_of(named).items() if part[0][0].startswith(f"{{{named.trader}}}:alias")
    }
    assert changed == set()


@on_one_server
def test_an_expired_id_of_an_order_that_has_ended(named: Desk) -> None:
    damage(named, [("PERSIST", "%:alias:C4")])
    [finding] = named.book.audit.verify(named.trader)
    assert (finding.kind, finding.stored, finding.repairable) == (FindingKind.EXPIRY, "inf", True)
    [repair] = named.book.audit.repair(named.trader)
    assert repair.outcome is RepairOutcome.REPAIRED
    assert named.ask("PEXPIRETIME", "%:alias:C4") == named.ask("PEXPIRETIME", "%:order:A2")


@on_one_server
def test_an_id_that_has_become_an_orders_meanwhile_is_not_taken_from_it(named: Desk) -> None:
    def repair(stored: str, expected: str) -> object:
        base = f"{{{named.trader}}}:"
        return named.vandalise("EVAL", REPAIR_ALIAS.source, 1, f"{base}alias:C2", base, "C2", stored, expected)

    before = image_of(named)
    assert repair("A1", "") == repair("A1", "A2") == repair("A2", "") == "changed"
    assert repair("A1", "A1") == "repeat"
    named.vandalise("DEL", "%:alias:C2")
    assert repair("", "A2") == "changed"
    assert repair("", "A1") == "applied"
    assert image_of(named) == before


@on_one_server
@pytest.mark.parametrize("gone", [("order",), ("order", "applied")], ids=" and ".join)
def test_an_id_of_an_order_that_was_deleted_by_hand_stays(named: Desk, gone: tuple[str, ...]) -> None:
    desk = named
    for kind in gone:
        desk.vandalise("DEL", f"%:{kind}:A2")
    damaged = image_of(desk)
    assert [one for one in desk.book.audit.verify(desk.trader) if one.is_difference]
    desk.book.audit.repair(desk.trader)
    assert image_of(desk) == damaged


@on_one_server
def test_an_id_is_not_removed_while_it_is_recorded_with_its_order(named: Desk) -> None:
    desk = named
    desk.vandalise("DEL", "%:order:A2")
    arguments = REPAIR_ALIAS.arguments(base=f"{{{desk.trader}}}:", id="C4", stored="A2", expected="")
    assert desk.ask("EVAL", REPAIR_ALIAS.source, "1", "%:alias:C4", *arguments) == "changed"
    assert desk.ask("GET", "%:alias:C4") == "A2"

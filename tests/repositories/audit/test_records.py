"""Where the records of a book disagree, the report says who says what, and a wrong record is never made true."""

from __future__ import annotations

from typing import cast

from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome

from ...support.audit.corruption import carry_out
from ...support.audit.corruptions import Damage
from ...support.audit.image import image_of
from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.raw import mapping


def differences(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.is_difference]


def set_event(desk: Desk, number: int, **values: str) -> None:
    """Change fields of an event by hand."""
    for name, value in values.items():
        carry_out(desk, Damage(desk, image_of(desk)).set_event(number - 1, name, value))


def test_a_changed_symbol_moves_no_index_entry(busy: Desk, auditor: Auditor) -> None:
    before = image_of(busy)
    busy.vandalise("HSET", "%:order:A1", "symbol", "MSFT")
    (found,) = differences(auditor.verify(busy.trader))
    assert found.message == "order A1: symbol is MSFT, by event 4 it is AAPL"
    assert found.says == {
        **{"order": "MSFT", "index": "AAPL", "digest": "AAPL"},
        "event 4": "AAPL",
    }
    (repair,) = auditor.repair(busy.trader)
    assert repair.outcome is RepairOutcome.REPAIRED
    assert image_of(busy) == before


def test_a_changed_side_is_named(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HSET", "%:order:T1", "side", "SELL")
    (found,) = differences(auditor.verify(busy.trader))
    assert found.says == {"order": "SELL", "event 17": "BUY", "digest": "BUY"}


def test_two_records_that_were_changed_alike_do_not_outvote_an_order(desk: Desk, auditor: Auditor) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.replace(desk.trader, "A1", quantity=120, request_id="R1")
    remembered = str(desk.ask("HGET", "%:applied:A1", "request:R1"))
    desk.vandalise("HSET", "%:applied:A1", "request:R1", remembered.replace("120", "121"))
    set_event(desk, 2, quantity="121")
    before = image_of(desk)
    [(found, outcome)] = [(one.finding, one.outcome) for one in auditor.repair(desk.trader)]
    assert found.says == {"order": "120", "event 2": "121", "applied": "121"}
    assert outcome is RepairOutcome.LEFT
    assert image_of(desk) == before


def test_a_changed_event_makes_no_right_position_wrong(busy: Desk, auditor: Auditor) -> None:
    set_event(
        busy, 19, last_quantity="200", quantity="200", filled_quantity="200", position_quantity="225",
        totals="2 37444 250 30 46805.8 5703.70370367 5 41188.72 86.62370367",
    )  # fmt: skip
    before = image_of(busy)
    found = differences(auditor.verify(busy.trader))
    assert FindingKind.EVENTS in {one.kind for one in found}
    assert {repair.outcome for repair in auditor.repair(busy.trader)} == {RepairOutcome.LEFT}
    assert image_of(busy) == before
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 125


def test_an_event_changed_in_all_its_fields_is_contradicted_by_the_applied_fill(busy: Desk, auditor: Auditor) -> None:
    """S1 sold 30; its event, with all that it states, is changed to 31."""
    busy.book.orders.place(limit(busy.trader, "Z1", symbol="ZM"))
    number = busy.book.orders.fill(execution(busy.trader, "Z1", 10, "1", order_id="Z1")).sequence
    set_event(
        busy, number, last_quantity="20", filled_quantity="20", position_quantity="20", totals="2 20 20 0 20 0 1 20 0"
    )
    before = image_of(busy)
    found = {(one.key.rpartition("}:")[2], one.entry): one for one in differences(auditor.verify(busy.trader))}
    assert found["order:Z1", "fill:Z1"].says == {
        "applied": f"10 at 1 in event {number}",
        f"event {number}": f"20 at 1 in event {number}",
    }
    assert found["position:ZM", "quantity"].says["position"] == "10"
    assert {repair.outcome for repair in auditor.repair(busy.trader)} == {RepairOutcome.LEFT}
    assert image_of(busy) == before


def test_an_adjustment_of_a_corrupted_position_does_not_launder_it(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99)
    number = busy.open().positions.adjust(busy.trader, "AAPL", 5).sequence
    repairs = [one for one in auditor.repair(busy.trader) if one.finding.is_difference]
    by_kind = {one.finding.kind: one for one in repairs}
    assert by_kind[FindingKind.EVENTS].finding.says == {
        f"event {number}": "104",
        "event 19 and what it adds": "130",
    }
    assert (by_kind[FindingKind.POSITION].finding.stored, by_kind[FindingKind.POSITION].finding.expected) == (
        *("104", "130"),
    )
    assert {one.outcome for one in repairs} == {RepairOutcome.LEFT}
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 104


def test_a_fill_on_a_corrupted_position_does_not_launder_it(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99)
    busy.open().orders.fill(execution(busy.trader, "X3", 10))
    busy.open().orders.fill(execution(busy.trader, "X4", 10))
    repairs = [one for one in auditor.repair(busy.trader) if one.finding.is_difference]
    assert [(one.finding.kind, one.finding.expected, one.outcome) for one in repairs] == [
        (FindingKind.EVENTS, "135", RepairOutcome.LEFT),
        (FindingKind.POSITION, "145", RepairOutcome.REPAIRED),
    ]
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 145


def test_a_quantity_that_was_set_after_the_damage_is_not_taken_back(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99)
    busy.open().positions.set(busy.trader, "AAPL", 500)
    repairs = [one for one in auditor.repair(busy.trader) if one.finding.is_difference]
    assert {one.outcome for one in repairs} == {RepairOutcome.LEFT}
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 500


def test_an_adjustment_that_is_remembered_proves_its_position(desk: Desk, auditor: Auditor) -> None:
    for quantity in (10, 20, 30):
        desk.book.positions.adjust(desk.trader, "AAPL", quantity, request_id=f"P{quantity}")
    desk.vandalise("HSET", "%:position:AAPL", "quantity", 7)
    (repair,) = auditor.repair(desk.trader)
    assert repair.outcome is RepairOutcome.REPAIRED
    desk.vandalise("HSET", "%:position:AAPL", "quantity", 7)
    desk.vandalise("DEL", "%:request:P30")
    (repair,) = auditor.repair(desk.trader)
    assert repair.outcome is RepairOutcome.LEFT
    assert repair.finding.message.endswith("; not to be repaired: only event 3 says so")


def test_an_open_order_that_was_deleted_by_hand_is_seen(desk: Desk, auditor: Auditor) -> None:
    trader = desk.trader
    desk.book.orders.place(limit(trader, "A1"))
    desk.book.orders.place(limit(trader, "A2"))
    before = mapping(desk.ask("HGETALL", "%:position:AAPL"))
    desk.vandalise("DEL", "%:order:A1")
    desk.vandalise("ZREM", "%:orders_by_status:NEW", "A1")
    desk.vandalise("ZREM", "%:orders_by_symbol:AAPL", "A1")
    (found,) = differences(auditor.verify(trader))
    assert found.message == "order A1 is not there, but event 1 left it NEW"
    auditor.repair(trader)
    assert mapping(desk.ask("HGETALL", "%:position:AAPL")) == before


def test_an_open_order_that_was_deleted_is_seen_when_its_event_is_gone(desk: Desk, auditor: Auditor) -> None:
    trader = desk.trader
    desk.book.orders.place(limit(trader, "A1"))
    desk.book.orders.place(limit(trader, "A2"))
    desk.ask("XTRIM", "%:events", "MINID", "2-0")
    desk.vandalise("DEL", "%:order:A1")
    before = image_of(desk)
    found = differences(auditor.verify(trader))
    assert {(one.kind, one.entry) for one in found} == {
        (FindingKind.INDEX, "A1"),
        (FindingKind.POSITION, "open_buy_quantity"),
    }
    auditor.repair(trader)
    assert image_of(desk) == before


def test_every_key_that_no_index_lists_is_compared(busy: Desk, auditor: Auditor) -> None:
    keys = ("order:A1", "position:AAPL", "applied:A1", "orders_by_symbol:AAPL")
    for key in keys:
        busy.vandalise("COPY", f"%:{key}", f"%:{key.partition(':')[0]}:ZZ")
    found = {one.key.rpartition("}:")[2] for one in differences(auditor.verify(busy.trader))}
    assert {f"{key.partition(':')[0]}:ZZ" for key in keys} <= found


def test_whatever_says_nothing_is_named_so(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HDEL", "%:position:AAPL", "quantity")
    (found,) = differences(auditor.verify(busy.trader))
    assert found.says == {
        **{"position": "nothing", "what its events add": "125", "event 19": "125"},
        "the event before, and what the last adds": "125",
    }
    assert cast("str", busy.ask("HGET", "%:position:AAPL", "version")) == "5"


def test_what_is_left_of_an_open_order_that_is_gone_is_kept(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("DEL", "%:order:A1")
    damaged = busy.contents()
    repairs = auditor.repair(busy.trader)
    assert [(one.finding.kind, one.finding.entry, one.outcome) for one in repairs if one.finding.is_difference] == [
        (FindingKind.ORDER, None, RepairOutcome.LEFT),
        (FindingKind.EXPIRY, None, RepairOutcome.LEFT),
        (FindingKind.INDEX, "A1", RepairOutcome.LEFT),
        (FindingKind.INDEX, "A1", RepairOutcome.LEFT),
    ]
    assert repairs[0].finding.says == {
        **{"order": "nothing", "index": "listed", "applied": "2 changes"},
        "event 4": "PARTIALLY_FILLED",
    }
    assert busy.contents() == damaged


def test_an_unknown_key_is_named(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("SET", "%:allocation:L1", "1")
    (found,) = auditor.verify(busy.trader)
    assert (found.kind, found.key) == (FindingKind.UNCHECKED, f"{{{busy.trader}}}:allocation:L1")

"""State whose evidence is trimmed, deleted or lost is reported as unchecked, never guessed and never repaired."""

from __future__ import annotations

import pytest
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.raw import mapping


def trim(desk: Desk, first: int) -> None:
    """Keep the events from ``first`` on, as XADD MAXLEN would."""
    desk.ask("XTRIM", "%:events", "MINID", f"{first}-0")


def messages_of_unchecked(findings: list[Finding]) -> list[str]:
    return [finding.message for finding in findings if not finding.is_difference]


def test_a_trimmed_stream_is_reported(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 6)
    assert messages_of_unchecked(auditor.verify(busy.trader)) == [
        "TSLA: no event that is kept proves its position, which was not compared",
        "events before 6 are no longer kept: what happened before was not compared",
    ]


@pytest.mark.parametrize("first", [6, 7])
def test_two_events_that_are_kept_prove_a_position_that_is_gone(busy: Desk, auditor: Auditor, first: int) -> None:
    trim(busy, first)
    before = busy.ask("HGETALL", "%:position:AAPL")
    busy.vandalise("DEL", "%:position:AAPL")
    (repair,) = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert (repair.finding.expected, repair.outcome) == ("125", RepairOutcome.REPAIRED)
    assert mapping(busy.ask("HGETALL", "%:position:AAPL")) == mapping(before)


def test_one_event_alone_proves_no_position(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 19)
    busy.vandalise("DEL", "%:position:AAPL")
    (repair,) = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert (repair.finding.expected, repair.outcome) == ("125", RepairOutcome.LEFT)
    assert repair.finding.message.endswith("; not to be repaired: only event 19 says so")


def test_after_a_gap_the_next_event_alone_proves_nothing(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("XDEL", "%:events", "7-0")
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99, "bought_quantity", 1)
    repairs = auditor.repair(busy.trader)
    assert [(one.finding.kind, one.finding.entry, one.outcome) for one in repairs if one.finding.is_difference] == [
        (FindingKind.EVENTS, "7", RepairOutcome.LEFT),
        (FindingKind.POSITION, "bought_quantity", RepairOutcome.LEFT),
        (FindingKind.POSITION, "quantity", RepairOutcome.LEFT),
    ]
    held = busy.book.positions.get(busy.trader, "AAPL")
    assert (held.quantity, held.bought_quantity) == (99, 1)


def test_a_gap_after_the_last_event_of_a_position_leaves_it_unchecked(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("XDEL", "%:events", "20-0")
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99)
    found = auditor.verify(busy.trader)
    assert [finding.kind for finding in found if finding.is_difference] == [FindingKind.EVENTS]
    assert "AAPL: no event that is kept proves its position, which was not compared" in messages_of_unchecked(found)


def test_a_request_that_an_order_remembers_is_no_gap_of_its_position(busy: Desk, auditor: Auditor) -> None:
    number = busy.book.orders.cancel(busy.trader, "A1").sequence
    busy.vandalise("XDEL", "%:events", f"{number}-0")
    found = auditor.verify(busy.trader)
    assert [finding.kind for finding in found] == [FindingKind.EVENTS]


def test_a_fill_that_an_order_remembers_is_a_gap_of_its_position_only(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("XDEL", "%:events", "16-0")
    found = auditor.verify(busy.trader)
    assert [finding.kind for finding in found if finding.is_difference] == [FindingKind.EVENTS]
    assert messages_of_unchecked(found) == ["MSFT: no event that is kept proves its position, which was not compared"]


def test_garbage_without_evidence_is_found_and_left(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 20)
    busy.vandalise("HSET", "%:position:AAPL", "sold_notional", "much", "open_sell_quantity", 7)
    repairs = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert [(repair.finding.kind, repair.finding.entry, repair.outcome) for repair in repairs] == [
        (FindingKind.POSITION, "open_sell_quantity", RepairOutcome.REPAIRED),
        (FindingKind.CORRUPT, "sold_notional", RepairOutcome.LEFT),
    ]


def test_a_position_gone_that_no_event_makes_again_is_left(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 20)
    busy.vandalise("DEL", "%:position:AAPL")
    (repair,) = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert (repair.finding.kind, repair.finding.entry, repair.outcome) == (
        FindingKind.POSITION,
        None,
        RepairOutcome.LEFT,
    )
    assert busy.ask("EXISTS", "%:position:AAPL") == 0
    assert busy.ask("SISMEMBER", "%:positions", "AAPL") == 1


def test_an_order_that_no_event_and_no_index_knows_is_left(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 20)
    busy.vandalise("COPY", "%:order:T1", "%:order:T9")
    busy.vandalise("HSET", "%:order:T9", "order_id", "T9")
    before = busy.contents()
    repairs = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert [(one.finding.kind, one.finding.entry, one.outcome) for one in repairs] == [
        (FindingKind.INDEX, "T9", RepairOutcome.LEFT),
        (FindingKind.INDEX, "T9", RepairOutcome.LEFT),
        (FindingKind.POSITION, "open_buy_quantity", RepairOutcome.LEFT),
    ]
    assert busy.contents() == before


def test_a_position_without_events_is_reported_as_unchecked(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 20)
    found = auditor.verify(busy.trader)
    assert not [finding for finding in found if finding.is_difference]
    assert "AAPL: no event that is kept proves its position, which was not compared" in messages_of_unchecked(found)


def test_a_stream_that_was_lost_goes_on_with_the_number_in_the_header(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("DEL", "%:events")
    busy.open().orders.fill(execution(busy.trader, "X3", 10))
    found = auditor.verify(busy.trader)
    assert not [finding for finding in found if finding.is_difference]
    assert "events before 21 are no longer kept: what happened before was not compared" in messages_of_unchecked(found)


def test_a_stream_that_was_lost_and_began_again_proves_nothing(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("DEL", "%:events", "%:book")
    busy.open().orders.fill(execution(busy.trader, "X3", 10))
    before = busy.contents()
    repairs = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert {repair.outcome for repair in repairs} == {RepairOutcome.LEFT}
    assert [repair.finding.message for repair in repairs if repair.finding.kind is FindingKind.EVENTS] == [
        "event 1 says of order A1 that type is TRADE, that nothing came before it make it NEW",
        "event 1 says of the position in AAPL that totals is 160 30 29956 5703.70370367 6 24338.92 "
        "86.62370367, what it adds make it 10 0 1872.2 0 1 1872.2 0",
        "event 1 says of the position in AAPL that position_quantity is 135, what it adds make it 10",
        "the stream ends with event 1, but a change is recorded as event 16",
    ]
    assert busy.contents() == before


def test_a_stream_that_began_again_and_has_grown_proves_nothing(desk: Desk, auditor: Auditor) -> None:
    trader = desk.trader
    desk.book.positions.set(trader, "AAPL", 5)
    desk.book.positions.set(trader, "AAPL", 6)
    desk.vandalise("DEL", "%:events", "%:book")
    another = desk.open()  # the first would raise StateLost
    for number in range(5):
        another.orders.place(limit(trader, f"A{number}"))
    before = desk.contents()
    repairs = auditor.repair(trader)
    positions = [repair for repair in repairs if repair.finding.kind is FindingKind.POSITION]
    assert {repair.finding.entry for repair in positions} == {"quantity", "updated_ns", "version"}
    assert {repair.outcome for repair in repairs} == {RepairOutcome.LEFT}
    assert "it has had 2 changes and the events show 0, so some were lost" in positions[0].finding.message
    assert desk.contents() == before

"""State whose evidence is trimmed, deleted or lost is reported as unchecked, never guessed and never repaired."""

from __future__ import annotations

from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome

from ...support.desk import Desk
from ...support.make import execution, limit


def trim(desk: Desk, first: int) -> None:
    """Keep the events from ``first`` on, as XADD MAXLEN would."""
    desk.ask("XTRIM", "%:events", "MINID", f"{first}-0")


def messages_of_unchecked(findings: list[Finding]) -> list[str]:
    return [finding.message for finding in findings if not finding.is_difference]


def test_a_trimmed_stream_is_reported(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 6)
    assert messages_of_unchecked(auditor.verify(busy.trader)) == [
        "events before 6 are no longer kept: what happened before was not compared"
    ]


def test_a_recorded_fill_proves_the_position_that_trimmed_events_made(busy: Desk, auditor: Auditor) -> None:
    trim(busy, 6)
    before = busy.book.positions.get(busy.trader, "AAPL")
    busy.vandalise("DEL", "%:position:AAPL")
    (repair,) = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert (repair.finding.expected, repair.outcome) == ("125", RepairOutcome.REPAIRED)
    assert busy.book.positions.get(busy.trader, "AAPL") == before


def test_without_one_only_the_quantity_is_compared(busy: Desk, auditor: Auditor) -> None:
    busy.book.orders.delete(busy.trader, "S1")
    trim(busy, 7)
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99, "bought_quantity", 1)
    found = auditor.verify(busy.trader)
    (difference,) = [finding for finding in found if finding.is_difference]
    assert (difference.entry, difference.stored, difference.expected) == ("quantity", "99", "125")
    assert messages_of_unchecked(found) == [
        "AAPL: events before 7 are trimmed or missing, so what was bought and sold then could not be checked; "
        "only the quantity was",
        "events before 7 are no longer kept: what happened before was not compared",
    ]
    auditor.repair(busy.trader)
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 125
    assert busy.book.positions.get(busy.trader, "AAPL").bought_quantity == 1


def test_garbage_without_evidence_is_found_and_left(busy: Desk, auditor: Auditor) -> None:
    busy.book.orders.delete(busy.trader, "S1")
    trim(busy, 7)
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99, "sold_notional", "much")
    repairs = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert [(repair.finding.kind, repair.finding.entry, repair.outcome) for repair in repairs] == [
        (FindingKind.POSITION, "quantity", RepairOutcome.REPAIRED),
        (FindingKind.CORRUPT, "sold_notional", RepairOutcome.LEFT),
    ]


def test_a_position_gone_that_no_event_makes_again_is_left(busy: Desk, auditor: Auditor) -> None:
    busy.book.orders.delete(busy.trader, "S1")
    for first in (7, 20):
        trim(busy, first)
        busy.vandalise("DEL", "%:position:AAPL")
        (repair,) = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
        assert (repair.finding.kind, repair.finding.entry, repair.outcome) == (
            FindingKind.POSITION,
            None,
            RepairOutcome.LEFT,
        )
        assert busy.ask("EXISTS", "%:position:AAPL") == 0
        assert busy.ask("SISMEMBER", "%:positions", "AAPL") == 1


def test_a_position_without_events_is_reported_as_unchecked(busy: Desk, auditor: Auditor) -> None:
    busy.book.orders.delete(busy.trader, "S1")
    trim(busy, 20)
    found = auditor.verify(busy.trader)
    assert not [finding for finding in found if finding.is_difference]
    assert "AAPL: no event that is kept is about its position, which was not compared" in messages_of_unchecked(found)


def test_a_stream_that_was_lost_and_began_again_proves_nothing(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("DEL", "%:events")
    busy.open().orders.fill(execution(busy.trader, "X3", 10))
    before = busy.contents()
    repairs = [repair for repair in auditor.repair(busy.trader) if repair.finding.is_difference]
    assert {repair.outcome for repair in repairs} == {RepairOutcome.LEFT}
    assert [repair.finding.message for repair in repairs if repair.finding.kind is FindingKind.EVENTS] == [
        "the stream ends with event 1, but a fill is recorded as event 16"
    ]
    assert busy.contents() == before


def test_a_stream_that_began_again_and_has_grown_proves_nothing(desk: Desk, auditor: Auditor) -> None:
    trader = desk.trader
    desk.book.positions.set(trader, "AAPL", 5)
    desk.book.positions.set(trader, "AAPL", 6)
    desk.vandalise("DEL", "%:events")
    another = desk.open()  # the first would raise StateLost
    for number in range(5):
        another.orders.place(limit(trader, f"A{number}"))
    before = desk.contents()
    repairs = auditor.repair(trader)
    assert {repair.finding.entry for repair in repairs} == {"quantity", "updated_ns", "version"}
    assert {repair.outcome for repair in repairs} == {RepairOutcome.LEFT}
    assert "it has had 2 changes and the events show 0, so some were lost" in repairs[0].finding.message
    assert desk.contents() == before

"""Own records are verified without their models: with their keys, their events, indexes, unique values and expiries."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from slotbook import Book
from slotbook.models import Delete, Insert, Put
from slotbook.models.errors import NotUnique, SlotbookError
from slotbook.repositories import Auditor
from slotbook.repositories.audit import own_calls, own_steps
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome

from ...support.audit.image import image_of
from ...support.audit.own_book import Deal, NewDeal, Note, Tick
from ...support.audit.own_damage import LEFT, LEFT_WITHOUT_EVENTS, REPAIRED, REPAIRED_WITHOUT_EVENTS, Case
from ...support.audit.repairing import repairs_of
from ...support.desk import Desk
from ...support.faults.control import wait_until
from .test_clean import differences

EVENTS_TRIMMED = ["XTRIM", "%:events", "MAXLEN", "1"]


def harm(desk: Desk, *commands: Sequence[str]) -> None:
    for command in commands:
        desk.vandalise(*command)


def shown(found: Sequence[Finding]) -> list[tuple[str, str, str | None, bool]]:
    return sorted((one.kind, one.key.partition("}:")[2], one.entry, one.repairable) for one in found)


def test_a_book_with_all_sorts_of_own_records_is_in_order(own: Desk, auditor: Auditor) -> None:
    before = own.contents()
    assert auditor.verify(own.trader) == []
    assert auditor.repair(own.trader) == []
    assert own.contents() == before


def test_pages_of_any_size_give_the_same_findings(own: Desk, auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    harm(own, ("ZREM", "%:deal_keys", "D1"), ("SET", "%:deal_unique_reference:R0", "D1"), ("DEL", "%:tick:S1:N"))
    found = auditor.verify(own.trader)
    assert len(found) == 9
    for size in (1, 2, 3):
        for module in (own_calls, own_steps):
            for name in ("RECORDS_AT_ONCE", "PLACES_AT_ONCE", "ENTRIES_AT_ONCE", "LARGE", "FIELDS_AT_ONCE"):
                monkeypatch.setattr(module, name, size, raising=False)
        assert auditor.verify(own.trader) == found


def each(table: Sequence[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", table, ids=[case.name for case in table])


@each(REPAIRED)
def test_what_follows_from_records_is_found_and_repaired(own: Desk, case: Case) -> None:
    before = image_of(own)
    harm(own, *case.commands)
    repairs = repairs_of(own, image_of(own))
    found = [one.finding for one in repairs]
    assert shown(found) == sorted((*one, True) for one in case.found)
    assert all(one.message and one.says for one in found)
    assert {one.outcome for one in repairs} <= {RepairOutcome.REPAIRED, RepairOutcome.IN_ORDER}
    assert image_of(own) == before  # which is in order, see the first test


@each(LEFT)
def test_what_only_a_human_can_decide_is_found_and_left(own: Desk, case: Case) -> None:
    harm(own, *case.commands)
    damaged = image_of(own)
    repairs = [one for one in repairs_of(own, damaged) if one.finding.is_difference]
    assert shown([one.finding for one in repairs]) == sorted((*one, False) for one in case.found)
    assert {one.outcome for one in repairs} == {RepairOutcome.LEFT}
    assert image_of(own) == damaged


@each(REPAIRED_WITHOUT_EVENTS)
def test_a_record_without_events_is_followed_where_nothing_speaks_against_it(own: Desk, case: Case) -> None:
    before = image_of(own)
    kept = [part for part in before if not part[0].endswith(":events")]
    harm(own, EVENTS_TRIMMED, *case.commands)
    repairs = [one for one in repairs_of(own, image_of(own)) if one.finding.is_difference]
    assert shown([one.finding for one in repairs]) == [(*one, True) for one in case.found]
    assert [one.outcome for one in repairs] == [RepairOutcome.REPAIRED]
    after = image_of(own)
    assert {part: after.get(part) for part in kept} == {part: before[part] for part in kept}


@each(LEFT_WITHOUT_EVENTS)
def test_a_record_without_events_that_is_contradicted_is_left(own: Desk, case: Case) -> None:
    harm(own, EVENTS_TRIMMED, *case.commands)
    damaged = image_of(own)
    found = [one.finding for one in repairs_of(own, damaged)]
    assert shown(differences(found)) == sorted((*one, False) for one in case.found)
    assert image_of(own) == damaged


def test_events_of_a_record_that_contradict_each_other_are_found(own: Desk, auditor: Auditor) -> None:
    last = own.events()[-1].sequence

    def forge(number: int, kind: str, changed: str) -> None:
        fields = {"writer": "ab", "count": "1", "type": kind, "ts_ns": "1", "request_id": "Q", "kind": "deal"}
        fields |= {"key": "D1", "version": "9", "changed": changed}
        harm(own, ["XADD", "%:events", f"{last + number}-0", *(word for pair in fields.items() for word in pair)])

    forge(1, "UPDATE", '{"account":"Z"}')
    (found,) = [one for one in auditor.verify(own.trader) if one.entry == f"{last + 1} version"]
    assert (found.kind, found.stored, found.expected) == (FindingKind.EVENTS, "9", "3")
    forge(2, "PUT", "[1]")
    (corrupt,) = [one for one in auditor.verify(own.trader) if one.entry == f"{last + 2}-0 changed"]
    assert corrupt.kind is FindingKind.CORRUPT


def test_records_that_have_expired_are_named_and_are_no_difference(lone_desk: Desk) -> None:
    class Flash(Tick, kind="tick", ttl=0.2):
        pass

    trader, book = lone_desk.trader, lone_desk.book
    for number in range(3):
        book.table(Flash).insert(Flash(trader=trader, symbol=f"S{number}", venue="N", maker="M", code=f"C{number}"))
    book.table(Note).insert(Note(trader=trader, number=1))
    while lone_desk.ask("EXISTS", "%:tick:S2:N"):
        time.sleep(0.01)
    (note,) = book.audit.verify(trader)
    assert note.kind is FindingKind.UNCHECKED
    assert note.message.startswith("3 own records that the events name expired")
    book.table(Flash).insert(Flash(trader=trader, symbol="S0", venue="N", maker="M", code="C1"))
    assert differences(book.audit.verify(trader)) == []


def test_records_that_were_brought_to_another_schema_are_in_order(new_own: Desk, auditor: Auditor) -> None:
    """To migrate a record leaves its version and makes no event."""
    trader = new_own.trader
    new_own.book.table(NewDeal).update(trader, "D1", {"external": "E9"})
    assert auditor.verify(trader) == []
    assert new_own.book.table(NewDeal).migrate([trader]).is_complete
    assert auditor.verify(trader) == []
    before = image_of(new_own)
    harm(
        new_own,
        ["ZREM", "%:deal_by_desk:D1", "D0"],
        ["DEL", "%:deal_unique_reference:R5"],
        ["ZADD", "%:deal_by_desk:other", "0", "D5"],
        ["ZREM", "%:deal_keys", "N1"],
    )
    assert len(auditor.verify(trader)) == 4
    assert {one.outcome for one in auditor.repair(trader)} == {RepairOutcome.REPAIRED}
    assert image_of(new_own) == before
    harm(new_own, ["HSET", "%:deal:D5", "desk", "moved"])
    damaged = image_of(new_own)
    found = differences(auditor.verify(trader))
    assert shown(found) == [
        (FindingKind.INDEX, "deal_by_desk:moved", "D5", False),
        (FindingKind.INDEX, "deal_by_desk:new", "D5", False),
    ]
    auditor.repair(trader)
    assert image_of(new_own) == damaged


def test_keys_that_belong_to_no_schema_are_named(own: Desk, auditor: Auditor) -> None:
    strange = ["%:deal_by_shade:red", "%:deal_unique_shade:red", "%:deal_sorted_shade", "%:deal_keys:1", "%:other:1"]
    harm(own, *(("SET", key, "D1") for key in strange))
    found = auditor.verify(own.trader)
    assert {(one.kind, one.key.partition("}")[2]) for one in found} == {
        (FindingKind.UNCHECKED, key[1:]) for key in strange
    }


def test_a_key_of_another_type_is_found(own: Desk, auditor: Auditor) -> None:
    harm(own, ("DEL", "%:deal:D1"), ("SADD", "%:deal:D1", "x"))
    found = [one for one in auditor.verify(own.trader) if one.kind is FindingKind.CORRUPT]
    assert len(found) == 1
    assert "deal:D1" in found[0].message
    assert "set" in found[0].message


def test_own_records_are_in_order_while_they_are_written(new_own: Desk, auditor: Auditor) -> None:
    """Unique values wander from record to record, records come, go and expire, and the stream is trimmed."""
    trader, over, failures = new_own.trader, threading.Event(), list[BaseException]()

    class Flash(Tick, kind="tick", ttl=0.15):
        pass

    def write(name: int) -> None:
        try:
            with Book.open(new_own.fleet.url({"events_kept": 200, "deadline": 2, "socket_timeout": 1})) as book:
                deals, number = book.table(Deal), 0
                while not over.is_set():
                    number += 1
                    key, new = f"W{name}.{number % 7}", f"W{name}.new{number}"
                    of_its_own = f"{name}.{number}"
                    tick = Flash(trader=trader, symbol=str(name), venue=str(number % 9), maker="M", code=of_its_own)
                    deal = Deal(trader=trader, deal_id=key, account=f"A{number % 5}", reference=of_its_own)
                    book.commit([Put(deal), Put(tick), Delete(Deal, trader, f"W{name}.{(number + 3) % 7}")])
                    shared = Deal(trader=trader, deal_id=new, reference=f"shared{number % 3}")
                    try:
                        book.commit([Delete(Deal, trader, key), Insert(shared)])
                        deals.update(trader, new, {"reference": None, "desk": f"D{number % 2}"})
                        deals.delete(trader, new)
                    except NotUnique:
                        pass
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    rounds, until = 0, time.monotonic() + 1.5
    try:
        while time.monotonic() < until or rounds < 2:
            assert differences(auditor.verify(trader)) == []
            rounds += 1
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert not failures
    wait_until(lambda: new_own.book.table(Tick).count(trader) == 11, "the last of the short-lived ticks expires")


def test_a_repair_writes_nothing_over_a_change_that_comes_meanwhile(new_own: Desk, auditor: Auditor) -> None:
    """A record changes between each comparison and the repair, and is never given what it had before."""
    trader, over = new_own.trader, threading.Event()
    with Book.open(new_own.fleet.url({"deadline": 2, "socket_timeout": 1})) as book:

        def write() -> None:
            number = 0
            while not over.is_set():
                number += 1
                try:
                    book.table(Deal).update(trader, "D1", {"account": f"B{number % 3}", "reference": f"Z{number % 3}"})
                except SlotbookError as error:
                    failures.append(error)

        failures = list[SlotbookError]()
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(10):
                new_own.vandalise("ZREM", f"%:deal_by_account:B{number % 3}", "D1")
                new_own.vandalise("ZADD", "%:deal_by_account:stray", "inf", "D1")
                auditor.repair(trader)
        finally:
            over.set()
            writer.join()
    auditor.repair(trader)
    assert differences(auditor.verify(trader)) == []
    assert not failures

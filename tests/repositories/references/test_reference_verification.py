"""Test what ``verify`` says of records without a trader: nothing of good ones, and each that cannot be read."""

from __future__ import annotations

from slotbook.repositories.audit.findings import FindingKind

from .conftest import Kind


def prepare(kind: Kind) -> None:
    """Have three records, one that was deleted, and requests that are remembered."""
    kind.table.insert_many([kind.make(key) for key in ("A", "B", "C", "D")])
    kind.table.update("A", {"lots": 2}, request_id="Q1")
    kind.table.delete("D", request_id="Q2")
    kind.table.delete("none", request_id="Q3")


def test_of_good_records_there_is_nothing_to_say(venues: Kind) -> None:
    prepare(venues)
    before = venues.contents()
    assert venues.table.verify() == []
    assert venues.contents() == before


def test_each_that_cannot_be_read_is_named(venues: Kind) -> None:
    prepare(venues)
    venues.ask("HSET", "A", "version", "x")
    venues.ask("HSET", "B", "mic", "A")
    venues.ask("HSET", "C", "@schema", "7")
    venues.ask("SET", "E", "theirs")
    broken = {f"{{{venues.name}:{key}}}:record_{rest}" for key, rest in (("A", "request:Q1"), ("D", "deleted"))}
    for key in broken:
        venues.desk.fleet.ask(key, "SET", key, "what", "PX", 60_000)
    lasting = f"{{{venues.name}:D}}:record_request:Q2"
    venues.desk.fleet.ask(lasting, "PERSIST", lasting)
    findings = venues.table.verify()
    assert {(one.key, one.kind, one.entry) for one in findings} == {
        (f"{venues.name}:A", FindingKind.CORRUPT, "version"),
        (f"{venues.name}:B", FindingKind.CORRUPT, "mic"),
        (f"{venues.name}:C", FindingKind.UNCHECKED, "@schema"),
        (f"{venues.name}:E", FindingKind.CORRUPT, None),
        *((key, FindingKind.CORRUPT, None) for key in broken),
        (lasting, FindingKind.EXPIRY, None),
    }
    assert [one for one in findings if one.key not in one.message or one.repairable or one.trader] == []
    venues.desk.fleet.ask(lasting, "DEL", lasting)


def test_what_is_remembered_is_no_string(lone_venues: Kind) -> None:
    key = f"{{{lone_venues.name}:A}}:record_request:Q1"
    lone_venues.desk.fleet.ask(key, "HSET", key, "a", 1)
    (finding,) = lone_venues.table.verify()
    assert (finding.key, finding.kind) == (key, FindingKind.CORRUPT)
    lone_venues.desk.fleet.ask(key, "DEL", key)

"""Test records without a trader on every topology, for threads and for asyncio."""

from __future__ import annotations

from collections.abc import Callable
from types import new_class
from typing import Annotated, Any

import pytest
from slotbook.models import Entity, Key
from slotbook.models.errors import (
    CorruptRecord,
    DuplicateRecord,
    DuplicateRequest,
    InvalidArgument,
    RecordNotFound,
    VersionConflict,
    WrongType,
)
from slotbook.models.types import Name

from ...support.desk import Desk
from ...support.faults.control import wait_until
from .conftest import Fee, Kind, Venue, kind_of, remove


def test_a_record_is_inserted_once_and_read_back(venues: Kind) -> None:
    table, record = venues.table, venues.make(note='two\nlines "and"', lots=5)
    first, again = table.insert(record, ts_ns=5), table.insert(record, ts_ns=6)
    assert (first.applied, first.version, first.sequence) == (True, 1, 0)
    assert first.record == record.model_copy(update={"version": 1, "updated_ns": 5})
    assert (again.applied, again.version, again.sequence, again.record) == (False, 1, 0, first.record)
    assert table.get("XNAS") == first.record
    assert (table.exists("XNAS"), table.exists("XLON"), table.get("XLON")) == (True, False, None)
    with pytest.raises(DuplicateRecord) as refused:
        table.insert(venues.make())
    assert refused.value.record == first.record
    assert venues.stored() == [f"{venues.name}:XNAS"]


def test_put_update_and_delete_are_known_by_their_requests(venues: Kind) -> None:
    table, make = venues.table, venues.make
    table.insert(make(note="a"))
    put = table.put(make(lots=2), request_id="Q1", expected_version=1, ts_ns=7)
    assert put.record == make(lots=2).model_copy(update={"version": 2, "updated_ns": 7})
    update = table.update("XNAS", {"lots": 3, "note": "b"}, request_id="Q2", expected_version=2)
    assert (update.record.lots, update.record.note, update.version) == (3, "b", 3)
    assert table.update("XNAS", {"note": None}).record == table.get("XNAS")
    assert venues.ask("HEXISTS", "XNAS", "note") == 0
    before = venues.contents()
    for first, again in (
        (put, table.put(make(lots=2), request_id="Q1", expected_version=1)),
        (update, table.update("XNAS", {"note": "b", "lots": 3}, request_id="Q2", expected_version=2)),
    ):
        assert (again.applied, again.version, again.sequence) == (False, first.version, 0)
        assert again.record == table.get("XNAS")
    for other in (
        lambda: table.update("XNAS", {"lots": 3}, request_id="Q2", expected_version=2),
        lambda: table.update("XNAS", {"lots": 3, "note": "b"}, request_id="Q2"),
        lambda: table.put(make(lots=3, note="b"), request_id="Q2", expected_version=2),
        lambda: table.delete("XNAS", request_id="Q2", expected_version=2),
    ):
        with pytest.raises(DuplicateRequest):
            other()
    assert venues.contents() == before
    gone = table.delete("XNAS", request_id="Q3")
    assert (gone.applied, gone.version, gone.record, table.get("XNAS")) == (True, 5, None, None)
    table.put(make())
    again = table.delete("XNAS", request_id="Q3")
    assert (again.applied, again.version, again.record) == (False, 5, table.get("XNAS"))
    assert again.record is not None
    assert table.put(make("XLON"), request_id="Q3").applied, "a request is one of its record"


def test_versions_are_compared_and_what_is_not_there_is_not_updated(venues: Kind) -> None:
    table, make = venues.table, venues.make
    with pytest.raises(RecordNotFound):
        table.update("XNAS", {"lots": 3})
    with pytest.raises(VersionConflict) as refused:
        table.put(make(), expected_version=3)
    assert (refused.value.expected, refused.value.actual) == (3, 0)
    assert venues.stored() == []
    assert table.put(make(), expected_version=0).version == 1
    changes: tuple[Callable[[], object], ...] = (
        lambda: table.put(make(lots=2), expected_version=0),
        lambda: table.update("XNAS", {"lots": 2}, expected_version=0),
        lambda: table.delete("XNAS", expected_version=0),
    )
    for change in changes:
        with pytest.raises(VersionConflict) as refused:
            change()
        assert (refused.value.expected, refused.value.actual) == (0, 1)
    assert table.get("XNAS").lots == 1
    absent = table.delete("XLON", request_id="Q1")
    assert (absent.applied, absent.version, absent.record) == (False, 0, None)
    assert table.delete("XLON", expected_version=4).applied is False


def test_a_late_insert_does_not_bring_back_what_was_deleted_but_put_does(venues: Kind) -> None:
    table, first, other = venues.table, venues.make(), venues.make(lots=9)
    for record in (first, other):
        table.insert(record)
        table.delete("XNAS")
    for record in (first, other):
        late = table.insert(record)
        assert (late.applied, late.version, late.record) == (False, 1, None)
    assert table.count() == 0
    assert table.put(first).version == 1
    late = table.insert(other)
    assert (late.applied, late.record) == (False, table.get("XNAS"))
    table.update("XNAS", {"lots": 4})
    assert table.insert(first).record.lots == 4, "an insert is known by what was put or inserted first"


def test_what_is_remembered_is_for_request_ttl(lone_desk: Desk) -> None:
    kind = kind_of(lone_desk)
    table = lone_desk.open(request_ttl=1_000).reference(kind.model)
    table.put(kind.make(), request_id="Q1")
    table.delete("XNAS", request_id="Q2")
    beside = "{" + f"{kind.name}:XNAS" + "}:record_"
    assert kind.stored() == [f"{beside}deleted", f"{beside}request:Q1", f"{beside}request:Q2"]
    for key in kind.stored():
        left = lone_desk.fleet.ask(key, "PTTL", key)
        assert isinstance(left, int)
        assert 990_000 < left <= 1_000_000
    for key in kind.stored():
        lone_desk.fleet.ask(key, "DEL", key)
    assert table.insert(kind.make()).applied, "when it is forgotten, it is a new record"
    remove(kind)


def test_records_are_listed_in_the_order_of_their_keys(venues: Kind) -> None:
    table = venues.table
    names = ["a", "B:2", "ä", "b", "B", "Z%", "A" * 100]
    outcomes = table.insert_many([venues.make(name) for name in names])
    assert [outcome.result().record.mic for outcome in outcomes] == names
    table.delete("b")
    there = sorted(set(names) - {"b"}, key=str.encode)
    assert [one.mic for one in table.all()] == there
    assert [one.mic for one in table.iter()] == there
    assert table.count() == len(there)
    assert [one.mic for one in table.all(limit=2)] == there[:2]
    assert [one.mic for one in table.all(limit=2, after=there[1])] == there[2:4]
    assert [one.mic for one in table.all(after="B1")] == [name for name in there if name.encode() > b"B1"]
    found = [outcome.result() for outcome in table.get_many(["a", "none", "ä"])]
    assert [one and one.mic for one in found] == ["a", None, "ä"]
    for limit in (0, True, "3"):
        with pytest.raises(InvalidArgument, match="limit"):
            table.all(limit=limit)


def test_more_than_a_page_is_listed(lone_venues: Kind) -> None:
    table, names = lone_venues.table, [f"V{number:04}" for number in range(2_100)]
    assert all(one.result().applied for one in table.insert_many([lone_venues.make(name) for name in names]))
    assert table.count() == 2_100
    assert [one.mic for one in table.all()] == [one.mic for one in table.iter()] == names
    assert [one.mic for one in table.all(limit=1_500, after="V0099")] == names[100:1_600]


@pytest.mark.parametrize("desk", [("standalone", "sync")], ids="-".join, indirect=True)
def test_what_is_gone_since_its_key_was_found_is_not_counted_to_the_limit(
    venues: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, backend = venues.table, venues.desk.book.backend
    scan = backend.scan

    def scan_and_remove(pattern: str) -> set[str]:
        found = scan(pattern)
        for key in ("A", "C"):
            table.delete(key)
        return found

    monkeypatch.setattr(backend, "scan", scan_and_remove)
    for limit, there in ((1, ["B"]), (2, ["B", "D"]), (3, ["B", "D", "E"]), (None, ["B", "D", "E"])):
        table.put_many([venues.make(key) for key in "ABCDE"])
        assert [one.mic for one in table.all(limit=limit)] == there
    table.put_many([venues.make(key) for key in "ABCDE"])
    assert [one.mic for one in table.iter()] == ["B", "D", "E"]


def test_many_are_stored_at_once_each_with_its_outcome(venues: Kind) -> None:
    table, make = venues.table, venues.make
    table.insert(make("A"))
    outcomes = table.insert_many([make("A", lots=2), make("B"), make("B"), make("C")])
    assert isinstance(outcomes[0].error, DuplicateRecord)
    assert [one.result().applied for one in outcomes[1:]] == [True, False, True]
    records = [make("A", lots=3), make("B", lots=3)]
    first = [one.result() for one in table.put_many(records, request_ids=["Q1", "Q2"])]
    again = [one.result() for one in table.put_many(records, request_ids=["Q1", "Q2"])]
    assert [(one.applied, one.version) for one in first + again] == [(True, 2), (True, 2), (False, 2), (False, 2)]
    assert [one.result().version for one in table.put_many(records)] == [3, 3]
    for request_ids in (["Q1"], ["Q1", "Q2", "Q3"], "Q1", ["Q1", True]):
        with pytest.raises(InvalidArgument, match="request_id"):
            table.put_many(records, request_ids=request_ids)


def test_a_composite_key_is_a_tuple_of_its_values(desk: Desk) -> None:
    kind = kind_of(desk, Fee)
    table, model = kind.table, kind.model
    for pair in (("a:b", "c"), ("a", "b:c"), ("%3A", ":"), ("", "x")):
        table.insert(model(venue=pair[0], symbol=pair[1]))
    assert kind.stored() == sorted(f"{kind.name}:{key}" for key in ("a%3Ab:c", "a:b:c", "%253A::", ":x"))
    assert table.get(("a", "b:c")).symbol == "b:c"
    assert table.update(("a:b", "c"), {"rate": 3}).record.rate == 3
    assert [outcome.result().rate for outcome in table.get_many([("a:b", "c"), ("%3A", ":")])] == [3, 1]
    assert (table.delete(("%3A", ":")).applied, table.exists(("%3A", ":")), table.count()) == (True, False, 3)
    with pytest.raises(InvalidArgument, match="the key is venue and symbol"):
        table.get("a")
    for bad in ("{a}", "a{", "}"):
        with pytest.raises(InvalidArgument, match="a key without a trader has no braces"):
            table.insert(model(venue="a", symbol=bad))
        with pytest.raises(InvalidArgument, match="a key without a trader has no braces"):
            table.get((bad, "a"))
    remove(kind)


def test_records_with_a_ttl_are_gone_after_their_last_change(lone_desk: Desk) -> None:
    kind = kind_of(lone_desk, ttl=0.3)
    kind.table.insert(kind.make())
    kind.table.put(kind.make("XLON"))
    wait_until(lambda: kind.table.count() == 0, "the records expire")
    assert (kind.table.all(), kind.table.get("XNAS")) == ([], None)
    assert kind.table.insert(kind.make()).version == 1
    remove(kind)


def test_a_change_renews_the_ttl_and_a_model_may_lose_its_own(lone_desk: Desk) -> None:
    kind = kind_of(lone_desk, ttl=100)
    kind.table.insert(kind.make())
    kind.ask("PEXPIRE", "XNAS", 5_000)
    kind.table.update("XNAS", {"lots": 3})
    left = kind.ask("PTTL", "XNAS")
    assert isinstance(left, int)
    assert 90_000 < left <= 100_000

    stays = new_class("Venue", (Venue,), {"kind": kind.name})
    lone_desk.book.reference(stays).update("XNAS", {"lots": 4})
    assert kind.ask("PTTL", "XNAS") == -1
    remove(kind)


def first(outcomes: list[Any]) -> object:
    return outcomes[0].result()


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("version", "one", "version"),
        ("mic", "XLON", "'XLON' is not 'XNAS'"),
        ("@schema", "seven", "@schema"),
        ("more", "x", "is no field of Venue"),
        ("lots", "x", "lots"),
    ],
)
def test_what_cannot_be_read_is_named(lone_venues: Kind, field: str, text: str, problem: str) -> None:
    table = lone_venues.table
    table.insert(lone_venues.make())
    lone_venues.ask("HSET", "XNAS", field, text)
    before = lone_venues.contents()
    for read in (lambda: table.get("XNAS"), table.all, lambda: first(table.get_many(["XNAS"]))):
        with pytest.raises(CorruptRecord, match=problem) as caught:
            read()
        assert caught.value.key == f"{lone_venues.name}:XNAS"
    if field in ("version", "@schema"):
        for change in (lambda: table.update("XNAS", {"lots": 2}), lambda: table.delete("XNAS")):
            with pytest.raises(CorruptRecord, match=problem):
                change()
        assert lone_venues.contents() == before


def test_a_remembered_request_that_cannot_be_read_is_named(lone_venues: Kind) -> None:
    lone_venues.table.put(lone_venues.make(), request_id="Q1")
    key = "{" + f"{lone_venues.name}:XNAS" + "}:record_request:Q1"
    lone_venues.desk.fleet.ask(key, "SET", key, "what", "PX", 60_000)
    with pytest.raises(CorruptRecord) as caught:
        lone_venues.table.put(lone_venues.make(), request_id="Q1")
    assert caught.value.key == key


def test_keys_of_other_programs_are_no_records(venues: Kind) -> None:
    base, ask = f"{venues.name}:".encode(), venues.desk.fleet.ask
    foreign = [base + name for name in (b"\xff", b"", b"{x}", b"a}b")]
    for key in foreign:
        ask(key, "SET", key, "theirs")
    venues.table.insert(venues.make())
    assert [one.mic for one in venues.table.all()] == ["XNAS"]
    assert venues.table.count() == 1
    for key in foreign:
        ask(key, "DEL", key)
    venues.ask("SET", "XLON", "theirs")
    for change in (venues.table.all, lambda: venues.table.put(venues.make("XLON"))):
        with pytest.raises(WrongType):
            change()
    venues.ask("DEL", "XLON")


def test_a_book_of_another_prefix_has_other_records(venues: Kind) -> None:
    other = venues.desk.open(prefix="p[1]*:").reference(venues.model)
    venues.table.insert(venues.make())
    assert (other.get("XNAS"), other.count()) == (None, 0)
    other.insert(venues.make("XLON"))
    assert [one.mic for one in other.all()] == ["XLON"]
    assert [one.mic for one in venues.table.all()] == ["XNAS"]


def test_wrong_arguments_are_refused_before_anything_is_sent(lone_venues: Kind) -> None:
    table = lone_venues.table
    table.insert(lone_venues.make())
    before = lone_venues.contents()

    class Other(Entity, kind="other_venue"):
        mic: Annotated[Name, Key]

    wrong: tuple[tuple[Callable[[], object], str], ...] = (
        (lambda: table.update("XNAS", {"lotz": 2}), "the nearest is lots"),
        (lambda: table.update("XNAS", {"mic": "XLON"}), "it names the record"),
        (lambda: table.update("XNAS", {"lots": "many"}), "lots"),
        (lambda: table.update("XNAS", {}), "at least one"),
        (lambda: table.insert(Other(mic="XNAS")), "not a Venue"),
        (lambda: table.put(lone_venues.make(), expected_version=-1), "expected_version"),
        (lambda: table.put(lone_venues.make(), request_id="a b\n"), "request_id"),
        (lambda: table.delete("XNAS", ts_ns=1.5), "ts_ns"),
        (lambda: table.get(("XNAS", "X")), "the key is mic"),
        (lambda: table.get_many("XNAS"), "list of keys"),
        (lambda: table.insert_many(5), "records"),
    )
    for call, problem in wrong:
        with pytest.raises(InvalidArgument, match=problem):
            call()
    assert lone_venues.contents() == before

"""Events of own records that no book writes so are found, and nothing is compared with them or repaired by them."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models.enums import EventType
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome

from ...support.audit.image import image_of
from ...support.audit.own_damage import FAR
from ...support.desk import Desk, on_one_server

pytestmark = on_one_server


def forge(desk: Desk, verb: str, key: str, version: int, changed: str = "{}", kind: str = "deal") -> int:
    """Append an event of an own record by hand, and return its number."""
    number = desk.events()[-1].sequence + 1
    fields = {"writer": "ab", "count": "1", "type": verb, "ts_ns": "1", "kind": kind, "key": key}
    fields["version"] = str(version)
    if verb != "INSERT":
        fields["request_id"] = "Q"
    if verb != "DELETE":
        fields["changed"] = changed
    desk.vandalise("XADD", "%:events", f"{number}-0", *(word for pair in fields.items() for word in pair))
    return number


def number_of(desk: Desk, verb: EventType, key: str, kind: str = "deal") -> int:
    """Return the number of the last event of a kind that a record has."""
    events = [one.sequence for one in desk.events() if (one.type, one.kind, one.key) == (verb, kind, key)]
    return events[-1]


def about(found: list[Finding], *places: str) -> list[Finding]:
    """Return the findings about places, which are keys without the trader."""
    return [one for one in found if one.key.partition("}:")[2] in places]


def contradictions(desk: Desk, auditor: Auditor, number: int) -> list[tuple[str, str | None, str | None]]:
    """Return what is found of one event: the field, what it is, and what those before make it."""
    found = [one for one in about(auditor.verify(desk.trader), "events") if (one.entry or "").startswith(str(number))]
    assert {(one.kind, one.repairable) for one in found} <= {(FindingKind.EVENTS, False)}
    return [((one.entry or "").partition(" ")[2], one.stored, one.expected) for one in found]


@pytest.mark.parametrize(
    ("key", "verb", "version", "found"),
    [
        ("D3", "INSERT", 1, []),
        ("D3", "PUT", 1, []),
        ("D3", "INSERT", 3, [("version", "3", "1")]),
        ("D3", "PUT", 3, [("version", "3", "1")]),
        ("D3", "PUT", 2, [("version", "2", "1")]),
        ("D3", "UPDATE", 1, [("type", "UPDATE", "INSERT")]),
        ("D3", "UPDATE", 3, [("type", "UPDATE", "INSERT")]),
        ("D3", "DELETE", 1, [("type", "DELETE", "INSERT")]),
        ("D1", "PUT", 3, []),
        ("D1", "PUT", 1, []),
        ("D1", "PUT", 2, [("version", "2", "3")]),
        ("D1", "PUT", 4, [("version", "4", "3")]),
        ("D1", "INSERT", 1, []),
        ("D1", "INSERT", 3, [("version", "3", "1")]),
        ("D1", "UPDATE", 3, []),
        ("D1", "UPDATE", 1, [("version", "1", "3")]),
        ("D1", "DELETE", 3, []),
        ("D1", "DELETE", 2, [("version", "2", "3")]),
        ("D4", "PUT", 2, []),
        ("D4", "PUT", 4, [("version", "4", "2")]),
        ("new", "INSERT", 1, []),
        ("new", "PUT", 1, []),
        ("new", "PUT", 2, [("version", "2", "1")]),
        ("new", "UPDATE", 1, [("type", "UPDATE", "INSERT")]),
        ("new", "DELETE", 1, [("type", "DELETE", "INSERT")]),
    ],
)
def test_each_event_goes_on_from_the_one_before(
    own: Desk, auditor: Auditor, key: str, verb: str, version: int, found: list[tuple[str, str, str]]
) -> None:
    assert contradictions(own, auditor, forge(own, verb, key, version)) == found


@pytest.mark.parametrize("verb", ["UPDATE", "PUT", "DELETE"])
def test_what_came_before_events_that_are_not_kept_is_not_known(own: Desk, auditor: Auditor, verb: str) -> None:
    own.vandalise("XTRIM", "%:events", "MAXLEN", "1")
    assert contradictions(own, auditor, forge(own, verb, "D1", 7)) == []
    assert contradictions(own, auditor, forge(own, "INSERT", "D2", 7)) == [("version", "7", "1")]


def test_no_record_is_compared_with_events_that_contradict_each_other(own: Desk, auditor: Auditor) -> None:
    forge(own, "UPDATE", "D1", 9, '{"account":"Z"}')
    forge(own, "DELETE", "D2", 9)
    forge(own, "PUT", "gone", 9)
    found = auditor.verify(own.trader)
    assert [one.key for one in found if one.kind is FindingKind.RECORD] == []
    own.vandalise("HSET", "%:deal:D1", "quantity", "77")
    assert about(auditor.verify(own.trader), "deal:D1", "deal:D2", "deal:gone") == []


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (("ZADD", "%:deal_keys", "0", "D3"), "deal_keys"),
        (("ZADD", "%:deal_by_account:ACC1", "0", "D3"), "deal_by_account:ACC1"),
        (("ZADD", "%:deal_sorted_price", "0", "c:D3"), "deal_sorted_price"),
        (("SET", "%:deal_unique_reference:free", "D3"), "deal_unique_reference:free"),
    ],
)
def test_what_names_a_record_is_left_while_its_events_contradict_each_other(
    own: Desk, auditor: Auditor, damage: tuple[str, ...], place: str
) -> None:
    """The events say last that it was deleted, and are not to be believed."""
    forge(own, "UPDATE", "D3", 9)
    forge(own, "DELETE", "D3", 10)
    own.vandalise(*damage)
    damaged = image_of(own)
    (found,) = about(auditor.verify(own.trader), place)
    assert not found.repairable
    (repair,) = [one for one in auditor.repair(own.trader) if one.finding.key == found.key]
    assert repair.outcome is RepairOutcome.LEFT
    assert image_of(own) == damaged


def test_a_place_is_left_that_only_events_could_prove_which_contradict_each_other(own: Desk, auditor: Auditor) -> None:
    own.vandalise("ZREM", "%:deal_by_account:ACC2", "D1")
    own.vandalise("ZADD", "%:deal_by_account:Y", "0", "D1")
    both = "deal_by_account:ACC2", "deal_by_account:Y"
    assert [one.repairable for one in about(auditor.verify(own.trader), *both)] == [True, True]
    forge(own, "UPDATE", "D1", 9)
    assert [one.repairable for one in about(auditor.verify(own.trader), *both)] == [False, False]


def remember(desk: Desk, key: str, number: int) -> None:
    """Let a deleted record be remembered with the number of another event."""
    content = str(desk.ask("GET", f"%:deal_deleted:{key}")).partition(" ")[2]
    desk.vandalise("SET", f"%:deal_deleted:{key}", f"{number} {content}", "KEEPTTL")


def test_a_deletion_that_is_remembered_with_another_event_is_found(own: Desk, auditor: Auditor) -> None:
    deleted, put = number_of(own, EventType.DELETE, "D3"), number_of(own, EventType.PUT, "D3")
    assert own.events()[deleted].key == "D4"
    for number, why in ((put, "wrote it"), (deleted + 1, "is of another record"), (1, "is of an order")):
        remember(own, "D3", number)
        (found,) = auditor.verify(own.trader)
        assert (found.kind, found.key.partition("}:")[2], found.repairable) == (
            *(FindingKind.RECORD, "deal_deleted:D3"),
            False,
        ), why
        assert f"event {number:,}, which is another" in found.message
    remember(own, "D3", deleted)
    assert auditor.verify(own.trader) == []


def test_a_deletion_that_is_remembered_beside_its_record_is_compared_too(own: Desk, auditor: Auditor) -> None:
    put = number_of(own, EventType.PUT, "D4")
    assert own.ask("EXISTS", "%:deal:D4") == 1
    remember(own, "D4", put)
    (found,) = auditor.verify(own.trader)
    assert (found.kind, found.key.partition("}:")[2]) == (FindingKind.RECORD, "deal_deleted:D4")


def test_a_deletion_by_an_event_that_is_not_kept_is_no_difference(own: Desk, auditor: Auditor) -> None:
    last = own.events()[-1].sequence
    own.vandalise("XTRIM", "%:events", "MAXLEN", "1")
    for number, is_found in ((1, False), (last - 1, False), (last, True)):
        remember(own, "D3", number)
        assert bool(about(auditor.verify(own.trader), "deal_deleted:D3")) is is_found


def test_a_deletion_by_an_event_that_the_stream_lost_shows_its_end(own: Desk, auditor: Auditor) -> None:
    last = own.events()[-1].sequence
    remember(own, "D3", last + 1)
    found = auditor.verify(own.trader)
    assert [(one.kind, one.stored, one.expected) for one in about(found, "events")] == [
        (FindingKind.EVENTS, str(last), str(last + 1))
    ]


def test_values_are_not_compared_where_a_change_in_between_may_be_lost(own: Desk, auditor: Auditor) -> None:
    own.vandalise("HSET", "%:deal:D1", "quantity", "77")
    (found,) = about(auditor.verify(own.trader), "deal:D1")
    assert found.entry == "quantity"
    between = number_of(own, EventType.PUT, "D1") + 1
    assert between < number_of(own, EventType.UPDATE, "D1")
    own.vandalise("XDEL", "%:events", f"{between}-0")
    assert about(auditor.verify(own.trader), "deal:D1") == []
    own.vandalise("HSET", "%:deal:D1", "version", "7")
    (found,) = about(auditor.verify(own.trader), "deal:D1")
    assert found.entry == "version"


def test_a_record_is_not_ended_because_its_places_did_long_ago(own: Desk, auditor: Auditor) -> None:
    for place, member in (("keys", "D2"), ("by_account", "D2"), ("sorted_price", str(price_of(own, "D2")))):
        value = ":ACC1" if place == "by_account" else ""
        own.vandalise("ZADD", f"%:deal_{place}@expiry{value}", "1", member)
    (found,) = about(auditor.verify(own.trader), "deal:D2")
    assert (found.kind, found.stored, found.expected, found.repairable) == (FindingKind.EXPIRY, "inf", "1", False)
    before = own.ask("HGETALL", "%:deal:D2")
    auditor.repair(own.trader)
    assert own.ask("HGETALL", "%:deal:D2") == before
    assert own.ask("PEXPIRETIME", "%:deal:D2") == -1


def price_of(desk: Desk, key: str) -> str:
    """Return the member of a deal in the index that is sorted by price."""
    members = cast("list[str]", desk.ask("ZRANGE", "%:deal_sorted_price", "0", "-1"))
    (member,) = [one for one in members if one.endswith(f":{key}")]
    return member


def test_an_entry_of_no_record_that_has_expired_is_no_difference(own: Desk, auditor: Auditor) -> None:
    for expiry, number in (("1", 0), (FAR, 1)):
        own.vandalise("ZADD", "%:tick_by_maker:M", "0", "ghost:N")
        own.vandalise("ZADD", "%:tick_by_maker@expiry:M", expiry, "ghost:N")
        found = [one for one in about(auditor.verify(own.trader), "tick_by_maker:M") if one.entry == "ghost:N"]
        assert len(found) == number


def test_a_record_that_expires_is_named_where_the_header_says_that_all_stay(own: Desk, auditor: Auditor) -> None:
    assert [own.ask("HGET", "%:book", f"stay:{kind}") for kind in ("deal", "tick")] == ["1", None]
    own.vandalise("HSET", "%:book", "stay:tick", "1")
    (found,) = auditor.verify(own.trader)
    assert (found.kind, found.entry, found.expected) == (FindingKind.RECORD, "stay:tick", "0")
    assert found.key.endswith(":book")
    own.vandalise("HSET", "%:book", "stay:tick", "x")
    (found,) = auditor.verify(own.trader)
    assert (found.kind, found.entry, found.stored) == (FindingKind.CORRUPT, "stay:tick", "x")


def test_a_repair_by_which_a_record_expires_says_so_in_the_header(own: Desk, auditor: Auditor) -> None:
    own.vandalise("PEXPIREAT", "%:deal:D1", FAR)
    own.vandalise("ZREM", "%:deal_keys", "D1")
    own.vandalise("ZADD", "%:deal_keys@expiry", FAR, "D1")
    for place, member in (("by_account", "D1"), ("sorted_price", str(price_of(own, "D1")))):
        own.vandalise("ZREM", f"%:deal_{place}{':ACC2' if place == 'by_account' else ''}", member)
    auditor.repair(own.trader)
    assert own.ask("ZSCORE", "%:deal_keys@expiry", "D1") == FAR
    assert own.ask("HGET", "%:book", "stay:deal") == "0"


def test_a_unique_value_is_not_given_while_when_its_record_ends_is_wrong(own: Desk, auditor: Auditor) -> None:
    before = image_of(own)
    own.vandalise("PEXPIREAT", "%:deal:D1", FAR)
    own.vandalise("DEL", "%:deal_unique_reference:R1b")
    found = auditor.verify(own.trader)
    assert {(one.kind, one.repairable) for one in found} == {(FindingKind.EXPIRY, True), (FindingKind.UNIQUE, False)}
    auditor.repair(own.trader)
    auditor.repair(own.trader)
    assert image_of(own) == before

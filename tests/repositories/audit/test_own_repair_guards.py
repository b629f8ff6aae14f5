"""A repair of an own record writes only what is as it was compared: each is sent with something changed in between."""

from __future__ import annotations

import pytest
from slotbook.models.keys import Keys
from slotbook.repositories import Auditor
from slotbook.repositories.audit.findings import Finding
from slotbook.repositories.audit.own_calls import read_records
from slotbook.repositories.audit.own_states import OwnState
from slotbook.repositories.audit.repair_calls import repair_lifetime, repair_own
from slotbook.topology.call import Call

from ...support.audit.image import Image, Stored, image_of, keep, put_back
from ...support.audit.own_damage import FAR
from ...support.desk import Desk, on_one_server

ACC2, R1B, CODE = "deal_by_account:ACC2", "deal_unique_reference:R1b", "tick_unique_code:C1"
NEARER, KINDS = "9999999999998", ("HSET", "%:deal:D1")
Line = tuple[str, str, str, tuple[str, ...]]
"""The record, the place that names it and is not in line, how it is damaged, and what happens before the repair."""
CHANGED: dict[str, Line] = {
    "another version": ("D1", ACC2, f"ZREM %:{ACC2} D1", (*KINDS, "version", "9")),
    "no version": ("D1", ACC2, f"ZREM %:{ACC2} D1", ("HDEL", "%:deal:D1", "version")),
    "another value": ("D1", ACC2, f"ZREM %:{ACC2} D1", (*KINDS, "account", "ACC3")),
    "no value": ("D1", ACC2, f"ZREM %:{ACC2} D1", ("HDEL", "%:deal:D1", "account")),
    "no record": ("D1", ACC2, f"ZREM %:{ACC2} D1", ("DEL", "%:deal:D1")),
    "an entry until then": ("D1", ACC2, f"ZREM %:{ACC2} D1", ("ZADD", "%:deal_by_account@expiry:ACC2", FAR, "D1")),
    "an entry again": ("D1", "deal_keys", "ZREM %:deal_keys D1", ("ZADD", "%:deal_keys", "0", "D1")),
    "an entry that ends sooner": (
        *("D1", "deal_keys", f"ZADD %:deal_keys@expiry {FAR} D1"),
        ("ZADD", "%:deal_keys@expiry", NEARER, "D1"),
    ),
    "a stray entry and another version": (
        *("D1", "deal_by_account:Z", "ZADD %:deal_by_account:Z 0 D1"),
        (*KINDS, "version", "9"),
    ),
    "a stray entry that is none any more": (
        *("D1", "deal_by_account:Z", "ZADD %:deal_by_account:Z 0 D1"),
        (*KINDS, "account", "Z"),
    ),
    "a stray entry of a value, and an empty one": (
        *("D2", "deal_by_desk:Z", "ZADD %:deal_by_desk:Z 0 D2"),
        ("HSET", "%:deal:D2", "desk", ""),
    ),
    "a deleted record that is there again": (
        "D3",
        "deal_keys",
        "ZADD %:deal_keys 0 D3",
        ("COPY", "%:deal:D1", "%:deal:D3"),
    ),
    "another price": (
        *("D1", "deal_sorted_price", "ZREM %:deal_sorted_price bn9888:D1"),
        (*KINDS, "price", "2"),
    ),
    "a price and another version": (
        *("D1", "deal_sorted_price", "ZADD %:deal_sorted_price 0 c:D1"),
        (*KINDS, "version", "9"),
    ),
    "a unique value and another version": ("D1", R1B, f"DEL %:{R1B}", (*KINDS, "version", "9")),
    "another unique value": ("D1", R1B, f"DEL %:{R1B}", (*KINDS, "reference", "R8")),
    "a unique value that is taken": ("D1", R1B, f"DEL %:{R1B}", ("SET", f"%:{R1B}", "D2")),
    "a unique value of yet another": ("D1", R1B, f"SET %:{R1B} D2", ("SET", f"%:{R1B}", "D0")),
    "a unique value that its owner has": ("D1", R1B, f"SET %:{R1B} D2", ("HSET", "%:deal:D2", "reference", "R1b")),
    "a unique value that ends sooner": (
        *("D1", R1B, f"PEXPIREAT %:{R1B} {FAR}"),
        ("PEXPIREAT", f"%:{R1B}", NEARER),
    ),
    "a stray unique value that is taken": (
        *("D1", "deal_unique_reference:free", "SET %:deal_unique_reference:free D1"),
        ("SET", "%:deal_unique_reference:free", "D2"),
    ),
    "a stray unique value that is its own": (
        *("D1", "deal_unique_reference:free", "SET %:deal_unique_reference:free D1"),
        (*KINDS, "reference", "free"),
    ),
    "a unique value of a kind that expires": ("S1:N", CODE, f"DEL %:{CODE}", ("HSET", "%:tick:S1:N", "version", "9")),
}


def compared(desk: Desk, auditor: Auditor, key: str, place: str) -> tuple[OwnState, Finding]:
    """Return a record and the finding about one of its places, as they are now."""
    keys = Keys().of(desk.trader)
    found = [one for one in auditor.verify(desk.trader) if one.key == keys.base + place and one.repairable]
    (finding,) = [one for one in found if one.entry is not None and one.entry.endswith(key)]
    kind = place.partition("_")[0]
    named = place if "_sorted_" not in place else f"{place}:{(finding.entry or '').partition(':')[0]}"
    (state,) = desk.book.backend.run(read_records(keys, kind, {key: [named]}))
    return state, finding


def repairs_only_what_it_compared(
    desk: Desk, repair: Call[bool], whole: Image, damaged: list[Stored], happens: tuple[str, ...]
) -> None:
    """Assert that a repair makes damaged records whole, and writes nothing when something has happened before it."""
    assert desk.book.backend.run(repair) is True
    assert image_of(desk) == whole

    put_back(desk, damaged)
    desk.vandalise(*happens)
    changed = image_of(desk)
    assert desk.book.backend.run(repair) is False
    assert image_of(desk) == changed, "the repair wrote"


@on_one_server
@pytest.mark.parametrize("name", CHANGED)
def test_a_repair_of_what_changed_since_it_was_compared_writes_nothing(own: Desk, auditor: Auditor, name: str) -> None:
    key, place, damage, happens = CHANGED[name]
    whole = image_of(own)
    own.vandalise(*damage.split())
    damaged = keep(own)
    state, finding = compared(own, auditor, key, place)
    repairs_only_what_it_compared(own, repair_own(Keys().of(own.trader), state, finding), whole, damaged, happens)


@on_one_server
@pytest.mark.parametrize(
    ("key", "damage", "happens"),
    [
        ("deal:D1", ("PEXPIREAT", "%:deal:D1", FAR), ("PEXPIREAT", "%:deal:D1", NEARER)),
        ("deal:D1", ("PEXPIREAT", "%:deal:D1", FAR), ("PERSIST", "%:deal:D1")),
        ("deal:D1", ("PEXPIREAT", "%:deal:D1", FAR), ("DEL", "%:deal:D1")),
        ("tick:S1:N", ("PERSIST", "%:tick:S1:N"), ("PEXPIREAT", "%:tick:S1:N", NEARER)),
        ("tick:S1:N", ("PERSIST", "%:tick:S1:N"), ("DEL", "%:tick:S1:N")),
    ],
)
def test_a_record_that_expires_otherwise_by_now_is_left(
    own: Desk, auditor: Auditor, key: str, damage: tuple[str, ...], happens: tuple[str, ...]
) -> None:
    whole = image_of(own)
    own.vandalise(*damage)
    damaged = keep(own)
    (finding,) = [one for one in auditor.verify(own.trader) if one.repairable]
    assert finding.key.endswith(f"}}:{key}")
    repairs_only_what_it_compared(own, repair_lifetime(finding), whole, damaged, happens)

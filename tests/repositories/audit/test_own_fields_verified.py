"""Test that verify compares own fields of orders and fills with all that speaks of them, and repairs what is proven."""

from __future__ import annotations

import pytest
from slotbook.models.errors import CorruptRecord
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome

from ...support.desk import Desk, on_one_server
from ...support.own_orders import DeskOrder, desk_fill, desk_order
from ...support.raw import Word, mapping

INDEX, BESIDE = "%:orders_by_+strategy:S1", "%:orders_by_+strategy@expiry:S1"
LATER = "99999999999999"


def with_orders(desk: Desk) -> None:
    """Place an order that lives and one that has ended, each with a fill."""
    orders = desk.book.orders.of(DeskOrder)
    for order_id in ("A1", "A2"):
        orders.place(desk_order(desk.trader, order_id))
        orders.fill(desk_fill(desk.trader, f"X{order_id}", order_id=order_id))
    orders.cancel(desk.trader, "A2")
    assert differences(desk) == []


def differences(desk: Desk) -> list[Finding]:
    return [finding for finding in desk.book.audit.verify(desk.trader) if finding.is_difference]


def test_what_a_book_writes_is_in_order(desk: Desk) -> None:
    with_orders(desk)
    desk.book.orders.replace(desk.trader, "A1", quantity=150)
    desk.book.commit([desk_order(desk.trader, "A3", tags={}, desk_note=None, target=None)])
    desk.book.orders.cancel(desk.trader, "A3")
    desk.book.orders.delete(desk.trader, "A3")
    (unchecked,) = desk.book.audit.verify(desk.trader)
    assert "expired or was deleted" in unchecked.message


REPAIRED: dict[str, tuple[tuple[Word, ...], FindingKind]] = {
    "another value": (("HSET", "%:order:A1", "+strategy", "S2"), FindingKind.ORDER),
    "no value": (("HDEL", "%:order:A1", "+desk_note"), FindingKind.ORDER),
    "another JSON": (("HSET", "%:order:A2", "+tags", '{"b":1}'), FindingKind.ORDER),
    "one more value": (("HSET", "%:order:A1", "+later", "x"), FindingKind.ORDER),
    "no entry": (("ZREM", INDEX, "A1"), FindingKind.INDEX),
    "no entry of one that has ended": (("ZREM", "%:orders_by_+target:187.5", "A2"), FindingKind.INDEX),
    "an entry that ends": (("ZADD", BESIDE, LATER, "A1"), FindingKind.INDEX),
    "an entry until later": (("ZADD", BESIDE, LATER, "A2"), FindingKind.INDEX),
    "an entry that stays": (("ZREM", BESIDE, "A2"), FindingKind.INDEX),
    "an entry that another score keeps out of the order": (("ZADD", INDEX, "7", "A2"), FindingKind.INDEX),
    "an entry in the set beside alone": (("ZADD", BESIDE, LATER, "A9"), FindingKind.INDEX),
    "a set beside no index": (("ZADD", "%:orders_by_+strategy@expiry:S2", LATER, "A1"), FindingKind.INDEX),
    "no set beside": (("DEL", BESIDE), FindingKind.INDEX),
    "no index": (("DEL", INDEX), FindingKind.INDEX),
    "an entry of another value": (("ZADD", "%:orders_by_+strategy:S2", "0", "A1"), FindingKind.INDEX),
    "an entry of another field": (("ZADD", "%:orders_by_+desk_note:S1", "0", "A1"), FindingKind.INDEX),
    "an entry of no order": (("ZADD", INDEX, "0", "A9"), FindingKind.INDEX),
    "an index that expires": (("PEXPIRE", INDEX, "100000"), FindingKind.EXPIRY),
    "a set beside that expires": (("PEXPIRE", BESIDE, "100000"), FindingKind.EXPIRY),
}


@on_one_server
@pytest.mark.parametrize("damage", REPAIRED)
def test_what_is_proven_is_repaired(desk: Desk, damage: str) -> None:
    with_orders(desk)
    before, held = desk.contents(), mapping(desk.ask("HGETALL", "%:order:A1"))
    command, kind = REPAIRED[damage]
    desk.vandalise(*command)
    found = differences(desk)
    assert kind in {finding.kind for finding in found}
    repairs = desk.book.audit.repair(desk.trader)
    assert all(one.outcome.is_settled for one in repairs if one.finding.is_difference), repairs
    assert differences(desk) == []
    after = desk.contents()
    assert before.keys() == after.keys()
    written = {f"{{{desk.trader}}}:order:{order_id}" for order_id in ("A1", "A2")}  # its fields in another order
    assert {key for key in before if before[key] != after[key]} <= written
    assert mapping(desk.ask("HGETALL", "%:order:A1")) == held
    assert desk.book.orders.of(DeskOrder).get(desk.trader, "A1") is not None


@on_one_server
def test_a_repaired_entry_gives_its_index_and_the_set_beside_their_expiry(desk: Desk) -> None:
    orders = desk.book.orders.of(DeskOrder)
    orders.place_many([desk_order(desk.trader), desk_order(desk.trader, "A2")])
    desk.open(order_ttl=60).orders.cancel(desk.trader, "A1")
    desk.book.orders.cancel(desk.trader, "A2")
    soon, late = (desk.ask("PEXPIRETIME", f"%:order:{order_id}") for order_id in ("A1", "A2"))
    for key in (INDEX, BESIDE):
        desk.vandalise("ZREM", key, "A2")
        desk.vandalise("PEXPIREAT", key, str(soon))
    (repair,) = desk.book.audit.repair(desk.trader)
    assert (repair.finding.entry, repair.outcome) == ("A2", RepairOutcome.REPAIRED)
    assert [desk.ask("PEXPIRETIME", key) for key in (INDEX, BESIDE)] == [late] * 2
    assert differences(desk) == []


LEFT: dict[str, tuple[tuple[Word, ...], FindingKind, str]] = {
    "the digest": (("HSET", "%:order:A1", "digest", "AAAAAAAAAAABBBBBBBBBBB"), FindingKind.ORDER, "digest"),
    "unmarked": (("HSET", "%:order:A1", "@own", "target"), FindingKind.ORDER, "@own"),
    "no names": (("HDEL", "%:order:A1", "@own"), FindingKind.CORRUPT, "+strategy"),
    "what is remembered of a fill": (
        ("HSET", "%:applied:A1", "fill:XA1", "2 40 187.22 +AAAAAAAAAAA|"),
        FindingKind.FILL,
        "fill:XA1",
    ),
    "a fill without them": (("HSET", "%:applied:A1", "fill:XA1", "2 40 187.22|"), FindingKind.FILL, "fill:XA1"),
    "a fill that cannot be read": (
        ("HSET", "%:applied:A1", "fill:XA1", "2 40 187.22 own|"),
        FindingKind.CORRUPT,
        "fill:XA1",
    ),
}


@on_one_server
@pytest.mark.parametrize("damage", LEFT)
def test_what_nothing_proves_is_named_and_left(desk: Desk, damage: str) -> None:
    with_orders(desk)
    command, kind, entry = LEFT[damage]
    desk.vandalise(*command)
    found = differences(desk)
    assert (kind, entry) in {(finding.kind, finding.entry) for finding in found}
    outcomes = {one.finding.entry: one.outcome for one in desk.book.audit.repair(desk.trader)}
    assert outcomes[entry] is RepairOutcome.LEFT
    assert desk.ask("ZSCORE", INDEX, "A1") == "0"  # an entry that only @own does not name is not removed


@on_one_server
def test_own_fields_of_an_event_are_compared(desk: Desk) -> None:
    with_orders(desk)
    key = f"{{{desk.trader}}}:events"
    flat = [word for name, value in _entry(desk, key, "1-0") for word in (name, value if name != "own" else '{"a":1}')]
    last = desk.ask("XREVRANGE", key, "+", "-", "COUNT", 1)
    entries = desk.ask("XRANGE", key, "2-0", "+")
    desk.vandalise("DEL", key)
    desk.vandalise("XADD", key, "1-0", *flat)
    assert isinstance(entries, list)
    for number, fields in entries:  # type: ignore[misc]
        desk.vandalise("XADD", key, str(number), *map(str, fields))  # type: ignore[arg-type]
    assert desk.ask("XREVRANGE", key, "+", "-", "COUNT", 1) == last
    assert [(one.kind, one.entry) for one in differences(desk) if one.kind is FindingKind.CORRUPT] == [
        (FindingKind.CORRUPT, "1-0 own")
    ]
    assert desk.book.orders.of(DeskOrder).get(desk.trader, "A1") is not None


def _entry(desk: Desk, key: str, number: str) -> list[tuple[str, str]]:
    entry = desk.ask("XRANGE", key, number, number)
    words: list[str] = entry[0][1]  # type: ignore[index,assignment]
    return list(zip(words[::2], words[1::2], strict=True))


@on_one_server
def test_a_damaged_own_field_is_corrupt_to_its_class_alone(desk: Desk) -> None:
    with_orders(desk)
    desk.vandalise("HSET", "%:order:A1", "+target", "187.50")
    with pytest.raises(CorruptRecord, match=r"'\+target': '187\.50' is not a value that was ever written"):
        desk.book.orders.of(DeskOrder).get(desk.trader, "A1")
    assert desk.book.orders.get(desk.trader, "A1") is not None

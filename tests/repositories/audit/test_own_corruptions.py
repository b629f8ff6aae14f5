"""Any damage by hand of own records is found, and no repair writes what was never there, after one damage or two."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from slotbook.repositories.audit.findings import RepairOutcome

from ...support.audit.corruption import kind_of
from ...support.audit.image import Image, Part, image_of, keep, put_back
from ...support.audit.own_book import fill
from ...support.audit.random_book import differing
from ...support.audit.repairing import repairs_of
from ...support.desk import Desk
from ...support.make import NIGHTLY

Damage = list[tuple[str, ...]]
FAR = "9999999999999"


def parts_of_own(image: Image) -> list[Part]:
    """Return the parts of own records, of all that names them, and of what the header says of them."""
    heads = ("deal", "tick", "note_2")
    return [
        (key, name)
        for key, name in sorted(image)
        if kind_of(key).startswith(heads) or (kind_of(key) == "book" and name.startswith("schema:"))
    ]


def damages(image: Image, part: Part) -> Iterator[Damage]:
    """Yield what can be done to one part: it is removed, and given other values, as its type allows."""
    key, name = part
    head, value = kind_of(key), image[part]
    if name == "(expiry)":
        yield [("PERSIST", key)] if value != "-1" else [("PEXPIREAT", key, FAR)]
        yield [("DEL", key)]
    elif name == "":
        yield from ([("SET", key, other, "KEEPTTL")] for other in ("D0", "ghost", ""))
    elif head.endswith(("_keys", "@expiry")) or "_by_" in head or "_sorted_" in head:
        score = FAR if head.endswith("@expiry") else "0"
        yield [("ZREM", key, name)]
        yield [("ZADD", key, FAR, name)]
        yield [("ZADD", key, score, "c:ghost" if "_sorted_" in head else "ghost")]
    else:
        yield [("HDEL", key, name)]
        yield from ([("HSET", key, name, other)] for other in (value + "1", "7") if other != value)


def one_of_each_sort(image: Image) -> list[Damage]:
    """Return each sort of damage to a field of a kind, or to an entry, once: of another record each time."""
    sorts: dict[tuple[str, str, int], list[Damage]] = {}
    for key, name in parts_of_own(image):
        is_entry = name not in ("", "(expiry)") and ("_" in kind_of(key).removeprefix("note_2"))
        for number, damage in enumerate(damages(image, (key, name))):
            sorts.setdefault((kind_of(key), "an entry" if is_entry else name, number), []).append(damage)
    dice = random.Random(11)
    return [dice.choice(same) for same in sorts.values()]


def is_stored_once(image: Image, damage: Damage) -> bool:
    """Return True for damage to what nothing else records."""
    (command, key, *words), *_ = damage
    if kind_of(key).endswith("_deleted"):
        return command == "DEL" or (key, "(expiry)") not in image
    if command not in ("HSET", "HDEL"):
        return kind_of(key) == "book"
    may_be_upgraded = image.get((key, "@schema")) == "2" and words[0] in ("account", "quantity", "tags")
    is_digest = words[0] == "@digest" and len(words[-1]) == 22
    return kind_of(key) == "book" or may_be_upgraded or is_digest


def carry_out(desk: Desk, damage: Sequence[tuple[str, ...]]) -> None:
    for command in damage:
        desk.fleet.ask(command[1], *command)


def check(desk: Desk, book: Image, damage: Damage, *, is_one: bool) -> None:
    """Check what verify finds of damage, and that a repair brings back what was there, or changes nothing."""
    damaged = image_of(desk)
    if damaged == book:
        return
    repairs = [one for one in repairs_of(desk, damaged) if one.finding.is_difference]
    if is_one:
        assert repairs or is_stored_once(book, damage), f"{damage} was not found"
    after = image_of(desk)
    # When an index expires follows its entries, of which one may be in doubt.
    changed = [part for part in differing(damaged, after) if part[1] != "(expiry)"]
    wrong = [part for part in changed if after.get(part) != book.get(part)]
    assert not wrong, f"after {damage} repair wrote {wrong}"
    if is_one and repairs and all(one.outcome is RepairOutcome.REPAIRED for one in repairs):
        assert after == book  # which has no differences


@pytest.mark.parametrize("trimmed", [False, True], ids=["all events", "one event"])
def test_each_part_is_compared_and_no_repair_makes_it_wrong(lone_desk: Desk, trimmed: bool) -> None:
    desk = lone_desk
    fill(desk.book, desk.trader)
    if trimmed:
        desk.vandalise("XTRIM", "%:events", "MAXLEN", "1")
    book, kept = image_of(desk), keep(desk)
    assert [one for one in desk.book.audit.verify(desk.trader) if one.is_difference] == []
    every = [damage for part in parts_of_own(book) for damage in damages(book, part)]
    one_of_each = one_of_each_sort(book)[:: 3 if trimmed else 1]
    for damage in every if NIGHTLY else one_of_each:
        desk.vandalise("PING")
        carry_out(desk, damage)
        check(desk, book, damage, is_one=not trimmed)
        put_back(desk, kept)


@pytest.mark.parametrize("trimmed", [False, True], ids=["all events", "one event"])
def test_no_two_damages_make_a_repair_wrong(lone_desk: Desk, trimmed: bool) -> None:
    desk, dice = lone_desk, random.Random(7)
    fill(desk.book, desk.trader)
    if trimmed:
        desk.vandalise("XTRIM", "%:events", "MAXLEN", "1")
    book, kept = image_of(desk), keep(desk)
    assert [one for one in desk.book.audit.verify(desk.trader) if one.is_difference] == []
    every = [damage for part in parts_of_own(book) for damage in damages(book, part)]
    for _ in range(1_000 if NIGHTLY else 50):
        desk.vandalise("PING")
        two = [*dice.choice(every), *dice.choice(every)]
        try:
            carry_out(desk, two)
            check(desk, book, two, is_one=False)
        finally:
            put_back(desk, kept)

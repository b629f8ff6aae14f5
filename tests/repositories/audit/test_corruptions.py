"""Any damage by hand is found, and no repair makes a right record wrong after any damage, or any two at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slotbook.repositories.audit.findings import Repair, RepairOutcome

from ...support.audit.corruption import Corruption, carry_out, kind_of
from ...support.audit.corruptions import Damage
from ...support.audit.image import Image, Part, image_of, keep, put_back
from ...support.audit.random_book import RandomBook, differing
from ...support.audit.repairing import repairs_of
from ...support.desk import Desk
from ...support.make import NIGHTLY
from ...support.raw import Refusal

MANY = 1_000 if NIGHTLY else 80
FEW = 15


def differences(repairs: Sequence[Repair]) -> list[Repair]:
    return [repair for repair in repairs if repair.finding.is_difference]


def corrupt(
    desk: Desk, book: RandomBook, damage: Callable[[Damage], st.SearchStrategy[tuple[Corruption, ...]]], examples: int
) -> None:
    """Do damage to a book many times, each time to the whole book, and check what verify and repair make of it."""
    kept, possible = keep(desk), Damage(desk, book.image)
    assert differences(desk.book.audit.repair(desk.trader)) == []

    @settings(
        derandomize=not NIGHTLY,
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(damage(possible))
    def run(corruptions: tuple[Corruption, ...]) -> None:
        put_back(desk, kept)
        try:
            for corruption in corruptions:
                carry_out(desk, corruption)
        except Refusal:
            return  # the second cannot be done to what the first has left
        damaged = image_of(desk)
        if damaged == book.image:
            return
        check(desk, book, possible, corruptions, damaged)

    try:
        run()
    finally:
        put_back(desk, kept)


def check(desk: Desk, book: RandomBook, possible: Damage, corruptions: Sequence[Corruption], damaged: Image) -> None:
    """Check that damage is found, that verify writes nothing, and that repair writes only what was there before."""
    repairs = differences(repairs_of(desk, damaged))
    if book.is_whole and len(corruptions) == 1:
        assert repairs or possible.is_stored_once(corruptions[0]), "the damage was not found"
    after = image_of(desk)
    wrong = [
        part
        for part in differing(damaged, after)
        if after.get(part) != book.image.get(part) and not is_expiry_of_its_entries(after, part)
    ]
    assert not wrong, f"repair wrote what was never there: {wrong}, {[one.finding.message for one in repairs]}"
    is_repaired = bool(repairs) and all(one.outcome is RepairOutcome.REPAIRED for one in repairs)
    if is_repaired and len(corruptions) == 1:
        assert after == book.image, "the book was repaired, and is not as it was"  # which has no differences


def is_expiry_of_its_entries(image: Image, part: Part) -> bool:
    """Return True for when an index expires, if that is when its longest-lived entry does: it may lack one in doubt."""
    key, name = part
    expiry = image.get(part)
    if not kind_of(key).startswith("orders_by_") or name != "(expiry)" or expiry is None:
        return False
    scores = [float(score) for (index, one), score in image.items() if index == key and one != "(expiry)"]
    return bool(scores) and max(scores) == float(expiry.replace("-1", "inf"))


@pytest.mark.parametrize("trimmed", [0, 0.4], ids=["all events", "some events"])
def test_whatever_is_damaged_is_found_and_nothing_right_is_changed(lone_desk: Desk, trimmed: float) -> None:
    for seed in (1, 2):
        examples = MANY // 8 if trimmed else MANY // 2
        book = RandomBook(lone_desk, seed, trimmed)
        corrupt(lone_desk, book, lambda damage: damage.any().map(lambda one: (one,)), examples)
        lone_desk.trader = lone_desk.another()


@pytest.mark.parametrize("trimmed", [0, 0.4], ids=["all events", "some events"])
def test_no_two_damages_make_a_repair_wrong(lone_desk: Desk, trimmed: float) -> None:
    book = RandomBook(lone_desk, 3, trimmed)
    corrupt(lone_desk, book, lambda damage: st.tuples(damage.any(), damage.any()), MANY // 4 if trimmed else MANY)


@pytest.mark.parametrize("trimmed", [0, 0.4], ids=["all events", "some events"])
def test_no_two_records_that_are_changed_alike_outvote_a_right_one(lone_desk: Desk, trimmed: float) -> None:
    book = RandomBook(lone_desk, 4, trimmed)
    corrupt(lone_desk, book, lambda damage: damage.together(), MANY // 4 if trimmed else MANY // 2)


def test_damage_on_every_topology(desk: Desk) -> None:
    book = RandomBook(desk, 5)
    corrupt(desk, book, lambda damage: damage.any().map(lambda one: (one,)) | damage.together(), FEW)


def two_of_each(image: Image, corruptions: Sequence[Corruption]) -> list[Corruption]:
    """Return the first and the last change of each field: of each kind of record, and of each type of event."""
    found: dict[tuple[str, str], list[Corruption]] = {}
    for one in corruptions:
        key, name = one.part
        event_id, _, field = name.partition(" ")
        kind = image[key, event_id].split("\ntype\n")[-1].split("\n")[0] if one.what == "event" else kind_of(key)
        found.setdefault((kind, field or name.partition(":")[0]), []).append(one)
    return [one for same in found.values() for one in same[:: max(1, len(same) - 1)]]


def test_every_field_is_compared(lone_desk: Desk) -> None:
    """Each field of records and events of each type is changed alone, to what it might have; an order's is named."""
    book = RandomBook(lone_desk, 8, changes=25)
    possible, kept = Damage(lone_desk, book.image), keep(lone_desk)
    unseen: list[Corruption] = []
    every = possible.each_field() if NIGHTLY else two_of_each(book.image, possible.each_field())
    for corruption in every[:: 1 if lone_desk.caller == "sync" else 4]:
        put_back(lone_desk, kept)
        carry_out(lone_desk, corruption)
        found = {(one.key, one.entry) for one in lone_desk.book.audit.verify(lone_desk.trader) if one.is_difference}
        key, name = corruption.part
        named = (key, "digest" if name == "stop_price" else name)  # which only the digest knows, until it is replaced
        is_named = bool({corruption.part, named} & found) if kind_of(key) == "order" else bool(found)
        if not is_named and not possible.is_stored_once(corruption):
            unseen.append(corruption)
    assert unseen == []
    put_back(lone_desk, kept)


def test_what_is_stored_only_once_is_not_found(lone_desk: Desk) -> None:
    """The list of what nothing else records is not longer than it has to be: each of these changes goes unseen."""
    book = RandomBook(lone_desk, 6)
    possible, kept = Damage(lone_desk, book.image), keep(lone_desk)
    unseen = 0
    for corruption in possible.all_stored_once()[:: 1 if lone_desk.caller == "sync" else 4]:
        put_back(lone_desk, kept)
        carry_out(lone_desk, corruption)
        found = [one.message for one in lone_desk.book.audit.verify(lone_desk.trader) if one.is_difference]
        unseen += not found
        assert not found or corruption.what == "event", (corruption, found)
    assert unseen > 20
    put_back(lone_desk, kept)

"""Test that caches, records without a trader and tables do not read or overwrite each other's keys."""

from __future__ import annotations

from types import new_class
from typing import Annotated

import pytest
from slotbook.models import Entity, Key
from slotbook.models.errors import CorruptRecord, InvalidArgument, WrongType
from slotbook.models.types import Name

from ...support.desk import Desk
from .conftest import Kind, Venue, kind_of, remove


def test_a_cache_cannot_have_the_name_of_a_kind_nor_a_kind_that_of_a_cache(lone_venues: Kind) -> None:
    desk = lone_venues.desk
    with pytest.raises(InvalidArgument, match="this book has a kind of records of that name"):
        desk.book.cache(dict, lone_venues.name)
    other = desk.open()
    other.cache(dict, lone_venues.name)
    other.cache(int, lone_venues.name)
    with pytest.raises(InvalidArgument, match="this book has a cache of that name"):
        other.reference(lone_venues.model)
    same: type[Venue] = new_class("Venue", (Venue,), {"kind": lone_venues.name})
    lone_venues.table.insert(lone_venues.make())
    assert desk.book.reference(same).get("XNAS") is not None
    assert desk.book.reference(same) is not desk.book.reference(lone_venues.model)


def test_the_records_of_a_model_are_the_same_object_each_time(lone_desk: Desk) -> None:
    kind = kind_of(lone_desk)
    if lone_desk.caller == "sync":
        assert lone_desk.book.reference(kind.model) is kind.table


def test_a_kind_and_a_cache_of_one_name_in_two_processes_leave_each_other_alone(venues: Kind) -> None:
    """Two books stand for two processes, which do not know of each other's names."""
    table, other = venues.table, venues.desk.open()
    cache = other.cache(int, venues.name)
    table.insert(venues.make())
    cache.put("XLON", 5)
    before = venues.contents()
    for change in (lambda: cache.put("XNAS", 1), lambda: cache.invalidate("XNAS")):
        with pytest.raises(WrongType, match="is a record of a kind, and no entry of a cache"):
            change()
    assert cache.invalidate_matching("XN*") == 0
    with pytest.raises(CorruptRecord):
        cache.get("XNAS")
    for call in (
        lambda: table.update("XLON", {"lots": 2}),
        lambda: table.put(venues.make("XLON")),
        lambda: table.delete("XLON"),
        lambda: table.insert(venues.make("XLON")),
        lambda: table.get("XLON"),
    ):
        with pytest.raises(CorruptRecord) as caught:
            call()
        assert caught.value.key == f"{venues.name}:XLON"
    after = venues.contents()
    assert {key: after[key] for key in before} == before
    assert (cache.get("XLON"), table.exists("XLON")) == (5, False)
    assert table.get("XNAS") is not None


def test_a_kind_of_a_table_and_one_without_a_trader_are_told_apart(desk: Desk) -> None:
    kind = kind_of(desk)

    class Listing(Entity, kind=kind.name):
        trader: Name
        mic: Annotated[Name, Key]

    traders = desk.book.table(Listing)
    kind.table.insert(kind.make())
    traders.insert(Listing(trader=desk.trader, mic="XNAS"))
    traders.insert(Listing(trader=desk.trader, mic="XLON"))
    assert [one.mic for one in kind.table.all()] == ["XNAS"]
    assert (kind.table.count(), traders.count(desk.trader)) == (1, 2)
    kind.table.delete("XNAS")
    assert traders.exists(desk.trader, "XNAS")
    assert not desk.book.audit.verify(desk.trader)
    for key in kind.stored():
        if desk.trader not in key:
            desk.fleet.ask(key, "DEL", key)


def test_a_model_is_for_a_table_or_for_reference(lone_venues: Kind) -> None:
    book = lone_venues.desk.book

    class Listing(Entity, kind="listing"):
        trader: Name
        mic: Annotated[Name, Key]

    with pytest.raises(InvalidArgument, match=r"Listing has a trader, .*book\.table\(Listing\)"):
        book.reference(Listing)
    with pytest.raises(InvalidArgument, match=r"Venue has no trader, .*book\.reference\(Venue\)"):
        book.table(lone_venues.model)
    lock, refused = book.lock("L", trader=lone_venues.desk.trader, lease=60), r"book\.reference\(Venue\)"
    with lock as held, pytest.raises(InvalidArgument, match=refused):
        held.table(lone_venues.model)


def test_the_audit_has_nothing_to_say_of_records_without_a_trader(venues: Kind) -> None:
    desk = venues.desk
    venues.table.put(venues.make(f"{desk.trader}"), request_id="book")
    venues.table.delete(desk.trader, request_id="events")
    venues.table.put(venues.make(f"{desk.trader}:book"), request_id="book")
    desk.book.positions.adjust(desk.trader, "AAPL", 5)
    assert not desk.book.audit.verify(desk.trader)
    traders = desk.book.audit.traders()
    assert desk.trader in traders
    assert not [trader for trader in traders if venues.name in trader]
    remove(venues)

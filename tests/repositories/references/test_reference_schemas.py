"""Test schemas of records without a trader: readers upgrade, updates store what is upgraded, older programs refuse."""

from __future__ import annotations

from types import new_class
from typing import Annotated, Any

import pytest
from slotbook.models import Entity, Key
from slotbook.models.errors import CorruptRecord, SchemaMismatch, SchemaTooNew
from slotbook.models.types import Name

from ...support.desk import Desk
from .conftest import Kind, remove


class First(Entity):
    mic: Annotated[Name, Key]
    zone: str = "UTC"
    lots: int = 1


class Third(Entity):
    mic: Annotated[Name, Key]
    city: str
    lots: int = 1
    closed: bool = False


def renamed(fields: dict[str, str]) -> dict[str, object]:
    return {**{name: text for name, text in fields.items() if name != "zone"}, "town": fields["zone"].upper()}


def named_again(fields: dict[str, str]) -> dict[str, object]:
    return {"mic": fields["mic"], "lots": int(fields["lots"]) * 10, "city": fields["town"], "closed": True}


def both(desk: Desk, kind: str) -> tuple[Kind, Kind]:
    """Return the records of one kind as a program of schema 1 and one of schema 3 see them."""
    old: type[Any] = new_class("First", (First,), {"kind": kind})
    upgrade = {1: renamed, 2: named_again}
    new: type[Any] = new_class("Third", (Third,), {"kind": kind, "schema": 3, "upgrade": upgrade})
    return Kind(desk, old, desk.book.reference(old)), Kind(desk, new, desk.book.reference(new))


def test_a_record_of_an_older_schema_is_upgraded_when_it_is_read(desk: Desk) -> None:
    old, new = both(desk, f"s{desk.trader[2:]}")
    old.table.insert(old.make(zone="utc", lots=4))
    before = old.contents()
    found = new.table.get("XNAS")
    assert (found.city, found.lots, found.closed, found.version) == ("UTC", 40, True, 1)
    assert new.table.all() == [found] == list(new.table.iter())
    assert new.table.get_many(["XNAS"])[0].result() == found
    assert new.contents() == before, "reading stores nothing"
    changed = new.table.update("XNAS", {"closed": False}, expected_version=1, request_id="Q1")
    assert (changed.applied, changed.version) == (True, 2)
    assert changed.record == found.model_copy(
        update={"closed": False, "version": 2, "updated_ns": changed.record.updated_ns}
    )
    assert new.ask("HGET", "XNAS", "@schema") == "3"
    assert new.ask("HEXISTS", "XNAS", "zone") == 0
    assert new.table.get("XNAS") == changed.record
    again = new.table.update("XNAS", {"closed": False}, expected_version=1, request_id="Q1")
    assert (again.applied, again.version, again.record) == (False, 2, changed.record)
    remove(new)


def test_an_older_program_neither_reads_nor_changes_a_newer_record(desk: Desk) -> None:
    old, new = both(desk, f"s{desk.trader[2:]}")
    old.table.insert(old.make("XLON"))
    first = old.table.update("XNAS", {"lots": 2}, request_id="Q1") if old.table.insert(old.make()).applied else None
    new.table.put(new.model(mic="XNAS", city="Berlin"))
    before = new.contents()
    for call in (
        lambda: old.table.get("XNAS"),
        lambda: old.table.exists("XNAS"),
        old.table.all,
        lambda: old.table.put(old.make(lots=7)),
        lambda: old.table.insert(old.make(lots=7)),
        lambda: old.table.update("XNAS", {"lots": 2}),
        lambda: old.table.delete("XNAS"),
    ):
        with pytest.raises(SchemaTooNew) as refused:
            call()
        assert (refused.value.kind, refused.value.found, refused.value.known) == (old.name, 3, 1)
    with pytest.raises(SchemaTooNew) as repeated:
        old.table.update("XNAS", {"lots": 2}, request_id="Q1")
    result: Any = repeated.value.result
    assert first is not None
    assert (result.applied, result.version, result.record) == (False, first.version, None)
    assert new.contents() == before
    assert old.table.get("XLON").lots == 1, "others are still of its schema"
    assert new.table.delete("XNAS").applied
    remove(new)


def test_a_put_over_an_older_record_is_of_the_newer_schema_and_a_delete_removes_it(desk: Desk) -> None:
    old, new = both(desk, f"s{desk.trader[2:]}")
    for key in ("XNAS", "XLON"):
        old.table.insert(old.make(key))
    assert new.table.put(new.model(mic="XNAS", city="Oslo"), expected_version=1).version == 2
    assert new.table.delete("XLON", expected_version=1).version == 2
    assert [(one.mic, one.city) for one in new.table.all()] == [("XNAS", "Oslo")]
    assert new.ask("HEXISTS", "XNAS", "zone") == 0
    remove(new)


def test_an_update_that_meets_another_change_upgrades_what_is_there_then(lone_desk: Desk) -> None:
    """Between the two round trips of the update another program changes the record, which is still of schema 1."""
    old, _ = both(lone_desk, f"s{lone_desk.trader[2:]}")
    old.table.insert(old.make(lots=1))
    steps: list[str] = []

    def counting(fields: dict[str, str]) -> dict[str, object]:
        if not steps:
            old.desk.fleet.ask(f"{old.name}:XNAS", "HSET", f"{old.name}:XNAS", "lots", "7", "version", "2")
        steps.append(fields["lots"])
        return renamed(fields)

    keywords: dict[str, Any] = {"kind": old.name, "schema": 3, "upgrade": {1: counting, 2: named_again}}
    late: type[Any] = new_class("Third", (Third,), keywords)
    changed: Any = lone_desk.book.reference(late).update("XNAS", {"closed": False})
    assert steps == ["1", "7"]
    assert (changed.record.lots, changed.record.closed, changed.version) == (70, False, 3)
    remove(old)


def test_without_an_upgrade_what_is_older_is_refused(lone_desk: Desk) -> None:
    old, _ = both(lone_desk, f"s{lone_desk.trader[2:]}")
    old.table.insert(old.make())
    late: type[Any] = new_class("Third", (Third,), {"kind": old.name, "schema": 3, "upgrade": {2: named_again}})
    table = lone_desk.book.reference(late)
    before = old.contents()
    for call in (lambda: table.get("XNAS"), lambda: table.update("XNAS", {"closed": False})):
        with pytest.raises(SchemaMismatch):
            call()
    assert old.contents() == before
    broken: type[Any] = new_class(
        "Third", (Third,), {"kind": old.name, "schema": 3, "upgrade": {1: dict, 2: named_again}}
    )
    with pytest.raises(CorruptRecord, match="town"):
        lone_desk.book.reference(broken).update("XNAS", {"closed": False})
    assert old.contents() == before
    remove(old)

"""Test that ``migrate`` brings records without a trader to their model's schema, whatever happens to them meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from types import new_class
from typing import Any

import pytest
from slotbook.models.errors import SchemaTooNew, UnderReplicated
from slotbook.repositories.records.migration import Migration

from ...support.desk import Desk
from .conftest import Kind, remove
from .test_reference_schemas import Third, both, named_again, renamed


def schema_of(kind: Kind, key: str) -> object:
    return kind.ask("HGET", key, "@schema")


def counting(told: list[int]) -> Callable[[Migration], None]:
    """Return a function that notes how many records have been rewritten."""
    return lambda seen: told.append(seen.rewritten)


def test_all_records_are_brought_to_the_schema_and_keep_their_versions(desk: Desk) -> None:
    old, new = both(desk, f"m{desk.trader[2:]}")
    keys = [f"V{number:02}" for number in range(30)]
    old.table.insert_many([old.make(key, lots=2) for key in keys])
    old.table.update("V03", {"lots": 3}, ts_ns=77)
    old.ask("PEXPIRE", "V04", 600_000)
    new.table.put(new.model(mic="NEW", city="Oslo"))
    before = {one.mic: one for one in new.table.all()}
    told: list[int] = []
    done = new.table.migrate(progress=counting(told))
    assert done == Migration(rewritten=30)
    assert done.is_complete
    assert told[-1] == 30
    assert {schema_of(new, key) for key in keys} == {"3"}
    assert {one.mic: one for one in new.table.all()} == before
    assert (before["V03"].version, before["V03"].updated_ns) == (2, 77)
    assert new.ask("HEXISTS", "V03", "zone") == 0
    left = new.ask("PTTL", "V04")
    assert isinstance(left, int)
    assert 500_000 < left <= 600_000
    stored = new.contents()
    assert new.table.migrate() == Migration()
    assert new.contents().keys() == stored.keys()
    remove(new)


def test_more_than_a_page_is_migrated(lone_desk: Desk) -> None:
    old, new = both(lone_desk, f"m{lone_desk.trader[2:]}")
    old.table.insert_many([old.make(f"V{number}") for number in range(2_050)])
    told: list[int] = []
    assert new.table.migrate(progress=counting(told)).rewritten == 2_050
    assert told == [1_000, 2_000, 2_050]
    remove(new)


def test_what_changes_meanwhile_is_upgraded_as_it_is_then(lone_desk: Desk) -> None:
    """While records are upgraded another program changes one, removes one, and brings one to the new schema."""
    old, new = both(lone_desk, f"m{lone_desk.trader[2:]}")
    old.table.insert_many([old.make(key) for key in ("A", "B", "C", "D")])
    done: list[str] = []

    def meanwhile(fields: dict[str, str]) -> dict[str, object]:
        if not done:
            done.append(fields["mic"])
            old.ask("HSET", "A", "lots", 7, "version", 2)
            old.ask("DEL", "B")
            old.ask("HSET", "C", "city", "Rome", "closed", 1, "lots", 9, "version", 2, "@schema", 3)
            old.ask("HDEL", "C", "zone")
        return renamed(fields)

    keywords: dict[str, Any] = {"kind": old.name, "schema": 3, "upgrade": {1: meanwhile, 2: named_again}}
    late: type[Any] = new_class("Third", (Third,), keywords)
    assert lone_desk.book.reference(late).migrate().rewritten == 2
    assert [(one.mic, one.lots, one.version) for one in new.table.all()] == [("A", 70, 2), ("C", 9, 2), ("D", 10, 1)]
    remove(new)


def test_what_cannot_be_upgraded_is_left_and_named(desk: Desk) -> None:
    old, new = both(desk, f"m{desk.trader[2:]}")
    old.table.insert_many([old.make(key) for key in ("A", "B", "C")])
    old.ask("HDEL", "A", "zone")
    old.ask("HSET", "B", "version", "x")
    old.ask("SET", "E", "theirs")
    before = old.contents()
    done = new.table.migrate()
    assert (done.rewritten, done.is_complete) == (1, False)
    assert [(one.trader, one.key) for one in sorted(done.left)] == [("", "A"), ("", "B"), ("", "E")]
    assert "zone" in done.left[1].reason or "zone" in done.left[0].reason
    after = old.contents()
    changed = [key for key in before if before[key] != after[key]]
    assert changed == [f"{old.name}:C"]
    remove(old)


def test_an_older_program_migrates_nothing(desk: Desk) -> None:
    old, new = both(desk, f"m{desk.trader[2:]}")
    new.table.put(new.model(mic="NEW", city="Oslo"))
    with pytest.raises(SchemaTooNew):
        old.table.migrate()
    remove(new)


def test_too_few_replicas_are_told_at_the_end(lone_desk: Desk) -> None:
    old, new = both(lone_desk, f"m{lone_desk.trader[2:]}")
    old.table.insert_many([old.make(key) for key in ("A", "B")])
    table: Any = lone_desk.open(replication_wait=0.05).reference(new.model)
    with pytest.raises(UnderReplicated) as caught:
        table.migrate(durability="replicated=9")
    assert caught.value.result == Migration(rewritten=2)
    assert {schema_of(new, key) for key in "AB"} == {"3"}
    remove(new)

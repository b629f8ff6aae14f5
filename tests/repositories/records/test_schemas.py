"""Test records of several schemas: older ones are upgraded by whatever reads or changes them, newer ones refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, cast

import pytest
from slotbook import Book
from slotbook.models import Delete, Entity, Index, Insert, Key, Put, RecordResult, Update
from slotbook.models.errors import (
    CorruptRecord,
    DuplicateRecord,
    NotUnique,
    SchemaMismatch,
    SchemaTooNew,
    VersionConflict,
)
from slotbook.models.types import Name

from ...support.desk import Desk
from ...support.make import limit
from ...support.raw import mapping
from ...support.schemas import First, Second, Third, first_lot, to_second, to_third, upgraded


def header(desk: Desk) -> dict[str, str]:
    """Return what the trader's header says of kinds."""
    fields = mapping(desk.ask("HGETALL", "%:book"))
    return {name: text for name, text in fields.items() if name.startswith(("schema:", "fields:"))}


def keys_in(desk: Desk, index: str) -> list[str]:
    return sorted(mapping(desk.ask("ZRANGE", f"%:lot_{index}", 0, -1, "WITHSCORES")))


def test_a_header_says_what_records_of_each_schema_are_found_by(desk: Desk) -> None:
    first_lot(desk)
    assert header(desk) == {"schema:lot": "1", "fields:lot:1": "account|reference|"}
    first_lot(desk, "L2")
    desk.book.table(Third).put(Third(trader=desk.trader, lot_id="L2"))
    assert header(desk) == {
        "schema:lot": "1", "fields:lot:1": "account|reference|", "fields:lot:3": "account venue|label|",
    }  # fmt: skip
    for key in ("L1", "L2"):
        desk.book.table(Third).delete(desk.trader, key)
    desk.book.table(Third).insert(Third(trader=desk.trader, lot_id="L3"))
    assert header(desk)["schema:lot"] == "3"
    assert not desk.book.audit.verify(desk.trader)


def test_what_is_read_is_upgraded(desk: Desk) -> None:
    table, trader = desk.book.table(Third), desk.trader
    one, two = upgraded(first_lot(desk, reference="R1", size=40)), upgraded(first_lot(desk, "L2"))
    before = desk.contents()
    assert table.get(trader, "L1") == one
    assert [outcome.result() for outcome in table.get_many([(trader, "L2"), (trader, "L3")])] == [two, None]
    assert table.all(trader) == [one, two] == table.by(trader, {"account": "ACC1"})
    assert table.count(trader) == table.count(trader, {"account": "ACC1"}) == 2
    assert table.exists(trader, "L1")
    assert not table.exists(trader, "L3")
    with pytest.raises(DuplicateRecord) as refused:
        table.insert(Third(trader=trader, lot_id="L1"))
    assert refused.value.record == one
    assert desk.contents() == before


def test_a_repeated_insert_of_an_older_record_is_a_repeat(desk: Desk) -> None:
    record = first_lot(desk)
    desk.book.table(Third).migrate([desk.trader])
    with pytest.raises(SchemaTooNew) as refused:
        desk.book.table(First).insert(record)
    result: object = refused.value.result
    assert isinstance(result, RecordResult)
    known = cast("RecordResult[First]", result)
    assert (known.applied, known.version, known.record) == (False, 1, None)
    assert (refused.value.kind, refused.value.found, refused.value.known) == ("lot", 3, 1)


@pytest.mark.parametrize("verb", ["put", "update", "delete"])
def test_a_change_of_an_older_record_leaves_its_indexes(desk: Desk, verb: str) -> None:
    table, trader = desk.book.table(Third), desk.trader
    first_lot(desk, reference="R1")
    match verb:
        case "put":
            done = table.put(Third(trader=trader, lot_id="L1", account="ACC2"), request_id="Q1")
        case "update":
            done = table.update(trader, "L1", {"account": "ACC2"}, request_id="Q1")
        case _:
            done = table.delete(trader, "L1", request_id="Q1")
    assert (done.applied, done.version, done.sequence) == (True, 2, 2)
    assert done.record == table.get(trader, "L1")
    assert keys_in(desk, "by_account:ACC1") == []
    assert desk.ask("EXISTS", "%:lot_unique_reference:R1") == 0
    assert keys_in(desk, "by_venue:XNAS") == keys_in(desk, "by_account:ACC2") == ([] if verb == "delete" else ["L1"])
    assert desk.ask("GET", "%:lot_unique_label:R1") == ("L1" if verb == "update" else None)
    assert [event.type for event in desk.events()] == ["INSERT", verb.upper()]


def test_an_update_of_an_older_record_upgrades_it(desk: Desk) -> None:
    table, trader = desk.book.table(Third), desk.trader
    record = first_lot(desk, reference="R1", size=40)
    with pytest.raises(VersionConflict) as refused:
        table.update(trader, "L1", {"quantity": 7}, expected_version=2)
    assert (refused.value.expected, refused.value.actual) == (2, 1)
    done = table.update(trader, "L1", {"quantity": 7, "label": None}, expected_version=1, request_id="Q1", ts_ns=9)
    expected = {"quantity": 7, "label": None, "version": 2, "updated_ns": 9}
    assert done.record == upgraded(record).model_copy(update=expected) == table.get(trader, "L1")
    assert json.loads(desk.events()[-1].changed or "") == {
        "size": None, "reference": None, "quantity": "7", "venue": "XNAS", "legs": "[39,1]",
    }  # fmt: skip
    again = table.update(trader, "L1", {"quantity": 7, "label": None}, expected_version=1, request_id="Q1")
    assert (again.applied, again.version, again.sequence, again.record) == (False, 2, 2, done.record)
    assert len(desk.events()) == 2


def test_a_unit_updates_older_records_with_all_else(desk: Desk) -> None:
    trader = desk.trader
    for key in ("L1", "L2", "L3"):
        first_lot(desk, key)
    steps = [
        limit(trader),
        Update(Third, trader, "L1", {"quantity": 7}),
        Update(Third, trader, "L2", {"quantity": 8}),
        Update(Third, trader, "L1", {"account": "ACC2"}),
        Delete(Third, trader, "L3"),
        Insert(Third(trader=trader, lot_id="L3", quantity=9)),
    ]
    results = desk.book.commit(steps)
    assert [one.sequence for one in results] == [4, 5, 6, 7, 8, 9]
    found = desk.book.table(Third).all(trader)
    assert [(one.quantity, one.account, one.version) for one in found] == [
        (7, "ACC2", 3), (8, "ACC1", 2), (9, "ACC1", 1),
    ]  # fmt: skip
    assert [one.applied for one in desk.book.commit(steps)] == [False] * 6
    first_lot(desk, "L4", size=13)
    before = desk.contents()
    with pytest.raises(CorruptRecord) as refused:
        desk.book.commit([Update(Third, trader, "L1", {"quantity": 1}), Update(Third, trader, "L4", {"quantity": 1})])
    assert refused.value.index == 1
    assert desk.contents() == before


def test_nothing_is_written_where_records_are_newer(desk: Desk) -> None:
    trader, old, new = desk.trader, desk.book.table(Second), desk.book.table(Third)
    first_lot(desk, "L1")
    new.put(Third(trader=trader, lot_id="L2"))
    assert old.update(trader, "L1", {"quantity": 5}).applied
    lot = Second(trader=trader, lot_id="L2")
    refused: list[Callable[[], object]] = [
        lambda: old.insert(lot), lambda: old.put(lot), lambda: old.update(trader, "L2", {"quantity": 5}),
        lambda: old.delete(trader, "L2"), lambda: old.get(trader, "L2"), lambda: old.exists(trader, "L2"),
        lambda: [one.result() for one in old.get_many([(trader, "L2")])], lambda: old.all(trader),
        lambda: old.count(trader), lambda: old.by(trader, {"venue": "XNAS"}),
        lambda: old.count(trader, {"venue": "XNAS"}), lambda: [one.result() for one in old.insert_many([lot])],
        lambda: [one.result() for one in old.put_many([lot])],
        lambda: desk.book.commit([Update(Second, trader, "L1", {"quantity": 6}), Put(lot)]),
        lambda: old.migrate([trader]),
    ]  # fmt: skip
    before = desk.contents()
    for call in refused:
        with pytest.raises(SchemaTooNew):
            call()
    assert {name: one for name, one in desk.contents().items() if "_migrating" not in name} == before
    assert old.get(trader, "L1") is not None
    assert new.migrate([trader]).is_complete
    other = Second(trader=trader, lot_id="L9")
    marked: list[Callable[[], object]] = [
        lambda: old.insert(other), lambda: old.put(other), lambda: old.update(trader, "L9", {"quantity": 5}),
        lambda: old.delete(trader, "L9"), lambda: old.all(trader), lambda: old.migrate([trader]),
    ]  # fmt: skip
    before = desk.contents()
    for call in marked:
        with pytest.raises(SchemaTooNew):
            call()
    assert desk.contents() == before
    assert old.get(trader, "L9") is None


class Reordered(Entity, kind="lot"):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Name = "ACC1"
    size: Annotated[int, Index] = 1


def test_another_declaration_of_the_same_schema_is_refused(desk: Desk) -> None:
    table, trader = desk.book.table(Reordered), desk.trader
    first_lot(desk)
    lot = Reordered(trader=trader, lot_id="L2")
    refused: list[Callable[[], object]] = [
        lambda: table.insert(lot), lambda: table.put(lot), lambda: table.delete(trader, "L1"),
        lambda: table.update(trader, "L1", {"size": 5}), lambda: table.by(trader, {"size": 1}),
        lambda: table.count(trader, {"size": 1}),
    ]  # fmt: skip
    before = desk.contents()
    for call in refused:
        with pytest.raises(SchemaMismatch, match=r"index of account; unique reference.*index of size; give.* schema=2"):
            call()
    assert desk.contents() == before


def test_an_index_that_some_records_are_not_in_is_not_read(desk: Desk) -> None:
    table, trader = desk.book.table(Third), desk.trader
    assert table.by(trader, {"venue": "XNAS"}) == []
    first_lot(desk)
    desk.book.table(Second).put(Second(trader=trader, lot_id="L2"))
    refused: list[Callable[[], object]] = [
        lambda: table.by(trader, {"venue": "XNAS"}), lambda: table.count(trader, {"venue": "XNAS"}),
        lambda: table.by(trader, {"account": "ACC1"}), lambda: table.by(trader, {"account": "ACC1", "venue": "XNAS"}),
    ]  # fmt: skip
    for call in refused:
        with pytest.raises(SchemaMismatch, match=r"brought to schema 1, and .* run slotbook migrate first"):
            call()
    assert len(table.all(trader)) == table.count(trader) == 2
    table.migrate([trader])
    assert len(table.by(trader, {"venue": "XNAS", "account": "ACC1"})) == 2
    desk.vandalise("HDEL", "%:book", "schema:lot")
    with pytest.raises(SchemaMismatch, match="of no schema that their book says"):
        table.by(trader, {"venue": "XNAS"})


def test_a_new_unique_value_holds_for_what_is_upgraded(desk: Desk) -> None:
    table, trader = desk.book.table(Third), desk.trader
    first_lot(desk, reference="R1")
    first_lot(desk, "L2", reference="R2")
    table.update(trader, "L1", {"quantity": 5})
    with pytest.raises(NotUnique) as refused:
        table.update(trader, "L2", {"label": "R1"})
    assert (refused.value.field, refused.value.key) == ("label", "L1")
    assert table.update(trader, "L2", {"quantity": 5}).version == 2


def test_a_damaged_schema_is_a_corrupt_record(desk: Desk) -> None:
    table, trader = desk.book.table(Third), desk.trader
    first_lot(desk)
    for value in ("", "0", "x", "03", "12345678"):
        desk.vandalise("HSET", "%:lot:L1", "@schema", value)
        for call in (
            lambda: table.get(trader, "L1"),
            lambda: table.exists(trader, "L1"),
            lambda: table.update(trader, "L1", {"quantity": 5}),
            lambda: table.put(Third(trader=trader, lot_id="L1")),
        ):
            with pytest.raises(CorruptRecord) as corrupt:
                call()
            assert corrupt.value.field == "@schema", value
    desk.vandalise("HSET", "%:lot:L1", "@schema", "1")
    for field in ("fields:lot:1", "schema:lot"):
        desk.vandalise("HSET", "%:book", "schema:lot", "x" if field == "schema:lot" else "1")
        desk.vandalise("HDEL", "%:book", "fields:lot:1")
        with pytest.raises(CorruptRecord) as corrupt:
            table.put(Third(trader=trader, lot_id="L1"))
        assert (corrupt.value.key, corrupt.value.field) == (f"{{{trader}}}:book", field)


def test_a_lost_race_of_an_update_is_run_again(desk: Desk) -> None:
    """Test an update between whose round trips an older program changes the record, and then a newer one."""
    trader, raced = desk.trader, list[str]()

    def meanwhile(fields: dict[str, str]) -> Mapping[str, object]:
        raced.append(fields["account"])
        with Book.open(desk.fleet.url()) as other:
            if len(raced) == 1:
                other.table(First).update(trader, "L1", {"account": "ACC2"})
            if len(raced) == 2:
                other.table(Third).update(trader, "L1", {"quantity": 7})
        return to_third(fields)

    class Raced(Third, kind="lot", schema=3, upgrade={1: to_second, 2: meanwhile}):
        pass

    first_lot(desk)
    done = desk.book.table(Raced).update(trader, "L1", {"venue": "XLON"})
    assert done.record is not None
    assert (done.record.account, done.record.quantity, done.record.venue, done.version) == ("ACC2", 7, "XLON", 4)
    assert raced == ["ACC1", "ACC2"]


def test_a_unit_of_two_programs_marks_no_newer_schema(desk: Desk) -> None:
    trader = desk.trader
    desk.book.commit([Insert(First(trader=trader, lot_id="L1")), Insert(Third(trader=trader, lot_id="L2"))])
    assert header(desk)["schema:lot"] == "1"

"""Test records that were damaged by hand, that are at a limit, or whose names are no words."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Annotated, Any, cast

import pytest
from slotbook.cli.blotter import one_line
from slotbook.models import Delete, Entity, Index, Insert, Key, Put, Unique, Update
from slotbook.models.errors import CorruptRecord, InvalidArgument, RecordNotFound
from slotbook.models.types import Name

from ...support.desk import Desk, on_one_server
from .conftest import Allocation


class Note(Entity, kind="note"):
    trader: Name
    note_id: Annotated[str, Key]
    writer: str
    text: str = ""


class Brief(Entity, kind="brief", ttl=60):
    trader: Name
    brief_id: Annotated[str, Key]
    maker: Annotated[str, Index] = "M1"
    reference: Annotated[str | None, Unique] = None
    text: str = ""


class Lasting(Entity, kind="brief"):
    trader: Name
    brief_id: Annotated[str, Key]
    maker: Annotated[str, Index] = "M1"
    reference: Annotated[str | None, Unique] = None
    text: str = ""


def test_a_field_of_any_name_is_no_event(desk: Desk) -> None:
    table, trader = desk.book.table(Note), desk.trader
    for number in range(20):  # a server lists the fields of a hash in an order of its own
        note = Note(trader=trader, note_id=f"N{number}", writer="bob", text="x" * number)
        first = table.put(note, request_id=f"P{number}")
        again = table.put(note, request_id=f"P{number}")
        assert (again.applied, again.sequence) == (False, first.sequence)
        assert not table.insert(note).applied
    assert table.put(Note(trader=trader, note_id="N0", writer="eve")).sequence == 21


def test_a_change_that_was_applied_says_so_when_its_record_cannot_be_read(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    for key in ("L1", "L2"):
        table.insert(Allocation(trader=trader, allocation_id=key))
    desk.vandalise("HSET", "%:allocation:L1", "quantity", "1.50")
    update = Update(Allocation, trader, "L1", {"account": "ACC2"})
    changes: list[Callable[[], object]] = [
        lambda: table.update(trader, "L1", {"account": "ACC2"}),
        lambda: desk.book.commit([Put(Allocation(trader=trader, allocation_id="L2")), update]),
    ]
    for number, change in enumerate(changes):
        with pytest.raises(CorruptRecord, match="was applied") as refused:
            change()
        assert refused.value.applied
        assert copy.copy(refused.value).applied
        assert desk.ask("HGET", "%:allocation:L1", "version") == str(number + 2)
    with pytest.raises(CorruptRecord) as refused:
        table.get(trader, "L1")
    assert not refused.value.applied


@on_one_server
@pytest.mark.parametrize("version", ["0", "999999999999999", "1000000000000000", "01", "-1"])
def test_a_version_that_no_record_can_have_is_refused(desk: Desk, version: str) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    table.insert(Allocation(trader=trader, allocation_id="L1"))
    desk.vandalise("HSET", "%:allocation:L1", "version", version)
    for change in (
        lambda: table.update(trader, "L1", {"quantity": 1}),
        lambda: table.put(Allocation(trader=trader, allocation_id="L1")),
        lambda: table.delete(trader, "L1"),
    ):
        with pytest.raises(CorruptRecord) as refused:
            change()
        assert refused.value.field == "version"
    if version != "999999999999999":
        with pytest.raises(CorruptRecord):
            table.get(trader, "L1")
    assert desk.ask("HGET", "%:allocation:L1", "version") == version


@on_one_server
def test_records_of_very_many_fields(desk: Desk) -> None:
    names = [f"field{number}" for number in range(4_200)]
    annotations = {"trader": Name, "wide_id": Annotated[Name, Key], **dict.fromkeys(names, int | None)}
    body: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__, **dict.fromkeys(names)}
    wide: type[Any] = type("Wide", (Entity,), body, kind="wide")
    table, trader = desk.book.table(wide), desk.trader
    full = wide(trader=trader, wide_id="W1", **dict.fromkeys(names, 1))
    assert table.insert(full).applied
    assert table.get(trader, "W1") == full.model_copy(update={"version": 1, "updated_ns": full_time(table, trader)})
    assert table.put(wide(trader=trader, wide_id="W1")).version == 2
    assert desk.ask("HLEN", "%:wide:W1") == 6


def full_time(table: Any, trader: str) -> int:
    return cast(int, table.get(trader, "W1").updated_ns)


@on_one_server
def test_no_control_character_reaches_a_screen(desk: Desk) -> None:
    table, trader = desk.book.table(Note), desk.trader
    key = "a\nFAKE\x1b[31m\x9b2J"
    table.put(Note(trader=trader, note_id=key, writer="\x7f\u2028\x9b"))
    line = one_line(desk.events()[0])
    assert line.isprintable()
    assert r"a\nFAKE\u001b[31m\u009b2J" in line
    with pytest.raises(RecordNotFound) as absent:
        table.update(trader, key + "2", {"writer": "x"})
    desk.vandalise("HSET", f"%:note:{key}", "version", "x")
    with pytest.raises(CorruptRecord) as corrupt:
        table.get(trader, key)
    assert str(absent.value).isprintable()
    assert str(corrupt.value).isprintable()
    assert corrupt.value.key.endswith(key)


@pytest.mark.parametrize(
    "nothing", [[], {}, None, 5, Name, int], ids=["list", "dict", "none", "number", "name", "type"]
)
def test_what_is_no_model_has_no_table(lone_desk: Desk, nothing: Any) -> None:
    for use in (
        lambda: lone_desk.book.table(nothing),
        lambda: Update(nothing, "T1", "k", {"text": "x"}),
        lambda: Delete(nothing, "T1", "k"),
    ):
        with pytest.raises(InvalidArgument, match="no subclass of Entity"):
            use()


def test_classes_of_one_kind_with_and_without_ttl_agree(desk: Desk) -> None:
    trader, brief = desk.trader, Brief(trader=desk.trader, brief_id="B1", reference="R1")
    lasting = Lasting.model_validate(brief.model_dump())
    own = ("%:brief:B1", "%:brief_keys", "%:brief_by_maker:M1", "%:brief_unique_reference:R1")
    desk.book.commit([Insert(brief), Update(Lasting, trader, "B1", {"text": "x"})])
    assert [desk.ask("PTTL", key) for key in own] == [-1] * 4
    desk.book.commit([Delete(Lasting, trader, "B1"), Insert(brief)])
    assert min(cast(int, desk.ask("PTTL", key)) for key in own) > 0
    desk.book.commit([Delete(Brief, trader, "B1"), Insert(brief.model_copy(update={"text": "y"})), Put(lasting)])
    assert [desk.ask("PTTL", key) for key in own] == [-1] * 4
    assert [one.text for one in desk.book.table(Brief).by(trader, {"maker": "M1"})] == [""]


def test_a_delete_of_what_is_absent_is_remembered(desk: Desk) -> None:
    table, trader, record = desk.book.table(Allocation), desk.trader, Allocation(trader=desk.trader, allocation_id="L1")
    absent = table.delete(trader, "L1", request_id="D1")
    assert table.insert(record).applied
    again = table.delete(trader, "L1", request_id="D1")
    assert (absent.applied, again.applied, again.version, again.sequence) == (False, False, 0, 0)
    assert again.record == table.get(trader, "L1") is not None
    absent, _ = desk.book.commit([Delete(Allocation, trader, "L2", request_id="D2"), Delete(Allocation, trader, "L3")])
    assert table.put(Allocation(trader=trader, allocation_id="L2")).applied
    assert not desk.book.commit([Delete(Allocation, trader, "L2", request_id="D2")])[0].applied
    assert table.exists(trader, "L2")
    assert 0 < cast(int, desk.ask("PTTL", "%:request:D2")) <= 86_400_000


@on_one_server
def test_of_many_deletions_the_last_are_remembered(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    contents = [Allocation(trader=trader, allocation_id="L1", quantity=number) for number in range(1, 101)]
    for record in contents:
        table.insert(record)
        table.delete(trader, "L1")
        table.put(contents[0])  # known already: it takes no room of the others
        table.delete(trader, "L1")
    brought_back: list[Allocation] = []
    for record in reversed(contents):
        if table.insert(record).applied:
            brought_back.append(record)
            table.delete(trader, "L1")
    assert len(brought_back) < 40
    assert brought_back == contents[len(brought_back) : 0 : -1]

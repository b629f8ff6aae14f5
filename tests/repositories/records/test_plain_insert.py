"""Test inserts that a script makes in its shortest way: they leave, answer and refuse what all other inserts do."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from slotbook.models import Entity, Index, Insert, Key, Unique
from slotbook.models.errors import (
    DuplicateRecord,
    FenceRefused,
    NotUnique,
    SchemaMismatch,
    SchemaTooNew,
    SlotbookError,
    StateLost,
)
from slotbook.models.table import table_model
from slotbook.models.types import Name
from slotbook.repositories import Table
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.records.calls import TableCalls
from slotbook.topology.settings import Settings

from ...support.desk import Desk, on_one_server
from ...support.raw import mapping

pytestmark = on_one_server


class Slip(Entity, kind="slip"):
    trader: Name
    slip_id: Annotated[str, Key]
    maker: Annotated[str | None, Index] = "M1"
    venue: Annotated[str, Index] = "X"
    text: str = ""


class Fleeting(Slip, kind="slip", ttl=600):
    pass


class Priced(Entity, kind="priced"):
    trader: Name
    key: Annotated[str, Key]
    price: Annotated[int, Index(sorted=True)]
    code: Annotated[str | None, Unique] = None


def slip(desk: Desk, key: str, **fields: str | None) -> Slip:
    return Slip.model_validate({"trader": desk.trader, "slip_id": key, **fields})


@pytest.fixture(autouse=True)
def first(desk: Desk) -> None:
    """Insert the first slip, from which on the header says all that the shortest way needs."""
    desk.book.table(Slip).insert(slip(desk, "first"))


def stored(desk: Desk, key: str) -> list[object]:
    """Return all that is stored of a slip, without what tells it from another."""
    fields = mapping(desk.ask("HGETALL", f"%:slip:{key}"))
    indexes = ("%:slip_keys", "%:slip_by_maker:M1", "%:slip_by_venue:X", "%:slip_by_venue:Y")
    event = next(one for one in desk.events() if one.key == key)
    changed = {name: value for name, value in json.loads(str(event.changed)).items() if name != "slip_id"}
    differ = ("slip_id", "updated_ns", "@digest")
    return [
        {name: text for name, text in fields.items() if name not in differ},
        [desk.ask("ZSCORE", index, key) for index in indexes],
        [desk.ask("PTTL", index) for index in indexes[:3]],
        (event.type, event.kind, event.version, event.request_id, changed),
    ]


@pytest.mark.parametrize("fields", [{}, {"maker": None}, {"venue": "Y", "text": 'null / "\\ é'}], ids=str)
def test_it_leaves_what_an_insert_among_others_does(desk: Desk, fields: dict[str, str | None]) -> None:
    table = desk.book.table(Slip)
    one = table.insert(slip(desk, "one", **fields))
    two, _ = desk.book.commit([Insert(slip(desk, "two", **fields)), Insert(slip(desk, "three"))])
    assert (one.applied, one.version, one.sequence, two.sequence) == (True, 1, 2, 3)
    assert stored(desk, "one") == stored(desk, "two")
    assert desk.ask("HGET", "%:book", "sequence") == "4"
    assert not [found for found in desk.book.audit.verify(desk.trader) if found.is_difference]


def test_it_is_repeated_and_refused(desk: Desk) -> None:
    table = desk.book.table(Slip)
    table.insert(slip(desk, "one"))
    before = desk.contents()
    assert not table.insert(slip(desk, "one")).applied
    with pytest.raises(DuplicateRecord):
        table.insert(slip(desk, "one", text="other"))
    assert desk.contents() == before
    table.delete(desk.trader, "one")
    before = desk.contents()
    assert not table.insert(slip(desk, "one")).applied
    assert desk.contents() == before
    assert table.insert(slip(desk, "one", text="other")).applied


def test_a_newer_schema_or_another_declaration_refuses_it(desk: Desk) -> None:
    desk.vandalise("HSET", "%:book", "schema:slip", "2", "fields:slip:2", "maker venue||")
    with pytest.raises(SchemaTooNew):
        desk.book.table(Slip).insert(slip(desk, "one"))
    desk.vandalise("HDEL", "%:book", "fields:slip:2")
    desk.vandalise("HSET", "%:book", "schema:slip", "1", "fields:slip:1", "maker||")
    with pytest.raises(SchemaMismatch):
        desk.book.table(Slip).insert(slip(desk, "one"))
    desk.vandalise("HSET", "%:book", "fields:slip:1", "maker venue||")
    assert desk.ask("EXISTS", "%:slip:one") == 0


@pytest.mark.parametrize("place", ["slip:one", "slip_deleted:one", "slip_by_venue:Y"])
def test_a_key_of_another_type_refuses_it_and_nothing_is_written(desk: Desk, place: str) -> None:
    desk.vandalise("SADD", f"%:{place}", "x")
    before = desk.contents()
    with pytest.raises(SlotbookError, match="WRONGTYPE"):
        desk.book.table(Slip).insert(slip(desk, "one", venue="Y"))
    assert desk.contents() == before
    desk.vandalise("DEL", f"%:{place}")


def test_a_stream_that_is_ahead_of_the_header_gets_the_next_number(desk: Desk) -> None:
    desk.vandalise("HSET", "%:book", "sequence", "0")
    calls = TableCalls(table_model(Slip), Settings(), LossDetector())  # a writer to whom nothing was acknowledged
    assert desk.book.backend.run(calls.change(Insert(slip(desk, "one")))).sequence == 2


def test_a_latest_time_stays_the_latest(desk: Desk) -> None:
    latest = desk.ask("HGET", "%:book", "latest_ns")
    desk.book.table(Slip).insert(slip(desk, "one"), ts_ns=1)
    assert desk.ask("HGET", "%:book", "latest_ns") == latest
    desk.book.table(Slip).insert(slip(desk, "two"), ts_ns=int(str(latest)) + 1)
    assert desk.ask("HGET", "%:book", "latest_ns") == str(int(str(latest)) + 1)


def test_one_that_expires_and_one_that_stays_keep_an_index_right(desk: Desk) -> None:
    desk.book.table(Fleeting).insert(Fleeting(trader=desk.trader, slip_id="one", venue="Y"))
    assert 0 < int(str(desk.ask("PTTL", "%:slip:one"))) <= 600_000
    assert desk.ask("HGET", "%:book", "stay:slip") == "0"
    desk.book.table(Slip).insert(slip(desk, "two", venue="Y"))
    assert desk.ask("PTTL", "%:slip_by_venue:Y") == desk.ask("PTTL", "%:slip_by_venue@expiry:Y") == -1


def test_a_sorted_index_and_a_unique_value_are_entered_by_each(desk: Desk) -> None:
    table = desk.book.table(Priced)
    for number in (2, 1, 3):
        table.insert(Priced(trader=desk.trader, key=f"K{number}", price=number, code=f"C{number}"))
    assert [one.key for one in table.range(desk.trader, "price")] == ["K1", "K2", "K3"]
    with pytest.raises(NotUnique):
        table.insert(Priced(trader=desk.trader, key="K4", price=4, code="C1"))


def loss_is_reported(desk: Desk, table: Table[Slip]) -> None:
    """Take the slip that was lost out of its indexes, and see that the next insert reports the loss."""
    for index in ("keys", "by_maker:M1", "by_venue:X"):
        desk.vandalise("ZREM", f"%:slip_{index}", "one")
    with pytest.raises(StateLost):
        table.insert(slip(desk, "two"))
    desk.trader = desk.another()  # what is left of the first has lost an event


def test_what_the_server_has_lost_is_reported(desk: Desk) -> None:
    table = desk.book.table(Slip)
    count = str(desk.ask("HGET", "%:book", "count"))
    table.insert(slip(desk, "one"))
    desk.vandalise("HSET", "%:book", "sequence", "1", "count", count)  # as a copy that lacks the second event
    desk.vandalise("DEL", "%:events", "%:slip:one")
    desk.vandalise("XADD", "%:events", "1-0", "writer", "ab", "count", count, "type", "INSERT", "ts_ns", "1")
    loss_is_reported(desk, table)


def test_what_others_have_added_meanwhile_is_no_loss(desk: Desk) -> None:
    one, other = desk.book.table(Slip), desk.open().table(Slip)
    for number, table in enumerate((one, other, other, one, other, one)):
        assert table.insert(slip(desk, f"S{number}")).applied
    assert [event.key for event in desk.events()] == ["first", *(f"S{number}" for number in range(6))]
    other.insert(slip(desk, "S6"))
    desk.vandalise("XTRIM", "%:events", "MINID", "8")
    assert one.insert(slip(desk, "S7")).applied  # what is no longer kept proves nothing


@pytest.mark.parametrize("others", ["ab", None], ids=["the writer", "the count"])
def test_what_is_lost_behind_what_others_have_added_is_reported(desk: Desk, others: str | None) -> None:
    table = desk.book.table(Slip)
    table.insert(slip(desk, "one"))
    writer, count = (str(desk.ask("HGET", "%:book", name)) for name in ("writer", "count"))
    desk.vandalise("DEL", "%:events", "%:slip:one")
    instead = (others or writer, count if others else f"1{count}")
    for number in (1, 2, 3):  # as a copy that lacks the second event, to which others have written since
        desk.vandalise(
            *("XADD", "%:events", f"{number}-0", "writer", instead[0], "count", instead[1], "type", "INSERT"),
            *("ts_ns", "1"),
        )
    desk.vandalise("HSET", "%:book", "sequence", "3", "writer", instead[0], "count", instead[1])
    loss_is_reported(desk, table)


def test_a_lock_that_is_lost_refuses_it(desk: Desk) -> None:
    held = desk.book.lock("L", trader=desk.trader, lease=60, wait=30).acquire()
    held.release()
    before = desk.contents()
    with pytest.raises(FenceRefused):
        held.table(Slip).insert(slip(desk, "one"))
    assert desk.contents() == before

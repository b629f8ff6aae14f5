"""Test tables of own records on every topology, for threads and for asyncio."""

from __future__ import annotations

import json

import pytest
from slotbook.models import Delete, Insert, Put, Update
from slotbook.models.errors import (
    CorruptRecord,
    DuplicateRecord,
    DuplicateRequest,
    FenceRefused,
    InvalidArgument,
    NotUnique,
    RecordNotFound,
    VersionConflict,
)

from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.make import execution, limit
from .conftest import Allocation, Quote


def allocation(trader: str, key: str = "L1", **fields: object) -> Allocation:
    return Allocation.model_validate({"trader": trader, "allocation_id": key, **fields})


def keys_of(found: list[Allocation]) -> list[str]:
    return [one.allocation_id for one in found]


def test_a_record_is_inserted_once_and_read_back(desk: Desk) -> None:
    table, record = desk.book.table(Allocation), allocation(desk.trader, reference="R1", note='two\nlines "and"')
    first, again = table.insert(record, ts_ns=5), table.insert(record, ts_ns=6)
    assert (first.applied, first.version, first.sequence) == (True, 1, 1)
    assert first.record == record.model_copy(update={"version": 1, "updated_ns": 5})
    assert (again.applied, again.version, again.record) == (False, 1, first.record)
    assert table.get(desk.trader, "L1") == first.record
    assert table.exists(desk.trader, "L1")
    assert not table.exists(desk.trader, "L2")
    assert table.get(desk.trader, "L2") is None
    with pytest.raises(DuplicateRecord) as refused:
        table.insert(allocation(desk.trader, quantity=7))
    assert refused.value.record == first.record
    assert desk.book.table(Allocation) is not None


def test_every_change_has_an_event_which_every_reader_goes_on_with(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    table.insert(allocation(trader, note='a "b" \\ \n'))
    desk.book.orders.place(limit(trader))
    table.put(allocation(trader, quantity=7))
    table.update(trader, "L1", {"quantity": 8, "note": None})
    table.delete(trader, "L1")
    events = desk.book.events.history(trader)
    assert [(one.type, one.sequence) for one in events] == [
        ("INSERT", 1), ("NEW", 2), ("PUT", 3), ("UPDATE", 4), ("DELETE", 5),
    ]  # fmt: skip
    own = [one for one in events if one.kind]
    assert [(one.kind, one.key, one.version) for one in own] == [("allocation", "L1", n) for n in (1, 2, 3, 4)]
    assert json.loads(own[0].changed or "")["note"] == 'a "b" \\ \n'
    assert json.loads(own[2].changed or "") == {"quantity": "8", "note": None}
    assert own[3].changed is None
    assert desk.book.snapshot(trader).sequence == 5
    assert not desk.book.audit.verify(trader)


def test_put_update_and_delete_are_known_by_their_requests(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    table.insert(allocation(trader))
    put = table.put(allocation(trader, quantity=2), request_id="Q1", expected_version=1)
    update = table.update(trader, "L1", {"quantity": 3}, request_id="Q2", expected_version=2)
    table.update(trader, "L1", {"quantity": 4})
    before = desk.contents()
    for first, again in (
        (put, table.put(allocation(trader, quantity=2), request_id="Q1", expected_version=1)),
        (update, table.update(trader, "L1", {"quantity": 3}, request_id="Q2", expected_version=2)),
    ):
        assert (again.applied, again.version, again.sequence) == (False, first.version, first.sequence)
        assert again.record == table.get(trader, "L1")
    with pytest.raises(DuplicateRequest):
        table.update(trader, "L1", {"quantity": 5}, request_id="Q2", expected_version=2)
    with pytest.raises(DuplicateRequest):
        desk.book.positions.adjust(trader, "AAPL", 5, request_id="Q2")
    assert desk.contents() == before
    gone = table.delete(trader, "L1", request_id="Q3")
    table.put(allocation(trader))
    again = table.delete(trader, "L1", request_id="Q3")
    assert (gone.applied, again.applied) == (True, False)
    assert (again.version, again.sequence) == (gone.version, gone.sequence) == (5, 5)
    assert again.record == table.get(trader, "L1") is not None


def test_versions_are_compared_and_what_is_not_there_is_not_updated(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    with pytest.raises(RecordNotFound):
        table.update(trader, "L1", {"quantity": 3})
    with pytest.raises(VersionConflict):
        table.put(allocation(trader), expected_version=3)
    assert table.put(allocation(trader), expected_version=0).version == 1
    for change in (
        lambda: table.put(allocation(trader), expected_version=0),
        lambda: table.update(trader, "L1", {"quantity": 3}, expected_version=0),
        lambda: table.delete(trader, "L1", expected_version=0),
    ):
        with pytest.raises(VersionConflict) as refused:
            change()
        assert (refused.value.expected, refused.value.actual) == (0, 1)
    absent = table.delete(trader, "L9")
    assert (absent.applied, absent.version, absent.sequence, absent.record) == (False, 0, 0, None)


def test_a_late_insert_does_not_bring_back_what_was_deleted_but_put_does(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    first, other = allocation(trader), allocation(trader, quantity=9)
    for record in (first, other):
        table.insert(record)
        table.delete(trader, "L1")
    for record in (first, other):
        late = table.insert(record)
        assert (late.applied, late.record, late.version) == (False, None, 1)
    assert not table.exists(trader, "L1")
    assert table.put(first).version == 1
    assert table.insert(first).record == table.get(trader, "L1")


def test_unique_values_are_free_again_when_their_record_leaves_them(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    table.insert(allocation(trader, "L1", reference="R1"))
    for change in (
        lambda: table.insert(allocation(trader, "L2", reference="R1")),
        lambda: table.put(allocation(trader, "L2", reference="R1")),
    ):
        with pytest.raises(NotUnique) as refused:
            change()
        assert (refused.value.field, refused.value.value, refused.value.key) == ("reference", "R1", "L1")
    table.update(trader, "L1", {"reference": "R2"})
    table.insert(allocation(trader, "L2", reference="R1"))
    with pytest.raises(NotUnique):
        table.update(trader, "L2", {"reference": "R2"})
    table.delete(trader, "L1")
    table.update(trader, "L2", {"reference": "R2"})
    table.put(allocation(trader, "L2"))
    assert desk.ask("KEYS", "%:allocation_unique_*") == []


def test_indexes_follow_and_are_read_in_the_order_of_keys(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    names = [f"L{number}" for number in (3, 1, 10, 2)]
    outcomes = table.insert_many([allocation(trader, name, account=f"ACC{name[1:]}") for name in names])
    assert all(one.result().applied for one in outcomes)
    for name in ("L3", "L1", "L2"):
        table.update(trader, name, {"account": "ACC:1%"})
    assert keys_of(table.by(trader, {"account": "ACC:1%"})) == ["L1", "L2", "L3"]
    assert keys_of(table.by(trader, {"account": "ACC:1%"}, limit=1, after="L1")) == ["L2"]
    assert keys_of(table.by(trader, {"account": "ACC:1%", "order_id": "A1"}, after="L1")) == ["L2", "L3"]
    assert keys_of(table.by(trader, {"account": "ACC:1%", "order_id": "A2"})) == []
    assert keys_of(table.all(trader)) == keys_of(list(table.iter(trader))) == ["L1", "L10", "L2", "L3"]
    assert keys_of(table.all(trader, limit=2, after="L1")) == ["L10", "L2"]
    assert (table.count(trader), table.count(trader, {"account": "ACC:1%"})) == (4, 3)
    assert table.count(trader, {"account": "ACC:1%", "order_id": "A1"}) == 3
    with pytest.raises(InvalidArgument, match="nearest is account"):
        table.by(trader, {"acount": "ACC1"})
    found = table.get_many([(trader, "L1"), (trader, "L9")])
    assert [one.result() is None for one in found] == [False, True]


def test_a_unit_changes_own_records_together_with_orders(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    steps = [
        limit(trader),
        Insert(allocation(trader, "L1", reference="R1")),
        execution(trader, quantity=40),
        Update(Allocation, trader, "L1", {"quantity": 40}, expected_version=1),
        Delete(Allocation, trader, "L1"),
        Insert(allocation(trader, "L2", reference="R1")),
        Delete(Allocation, trader, "L3"),
        Insert(allocation(trader, "L3")),
        Put(allocation(trader, "L3", account="ACC2"), expected_version=1),
    ]
    first = desk.book.commit(steps)
    assert [one.sequence for one in first] == [1, 2, 3, 4, 5, 6, 0, 7, 8]
    before = desk.contents()
    again = desk.book.commit(steps)
    assert [one.applied for one in again] == [False] * 9
    assert desk.contents() == before
    assert keys_of(table.all(trader)) == ["L2", "L3"]
    assert keys_of(table.by(trader, {"account": "ACC2"})) == ["L3"]
    with pytest.raises(NotUnique) as refused:
        desk.book.commit([Delete(Allocation, trader, "L3"), Insert(allocation(trader, "L4", reference="R1"))])
    assert refused.value.index == 1
    assert desk.contents() == before
    with desk.book.lock("close", trader=trader) as held:
        assert held.commit([Delete(Allocation, trader, "L3")])[0].applied


def test_what_expires_is_gone_with_its_entries(desk: Desk) -> None:
    table, trader = desk.book.table(Quote), desk.trader
    quote = Quote(trader=trader, symbol="BRK:B", venue="X%:N", maker="M1", reference="R1")
    table.insert(quote)
    hash_key = f"{{{trader}}}:quote:BRK%3AB:X%:N"
    assert desk.fleet.ask(hash_key, "EXISTS", hash_key) == 1
    assert (
        [one.venue for one in table.by(trader, {"maker": "M1"})] == [one.venue for one in table.all(trader)] == ["X%:N"]
    )
    table.put(quote)
    base = f"{{{trader}}}:quote"
    keys = (f"{base}_keys", f"{base}_by_maker:M1", f"{base}_unique_reference:R1", hash_key)
    expiries = {int(str(desk.fleet.ask(hash_key, "PEXPIRETIME", key))) for key in keys}
    assert len(expiries) == 1
    assert min(expiries) > 0
    wait_until(lambda: table.get(trader, ("BRK:B", "X%:N")) is None, "the quote expires")
    assert table.by(trader, {"maker": "M1"}) == table.all(trader) == []
    assert table.count(trader) == 0
    assert table.insert(quote).applied


def test_what_cannot_be_read_is_not_guessed(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    table.insert(allocation(trader))
    desk.vandalise("HSET", "%:allocation:L1", "quantity", "many")
    with pytest.raises(CorruptRecord):
        table.get(trader, "L1")
    desk.vandalise("HSET", "%:allocation:L1", "quantity", "5", "allocation_id", "L2")
    for read in (lambda: table.get(trader, "L1"), lambda: table.all(trader)):
        with pytest.raises(CorruptRecord):
            read()
    desk.vandalise("HSET", "%:allocation:L1", "allocation_id", "L1", "version", "x")
    with pytest.raises(CorruptRecord):
        table.update(trader, "L1", {"quantity": 3})


def test_a_field_that_is_removed_is_stored_no_more(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    for change in (
        lambda: table.update(trader, "L1", {"note": None}),
        lambda: table.put(allocation(trader)),
    ):
        table.put(allocation(trader, note="one"))
        changed = change().record
        assert changed == table.get(trader, "L1")
        assert desk.ask("HEXISTS", "%:allocation:L1", "note") == 0


def test_what_a_unit_deletes_it_may_insert_again(desk: Desk) -> None:
    table, trader = desk.book.table(Allocation), desk.trader
    record = allocation(trader, reference="R1")
    table.insert(record)
    steps = [Delete(Allocation, trader, "L1"), Insert(record)]
    assert [one.applied for one in desk.book.commit(steps)] == [True, True]
    assert [one.applied for one in desk.book.commit(steps)] == [False, False]
    assert table.get(trader, "L1") is not None


def test_a_lock_that_is_lost_refuses_changes_but_not_repeats(desk: Desk) -> None:
    trader = desk.trader
    lock = desk.book.lock("close", trader=trader)
    held = lock.acquire()
    done = Insert(allocation(trader))
    held.commit([done])
    held.release()
    assert not held.commit([done])[0].applied
    for change in (
        Insert(allocation(trader, "L2")),
        Put(allocation(trader)),
        Update(Allocation, trader, "L1", {"quantity": 1}),
        Delete(Allocation, trader, "L1"),
    ):
        with pytest.raises(FenceRefused):
            held.commit([change])


def test_records_of_a_model_that_no_longer_expire_stay_with_their_entries(desk: Desk) -> None:
    class Brief(Allocation, kind="allocation", ttl=60):
        pass

    table, trader = desk.book.table(Allocation), desk.trader
    desk.book.table(Brief).insert(Brief(trader=trader, allocation_id="L1", reference="R1"))
    table.update(trader, "L1", {"quantity": 1})
    for name in (":L1", "_keys", "_by_account:ACC1", "_by_order_id:A1", "_unique_reference:R1"):
        assert desk.ask("PTTL", f"%:allocation{name}") == -1, name

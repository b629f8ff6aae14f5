"""Fault "reply cut", and servers without memory: a change of an own record has one effect, and its own result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest
from slotbook import Book
from slotbook.models import Delete, Entity, Index, Insert, Key, RecordResult, Unique
from slotbook.models.errors import OutOfMemory, VersionConflict
from slotbook.models.types import Name

from ..support.faults.control import info
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand


class Lot(Entity, kind="lot"):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Annotated[Name, Index] = "ACC1"
    reference: Annotated[Name | None, Unique] = None


CALLS: dict[str, Callable[[Book, str], RecordResult[Lot]]] = {
    "INSERT": lambda book, trader: book.table(Lot).insert(Lot(trader=trader, lot_id="L2", reference="R2")),
    "PUT": lambda book, trader: book.table(Lot).put(
        Lot(trader=trader, lot_id="L1", account="ACC2"), expected_version=1, request_id="Q1"
    ),
    "UPDATE": lambda book, trader: book.table(Lot).update(
        trader, "L1", {"account": "ACC2"}, expected_version=1, request_id="Q1"
    ),
    "DELETE": lambda book, trader: book.table(Lot).delete(trader, "L1", expected_version=1, request_id="Q1"),
}


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET], ids=["closed", "reset"])
@pytest.mark.parametrize("kind", CALLS)
def test_one_effect_and_the_first_result(lone_stand: Stand, kind: str, do: Do) -> None:
    stand, call = lone_stand, CALLS[kind]
    book = stand.open(pool_size=1)
    at, sizes = 0, [1]
    while at < max(sizes):
        trader = f"{stand.trader}.{at}"
        book.table(Lot).insert(Lot(trader=trader, lot_id="L1", reference="R1"))
        stand.veil.add(Rule(do, at=at))
        first = call(book, trader)
        sizes += [stand.veil.plan.size]
        assert stand.veil.plan.idle
        again = call(book, trader)
        assert (again.record, again.version, again.applied) == (first.record, first.version, False), at
        assert stand.kinds(trader) == ["INSERT", kind], at
        at += 1 if do is Do.CUT else 7
    assert at > 20


def test_an_update_whose_reply_is_lost_is_answered_with_its_own_result_and_no_version_conflict(stand: Stand) -> None:
    book, trader = stand.open(), stand.trader
    table = book.table(Lot)
    table.insert(Lot(trader=trader, lot_id="L1", reference="R1"))
    for version in (1, 2, 3):
        stand.veil.add(Rule(Do.CUT, at=0))
        result = table.update(trader, "L1", {"account": f"ACC{version}"}, expected_version=version)
        assert stand.veil.plan.idle
        assert (result.version, result.sequence) == (version + 1, version + 1)
        assert result.record is not None
        assert (result.record.account, result.record.version) == (f"ACC{version}", version + 1)
    with pytest.raises(VersionConflict):
        table.update(trader, "L1", {"account": "ACC1"}, expected_version=3)
    assert stand.kinds() == ["INSERT", "UPDATE", "UPDATE", "UPDATE"]


def test_a_unit_whose_reply_is_lost_keeps_what_it_has_inserted(stand: Stand) -> None:
    """It deletes what is not there, and inserts it then: sent again, it must not delete that."""
    book, trader = stand.open(), stand.trader
    new = Lot(trader=trader, lot_id="L1", reference="R1")
    stand.veil.add(Rule(Do.CUT, at=0))
    results = book.commit([Delete(Lot, trader, "L1"), Insert(new)])
    assert stand.veil.plan.idle
    assert [one.version for one in results if isinstance(one, RecordResult)] == [0, 1]
    assert book.table(Lot).get(trader, "L1") == new.model_copy(
        update={"version": 1, "updated_ns": book.table(Lot).all(trader)[0].updated_ns}
    )
    assert stand.kinds() == ["INSERT"]


def test_out_of_memory_is_refused_before_anything_is_written(lone_stand: Stand) -> None:
    stand, trader = lone_stand, lone_stand.trader
    book = stand.open()
    table, applied, number = book.table(Lot), 0, 0
    try:
        for spare in range(-200_000, 200_000, 10_000):
            number += 1
            used = int(info(stand.control.data[0], "memory")["used_memory"])
            stand.ask("CONFIG", "SET", "maxmemory", used + spare)
            try:
                table.insert(Lot(trader=trader, lot_id=f"L{number}", reference=f"R{number}"))
                applied += 1
            except OutOfMemory:
                pass
            stand.ask("CONFIG", "SET", "maxmemory", "0")
            assert table.count(trader) == table.count(trader, {"account": "ACC1"}) == len(stand.kinds()) == applied
    finally:
        stand.ask("CONFIG", "SET", "maxmemory", "0")
    assert 0 < applied < number

"""A lone insert's call and the reading of its answer are, in the shortest way, what the engine's own builder makes."""

from __future__ import annotations

from itertools import count
from typing import Annotated, Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slotbook import Entity, Index, Key, SlotbookError, Unique
from slotbook.models.entity_changes import Insert
from slotbook.models.table import table_model
from slotbook.models.types import Name, Quantity
from slotbook.repositories.changes.answers import OneReader
from slotbook.repositories.changes.fence import NO_FENCE, Fence
from slotbook.repositories.changes.loss_detector import LossDetector, Tip
from slotbook.repositories.records import inserts
from slotbook.repositories.records.calls import TableCalls
from slotbook.repositories.records.inserts import InsertReader
from slotbook.topology.call import Call
from slotbook.topology.settings import Settings


class Plain(Entity, kind="plain_insert"):
    trader: Name
    key: Annotated[str, Key]
    account: Annotated[Name | None, Index] = None
    quantity: Quantity = 1


class Short(Entity, kind="short_insert", ttl=60, schema=3):
    trader: Name
    first: Annotated[Name, Key]
    second: Annotated[int, Key]
    tags: tuple[str, ...] = ()


class Named(Entity, kind="named_insert"):
    trader: Name
    key: Annotated[Name, Key]
    größe: Annotated[Name | None, Index] = None  # noqa: PLC2401


class One(Entity, kind="unique_insert"):
    trader: Name
    key: Annotated[Name, Key]
    reference: Annotated[Name | None, Unique] = None


NAMES = st.sampled_from(["T001", "a:b", "x y", "50%", "é", "日本", "L" * 200])
KEYS = st.one_of(NAMES, st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20))
RECORDS = st.one_of(
    st.builds(Plain, trader=NAMES, key=KEYS, account=st.none() | NAMES, quantity=st.integers(1, 10**9)),
    st.builds(Short, trader=NAMES, first=NAMES, second=st.integers(), tags=st.lists(st.text(max_size=5)).map(tuple)),
    st.builds(Named, trader=NAMES, key=NAMES),
)
SETTINGS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([
    {},
    {"prefix": "desk1:", "events_kept": 5, "record_refusals": True},
    {"prefix": "büro:"},
    {"publish": frozenset(), "request_ttl": 60, "order_ttl": 120},
])  # fmt: skip
TIPS = st.lists(
    st.builds(Tip, st.integers(1, 20), st.sampled_from(["3f42a20f 12", "00000000 3", "mine 1"])), max_size=6
)
SENT = ("name", "keys", "slot", "packed", "readonly", "repeatable", "script", "subjects", "touched", "touched_in")


def both(record: Entity, settings: dict[str, Any], tips: list[Tip]) -> tuple[Call[Any], Call[Any]]:
    """Return the call of an insert, and what the engine's builder makes of it, with the same count."""
    detector = LossDetector()
    calls = TableCalls(table_model(type(record)), Settings(**settings), detector)
    for tip in tips:
        detector.acknowledge(detector.tell(record.trader), tip)  # type: ignore[attr-defined]
    insert = Insert(record, ts_ns=1_700_000_000_000_000_000)
    shortest = calls.change(insert)
    detector._writer().counts = count(shortest.decode.told.counted)  # type: ignore[attr-defined]
    return shortest, calls.one(calls.checked([insert])[0])


@example(Plain(trader="T001", key="a\x1b[31m\n"), {}, [Tip(7, "mine 1")])
@given(RECORDS, SETTINGS, TIPS)
def test_the_shortest_way_sends_what_the_engines_builder_sends(
    record: Entity, settings: dict[str, Any], tips: list[Tip]
) -> None:
    shortest, whole = both(record, settings, tips)
    assert {name: getattr(shortest, name) for name in SENT} == {name: getattr(whole, name) for name in SENT}


def test_it_is_taken_without_unique_values_fences_and_other_tables() -> None:
    def reader(record: Entity, model: type[Entity], fence: Fence = NO_FENCE) -> object:
        calls = TableCalls(table_model(model), Settings(), LossDetector(), fence)
        return calls.change(Insert(record)).decode

    plain = Plain(trader="T001", key="K1")
    assert isinstance(reader(plain, Plain), InsertReader)
    assert isinstance(reader(plain, Plain, Fence("{T001}:lock:desk", "T001", 3)), OneReader)
    assert isinstance(reader(plain, Short), OneReader)
    assert isinstance(reader(One(trader="T001", key="K1"), One), OneReader)


def test_it_is_taken_for_words_of_ascii_alone() -> None:
    def is_shortest(record: Entity, **settings: object) -> bool:
        return isinstance(both(record, settings, [])[0].decode, InsertReader)

    assert is_shortest(Plain(trader="T001", key="K1"))
    assert is_shortest(Short(trader="T001", first="K1", second=2))
    assert not is_shortest(Named(trader="T001", key="K1"))
    assert not is_shortest(Plain(trader="é", key="K1"))
    assert not is_shortest(Plain(trader="T001", key="é"))
    assert not is_shortest(Plain(trader="T001", key="K1", account="é"))
    assert not is_shortest(Plain(trader="T001", key="K1"), prefix="büro:")


OWN = "{own}"
ANSWERS: list[Any] = [
    ["", "7 {own}", ["applied", "7", "1"]],
    ["", "7 {own}", ["applied", "7", "2"]],
    ["", "7 {own}", ["applied", "8", "1"]],
    ["", "7 {own}", ["applied", "7", "1", ["a", "b"]]],
    ["", "7 {own}", ["applied", "7", "1"]],
    ["", "7 {own}", ["applied", 7, "1"]],
    ["", "7 {own}", ["repeat", "7", "1", [], []]],
    ["", "7 {own}", ["taken", []]],
    ["", "7 {own}", "applied"],
    ["", "\u0667 {own}", ["applied", "\u0667", "1"]],
    ["", "x {own}", ["applied", "x", "1"]],
    ["", "+7 {own}", ["applied", "+7", "1"]],
    ["", f"{'7' * 40} {{own}}", ["applied", "7" * 40, "1"]],
    ["", f"{'7' * 20} {{own}}", ["applied", "7" * 20, "1"]],
    ["", "7 00000000 1", ["applied", "7", "1"]],
    ["", "7 00000000 1", ["unique", "a", "b", "c"]],
    ["", "", ["applied", "7", "1", []]],
    ["", None, ["applied", "7", "1", []]],
    [None, "7 {own}", ["applied", "7", "1", []]],
    [["3", "1"], "7 {own}", ["applied", "7", "1", []]],
    ["3", "7 {own}", ["applied", "7", "1", []]],
    ["unfinished", "NOPERM"],
    ["", "", "unusable", ["wrongtype", "k"]],
    [],
    None,
    7,
    "applied",
]


def said(answer: Any, own: str) -> Any:
    """Return an answer with the call's writer in it."""
    if isinstance(answer, list):
        return [said(one, own) for one in cast("list[Any]", answer)]
    return answer.replace(OWN, own) if isinstance(answer, str) else answer


def outcome(call: Call[Any], answer: Any) -> tuple[object, ...]:
    """Return all that there is to know of what a call makes of an answer."""
    own = call.decode.told.own  # type: ignore[attr-defined]
    try:
        return (call.value(said(answer, own)),)
    except SlotbookError as error:
        return type(error), str(error).replace(own, OWN), getattr(error, "result", None)


@pytest.mark.parametrize("number", range(len(ANSWERS)))
@pytest.mark.parametrize("acknowledged", [0, 3, 7, 9])
@pytest.mark.parametrize("model", [Plain, Short])
def test_an_answer_is_read_as_the_engines_reader_reads_it(
    number: int, acknowledged: int, model: type[Plain] | type[Short]
) -> None:
    record = Plain(trader="T001", key="K1") if model is Plain else Short(trader="T001", first="K1", second=2)
    found: list[object] = []
    for is_shortest in (True, False):
        detector = LossDetector()
        calls = TableCalls(table_model(model), Settings(), detector)
        if acknowledged:
            detector.acknowledge(detector.tell("T001"), Tip(acknowledged, "00000000 1"))
        insert = Insert(record, ts_ns=1_700_000_000_000_000_000)
        call = calls.change(insert) if is_shortest else calls.one(calls.checked([insert])[0])
        assert isinstance(call.decode, InsertReader if is_shortest else OneReader)
        told, own = detector.tell, call.decode.told.own  # type: ignore[attr-defined]
        seen = outcome(call, ANSWERS[number])
        found.append((seen, told("T001").acknowledged.replace(own, OWN), told("T001").counted))
    assert found[0] == found[1]


def test_a_call_that_is_built_again_tells_what_was_acknowledged_meanwhile() -> None:
    detector = LossDetector()
    calls = TableCalls(table_model(Plain), Settings(), detector)
    call = calls.change(Insert(Plain(trader="T001", key="K1")))
    detector.acknowledge(detector.tell("T001"), Tip(7, "00000000 1"))
    again = call.rebuild()
    assert b"7 00000000 1" in again.packed
    assert b"7 00000000 1" not in call.packed
    assert isinstance(again.decode, InsertReader)
    assert len({one.decode.told.counted for one in (call, again)}) == 2  # type: ignore[attr-defined]


def test_another_writer_is_told_and_many_traders_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = LossDetector()
    calls = TableCalls(table_model(Plain), Settings(), detector)
    first = calls.change(Insert(Plain(trader="T001", key="K1")))
    detector._writers.clear()  # pyright: ignore[reportPrivateUsage]  # as in a child that was forked
    after = calls.change(Insert(Plain(trader="T001", key="K1")))
    assert detector.mark.encode() in after.packed
    assert detector.mark.encode() not in first.packed
    monkeypatch.setattr(inserts, "MOST_TRADERS", 3)
    for number in range(10):
        call = calls.change(Insert(Plain(trader=f"T{number}", key="K1")))
        assert f"{{T{number}}}:book".encode() in call.packed
    remembered = calls._inserts  # pyright: ignore[reportPrivateUsage]
    assert remembered is not None
    assert len(remembered._packed) <= 3  # pyright: ignore[reportPrivateUsage]

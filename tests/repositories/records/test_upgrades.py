"""Test what the functions of ``upgrade=`` are given, and what becomes of what they return."""

from __future__ import annotations

from collections.abc import Callable
from types import new_class
from typing import Annotated, Any

import pytest
from pydantic import Field
from slotbook.models import Entity, Index, Key, Update
from slotbook.models.errors import CorruptRecord, InvalidArgument, SchemaMismatch
from slotbook.models.types import Name

from ...support.desk import Desk
from ...support.make import limit
from ...support.schemas import first_lot, to_second, to_third


def lower(fields: dict[str, str]) -> dict[str, object]:
    return {**fields, "account": fields["account"].lower()}


class Loud(Entity, kind="lot", schema=2, upgrade={1: lower}):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Annotated[Name, Index] = "ACC1"
    reference: Name | None = None
    size: int = 1


def test_a_value_that_an_upgrade_changes_is_not_looked_for_in_the_index(desk: Desk) -> None:
    table, trader = desk.book.table(Loud), desk.trader
    first_lot(desk)
    with pytest.raises(SchemaMismatch, match=r"gives it another account .* run slotbook migrate"):
        table.by(trader, {"account": "ACC1"})
    table.migrate([trader])
    assert [one.account for one in table.by(trader, {"account": "acc1"})] == ["acc1"]
    assert table.by(trader, {"account": "ACC1"}) == []


def lot_with(upgrade: Any, schema: int = 2) -> Any:
    """Return a model of the kind with upgrades of its own."""

    class Lot(Entity, kind="lot", schema=schema, upgrade=upgrade):
        trader: Name
        lot_id: Annotated[Name, Key]
        account: Annotated[Name, Index] = "ACC1"
        size: int = 1

    return Lot


def without(fields: dict[str, str], *names: str, **other: object) -> dict[str, object]:
    return {**{name: text for name, text in fields.items() if name not in names}, **other}


def fail(fields: dict[str, str]) -> dict[str, object]:
    raise KeyError("venue")


WRONG: list[tuple[Callable[[dict[str, str]], object], str, str]] = [
    (fail, "@schema", r"after its upgrade from schema 1 to 2: upgrade={1: ...} raised KeyError: 'venue'"),
    (lambda fields: None, "@schema", "returned None cannot be used: it is a NoneType, not a mapping"),
    (lambda fields: without(fields, size="04"), "size", "from schema 1 to 2: '04' is not a value that was ever"),
    (lambda fields: without(fields, size=[4]), "@schema", "from schema 1 to 2: Lot.size"),
    (lambda fields: without(fields, tint="red"), "tint", "from schema 1 to 2: is no field of Lot"),
    (lambda fields: without(fields, tint=7), "@schema", "from schema 1 to 2: Lot.tint"),
    (lambda fields: without(fields, lot_id="L7"), "lot_id", "'L7' is not 'L1': it is another key's record"),
    (lambda fields: without(fields, trader="T7"), "trader", "'T7' is not"),
    (lambda fields: without(fields, "lot_id"), "lot_id", "from schema 1 to 2: is missing"),
]


@pytest.mark.parametrize(("upgrade", "field", "problem"), WRONG)
def test_what_an_upgrade_does_wrong_is_a_corrupt_record(desk: Desk, upgrade: Any, field: str, problem: str) -> None:
    model, trader = lot_with({1: upgrade}), desk.trader
    table = desk.book.table(model)
    first_lot(desk)
    before = desk.contents()
    for call in (
        lambda: table.get(trader, "L1"),
        lambda: table.update(trader, "L1", {"size": 7}),
        lambda: desk.book.commit([limit(trader), Update(model, trader, "L1", {"size": 7})]),
    ):
        with pytest.raises(CorruptRecord) as corrupt:
            call()
        assert (corrupt.value.key, corrupt.value.field) == (f"{{{trader}}}:lot:L1", field)
        assert problem in str(corrupt.value)
    assert desk.contents() == before
    assert table.put(model(trader=trader, lot_id="L1")).version == 2
    found = table.get(trader, "L1")
    assert found is not None
    assert found.size == 1


def test_a_schema_without_a_way_is_refused_when_a_record_has_it(desk: Desk) -> None:
    model = lot_with({2: to_third}, 3)
    table, trader = desk.book.table(model), desk.trader
    first_lot(desk)
    for call in (lambda: table.get(trader, "L1"), lambda: table.update(trader, "L1", {"size": 7})):
        with pytest.raises(SchemaMismatch, match=r"is of schema 1, and Lot has no upgrade from 1; declare upgrade={1"):
            call()
    assert "no upgrade from 1" in table.migrate([trader]).left[0].reason
    assert table.delete(trader, "L1").applied


def test_what_an_upgrade_takes_out_is_what_the_next_gets_written(desk: Desk) -> None:
    seen: list[dict[str, str]] = []

    def note(fields: dict[str, str]) -> dict[str, object]:
        seen.append(dict(fields))
        return to_third(fields) | {"venue": "X" if fields["venue"] == "XNAS" else "Y"}

    class Own(Entity, kind="lot", schema=3, upgrade={1: to_second, 2: note}):
        trader: Name
        lot_id: Annotated[Name, Key]
        account: Name
        venue: Name
        label: Name | None = None
        quantity: int
        legs: list[int]

    first_lot(desk, size=40)
    found = desk.book.table(Own).get(desk.trader, "L1")
    assert found is not None
    assert (found.venue, found.legs) == ("X", [39, 1])
    assert seen == [
        {"trader": desk.trader, "lot_id": "L1", "account": "ACC1", "quantity": "40", "venue": "XNAS"},
    ]  # fmt: skip


class More(Entity, kind="lot", schema=2, upgrade={1: dict}):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Name
    size: int
    reference: Name | None = "R0"
    venue: Annotated[Name, Index] = "XNAS"
    legs: list[int] = Field(default_factory=lambda: [1, 2])


def test_a_field_that_is_left_out_has_its_default(desk: Desk) -> None:
    first_lot(desk)
    table = desk.book.table(More)
    found = table.get(desk.trader, "L1")
    assert found is not None
    assert (found.reference, found.venue, found.legs) == (None, "XNAS", [1, 2])
    assert table.migrate([desk.trader]).is_complete
    assert table.by(desk.trader, {"venue": "XNAS"}) == [found]


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"schema": 0}, "Own: schema 0 cannot be used: it is a whole number from 1 to 9,999,999"),
        ({"schema": "2"}, "Own: schema '2' cannot be used"),
        ({"schema": True}, "Own: schema True cannot be used"),
        ({"schema": 10**7}, "Own: schema 10000000 cannot be used"),
        ({"schema": 2, "upgrade": {2: dict}}, r"Own: upgrade={2: ...} leads past schema=2; raise schema="),
        ({"upgrade": {1: dict}}, r"Own: upgrade={1: ...} leads past schema=1"),
        ({"schema": 3, "upgrade": {0: dict}}, "Own: upgrade 0 cannot be used"),
        ({"schema": 4, "upgrade": {1: dict, 3: dict}}, r"there is no upgrade={2: ...} between 1 and schema=4"),
        ({"schema": 3, "upgrade": {1: dict}}, r"there is no upgrade={2: ...} between 1 and schema=3"),
        ({"schema": 2, "upgrade": {1: "f"}}, r"Own: upgrade={1: 'f'} is no function"),
        ({"schema": 2, "upgrade": dict}, "Own: upgrade .* it is a type, not a mapping"),
        ({"kind": None, "schema": 2}, "Own: schema= and upgrade= are of a kind; write them beside kind="),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_is_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        new_class("Own", (Entity,), {"kind": "own", **keywords})


def test_a_subclass_has_a_schema_of_its_own() -> None:
    class Child(lot_with({1: dict}), kind="child"):  # type: ignore[misc]
        pass

    assert (Child.entity_schema, dict(Child.entity_upgrades)) == (1, {})

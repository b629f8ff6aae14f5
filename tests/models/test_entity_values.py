"""Own records of rich models: what is stored of them comes back equal, and equal contents have one digest."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

import pytest
from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    SecretStr,
    computed_field,
    field_serializer,
)
from slotbook.models import Entity, Key
from slotbook.models.errors import InvalidArgument
from slotbook.models.table import table_model
from slotbook.models.types import Name

from ..support.entities import KEY


class Rich(Entity, kind="rich"):
    """A record whose derived values come back because they are made again."""

    trader: Name
    k: Annotated[Name, Key] = Field(alias="theKey")
    numbers: frozenset[int] = frozenset()
    options: dict[str, JsonValue] = Field(default_factory=dict)
    raw: tuple[bytes, ...] = ()
    shown: SecretStr | None = None

    @computed_field
    def double(self) -> str:
        return self.k * 2

    @cached_property
    def heavy(self) -> str:
        return self.k * 3

    @field_serializer("shown")
    def write(self, value: SecretStr | None) -> str | None:
        return None if value is None else value.get_secret_value()


def test_aliases_and_what_is_computed_come_back_equal() -> None:
    table = table_model(Rich)
    record = Rich(
        trader="T",
        theKey="K",
        raw=(b"\xff\x00",),
        shown=SecretStr("s"),
        options={"a": [1, None]},
        numbers=frozenset([1]),
    )
    assert record.heavy == "KKK"
    fields = table.encode(record)
    assert fields == {
        "trader": "T", "k": "K", "numbers": "[1]", "options": '{"a":[1,null]}', "raw": '["_wA="]', "shown": '"s"',
    }  # fmt: skip
    found = table.decode("KEY", {**fields, "version": "0"})
    assert (found.k, found.raw, found.shown, found.double) == ("K", (b"\xff\x00",), SecretStr("s"), "KK")
    assert table.encode_changes({"shown": "new", "raw": []}) == {"shown": '"new"', "raw": "[]"}


def test_the_order_of_a_set_and_of_a_dictionary_does_not_make_another_content() -> None:
    table = table_model(Rich)
    one = Rich(trader="T", theKey="K", numbers=frozenset([8, 0]), options={"a": 1, "b": {"c": 1, "d": 2}})
    other = Rich(trader="T", theKey="K", numbers=frozenset([0, 8]), options={"b": {"d": 2, "c": 1}, "a": 1})
    assert list(one.numbers) != list(other.numbers)
    assert one == other
    assert table.encode(one)["numbers"] == table.encode(other)["numbers"] == "[0,8]"
    assert table.digest(table.encode(one)) == table.digest(table.encode(other))
    assert len(table.digest(table.encode(one))) == 22


def test_other_contents_have_other_digests() -> None:
    table = table_model(Rich)
    records = [
        Rich(trader="T", theKey="K"),
        Rich(trader="T2", theKey="K"),
        Rich(trader="T", theKey="K2"),
        Rich(trader="T", theKey="K", options={"a": 1}),
        Rich(trader="T", theKey="K", options={"a": "1"}),
        Rich(trader="T", theKey="K", raw=(b"a",)),
    ]
    assert len({table.digest(table.encode(record)) for record in records}) == len(records)
    again = [record.model_copy(update={"version": 7, "updated_ns": 5}) for record in records]
    assert [table.digest(table.encode(one)) for one in again] == [table.digest(table.encode(one)) for one in records]


class Leg(BaseModel):
    symbol: str


class WideLeg(Leg):
    ratio: int = 1


class Legs(Entity, kind="legs"):
    trader: Name
    k: KEY
    legs: list[Leg] = Field(default_factory=list[Leg])
    weight: float = 1.0
    total: Decimal = Decimal(0)
    note: str = ""


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"weight": float("nan")}, "Legs.weight nan cannot be stored: it is not a number, and equals nothing, not even "
     "itself"),
    ({"total": Decimal("sNaN")}, "Legs.total Decimal('sNaN') cannot be stored: it is not a number, and equals nothing, "
     "not even itself"),
    ({"note": "\ud800"}, "Legs.note '\\ud800' cannot be stored: 'utf-8' codec can't encode character '\\ud800' in "
     "position 0: surrogates not allowed"),
    ({"note": 5}, "Legs.note 5 cannot be stored: 'int' object has no attribute 'isascii'"),
    ({"weight": 1}, "Legs.weight 1 cannot be stored: it is no value of its type"),
    ({"legs": [WideLeg(symbol="A")]}, "Legs.legs [WideLeg(symbol='A', ratio=1)] cannot be stored: it would come back "
     "as [Leg(symbol='A')]"),
    ({"legs": ["A"]}, "Legs.legs ['A'] cannot be stored: something in it is no value of its type"),
    ({"k": ""}, "Legs.k '': a name is a string of 1 to 128 characters without whitespace, control characters, '{' or "
     "'}'"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sentence"), WRONG, ids=[str(values)[:40] for values, _ in WRONG])
def test_a_value_that_would_not_come_back_equal_is_refused(values: dict[str, Any], sentence: str) -> None:
    record = Legs(trader="T", k="K").model_copy(update=values)
    with pytest.raises(InvalidArgument) as refused:
        table_model(Legs).encode(record)
    assert str(refused.value) == sentence

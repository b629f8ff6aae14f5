"""Own records of rich models: what is stored of them comes back equal, and equal contents have one digest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, cast

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    computed_field,
    field_serializer,
)
from slotbook.models import Entity, Index, Insert, Key
from slotbook.models.errors import InvalidArgument
from slotbook.models.table import table_model
from slotbook.models.types import Name, Quantity

from ..support.entities import KEY, model_of


class Phase(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


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
    ({"note": 5}, "Legs.note 5 cannot be stored: it is no value of its type"),
    ({"total": "7"}, "Legs.total '7' cannot be stored: it is no value of its type"),
    ({"weight": 1}, "Legs.weight 1 cannot be stored: it is no value of its type"),
    ({"legs": [WideLeg(symbol="A")]}, "Legs.legs [WideLeg(symbol='A', ratio=1)] cannot be stored: it would come back "
     "as [Leg(symbol='A')]"),
    ({"legs": ["A"]}, "Legs.legs ['A'] cannot be stored: something in it is no value of its type"),
    ({"k": ""}, "Legs.k '': a name is a string of 1 to 256 characters, or a whole number, without control characters, "
     "'{' or '}', and with blanks only inside"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sentence"), WRONG, ids=[str(values)[:40] for values, _ in WRONG])
def test_a_value_that_would_not_come_back_equal_is_refused(values: dict[str, Any], sentence: str) -> None:
    record = Legs(trader="T", k="K").model_copy(update=values)
    with pytest.raises(InvalidArgument) as refused:
        table_model(Legs).encode(record)
    assert str(refused.value) == sentence


class Desk(Entity):
    """A base of models of the desk, without a kind, and so without a table."""

    trader: Name
    k: KEY


class Node(Desk, kind="node"):
    children: tuple[Node, ...] = ()
    either: set[int] | list[int] | None = None
    day: Annotated[Phase, Index] = Phase.OPEN


def test_a_record_holds_others_of_its_kind() -> None:
    node = Node(trader="T", k="a", children=(Node(trader="T", k="b", either=[3, 1]),), either=[3, 1])
    fields = table_model(Node).encode(node)
    assert fields["either"] == "[3,1]"
    assert table_model(Node).decode("KEY", {**fields, "version": "0"}) == node


class Strict(Desk, kind="strict"):
    model_config = ConfigDict(strict=True, use_enum_values=True, str_strip_whitespace=True)

    number: int
    price: Decimal
    phase: Phase
    legs: tuple[int, ...] = ()


def test_a_strict_model_reads_what_it_has_written() -> None:
    record = Strict(trader="T", k="a", number=1, price=Decimal("1.50"), phase=Phase.CLOSED, legs=(1, 2))
    fields = table_model(Strict).encode(record)
    assert fields["phase"] == "closed"
    assert table_model(Strict).decode("KEY", {**fields, "version": "0"}) == record
    assert table_model(Strict).encode_changes({"number": 7}) == {"number": "7"}
    with pytest.raises(InvalidArgument, match=r"Strict\.number '7': Input should be a valid integer"):
        table_model(Strict).encode_changes({"number": "7"})


class Moment(datetime):
    """A datetime of another library, such as a Timestamp of pandas."""


def test_a_time_of_another_class_is_refused() -> None:
    record = model_of(at=datetime).model_construct(trader="T", k="a", at=Moment(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidArgument, match=r"Own\.at Moment\(.* cannot be stored: it would come back as datetime"):
        table_model(type(record)).encode(record)


@pytest.mark.parametrize("trader", [7, Phase.OPEN])
def test_a_trader_may_be_of_any_type_whose_text_is_a_name(trader: Any) -> None:
    change = Insert(cast("Any", model_of(trader=cast("object", type(trader))))(trader=trader, k="a"))
    assert change.trader == str(trader)
    with pytest.raises(InvalidArgument, match=r"trader 'a\\tb' cannot be used"):
        Insert(cast("Any", model_of(trader=str))(trader="a\tb", k="a"))


class Typed(Entity, kind="typed"):
    trader: Name
    typed_id: Annotated[Name, Key]
    flag: bool = False
    count: int = 0


@pytest.mark.parametrize(("field", "value"), [("flag", 1), ("flag", 0), ("count", True), ("count", 1.0)])
def test_an_equal_value_of_another_type_is_refused(field: str, value: object) -> None:
    made = Typed(trader="T", typed_id="K").model_copy(update={field: value})
    with pytest.raises(InvalidArgument, match=f"Typed.{field}"):
        table_model(Typed).encode(made)


class Turned(Entity, kind="typed"):
    trader: Name
    count: int = 0
    flag: bool = False
    typed_id: Annotated[Name, Key]


def test_the_order_of_the_fields_in_a_model_does_not_make_another_content() -> None:
    one, other = table_model(Typed), table_model(Turned)
    digests = {
        one.digest(one.encode(Typed(trader="T", typed_id="K"))),
        other.digest(other.encode(Turned(trader="T", typed_id="K"))),
    }
    assert len(digests) == 1


@pytest.mark.parametrize("version", ["0", "007", "-1", "1" * 16, "x", ""])
def test_a_version_that_no_record_has_is_not_taken(version: str) -> None:
    assert table_model(Typed).stored(Typed(trader="T", typed_id="K"), version) is None


def test_a_record_is_read_as_it_is_stored_first() -> None:
    table = table_model(Typed)
    _, first = table.encode_and_read(Typed(trader="T", typed_id="K", version=7), 10**18 + 5)
    assert first is not None
    assert (first.version, first.updated_ns, first.typed_id) == (1, 10**18 + 5, "K")
    assert table.stored(first, "1") is first
    second = table.stored(first, "2")
    assert second is not None
    assert (second.version, second.updated_ns, first.version) == (2, 10**18 + 5, 1)


class Numbered(Entity, kind="typed"):
    typed_id: Annotated[Name, Key]
    counts: dict[str, int]
    trader: Name


def test_the_json_that_is_sent_and_its_digest_are_those_of_the_fields() -> None:
    numbered = Numbered(trader="T", typed_id="K", counts={"b": 1, "a": 2})
    for record in (Typed(trader="T", typed_id="K"), Turned(trader="T", typed_id="K"), numbered):
        table = table_model(type(record))
        fields = table.encode(record)
        turned = dict(reversed(fields.items()))
        text, digest = table.json_and_digest(fields)
        assert json.loads(text) == fields
        assert digest == table.digest(fields) == table.digest(turned)


class Quote(BaseModel):
    """A part with a default that no validator has seen."""

    size: Quantity = Decimal("2.50")


def test_equal_contents_are_written_alike_whether_they_were_checked_or_not() -> None:
    model = model_of(size=int | Quantity, quote=Quote)
    table = table_model(model)
    made = model.model_construct(trader="T001", k="K1", size=Decimal("2.500"), quote=Quote())
    written, read = table.encode_and_read(made, 1)
    assert read is None
    assert (written["size"], written["quote"]) == ('"2.5"', '{"size":"2.5"}')
    found = table.decode("key", {**written, "version": "1", "updated_ns": "5"})
    assert table.json_and_digest(table.encode(found)) == table.json_and_digest(written)
    assert table.encode_changes({"quote": Quote()}) == {"quote": '{"size":"2.5"}'}

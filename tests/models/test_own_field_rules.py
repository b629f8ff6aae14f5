"""A class of orders or fills may add fields that come back equal; others are refused with what to write instead."""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, computed_field, model_serializer
from slotbook import Fill, Index, Key, Order, Unique
from slotbook.models.errors import CorruptRecord, InvalidArgument
from slotbook.models.own_fields import MOST_FIELDS, own_digest, own_fields
from slotbook.models.types import Name, Quantity
from slotbook.models.wire import decode, encode

from ..support.make import limit
from ..support.own_orders import DeskFill, DeskOrder, desk_order


def order_class(body: dict[str, object] | None = None, base: type[Any] = Order, **annotations: object) -> type[Any]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Field name", UserWarning)  # as pydantic says of what shadows
        return type("Own", (base,), {"__annotations__": annotations, "__module__": __name__, **(body or {})})


class Serialized(Order):
    """An order that writes itself in a form of its own."""

    a: int = 0

    @model_serializer
    def written(self) -> dict[str, int]:
        return {"a": 1}


class Initialized(Order):
    """An order with an __init__."""

    a: int = 0

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)


class Plain(BaseModel):
    """No order."""


REFUSED: list[tuple[object, str]] = [
    (Plain, "is no subclass of Order or Fill"),
    (5, "5 cannot be used: it is no subclass of Order or Fill"),
    (
        order_class(a=Annotated[Name, Key]),
        r"Own\.a cannot be a key: an order is known by its order_id; mark it with Index",
    ),
    (order_class(a=Annotated[Name, Unique]), r"Own\.a cannot be a unique value"),
    (order_class(a=Annotated[Name, Index, Unique]), r"Own\.a cannot be a unique value"),
    (order_class(a=Annotated[int, Index(sorted=True)]), r"Own\.a cannot be sorted: orders are found by one value"),
    (order_class(a=Annotated[list[int], Index]), r"Own\.a cannot be an index: its values are stored as JSON"),
    (order_class(a=Annotated[Name, "index"]), "is a text and no marker"),
    (order_class(a=list[Annotated[Name, Index]]), "Index marks a part of the type"),
    (order_class(base=Fill, a=Annotated[Name, Index]), r"Own\.a cannot have a marker: fills are in no index"),
    (order_class(a=SecretStr), r"Own cannot be stored: Own\.a"),
    (order_class(a=Any), r"Own\.a may be of any type"),
    (order_class({"a": Field(exclude=True)}, a=int), r"Own\.a"),
    (order_class({"_seen": PrivateAttr(0)}, a=int, _seen=int), "_seen would not be stored"),
    (order_class({"model_config": ConfigDict(extra="allow")}, a=int), 'leave extra="forbid" as it is'),
    (order_class(a=int, quantity=str), r"Own\.quantity is Order's own, and has another type there"),
    (order_class(a=int, quantity=Annotated[Quantity, Field(le=100)]), r"Own\.quantity is Order's own"),
    (order_class(a=int, symbol=Annotated[Name, Index]), r"Own\.symbol is Order's own"),
    (order_class(a=int, terms=int), r"Own\.terms is Order's own; call the field something else"),
    (
        order_class(None, **{f"a{number}": int for number in range(MOST_FIELDS + 1)}),
        "257 fields of its own; there may be 256",
    ),
    (Serialized, "use field_serializer"),
    (Initialized, "has an __init__ of its own"),
]


@pytest.mark.parametrize(("model", "problem"), REFUSED)
def test_a_class_that_cannot_be_stored_is_refused_with_what_to_write(model: Any, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        own_fields(model)


def test_own_fields_are_those_that_the_class_adds() -> None:
    own = own_fields(DeskOrder)
    assert own is own_fields(DeskOrder)
    assert own.names == ("strategy", "desk_note", "target", "tags")
    assert own.indexes == ("strategy", "target")
    assert own_fields(DeskFill).names == ("venue", "seen", "text")
    assert own_fields(Order).names == own_fields(Fill).names == ()

    class Later(Order):
        time_in_force: Literal["DAY"] = "DAY"  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]

    assert own_fields(Later).names == ()  # its values are checked as an Order's, one by one


def stored(order: Order) -> dict[str, str]:
    texts = own_fields(type(order)).texts_of(order)
    plain = {name: text for name, text in encode(order).items() if name in Order.model_fields}
    return {**plain, "digest": "d", "@own": "strategy target", **{f"+{name}": text for name, text in texts.items()}}


def test_a_hash_is_read_as_the_class_and_strictly() -> None:
    order = desk_order("T")
    fields = stored(order)
    assert decode(DeskOrder, "key", fields) == order
    assert decode(DeskOrder, "key", {**fields, "strategy": "plain", "+later": "1"}) == order
    for changed, field in (
        ({"+strategy": None}, "+strategy"),
        ({"+strategy": " "}, "+strategy"),
        ({"+target": "187.50"}, "+target"),
        ({"+tags": "{"}, "+tags"),
        ({"quantity": "0100"}, "quantity"),
        ({"price": None}, "price"),
        ({"status": "HELD"}, "status"),
    ):
        damaged = {name: text for name, text in {**fields, **changed}.items() if text is not None}
        with pytest.raises(CorruptRecord) as corrupt:
            decode(DeskOrder, "key", damaged)
        assert (corrupt.value.key, corrupt.value.field) in {("key", field), ("key", "@record")}


class Defaults(Order):
    """An order whose fields have defaults."""

    desk: Name = "D1"
    limit_of: Annotated[Decimal | None, Index] = Decimal(5)
    legs: list[int] = Field(default_factory=lambda: [1])


def test_an_order_that_was_placed_without_a_field_has_its_default() -> None:
    own_fields(Defaults)
    plain = encode(limit("T"))
    assert decode(Defaults, "key", plain) == Defaults.model_validate(limit("T").model_dump())
    by_older = decode(Defaults, "key", {**plain, "@own": ""})
    assert (by_older.desk, by_older.limit_of, by_older.legs) == ("D1", None, [1])  # None is stored as no field


def test_equal_own_fields_have_one_digest() -> None:
    own = own_fields(DeskOrder)
    digests = [
        own.digest_of(own.texts_of(desk_order("T", **changes)))
        for changes in ({}, {"tags": {"a": 2, "b": 1}}, {"target": "187.5000"}, {"strategy": "S2"}, {"desk_note": None})
    ]
    assert digests[0] == digests[1] == digests[2]
    assert len(set(digests)) == 3
    assert {len(digest) for digest in digests} == {11}
    assert own_digest({}, ()) == ""


@computed_field  # type: ignore[prop-decorator]
@property
def worth(self: Order) -> int:
    return int(self.quantity) * 2


def test_what_is_computed_is_computed_again() -> None:
    kind = order_class({"worth": worth}, note=Name)
    order = kind.model_validate({**limit("T").model_dump(), "note": "n"})
    fields = {**encode(limit("T")), "@own": "", "+note": "n"}
    assert own_fields(kind).texts_of(order) == {"note": "n"}
    assert decode(kind, "key", fields).worth == 200

"""Models of own records that cannot be stored are refused, each with a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Annotated, Any, Literal, Optional, cast

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    SecretStr,
    model_serializer,
)
from slotbook.models import Entity, Index, Key, Order, Unique
from slotbook.models.entity import Marker
from slotbook.models.errors import InvalidArgument
from slotbook.models.keys import Keys
from slotbook.models.table import table_model
from slotbook.models.types import Name, Price, Quantity

from ..support.entities import KEY, model_of


class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    account: Annotated[Name, Index]
    reference: Annotated[Name | None, Unique] = None
    quantity: Quantity
    price: Annotated[Price | None, Index] = None


class Sorted(Marker):
    pass


class Shade(Enum):
    RED = (255, 0, 0)


class Foreign:
    pass


class Hidden(BaseModel):
    inner: list[dict[str, SecretStr]]


class Excluding(BaseModel):
    a: int = Field(default=0, exclude=True)


def no_kind() -> type[Entity]:
    class Allocated(Entity):
        trader: Name
        k: KEY

    return Allocated


def derived() -> type[Entity]:
    class Derived(Allocation):
        pass

    return Derived


def undefined() -> type[Entity]:
    return model_of(field="Nowhere")


def private() -> type[Entity]:
    return model_of(
        {"__annotations__": {"trader": Name, "k": KEY, "_lock": object}, "_lock": PrivateAttr(default=None)}
    )


def with_init() -> type[Entity]:
    def __init__(self: Entity, **values: object) -> None:
        super(Entity, self).__init__(**values)

    return model_of({"__init__": __init__})


def serialized() -> type[Entity]:
    class Own(Entity, kind="own"):
        trader: Name
        k: KEY

        @model_serializer
        def write(self) -> dict[str, str]:
            return {}

    return Own


def marked_by_default() -> type[Entity]:
    class Own(Entity, kind="own"):
        trader: Name
        k: Annotated[Name, Key]
        account: Name = cast("Any", Index())

    return Own


REFUSED: list[tuple[Callable[[], type[Entity]], str]] = [
    (lambda: cast("Any", Order), "<class 'slotbook.models.order.Order'> has no table: it is no subclass of Entity"),
    (lambda: cast("Any", "Allocation"), "'Allocation' has no table: it is no subclass of Entity"),
    (no_kind, 'Allocated has no kind: write class Allocated(Entity, kind="...")'),
    (derived, 'Derived has no kind: write class Derived(Entity, kind="...")'),
    (undefined, "Own cannot be used yet: name 'Nowhere' is not defined"),
    (
        lambda: model_of(trader=None),
        "Own has no trader, to whose book a record would belong: keep its records with book.reference(Own), "
        "or write trader: Name",
    ),
    (lambda: model_of(k=Name), "Own has no key: mark a field, as in order_id: Annotated[Name, Key]"),
    (lambda: model_of(trader=KEY), "Own.trader is not marked: it is the first part of every key"),
    (lambda: model_of(trader=Annotated[Name, Index]), "Own.trader is not marked: it is the first part of every key"),
    (
        lambda: model_of(trader=Name | None),
        "Own.trader cannot be a part of a key: it may be None",
    ),
    (
        lambda: model_of(trader=list[str]),
        "Own.trader cannot be a part of a key: its values are stored as JSON; mark a text, a number or a datetime",
    ),
    (lambda: model_of(k=Annotated[Name | None, Key]), "Own.k cannot be a part of a key: it may be None"),
    (
        lambda: model_of(k=Annotated[Literal["a", None], Key]),
        "Own.k cannot be a part of a key: it may be None",
    ),
    (
        lambda: model_of(k=Annotated[tuple[str, str], Key]),
        "Own.k cannot be a part of a key: its values are stored as JSON; mark a text, a number or a datetime",
    ),
    (
        lambda: model_of(tags=Annotated[list[str], Index]),
        "Own.tags cannot be an index or a unique value: its values are stored as JSON; "
        "mark a text, a number or a datetime",
    ),
    (
        lambda: model_of(number=Annotated[int | str, Unique]),
        "Own.number cannot be an index or a unique value: its values are stored as JSON; "
        "mark a text, a number or a datetime",
    ),
    (
        lambda: model_of(number=Annotated[int, PlainSerializer(str), Index]),
        "Own.number cannot be an index or a unique value: a serializer of its own writes it; "
        "mark a text, a number or a datetime",
    ),
    (
        lambda: model_of(account=Optional[Annotated[Name, Index]]),  # noqa: UP045
        "Own.account: Index marks a part of the type; write Annotated[..., Index]",
    ),
    (
        lambda: model_of(accounts=list[Annotated[Name, Unique]]),
        "Own.accounts: Unique marks a part of the type; write Annotated[..., Unique]",
    ),
    (lambda: model_of(a=Annotated[Name, Sorted]), "Own.a: Sorted is no marker; there are Key, Index and Unique"),
    (lambda: model_of(a=Annotated[Name, Marker()]), "Own.a: Marker is no marker; there are Key, Index and Unique"),
    (
        lambda: model_of(a=Annotated[Name, "index"]),
        "Own.a: 'index' is a text and no marker; import Index from slotbook",
    ),
    (
        lambda: model_of({"a": Field(json_schema_extra={"index": True})}, a=Name),
        "Own.a: Field(index=...) is not known here; write Annotated[..., Index], Key or Unique",
    ),
    (lambda: model_of(version=str), "Own.version is the book's own; call the field something else"),
    (lambda: model_of(updated_ns=float), "Own.updated_ns is the book's own; call the field something else"),
    (private, "Own: _lock would not be stored; make it a field or a cached_property"),
    (
        lambda: model_of({"model_config": ConfigDict(extra="allow")}),
        'Own: a table stores declared fields only; leave extra="forbid" as it is',
    ),
    (
        lambda: model_of({"model_config": ConfigDict(extra="ignore")}),
        'Own: a table stores declared fields only; leave extra="forbid" as it is',
    ),
    (marked_by_default, "Own.account: a marker is its default; write Annotated[..., Index]"),
    (serialized, "Own: a table stores fields one by one; use field_serializer, not model_serializer"),
    (with_init, "Own has an __init__ of its own, which reads would go through; use a validator"),
    (
        lambda: model_of(password=SecretStr),
        "Own cannot be stored: Own.password is a secret, which is written as stars; serialize it yourself",
    ),
    (
        lambda: model_of(hidden=Hidden),
        "Own cannot be stored: Own.hidden.inner is a secret, which is written as stars; serialize it yourself",
    ),
    (
        lambda: model_of(first=list[Hidden], second=Hidden),
        "Own cannot be stored: Own.first.inner is a secret, which is written as stars; serialize it yourself",
    ),
    (
        lambda: model_of({"a": Field(exclude=True)}, a=int),
        "Own cannot be stored: Own.a is not written (exclude=True)",
    ),
    (lambda: model_of(a=Excluding), "Own cannot be stored: Own.a.a is not written (exclude=True)"),
    (lambda: model_of(a=Iterable[int]), "Own cannot be stored: Own.a is read lazily, once"),
    (lambda: model_of(a=Callable[[], int]), "Own cannot be stored: Own.a is a function"),
    (lambda: model_of(a=Any), "Own.a may be of any type; write the type that it has, such as JsonValue"),
    (lambda: model_of(a=object), "Own.a may be of any type; write the type that it has, such as JsonValue"),
    (lambda: model_of(a=dict[str, Any]), "Own.a may be of any type; write the type that it has, such as JsonValue"),
    (lambda: model_of(a=list), "Own.a may be of any type; write the type that it has, such as JsonValue"),
    (
        lambda: model_of({"model_config": ConfigDict(arbitrary_types_allowed=True)}, a=Foreign),
        "Own.a is a Foreign, which Pydantic cannot write; give it a serializer and a validator",
    ),
    (
        lambda: model_of(a=Shade),
        "Own.a: Shade.RED cannot be stored: JSON does not bring back its value; give it a text or a number",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED, ids=[sentence[:60] for _, sentence in REFUSED])
def test_a_model_that_cannot_be_stored_is_refused_with_what_to_write(
    make: Callable[[], type[Entity]], sentence: str
) -> None:
    model = make()
    with pytest.raises(InvalidArgument) as refused:
        table_model(model)
    assert str(refused.value) == sentence


KINDS = {
    "Allocation": "it is 1 to 64 of a-z, 0-9 and _, and begins with a letter",
    "": "it is 1 to 64 of a-z, 0-9 and _, and begins with a letter",
    "1st": "it is 1 to 64 of a-z, 0-9 and _, and begins with a letter",
    "a" * 65: "it is 1 to 64 of a-z, 0-9 and _, and begins with a letter",
    "order": "it is one of the book's own words",
    "request": "it is one of the book's own words",
    "fills_by_venue": "its other keys are named with by, sorted, unique, keys and deleted",
    "fill_sorted": "its other keys are named with by, sorted, unique, keys and deleted",
    "fill_unique": "its other keys are named with by, sorted, unique, keys and deleted",
    "fill_keys": "its other keys are named with by, sorted, unique, keys and deleted",
    "fill_deleted": "its other keys are named with by, sorted, unique, keys and deleted",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_no_keys_can_be_named_with_is_refused(kind: str) -> None:
    with pytest.raises(InvalidArgument, match=KINDS[kind]):
        type("Own", (Entity,), {"__module__": __name__}, kind=kind)


def test_every_word_in_a_book_s_own_keys_is_no_kind() -> None:
    keys = Keys().of("T")
    made = [keys.book, keys.events, keys.positions, keys.sessions, keys.dead_events, *keys.statuses.values()]
    made += [keys.order("A"), keys.applied("A"), keys.symbol("A"), keys.position("A"), keys.request("A")]
    made += [keys.session("A"), keys.lock("A"), Keys().lock("A"), Keys().value("A"), Keys().value_version("A")]
    made += [Keys().swapped("A", "B"), Keys().limit("A", "B"), Keys().permit("A", "B", "C")]
    for word in {key.partition("}:")[2].partition(":")[0] for key in made}:
        with pytest.raises(InvalidArgument, match="kind"):
            type("Own", (Entity,), {"__module__": __name__}, kind=word)


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), True, "60", 10**12])
def test_a_ttl_is_a_number_of_seconds(ttl: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"Own: ttl .* cannot be used"):
        type("Own", (Entity,), {"__module__": __name__}, kind="own", ttl=ttl)


def test_a_keyword_that_is_not_known_is_refused() -> None:
    with pytest.raises(
        InvalidArgument, match="Own: indexes= is not known; there are kind=, ttl=, schema= and upgrade="
    ):
        type("Own", (Entity,), {"__module__": __name__}, kind="own", indexes=["a"])
    with pytest.raises(TypeError):
        cast("Any", Index)(unique=True)

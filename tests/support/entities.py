"""Random models of own records, each with an instance that may or may not have been checked (Hypothesis)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer, SecretStr
from slotbook.models import Entity, Index, Key, Side, Unique
from slotbook.models.types import Name, Price, Quantity

from .strategies import names, quantities

Kind: TypeAlias = "tuple[Any, st.SearchStrategy[Any]]"
Wrap: TypeAlias = Callable[[Any, "st.SearchStrategy[Any]"], Kind]


class Venue(StrEnum):
    NYSE = "XNYS"
    CME = "XCME"


class Lots(IntEnum):
    ODD = 1
    ROUND = 100


class Phase(Enum):
    OPEN = (1, "open")
    CLOSED = (2, "closed")


class Leg(BaseModel):
    symbol: str
    ratio: Decimal = Decimal(1)
    tags: frozenset[str] = frozenset()


class WiderLeg(Leg):
    venue: Venue = Venue.NYSE


class Camel(BaseModel):
    first_leg: int = Field(alias="firstLeg")


class Cash(BaseModel):
    type: Literal["cash"] = "cash"
    amount: Decimal


class Stock(BaseModel):
    type: Literal["stock"] = "stock"
    symbol: str


@dataclass
class Pair:
    a: int
    b: str = ""


_decimals = st.decimals(allow_nan=False, allow_infinity=False)
_moments = st.datetimes(timezones=st.sampled_from([None, UTC, ZoneInfo("America/New_York")]), allow_imaginary=True)
_sides = st.sampled_from(list(Side))

ONE_PIECE: list[Kind] = [
    (int, st.integers()),
    (str, st.text(max_size=8)),
    (bool, st.booleans()),
    (float, st.floats()),
    (Decimal, _decimals),
    (bytes, st.binary(max_size=6)),
    (date, st.dates()),
    (datetime, _moments),
    (UUID, st.uuids()),
    (Side, _sides),
    (Venue, st.sampled_from(list(Venue))),
    (Lots, st.sampled_from(list(Lots))),
    (Literal["a", "b"], st.sampled_from(["a", "b"])),
    (Literal[1, 2, -3], st.sampled_from([1, 2, -3])),
    (Literal[Side.BUY], st.just(Side.BUY)),
    (Name, names),
    (Quantity, quantities),
    (Price, st.decimals(-(10**11), 10**11, places=9)),
    (Annotated[int, Field(strict=True, ge=0)], st.integers()),
    (Annotated[Decimal, Field(max_digits=6, decimal_places=2)], st.decimals(-9999, 9999, places=2)),
    (Annotated[str, AfterValidator(str.upper)], st.text("aB", max_size=4)),
    (Annotated[int, BeforeValidator(lambda value: value)], st.integers()),
]
"""Types whose values are one readable text, and values of them."""

OF_PARTS: list[Kind] = [
    (time, st.times(timezones=st.none() | st.just(UTC))),
    (timedelta, st.timedeltas()),
    (Phase, st.sampled_from(list(Phase))),
    (Leg, st.builds(Leg, symbol=st.text(max_size=4), ratio=_decimals, tags=st.frozensets(st.text(max_size=2)))
     | st.builds(WiderLeg, symbol=st.text(max_size=4))),
    (Camel, st.builds(Camel, firstLeg=st.integers())),
    (Annotated[Cash | Stock, Field(discriminator="type")],
     st.builds(Cash, amount=_decimals) | st.builds(Stock, symbol=st.text(max_size=4))),
    (Pair, st.builds(Pair, st.integers(), st.text(max_size=3))),
    (int | str, st.integers() | st.text(max_size=3)),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
    (Annotated[int, PlainSerializer(lambda value: f"#{value}")], st.integers()),
    (Annotated[int, PlainSerializer(str, return_type=str)], st.integers()),
    (SecretStr, st.builds(SecretStr, st.text(max_size=3))),
    (Any, st.integers()),
]  # fmt: skip
"""Types whose values are JSON, and types that are refused."""

WRAPS: list[Wrap] = [
    lambda kind, values: (list[kind], st.lists(values, max_size=3)),
    lambda kind, values: (set[kind], st.lists(values, max_size=3)),
    lambda kind, values: (dict[str, kind], st.dictionaries(st.text(max_size=3), values, max_size=3)),
    lambda kind, values: (dict[int, kind], st.dictionaries(st.integers(), values, max_size=3)),
    lambda kind, values: (tuple[kind, ...], st.lists(values, max_size=3).map(tuple)),
    lambda kind, values: (tuple[kind, int], st.tuples(values, st.integers())),
    lambda kind, values: (deque[kind], st.lists(values, max_size=3).map(deque)),
    lambda kind, values: (kind | None, st.none() | values),
    lambda kind, values: (int | kind, values | st.integers()),
]


@st.composite
def fields(draw: st.DrawFn) -> Kind:
    """Return a random type of a field, and values of it, most of which it takes."""
    kind, values = draw(st.sampled_from(ONE_PIECE) | st.sampled_from(OF_PARTS))
    for wrap in draw(st.lists(st.sampled_from(WRAPS), max_size=2)):
        kind, values = wrap(kind, values)
    return kind, values


@st.composite
def entities(draw: st.DrawFn) -> tuple[type[Entity], Entity]:
    """Return a random model and an instance of it."""
    key, keys = draw(st.sampled_from(ONE_PIECE))
    marker = draw(st.sampled_from([Index, Unique]))
    marked, marked_values = draw(st.sampled_from(ONE_PIECE))
    annotations: dict[str, Any] = {"trader": Name, "key": Annotated[key, Key]}
    annotations["marked"] = Annotated[marked | None, marker] if draw(st.booleans()) else Annotated[marked, marker]
    values: dict[str, Any] = {"trader": draw(names), "key": draw(keys), "marked": draw(marked_values)}
    defaults: dict[str, Any] = {}
    for number in range(draw(st.integers(0, 4))):
        name = f"field{number}"
        annotations[name], strategy = draw(fields())
        values[name] = draw(strategy)
        options: list[dict[str, Any]] = [*[{}] * 9, {"alias": "Other"}, {"serialization_alias": "S"}, {"exclude": True}]
        if option := draw(st.sampled_from(options)):
            defaults[name] = Field(**option)
    model = type(
        "Random", (Entity,), {"__annotations__": annotations, "__module__": __name__, **defaults}, kind="random"
    )
    if draw(st.integers(0, 4)) == 0:
        return model, model.model_construct(**values)
    try:
        return model, model.model_validate(values, by_alias=False, by_name=True)
    except ValueError:
        return model, model.model_construct(**values)


KEY = Annotated[Name, Key]


def model_of(body: dict[str, object] | None = None, **annotations: object) -> type[Entity]:
    """Return a model with a trader and a key, unless they are given as None, and some more fields."""
    kinds = {"trader": Name, "k": KEY, **annotations}
    given = {name: kind for name, kind in kinds.items() if kind is not None}
    return type("Own", (Entity,), {"__annotations__": given, "__module__": __name__, **(body or {})}, kind="own")

"""A value that is put in a cache comes back the same, or it is refused: by its type or by itself."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    PrivateAttr,
    RootModel,
    SecretBytes,
    SecretStr,
    SerializeAsAny,
    computed_field,
    field_serializer,
    model_validator,
)  # fmt: skip
from slotbook.models import SymbolInfo
from slotbook.models.errors import InvalidArgument, SourceFailed
from slotbook.models.sameness import is_same
from slotbook.repositories.caching.codec import JsonCodec, RecordCodec

from ...support.caching.memory_source import MemorySource
from .conftest import CacheSetup, symbol


class Side(StrEnum):
    BUY = "BUY"


class Base(BaseModel):
    a: int = 0


class Wider(Base):
    b: int = 0


class Same(Base):
    pass


class Aliased(BaseModel):
    a: int = Field(default=0, serialization_alias="A")


class Chosen(BaseModel):
    a: int = Field(validation_alias=AliasChoices("x", "y"))


class Camel(BaseModel):
    first_leg: int = Field(alias="firstLeg")


class Computed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int

    @computed_field
    def double(self) -> int:
        return 2 * self.a


class Shown(BaseModel):
    password: SecretStr

    @field_serializer("password")
    def write(self, value: SecretStr) -> str:
        return value.get_secret_value()


class Private(BaseModel):
    a: int
    _seen: int = PrivateAttr(default=0)


class Growing(BaseModel):
    a: int

    @model_validator(mode="before")
    @classmethod
    def grow(cls, values: Any) -> Any:
        return {"a": values["a"] + 1}


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Nested(BaseModel):
    one: Base
    many: list[Base] = []
    some: dict[str, Base | None] = {}
    wide: SerializeAsAny[Base] = Base()


class Hidden(BaseModel):
    nested: list[dict[str, SecretStr]]


class Excluded(BaseModel):
    a: int = Field(default=0, exclude=True)


@dataclass
class Leg:
    symbol: str
    ratio: Decimal


@dataclass
class Legs:
    legs: list[Leg]
    hidden: Annotated[int, Field(exclude=True)] = 0


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]


class Pair(NamedTuple):
    a: int
    b: float


def private() -> Private:
    made = Private(a=1)
    made._seen = 5  # pyright: ignore[reportPrivateUsage]
    return made


NEW_YORK = datetime(2026, 7, 1, 9, 30, tzinfo=ZoneInfo("America/New_York"))

SAME: list[tuple[Any, Any]] = [
    (Aliased, Aliased(a=5)),
    (Chosen, Chosen(x=5)),  # pyright: ignore[reportCallIssue]
    (Camel, Camel(firstLeg=5)),
    (list[Camel | Aliased], [Camel(firstLeg=5), Aliased(a=7)]),
    (Computed, Computed(a=5)),
    (Shown, Shown(password=SecretStr("s"))),
    (Private, Private(a=1)),
    (Open, Open.model_validate({"x": 1, "y": [None]})),
    (Nested, Nested(one=Base(a=1), many=[Base()], some={"k": None, "l": Base()})),
    (Page[Leg], Page[Leg](items=[Leg("ES", Decimal("1.50"))])),
    (Json[list[int]], [1, 2]),
    (RootModel[dict[int, float]], RootModel[dict[int, float]]({1: 2.5})),
    (float, 5),
    (Pair, Pair(1, 2.5)),
    (set[int], {1, 2, 3}),
    (deque[int], deque([1, 2])),
    (dict[Side, tuple[int, ...]], {Side.BUY: (1, 2)}),
    (datetime, datetime(2026, 11, 26, 12, 0, 0, 123456, tzinfo=UTC)),
    (datetime, NEW_YORK),
    (timedelta, timedelta(days=-3, microseconds=1)),
    (bytes, b"plain"),
    (UUID, UUID(int=7)),
    (Decimal, Decimal("1E-30")),
]
"""Types with a value that comes back."""

REFUSED_VALUES: list[tuple[Any, Any]] = [
    (Base, Wider(a=1, b=2)),
    (Base, Same(a=1)),
    (Nested, Nested(one=Wider(b=2))),
    (Nested, Nested(one=Base(), many=[Base(), Wider(b=2)])),
    (Nested, Nested(one=Base(), some={"k": Same()})),
    (Nested, Nested(one=Base(), wide=Wider(b=2))),
    (Private, private()),
    (Growing, Growing(a=1)),
    (object, (1, 2)),
    (object, {1: 2}),
    (object, Decimal("1.5")),
    (object, Side.BUY),
    (str, Side.BUY),
    (int, True),
    (float, 2**53 + 1),
    (float, float("nan")),
    (float, float("inf")),
    (bytes, b"\xff"),
    (str, "\ud800"),
    (datetime, datetime(2026, 11, 1, 1, 30, fold=1)),
    (datetime, NEW_YORK.replace(month=11, day=1, hour=1, fold=1)),  # equal to no time of another zone
    (Base, Base.model_construct(a="5")),
    (Base, {"a": 5}),
    (Annotated[float, PlainSerializer(lambda value: round(value, 2))], 1.234),
    (deque[int], deque([1, 2], maxlen=2)),
]
"""Types with a value that JSON does not bring back."""

REFUSED_TYPES: list[Any] = [
    SecretStr, SecretBytes, Hidden, list[Hidden], Excluded, dict[str, Excluded | int], Legs, Callable[[], int],
    Iterable[int], Page[Excluded],
]  # fmt: skip


def named(value: object) -> str:
    """Return the id of a parameter, the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


@pytest.mark.parametrize(("model", "value"), SAME, ids=named)
def test_a_value_comes_back_the_same(standalone: CacheSetup, model: Any, value: Any) -> None:
    cache = standalone.cache(model, "exact")
    cache.put("K", value)
    found = cache.get("K")
    assert is_same(value, found)
    assert found == value


@pytest.mark.parametrize(("model", "value"), REFUSED_VALUES, ids=named)
def test_a_value_that_would_come_back_changed_is_refused(standalone: CacheSetup, model: Any, value: Any) -> None:
    cache = standalone.cache(model, "exact")
    with pytest.raises(InvalidArgument, match="K"):
        cache.put("K", value)
    with pytest.raises(InvalidArgument, match="K"):
        cache.put_many({"K": value})
    assert cache.get("K") is None


@pytest.mark.parametrize("model", REFUSED_TYPES, ids=named)
def test_a_type_that_never_comes_back_is_refused_when_the_cache_is_made(standalone: CacheSetup, model: Any) -> None:
    with pytest.raises(InvalidArgument, match="cannot be cached"):
        standalone.cache(model, "exact")


def test_the_refusal_names_the_field_and_no_value(standalone: CacheSetup) -> None:
    with pytest.raises(InvalidArgument, match=r"Hidden\.nested is a secret"):
        standalone.cache(Hidden, "exact")
    with pytest.raises(InvalidArgument, match=r"Legs\.hidden is not written"):
        standalone.cache(Legs, "exact")
    with pytest.raises(
        InvalidArgument, match=r"^the value of K cannot be cached: it would come back with another one$"
    ):
        standalone.cache(Nested, "exact").put("K", Nested(one=Wider(b=2)))


def test_an_alias_that_is_read_is_written(standalone: CacheSetup) -> None:
    cache = standalone.cache(Camel, "exact")
    cache.put("K", Camel(firstLeg=5))
    key = f"{standalone.prefix}exact:K"
    assert standalone.fleet.ask(key, "HGET", key, "value") == '{"firstLeg":5}'


def test_what_is_loaded_and_would_come_back_changed_is_the_error_of_its_key(caches: CacheSetup) -> None:
    cache = caches.cache(Base, "exact", MemorySource({"A": Base(a=1), "B": Wider(b=2)}))
    good, bad = cache.get_or_load_many(["A", "B"])
    assert good.result() == cache.get("A") == Base(a=1)
    with pytest.raises(SourceFailed, match="Wider would come back as a Base"):
        bad.result()
    assert cache.get("B") is None


def test_a_symbol_is_compared_as_well(standalone: CacheSetup) -> None:
    symbols = standalone.symbols()
    unchecked = SymbolInfo.model_construct(symbol="AAPL", name="x", lot_size="many")  # type: ignore[arg-type]
    for bad in (unchecked, symbol().model_copy(update={"name": 5})):
        with pytest.raises(InvalidArgument, match="AAPL"):
            symbols.put(bad)
    assert symbols.get("AAPL") is None


def test_a_symbol_of_another_key_is_never_answered(caches: CacheSetup) -> None:
    """Neither what the source has under a wrong key, nor what is stored under one."""
    caches.database.rows["AAPL"] = symbol("MSFT")
    symbols = caches.symbols()
    with pytest.raises(Exception, match="another key"):
        symbols.get_or_load("AAPL")
    codec = RecordCodec(SymbolInfo, "symbol")
    words = [word for pair in codec.encode("MSFT", symbol("MSFT")).items() for word in pair]
    caches.ask("HSET", "IBM", *words)
    assert symbols.get("IBM") is None
    caches.database.rows["IBM"] = symbol("IBM")
    assert symbols.get_or_load("IBM") == symbol("IBM")


def test_the_codec_says_what_cannot_be_read_in_words() -> None:
    codec = JsonCodec(Base)
    with pytest.raises(InvalidArgument, match="K cannot be"):
        codec.encode("K", Base.model_construct(a="x"))

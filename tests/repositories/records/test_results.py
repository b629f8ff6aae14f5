"""Test that what a change answers is what a read finds, whatever a model's validators make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Self

import pytest
from pydantic import AfterValidator, Field, computed_field, field_validator, model_validator
from slotbook.models import Entity, Insert, Key, RecordResult, Side
from slotbook.models.types import Name, Price, Quantity

from ...support.desk import Desk, on_one_server


class Flat(Entity, kind="flat"):
    trader: Name
    flat_id: Annotated[Name, Key]
    side: Side = Side.BUY
    price: Price = Decimal("187.230")
    quantity: Quantity | None = None
    ratio: float = -0.0
    at: datetime = datetime(2026, 11, 27, tzinfo=UTC)
    raw: bytes = b"\0\xff"

    @computed_field
    def label(self) -> str:
        return f"{self.flat_id} {self.version}"


class Nested(Entity, kind="nested"):
    trader: Name
    nested_id: Annotated[Name, Key]
    tags: list[str] = Field(default_factory=lambda: ["a"])


class Counted(Entity, kind="counted"):
    trader: Name
    counted_id: Annotated[Name, Key]
    parity: str = ""

    @model_validator(mode="after")
    def set_parity(self) -> Self:
        """Depend on what the book sets."""
        object.__setattr__(self, "__dict__", {**self.__dict__, "parity": "ab"[self.version > 0]})
        return self


class Rounded(Entity, kind="rounded"):
    trader: Name
    rounded_id: Annotated[Name, Key]

    @field_validator("updated_ns", mode="after")
    @classmethod
    def in_seconds(cls, value: int | None) -> int | None:
        """Change what the book sets."""
        return None if value is None else value // 10**9 * 10**9


class Shouted(Entity, kind="shouted"):
    trader: Name
    shouted_id: Annotated[Name, Key]
    word: Annotated[str, AfterValidator(str.upper)] = "X"


class Empty(Entity, kind="empty"):
    trader: Name
    empty_id: Annotated[Name, Key]

    def __len__(self) -> int:
        return 0


@on_one_server
@pytest.mark.parametrize("model", [Flat, Nested, Rounded, Shouted, Empty])
def test_the_record_of_a_result_is_the_one_that_is_read(desk: Desk, model: type[Entity]) -> None:
    table, trader, key = desk.book.table(model), desk.trader, f"{model.entity_kind}_id"
    record = model.model_validate({"trader": trader, key: "L1"})
    for version, store in enumerate((table.insert, table.put), 1):
        result = store(record, ts_ns=10**18 + version)
        assert (result.applied, result.version) == (True, version)
        read = table.get(trader, "L1")
        assert result.record is not None
        assert read is not None
        assert (type(result.record), result.record.version) == (model, version)
        assert result.record == read
        assert result.record.model_dump() == read.model_dump()
        assert result.record.model_fields_set == read.model_fields_set


@on_one_server
def test_a_record_that_depends_on_its_version_is_read_anew(desk: Desk) -> None:
    record = Counted.model_construct(trader=desk.trader, counted_id="L1", parity="a", version=0)
    result = desk.book.table(Counted).insert(record)
    assert result.record is not None
    assert result.record.parity == "b"


@on_one_server
def test_a_result_shares_nothing_that_can_be_changed(desk: Desk) -> None:
    record = Nested(trader=desk.trader, nested_id="L1")
    change = Insert(record)
    result = desk.book.commit([change])[0]
    assert isinstance(result, RecordResult)
    assert isinstance(result.record, Nested)
    result.record.tags.append("b")
    assert (record.tags, change.first) == (["a"], None)

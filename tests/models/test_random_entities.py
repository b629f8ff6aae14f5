"""Random models of own records, and values: what a table stores comes back equal, or it is refused."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from slotbook.models import Entity, Key
from slotbook.models.entity import KEPT_BY_THE_BOOK
from slotbook.models.errors import CorruptRecord, InvalidArgument
from slotbook.models.table import TableModel, table_model
from slotbook.models.types import Name, Price

from ..support.entities import ONE_PIECE, entities

EXAMPLES = int(os.environ.get("SLOTBOOK_MODELS", "300"))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
CHANGED_BY_A_VALIDATOR = [kind for kind, _ in ONE_PIECE if "AfterValidator" in str(kind)]
BY_THE_BOOK = {"version": "7", "updated_ns": "5", "@digest": "d", "@schema": "1"}


def content(record: Entity) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields if name not in KEPT_BY_THE_BOOK}


def stored(table: TableModel[Any], record: Entity) -> tuple[dict[str, str], Entity]:
    fields = table.encode(record)
    return fields, table.decode("{T}:random:k", {**fields, **BY_THE_BOOK}, str(fields["trader"]), table.key_of(record))


def is_equal(value: Any, other: Any) -> bool:
    """Return True for equal values; of a time that a clock shows twice Python says that it equals none elsewhere."""
    if isinstance(value, datetime) and isinstance(other, datetime) and value.tzinfo and other.tzinfo:
        return value.astimezone(UTC) == other.astimezone(UTC)
    return value == other


def outcome_of(model: type[Entity], record: Entity) -> str:
    """Return what becomes of a record that a table of its model stores and reads."""
    try:
        table = table_model(model)
    except InvalidArgument:
        return "refused when made"
    try:
        fields, found = stored(table, record)
    except InvalidArgument:
        return "refused when stored"
    assert type(found) is model
    assert all(is_equal(value, getattr(found, name)) for name, value in content(record).items())
    kinds: dict[str, type[object]] = {name: type(value) for name, value in content(found).items()}
    for name, value in content(record).items():  # a whole number in a field of decimals comes back as one
        assert type(value) is kinds[name] or (type(value), kinds[name]) == (int, Decimal)
    assert (found.version, found.updated_ns) == (7, 5)
    assert stored(table, found)[0] == fields
    assert table.digest(fields) == table.digest(table.encode(found))
    changes = {name: value for name, value in content(record).items() if name not in ("trader", "key")}
    assert table.encode_changes(changes) == {name: fields.get(name) for name in changes}
    return "equal"


def test_random_records_come_back_equal_or_are_refused() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
    @given(made=entities())
    def run(made: tuple[type[Entity], Entity]) -> None:
        outcome = outcome_of(*made)
        outcomes[outcome] += 1
        event(outcome)

    run()
    assert outcomes.keys() == {"refused when made", "refused when stored", "equal"}
    assert outcomes["equal"] > EXAMPLES / 4


@cache
def table_of(kind: Any) -> TableModel[Any]:
    body = {"__annotations__": {"trader": Name, "key": Annotated[Name, Key], "value": kind}, "__module__": __name__}
    return table_model(type("One", (Entity,), body, kind="one"))


def written(table: TableModel[Any], value: Any) -> str | None:
    try:
        return table.encode_value("value", value)
    except InvalidArgument:
        return None


def alike(value: Any) -> Any:
    """Return an equal value that Python writes in another way, for the types that have one."""
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        return Decimal((sign, (*digits, 0), int(exponent) - 1)) if value else value.copy_negate()
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(timezone(timedelta(hours=9))) if 1 < value.year < 9999 else value
    return -value if isinstance(value, float) and not value else value


ALIKE: list[Any] = [
    (Decimal, Decimal(10)),
    (Decimal, Decimal(0)),
    (Decimal, Decimal("1e99")),
    (Price, Decimal("0.1")),
    (float, 0.0),
    (datetime, datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=ZoneInfo("America/New_York"))),
]


@pytest.mark.parametrize(("kind", "value"), ALIKE)
def test_a_value_has_one_written_form(kind: Any, value: Any) -> None:
    assert repr(alike(value)) != repr(value)
    assert written(table_of(kind), value) == written(table_of(kind), alike(value)) is not None


@pytest.mark.parametrize("number", range(len(ONE_PIECE)))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_equal_values_are_written_alike_and_others_are_not(number: int, data: st.DataObject) -> None:
    kind, values = ONE_PIECE[number]
    table = table_of(kind)
    one = data.draw(values)
    other = data.draw(values | st.just(alike(one)))
    texts = written(table, one), written(table, other)
    if None not in texts and kind not in CHANGED_BY_A_VALIDATOR:
        assert (texts[0] == texts[1]) == is_equal(one, other)


@pytest.mark.parametrize("number", range(len(ONE_PIECE)))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_text_that_is_read_is_the_one_that_is_written(number: int, data: st.DataObject) -> None:
    kind, values = ONE_PIECE[number]
    table = table_of(kind)
    text = written(table, data.draw(values)) or ""
    place, others = data.draw(st.integers(0, len(text))), st.text("0123456789+-.:eETZ _aBf", max_size=2)
    text = text[:place] + data.draw(others) + text[place + data.draw(st.integers(0, 2)) :]
    try:
        record = table.decode("{T}:one:K", {"trader": "T", "key": "K", "value": text, "version": "1"})
    except CorruptRecord as error:
        where = error.key, error.field
    else:
        assert kind in CHANGED_BY_A_VALIDATOR or table.encode(record)["value"] == text
        return
    assert where == ("{T}:one:K", "value")


class Parts(Entity, kind="parts"):
    trader: Name
    first: Annotated[str, Key]
    second: Annotated[str, Key]
    third: Annotated[str, Key]


part = st.text(":%a25 3A", max_size=4)
keys = st.tuples(part, part, part)


@settings(max_examples=EXAMPLES, deadline=None)
@given(one=keys, other=keys)
def test_keys_of_several_parts_are_the_same_text_only_when_they_are_equal(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    table = table_model(Parts)
    head, _, tail = one[1].partition(":")
    shifted = (f"{one[0]}:{head}", tail, one[2])
    spelt_out = (one[0].replace(":", "%3A"), one[1], one[2])
    for key in (other, shifted, spelt_out):
        assert (table.key_from(one) == table.key_from(key)) == (one == key)
    record = Parts(trader="T", first=one[0], second=one[1], third=one[2])
    assert table.key_of(record) == table.key_from(one)

"""Random models, with random values, come back from a cache the same, or are refused.

``SLOTBOOK_MODELS`` is the number of models; 10,000 take some minutes.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model
from slotbook.models.errors import InvalidArgument
from slotbook.models.sameness import is_same

from ...support.desk import Desk
from ...support.make import fresh
from .test_exact_values import Aliased, Base, Leg, Same, Side, Wider

MODELS = int(os.environ.get("SLOTBOOK_MODELS", "150"))
NAME = fresh("random")

LEAVES: st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]] = st.sampled_from(
    [
        (int, st.integers()),
        (str, st.text(max_size=8)),
        (bool, st.booleans()),
        (float, st.floats()),
        (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
        (bytes, st.binary(max_size=6)),
        (date, st.dates()),
        (datetime, st.datetimes(timezones=st.sampled_from([None, UTC, ZoneInfo("Europe/Berlin")]))),
        (time, st.times()),
        (timedelta, st.timedeltas()),
        (UUID, st.uuids()),
        (Side, st.just(Side.BUY)),
        (Base, st.one_of(st.builds(Base, a=st.integers()), st.builds(Wider, b=st.integers()), st.builds(Same))),
        (Aliased, st.builds(Aliased, a=st.integers())),
        (Leg, st.builds(Leg, st.text(max_size=4), st.decimals(allow_nan=False, allow_infinity=False))),
        (SecretStr, st.builds(SecretStr, st.text(max_size=3))),
        (
            Any,
            st.one_of(st.none(), st.integers(), st.tuples(st.booleans()), st.dates(), st.floats(), st.just(Side.BUY)),
        ),
    ]
)
WRAPS: list[Callable[[Any, st.SearchStrategy[Any]], tuple[Any, st.SearchStrategy[Any]]]] = [
    lambda kind, values: (list[kind], st.lists(values, max_size=3)),
    lambda kind, values: (dict[str, kind], st.dictionaries(st.text(max_size=3), values, max_size=3)),
    lambda kind, values: (tuple[kind, ...], st.lists(values, max_size=3).map(tuple)),
    lambda kind, values: (kind | None, st.none() | values),
    lambda kind, values: (kind | str, values | st.text(max_size=3)),
    lambda kind, values: (int | kind, values | st.integers()),
    lambda kind, values: (dict[int, kind], st.dictionaries(st.integers(), values, max_size=3)),
    lambda kind, values: (deque[kind], st.lists(values, max_size=3).map(deque)),
]


@st.composite
def models_with_a_value(draw: st.DrawFn) -> tuple[type[BaseModel], BaseModel]:
    """Return a random model, with fields of many kinds, and an instance that may or may not have been checked."""
    fields: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 4))):
        kind, strategy = draw(LEAVES)
        for wrap in draw(st.lists(st.sampled_from(WRAPS), max_size=2)):
            kind, strategy = wrap(kind, strategy)
        aliases: list[dict[str, Any]] = [{"alias": f"Alias{number}"}, {"serialization_alias": f"S{number}"}]
        options: dict[str, Any] = draw(st.sampled_from([*[{}] * 9, *aliases * 2, {"exclude": True}]))
        fields[f"field{number}"] = (kind, Field(**options))
        values[f"field{number}"] = draw(strategy)
    extra: Any = draw(st.sampled_from(["ignore", "forbid", "allow"]))
    model: type[BaseModel] = create_model(
        "Random", __config__=ConfigDict(extra=extra, populate_by_name=True, ser_json_inf_nan="constants"), **fields
    )
    if draw(st.booleans()):
        return model, model.model_construct(**values)
    try:
        return model, model.model_validate(values)
    except ValueError:
        return model, model.model_construct(**values)


def outcome_of(book: Any, model: type[BaseModel], value: BaseModel) -> str:
    """Return what becomes of a value that is put into a cache of its model, and got."""
    try:
        cache = book.cache(model, NAME)
    except InvalidArgument:
        return "refused when made"
    try:
        cache.put("K", value)
    except InvalidArgument:
        return "refused when put"
    found = cache.get("K")
    assert type(found) is type(value)
    assert is_same(value, found)
    assert found == value or "nan" in repr(value).lower()
    return "equal"


def test_random_models_come_back_the_same_or_are_refused(lone_desk: Desk) -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=MODELS, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(made=models_with_a_value())
    def run(made: tuple[type[BaseModel], BaseModel]) -> None:
        outcomes[outcome_of(lone_desk.book, *made)] += 1

    run()
    print(dict(outcomes))
    assert outcomes.keys() == {"refused when made", "refused when put", "equal"}

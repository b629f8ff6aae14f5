"""Random classes of orders, and values: what a book keeps of them comes back equal, or it is refused."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field
from slotbook import Fill, Index, Order
from slotbook.models.errors import InvalidArgument

from ...support.desk import Desk, on_one_server
from ...support.entities import ONE_PIECE, fields
from ...support.make import execution, limit

EXAMPLES = int(os.environ.get("SLOTBOOK_MODELS", "120"))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
Made = tuple[type[Any], dict[str, Any]]


@st.composite
def classes(draw: st.DrawFn, base: type[Any]) -> Made:
    """Return a random class of orders or fills, and values of its own fields."""
    annotations, defaults, values = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    if base is Order:
        kind, given_values = draw(st.sampled_from(ONE_PIECE))
        annotations["marked"] = Annotated[kind | None, Index] if draw(st.booleans()) else Annotated[kind, Index]
        values["marked"] = draw(given_values)
    for number in range(draw(st.integers(0, 3))):
        name = f"field{number}"
        annotations[name], strategy = draw(fields())
        values[name] = draw(strategy)
        if draw(st.integers(0, 9)) == 0:
            defaults[name] = Field(alias="Other")
    body = {"__annotations__": annotations, "__module__": __name__, **defaults}
    return type("Random", (base,), body), values


def instance_of(made: Made, plain: Order | Fill) -> Any:
    kind, values = made
    try:
        return kind.model_validate({**plain.model_dump(), **values}, by_alias=False, by_name=True)
    except ValueError:
        return kind.model_construct(**{**plain.__dict__, **values})


def content(record: Any) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in Order.model_fields}


def is_equal(value: Any, other: Any) -> bool:
    """Return True for equal values; of a time that a clock shows twice Python says that it equals none elsewhere."""
    if isinstance(value, datetime) and isinstance(other, datetime) and value.tzinfo and other.tzinfo:
        return value.astimezone(UTC) == other.astimezone(UTC)
    return type(value) is type(other) and value == other


def are_equal(one: Any, other: Any) -> bool:
    return all(map(is_equal, content(one).values(), content(other).values()))


def outcome_of(desk: Desk, trader: str, order_class: Made, fill_class: Made) -> str:
    """Return what becomes of an order and a fill of random classes."""
    try:
        orders = desk.book.orders.of(order_class[0])
    except InvalidArgument:
        return "refused when made"
    order, fill = instance_of(order_class, limit(trader)), instance_of(fill_class, execution(trader))
    try:
        placed = orders.place(order).order
    except InvalidArgument:
        return "refused when placed"
    found = orders.get(trader, "A1")
    assert found is not None
    assert are_equal(found, placed)
    assert orders.place(order).applied is False
    assert found == orders.place(found.model_copy(update={"version": 0})).order
    if (marked := content(order)["marked"]) is not None:
        assert orders.by(trader, {"marked": marked}) == [found]
    try:
        filled = orders.fill(fill)
    except InvalidArgument:
        return "equal, fill refused"
    again = orders.fill(fill)
    assert (again.applied, again.order, again.sequence) == (False, filled.order, 2)
    assert are_equal(again.order, placed)
    return "equal"


@on_one_server
def test_random_own_fields_come_back_equal_or_are_refused(desk: Desk) -> None:
    outcomes: Counter[str] = Counter()
    examples = EXAMPLES if desk.caller == "sync" else EXAMPLES // 3  # what they do is the same for both

    @settings(max_examples=examples, deadline=None, suppress_health_check=SLOW)
    @given(order_class=classes(Order), fill_class=classes(Fill))
    def run(order_class: Made, fill_class: Made) -> None:
        trader = desk.another()
        outcomes[outcome_of(desk, trader, order_class, fill_class)] += 1
        assert [finding for finding in desk.book.audit.verify(trader) if finding.is_difference] == []

    run()
    assert outcomes.keys() >= ({"refused when made", "equal"} if desk.caller == "sync" else {"equal"})
    assert outcomes["equal"] > examples / 5

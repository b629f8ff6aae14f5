"""The JSON schemas of public models and results: valid for everybody, and true of what models accept and emit."""

from __future__ import annotations

import json
import re
import subprocess
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from slotbook import Fill, Order, OrderResult, Outcome, Position, models
from slotbook.models.errors import OrderNotFound, Refused
from slotbook.models.limits import LIMIT_NAMES

from ..support.json_values import Schema, validator, values_of
from ..support.make import limit
from ..support.node import node_modules
from ..support.strategies import MODELS

_IN_PYTHON_ONLY = {"Index", "Key", "Unique", "Delete", "Update"}
"""Public names that mark fields, or are requests that hold a class."""
PUBLIC: dict[str, Any] = {name: getattr(models, name) for name in models.__all__ if name not in _IN_PYTHON_ONLY}
RECORDS = {name: model for name, model in PUBLIC.items() if issubclass(model, BaseModel) and name != "Entity"}
NOT_SAID = re.compile("pending is a JSON list|each once")
"""What no schema can say: rules about the JSON in a text, and about several values."""
NODE = Path(__file__).parents[1] / "support" / "schemas_in_node.mjs"


def schemas_of(model: Any) -> list[Schema]:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    return [adapter.json_schema(mode=mode) for mode in ("validation", "serialization")]


@cache
def checks_of(model: type[Any]) -> list[Any]:
    """Return the validators of a model: made when a test asks, as to check a schema takes as long as its test."""
    return [validator(schema) for schema in schemas_of(model)]


@pytest.mark.parametrize("name", PUBLIC)
def test_schemas_are_valid(name: str) -> None:
    for schema in schemas_of(PUBLIC[name]):
        validator(schema)
        assert "\\p{" not in json.dumps(schema)
        assert "(?" not in json.dumps(schema)


def fields_of_all() -> dict[str, tuple[Schema, TypeAdapter[Any]]]:
    """Return each schema of a field, once, and what reads the field."""
    found: dict[str, tuple[Schema, TypeAdapter[Any]]] = {}
    for model in RECORDS.values():
        whole = model.model_json_schema()
        for name, info in model.model_fields.items():
            schema: Schema = {**whole["properties"][name], "$defs": whole.get("$defs", {})}
            about = {"title", "description", "default", "$defs"}
            said = json.dumps({key: one for key, one in schema.items() if key not in about})
            if '"#/$defs/OrderEvent"' in said or name in ("fee_currency", "fee_from_quantity"):
                continue  # the fields of events are here themselves; these two are read with their fee
            kind = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            found.setdefault(said, (schema, TypeAdapter(cast("Any", kind))))
    return found


FIELDS = fields_of_all()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_what_the_schema_of_a_field_accepts_the_model_accepts(data: st.DataObject) -> None:
    schema, reader = FIELDS[data.draw(st.sampled_from(sorted(FIELDS)))]
    value = data.draw(values_of(schema))
    errors: list[str] = []
    try:
        reader.validate_json(json.dumps(value))
    except ValidationError as error:
        errors = [one["msg"] for one in error.errors() if not NOT_SAID.search(one["msg"])]
    assert errors == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_a_model_emits_is_what_the_schemas_say(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from([Order, Fill, Position, *MODELS]))
    record = model(**data.draw(MODELS[model]))
    accepted, emitted = checks_of(model)
    emitted.validate(json.loads(record.model_dump_json()))
    accepted.validate(json.loads(record.model_dump_json(round_trip=True)))
    assert model.model_validate_json(record.model_dump_json()) == record
    assert model(**record.model_dump()) == record
    assert model(**record.model_dump(mode="json")) == record


BAD: dict[str, list[object]] = {
    "quantity": [
        "0",
        "0.0",
        "+0.000",
        "-1",
        "1e",
        "1.",
        ".5",
        "1" * 19,
        "0.0000000000000000001",
        " 1",
        "1\n",
        "",
        True,
    ],
    "price": ["1" * 13, "--1", "1_0", "187,23", {}, [], "nan"],
    "order_id": ["", " A", "A ", "a{b}", "a\tb", "a\n", "a\x01b", "\x7f", "x" * 257, True, 1.5],
    "text": ["", "a\x00", "a\n", "\x9f", "x" * 257, 5],
    "ts_ns": [-1, 1703422805, 1703422805243, 2**64, "1703422805", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z"],
    "version": [-1, 2**53, "-1", "1.5", 1.5],
    "side": ["buy", "", 1],
    "currency": ["US", "U$D", "x" * 13],
    "marks": ["NEW", "STOPPED,SUSPENDED", " STOPPED"],
    "unknown": [1],
}
GOOD: dict[str, list[object]] = {
    "quantity": [1, 0.25, "1", "+1", "001.50", "0.000000000000000001", "9" * 18, 1e-7, 10**15 - 1],
    "price": [0, -37.63, "-0.5", "9" * 12 + "." + "9" * 18, "187.2300000000000000000000"],
    "order_id": ["A1", 7, -7, "BRK B", "日本", "a  b"],
    "text": ["a b", "Grüße / 日本", " a "],
    "ts_ns": [
        0,
        1703422805243925307,
        "1703422805243925307",
        "2023-12-24T15:33:25.243925307Z",
        "2023-12-24T16:33:25+01:00",
    ],
    "version": [0, 2**53 - 1, "7"],
    "marks": ["STOPPED", "DONE_FOR_DAY SUSPENDED"],
}


def order_with(name: str, value: object) -> dict[str, object]:
    plain = json.loads(limit("T001").model_dump_json(exclude_none=True, round_trip=True))
    return {**plain, name: value}


def agree(accepted: list[bool], cases: dict[str, list[object]], *, right: bool) -> list[object]:
    told = iter(accepted)
    return [(name, value) for name, values in cases.items() for value in values if next(told) is not right]


@pytest.mark.parametrize(("cases", "right"), [(BAD, False), (GOOD, True)], ids=["bad", "good"])
def test_the_schema_and_the_model_agree_on_what_is_accepted(cases: dict[str, list[object]], right: bool) -> None:
    check = validator(Order.model_json_schema())
    given_orders = [order_with(name, value) for name, values in cases.items() for value in values]

    def is_taken(values: dict[str, object]) -> bool:
        try:
            Order.model_validate_json(json.dumps(values))
        except ValidationError:
            return False
        return True

    assert agree([is_taken(one) for one in given_orders], cases, right=right) == []
    assert agree([check.is_valid(one) for one in given_orders], cases, right=right) == []


def test_ajv_reads_the_schemas_and_says_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    modules = node_modules(tmp_path_factory.mktemp("node"))
    script = modules.parent / "schemas_in_node.mjs"  # Node looks for modules beside the script
    script.write_text(NODE.read_text(encoding="utf-8"), encoding="utf-8")
    order = Order.model_json_schema()
    held = Position(
        trader="T001", symbol="AAPL", quantity=Decimal("0.0000001"), fees=cast("Any", {"USD": "1.5", "": "-1E-7"})
    )
    asked: list[dict[str, object]] = [
        {"schema": order, "values": [order_with(name, value) for name, values in BAD.items() for value in values]},
        {"schema": order, "values": [order_with(name, value) for name, values in GOOD.items() for value in values]},
        {"schema": schemas_of(Position)[1], "values": [json.loads(held.model_dump_json())]},
        *({"schema": schema, "values": []} for model in PUBLIC.values() for schema in schemas_of(model)),
    ]
    text = json.dumps(asked)
    done = subprocess.run(["node", str(script)], input=text, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    bad, good, emitted, *_ = json.loads(done.stdout)
    assert (agree(bad, BAD, right=False), agree(good, GOOD, right=True), emitted) == ([], [], [True])


def test_small_decimals_are_written_without_an_exponent() -> None:
    fill = Fill(trader="T001", order_id="A1", exec_id="X1", quantity=Decimal("0.0000001"), price=Decimal("1E+3"))
    written = json.loads(fill.model_dump_json())
    assert (written["quantity"], written["price"], written["notional"]) == ("0.0000001", "1000", "0.0001")


def test_an_error_of_a_batch_is_emitted_by_name_and_message_and_never_accepted() -> None:
    outcomes: TypeAdapter[Any] = TypeAdapter(list[Outcome[OrderResult]])
    refused = [Outcome[OrderResult](error=OrderNotFound("T001/A1: there is no such order"))]
    written = json.loads(outcomes.dump_json(refused))
    assert written[0]["error"] == {"error": "OrderNotFound", "message": "T001/A1: there is no such order"}
    validator(outcomes.json_schema(mode="serialization")).validate(written)
    assert not validator(outcomes.json_schema()).is_valid(written)
    assert isinstance(refused[0].error, Refused)


def test_what_is_positive_and_what_may_be_zero_differ() -> None:
    parts = models.Limits.model_json_schema()["properties"]
    assert [validator(parts["max_notional"]).is_valid(one) for one in ("0", 0, "-1", -1, None)] == [
        *(True, True, False, False, True)
    ]
    tick = models.SymbolInfo.model_json_schema()["properties"]["tick_size"]
    assert [validator(tick).is_valid(one) for one in ("0", 0, "0.01", 0.01)] == [False, False, True, True]
    assert validator(models.Split.model_json_schema()["properties"]["new"]).is_valid(0) is False
    assert set(LIMIT_NAMES) < parts.keys()

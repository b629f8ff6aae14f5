"""Written records are read back exactly; anything else is a CorruptRecord and never a guess."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models import Order
from slotbook.models.errors import CorruptRecord
from slotbook.models.record import Record
from slotbook.models.wire import codec, decode, encode, pairs

from ..support.fleet import Fleets
from ..support.make import NIGHTLY, fresh, limit
from ..support.raw import Raw, mapping
from ..support.strategies import MODELS

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
some_examples = settings(max_examples=1_000 if NIGHTLY else 10)
"""Of each model, of which there are many: their fields have a few types, which are the same everywhere."""


def drawn(model: type[Record], data: st.DataObject) -> tuple[Record, dict[str, str]]:
    """Return a record and what is written of it, which is read back as it was."""
    record = model.model_validate(data.draw(MODELS[model]))
    written = encode(record)
    assert decode(model, "key", written) == record
    return record, written


@every_model
@settings(max_examples=1_000 if NIGHTLY else 20)
@given(data=st.data())
def test_a_record_comes_back_as_it_was(model: type[Record], data: st.DataObject) -> None:
    _, written = drawn(model, data)
    assert encode(decode(model, "key", written)) == written


@every_model
@settings(max_examples=1_000 if NIGHTLY else 20)
@given(data=st.data())
def test_a_record_is_written_without_an_exponent_and_in_one_way(model: type[Record], data: st.DataObject) -> None:
    _, written = drawn(model, data)
    for name in codec(model).checks.keys() & written.keys():
        assert re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", written[name])
        assert written[name] != "-0"


@pytest.fixture
def server(fleets: Fleets) -> Raw:
    return next(iter(fleets.of("standalone").raws.values()))


@every_model
@settings(some_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_record_survives_a_hash_of_a_server(server: Raw, model: type[Record], data: st.DataObject) -> None:
    (record, written), key = drawn(model, data), fresh("hash")
    server.ask("HSET", key, *(part for pair in written.items() for part in pair))
    reply = server.ask("HGETALL", key)
    server.ask("DEL", key)
    assert decode(model, key, mapping(reply)) == decode(model, key, pairs(cast("list[str]", reply))) == record


def read_or_error(model: type[Record], fields: dict[str, str]) -> Record | CorruptRecord:
    try:
        return decode(model, "the:key", fields)
    except CorruptRecord as error:
        return error


@every_model
@some_examples
@given(data=st.data())
def test_without_any_one_field_it_is_whole_or_corrupt_and_never_guessed(
    model: type[Record], data: st.DataObject
) -> None:
    _, written = drawn(model, data)
    for name in written:
        rest = {field: value for field, value in written.items() if field != name}
        read = read_or_error(model, rest)
        if isinstance(read, CorruptRecord):
            assert (read.key, read.field in model.model_fields) == ("the:key", True)
        else:
            assert getattr(read, name) in (None, {})
            assert encode(read) == rest


@every_model
@some_examples
@given(data=st.data())
def test_garbage_is_corrupt_or_means_itself(model: type[Record], data: st.DataObject) -> None:
    _, written = drawn(model, data)
    for texts in (st.text(), st.text("0123456789.-+eE_ "), st.text(st.characters(categories=["Cs", "Nd"]))):
        garbage = data.draw(texts)
        for name in model.model_fields:
            if (name, garbage) == ("multiplier", "1"):  # which is written as none
                continue
            read = read_or_error(model, {**written, name: garbage})
            if isinstance(read, CorruptRecord):
                assert (read.key, read.field in model.model_fields) == ("the:key", True)
                assert "\n" not in str(read)
            else:
                assert encode(read) == {**written, name: garbage}


@every_model
@some_examples
@given(data=st.data())
def test_a_number_in_another_form_was_never_written(model: type[Record], data: st.DataObject) -> None:
    _, written = drawn(model, data)
    for name in codec(model).checks.keys() & written.keys():
        value = written[name]
        forms = {f"+{value}", f"0{value}", f" {value}", f"{value} ", f"{value}e0", f"{value}_0", f"{value}\n", "-0", ""}
        forms |= {f"{value}0"} if "." in value else {f"{value}.0", f"{value}."}
        for form in forms:
            with pytest.raises(CorruptRecord) as caught:
                decode(model, "the:key", {**written, name: form})
            assert (caught.value.key, caught.value.field) == ("the:key", name)


def test_fields_of_others_are_left_alone() -> None:
    order = limit("T001")
    assert decode(Order, "key", {**encode(order), "note": "x", "": "y"}) == order


def test_none_is_an_absent_field() -> None:
    written = encode(limit("T001", type="MARKET", price=None))
    assert not written.keys() & {"price", "stop_price", "text", "revision", "updated_ns"}


def test_a_decimal_has_one_written_form() -> None:
    forms = cast("list[Any]", ["187.5", "187.50", "1875e-1", "187.500000000"])
    assert {encode(limit("T001", price=form))["price"] for form in forms} == {"187.5"}

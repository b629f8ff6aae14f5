"""Names are what venues use: blanks inside, whole numbers as ids; nothing that would change a key or a line."""

from __future__ import annotations

import re
from enum import IntEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from slotbook.models import Fill, Order
from slotbook.models.errors import InvalidArgument
from slotbook.models.guards import Expect
from slotbook.models.keys import Keys, is_name
from slotbook.models.names import NAME_RULE, Name, check_name, check_text_name, derived_id

from ..support.make import execution, limit
from ..support.strategies import names

ADAPTER: TypeAdapter[str] = TypeAdapter(Name)


class Venue(IntEnum):
    """An id that is an int with a name."""

    XNAS = 7


@pytest.mark.parametrize(
    ("given_id", "taken"),
    [
        ("BRK B", "BRK B"), ("ES 03-24", "ES 03-24"), ("AAPL  240119C00150000", "AAPL  240119C00150000"),
        ("x" + " x" * 127, "x" + " x" * 127), ("x" * 256, "x" * 256), (10583212, "10583212"), (0, "0"), (-5, "-5"),
        (2**64, "18446744073709551616"), (10**255, "1" + "0" * 255), (np.int64(9), "9"), (np.uint64(9), "9"),
        (Venue.XNAS, "7"), ("007", "007"),
    ],
    ids=lambda one: repr(one)[:24],
)  # fmt: skip
def test_a_name_of_a_venue_is_taken(given_id: object, taken: str) -> None:
    found = ADAPTER.validate_python(given_id)
    assert (found, type(found)) == (taken, str)
    assert check_name("order_id", given_id) == taken  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    order = Order.model_validate({**limit("T").model_dump(), "order_id": given_id, "symbol": given_id})
    assert (order.order_id, order.symbol) == (taken, taken)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "  ", " A", "A ", "A\u00a0B", "A\u2003B", "A\u2028B", "A\tB", "A\nB", "A\n", "A\x1fB", "A{", "}A",
        "\ud800", "\u200b", "x" * 257, True, False, 1.0, 5.5, 10**256, None, b"A", np.float64(1), np.array([1]), ["A"],
    ],
    ids=lambda one: ascii(one)[:24],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(ValidationError, match=re.escape(NAME_RULE)):
        ADAPTER.validate_python(name)
    with pytest.raises(InvalidArgument, match=re.escape(NAME_RULE)):
        check_name("order_id", name)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument):
        Expect(name, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_number_and_its_digits_are_one_identity() -> None:
    fills = [Fill.model_validate({**execution("T").model_dump(), "exec_id": one}) for one in (5, "5")]
    assert fills[0] == fills[1]
    keys = Keys()
    assert keys.of(1) is keys.of("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument, match="trader True"):
        keys.of(trader=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@given(names)
def test_the_fast_rule_is_the_rule(name: str) -> None:
    assert check_name("trader", name) == name == ADAPTER.validate_python(name)


@given(st.text(alphabet=" a{}\t\u00a0~!\x7f", max_size=6) | st.text(alphabet="a ", min_size=250, max_size=260))
def test_the_fast_rule_takes_no_more_than_the_rule(text: str) -> None:
    wanted = re.fullmatch(r"(?=.{1,256}\Z)[a~!]([a~! ]*[a~!])?", text) is not None
    assert is_name(text) is wanted
    try:
        assert ADAPTER.validate_python(text) == text
    except ValidationError:
        assert not wanted
    else:
        assert wanted


def test_a_derived_id_is_a_name_however_long_the_given_one_is() -> None:
    found = {length: derived_id("report", "X" * length) for length in (1, 249, 250, 256)}
    assert [len(check_name("request_id", one)) for one in found.values()] == [8, 256, 71, 71]
    assert found[250] != found[256]


def test_a_key_of_a_cache_is_a_text() -> None:
    with pytest.raises(InvalidArgument, match="it is a int, not a string"):
        check_text_name("cache", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_schema_for_json_can_be_read_by_everybody() -> None:
    told = ADAPTER.json_schema()
    pattern = r"^[^\s{}\x00-\x1f\x7f-\x9f]+( +[^\s{}\x00-\x1f\x7f-\x9f]+)*$"
    text = {"type": "string", "maxLength": 256, "pattern": pattern}
    assert told == {"anyOf": [text, {"type": "integer"}]}
    assert ADAPTER.json_schema(mode="serialization") == text
    assert [re.search(pattern, one) is not None for one in ("BRK B", "A ", " A", "")] == [
        True,
        False,
        False,
        False,
    ]

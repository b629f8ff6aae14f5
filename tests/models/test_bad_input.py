"""Models take any value exactly or raise Pydantic's ValidationError; never another exception."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from slotbook.models import Fill, Order, Position, PositionChange, Replace, SymbolInfo
from slotbook.models.numbers import plain
from slotbook.models.record import Record
from slotbook.models.wire import decode, encode

from ..support.make import NIGHTLY
from ..support.package import each
from ..support.strategies import MODELS, odd_things

NAN = [Decimal("NaN"), Decimal("sNaN"), Decimal("-sNaN7"), float("nan"), "NaN", "nan", "sNaN"]
ENDLESS = [Decimal("Infinity"), Decimal("-Infinity"), float("inf"), -float("inf"), "inf", "Infinity"]
NO_NUMBER: list[object] = [
    *("", " ", "1 ", "1\n", "one", "1_0", "0x1", "1,5", "--1", "1e", "e5", ".", "1.5.2", "\u0663", "½", "\ud800"),
    *(True, False, b"1", [1], {"a": 1}, (1,), 1j, object(), int),
]
HUGE: list[object] = [10**5000, -(10**5000), Decimal("1E+999999999"), Decimal("9" * 5000), "9" * 5000, 1e300, 2**64]
NO_NAME: list[object] = [
    *("", " ", " a", "a ", "a\tb", "a\n", "\n", "{", "}", "a{b}c", "\0", "\x7f", "x" * 257),
    *("\u200b", "\u2028", "\u00a0", "\ud800", "\ue000", "\ufffe"),
    *(b"T001", 1.0, 1.5, True, None, ["T"], object(), Decimal(1), 10**256, -(10**5000)),
]
NO_TEXT: list[object] = ["", "x" * 257, "a\nb", "\0", "\x1b[31m", "\ud800", b"text", 1, True, ["x"], object()]
NO_CHOICE: list[object] = ["", "buy", "Buy", "1", "BUY ", b"SOLD", 1, True, ["BUY"], object(), "DONE"]

NO_NANOSECONDS: list[object] = [
    1_703_422_805,
    1_703_422_805_243,
    "1703422805243925",
    1_703_422_805.0,
    1.7034228052439252e18,
]
NO_INTEGER = [*NAN, *ENDLESS, *NO_NUMBER, *HUGE]

BAD: dict[str, list[object]] = {
    "written": [5, b"x", [], True],
    "Name": NO_NAME,
    "Text": NO_TEXT,
    "choice": NO_CHOICE,
    "quantity": [
        *NAN,
        *ENDLESS,
        *NO_NUMBER,
        *HUGE,
        0,
        -1,
        10**18,
        "-0.5",
        0.1 + 0.2,
        "0.0000000000000000001",
        Decimal("1.5E-18"),
        Decimal("1E-999999999"),
    ],
    "total": [*NO_INTEGER, -1, 2**53, 0.5, "1.5", Decimal("0.1")],
    "part": [*NO_INTEGER, -1, "-1E-18", 10**18, 0.1 + 0.2, "0.0000000000000000001"],
    "traded": [*NAN, *ENDLESS, *NO_NUMBER, *HUGE[:-1], -(10**36), 10**36, 0.1 + 0.2, "1E-19"],
    "signed": [*NO_INTEGER, 10**18, -(10**18), "-1.0000000000000000001", 0.1 + 0.2],
    "time": [*NO_INTEGER, -1, 2**63, 0.5, *NO_NANOSECONDS],
    "price": [
        *NAN,
        *ENDLESS,
        *NO_NUMBER,
        *HUGE,
        "0.0000000000000000001",
        Decimal("1E-19"),
        187.23 + 1e-13,
        0.1 + 0.2,
        10**12,
        "-1e12",
    ],
    "amount": [*NAN, *ENDLESS, *NO_NUMBER, *HUGE[:-1], "1E-37", 0.1 + 0.2, 10**36],
    "flag": ["maybe", 2, -1, "", b"x", [True], object(), Decimal("NaN")],
    "currency": ["", "US", "U" * 13, "U D", "USD ", "ÜSD", "U-D", "USD\n", 1, ["USD"]],
    "fee currency": ["", "U D", " USD", "U{", 'U"', "U\\", "x" * 65, "U\n", 1, b"USD", ["USD"]],
    "fees": [
        None,
        "",
        "{}",
        "x",
        [1],
        5,
        {"U D": 1},
        {"USD": "x"},
        {"USD": 0.1 + 0.2},
        {1: 1},
        {"USD": 10**40},
        object(),
    ],
    "day": [
        "",
        "2026",
        "2026-13-01",
        "2026-02-30",
        "2026-1130",
        "20261130 ",
        "202611301",
        20261130,
        1.5,
        True,
        [1],
        object(),
    ],
    "tick": [0, "-0.01", "0", *NAN, *ENDLESS, "1E-19", *NO_NUMBER],
}
QUANTITIES = {"quantity", "placed_quantity", "last_quantity", "lot_size"}
TOTALS = {"revision", "version", "sequence", "aliases"}
PARTS = {"filled_quantity", "display_quantity", "cumulative_quantity", "open_quantity", "max_position"}
KINDS: dict[str, str] = {
    **dict.fromkeys(QUANTITIES, "quantity"),
    **dict.fromkeys(TOTALS, "total"),
    **dict.fromkeys(PARTS, "part"),
    **dict.fromkeys(("bought_quantity", "sold_quantity"), "traded"),
    **dict.fromkeys(("position_quantity",), "signed"),
    **dict.fromkeys(("ts_ns", "updated_ns", "expire_at"), "time"),
    **dict.fromkeys(("price", "stop_price", "placed_price", "placed_stop_price", "last_price"), "price"),
    "reference_price": "price",
    **dict.fromkeys(
        ("filled_notional", "bought_notional", "sold_notional", "open_cost", "realized_profit", "cost"), "amount"
    ),
    **dict.fromkeys(("trader", "order_id", "symbol", "exec_id", "request_id", "exchange", "account"), "Name"),
    "execution_instructions": "Name",
    **dict.fromkeys(("client_order_id", "original_client_order_id", "venue_order_id", "reason"), "Name"),
    **dict.fromkeys(("text", "name", "marks"), "Text"),
    "pending": "written",
    **dict.fromkeys(("side", "type", "time_in_force", "status", "action"), "choice"),
    "late": "flag",
    "fee": "amount",
    "overfill": "choice",
    "fee_from_quantity": "flag",
    "fees": "fees",
    "fee_currency": "fee currency",
    "liquidity": "choice",
    "settlement_date": "day",
    "currency": "currency",
    "tick_size": "tick",
    "multiplier": "tick",
}
EXAMPLES: dict[type[Record], dict[str, Any]] = {
    Order: {"trader": "T", "order_id": "A", "symbol": "S", "side": "BUY", "quantity": 1, "price": 1},
    Fill: {"trader": "T", "order_id": "A", "exec_id": "X", "quantity": 1, "price": 1},
    Position: {"trader": "T", "symbol": "S"},
    SymbolInfo: {"symbol": "S", "name": "N"},
    Replace: {"trader": "T", "order_id": "A", "quantity": 1},
    PositionChange: {"trader": "T", "symbol": "S", "quantity": 1},
}


def may_be_none(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


CASES = [
    (model, name, value)
    for model in EXAMPLES
    for name, field in model.model_fields.items()
    for value in BAD["signed" if model in (Position, PositionChange) and name == "quantity" else KINDS[name]]
    if not (value is None and may_be_none(field))
]


@each(CASES)
def test_what_a_field_cannot_hold_is_a_validation_error(case: tuple[type[Record], str, object]) -> None:
    model, name, value = case
    with pytest.raises(ValidationError) as caught:
        model.model_validate({**EXAMPLES[model], name: value})
    assert [error["loc"][0] for error in caught.value.errors()] == [name]
    assert name in str(caught.value)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=1_000 if NIGHTLY else 20)
@given(data=st.data())
def test_anything_at_all_is_taken_exactly_or_is_a_validation_error(model: type[Record], data: st.DataObject) -> None:
    values = data.draw(MODELS[model])
    for given_value, name in product(data.draw(st.tuples(*[odd_things] * 3)), model.model_fields):
        try:
            record = model.model_validate({**values, name: given_value})
        except ValidationError:
            continue
        taken = getattr(record, name)
        if name == "multiplier" and taken is None:  # which is how 1 is kept
            taken = Decimal(1)
        is_text = isinstance(taken, str) and not isinstance(taken, Enum)
        if is_text and isinstance(given_value, int):
            assert taken == str(given_value)
        elif is_text or isinstance(given_value, (int, float, Decimal)):
            is_exact = isinstance(taken, Decimal) and isinstance(given_value, float)
            assert taken == (Decimal(repr(given_value)) if is_exact else given_value)
        assert decode(model, "key", encode(record)) == record


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=1_000 if NIGHTLY else 30)
@given(values=st.dictionaries(st.text(max_size=5), odd_things, max_size=3) | odd_things)
def test_no_heap_of_things_is_anything_but_a_validation_error(model: type[Record], values: object) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(values)


@pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: model.__name__)
def test_a_field_that_there_is_not_is_refused(model: type[Record]) -> None:
    with pytest.raises(ValidationError, match="quantitty"):
        model.model_validate({**EXAMPLES[model], "quantitty": 5})


@pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: model.__name__)
def test_a_record_does_not_change(model: type[Record]) -> None:
    record = model.model_validate(EXAMPLES[model])
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, next(iter(model.model_fields)), "other")
    assert hash(record) == hash(record.model_copy())


@pytest.mark.parametrize(
    ("kind", "given_prices", "wanted"),
    [
        ("LIMIT", {}, "needs price"),
        ("LIMIT", {"price": 1, "stop_price": 1}, "takes no stop_price"),
        ("MARKET", {"price": 1}, "takes no price"),
        ("MARKET", {"stop_price": 1}, "takes no stop_price"),
        ("STOP", {}, "needs stop_price"),
        ("STOP", {"price": 1, "stop_price": 1}, "takes no price"),
        ("STOP_LIMIT", {"price": 1}, "needs stop_price"),
        ("STOP_LIMIT", {"stop_price": 1}, "needs price"),
    ],
)
def test_an_order_has_the_prices_that_its_type_needs(kind: str, given_prices: dict[str, int], wanted: str) -> None:
    bare = {name: value for name, value in EXAMPLES[Order].items() if name != "price"}
    with pytest.raises(ValidationError, match=f"a {kind} order {wanted}"):
        Order.model_validate({**bare, "type": kind, **given_prices})


def test_a_replace_changes_something() -> None:
    with pytest.raises(ValidationError, match="needs a quantity, a price or a stop_price"):
        Replace(trader="T", order_id="A", text="nothing")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        *((100, "100"), ("100", "100"), (100.0, "100"), (Decimal("1E+2"), "100"), ("+7", "7"), ("007", "7")),
        *((0.25, "0.25"), ("0.250", "0.25"), (88.5, "88.5"), ("1E-18", "0.000000000000000001")),
        *((10**18 - 1, "9" * 18), (Decimal("1.00000000"), "1")),
    ],
)
def test_an_exact_number_in_any_form_is_a_quantity(value: object, taken: str) -> None:
    quantity = Fill.model_validate({**EXAMPLES[Fill], "quantity": value}).quantity
    assert (plain(quantity), type(quantity)) == (taken, Decimal)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("187.230", "187.23"),
        ("-37.63", "-37.63"),
        (187.25, "187.25"),
        (5, "5"),
        ("1e3", "1000"),
        ("1E-9", "0.000000001"),
        ("1.000000000000", "1"),
        (Decimal("999999999999.999999999"), "999999999999.999999999"),
        ("-0", "0"),
    ],
)
def test_an_exact_number_in_any_form_is_a_price(value: object, taken: str) -> None:
    fill = Fill.model_validate({**EXAMPLES[Fill], "price": value})
    assert fill.price == Decimal(taken)
    assert encode(fill)["price"] == taken

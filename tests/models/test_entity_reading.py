"""Read a text of a record at once as its type reads it, or leave it to the type."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import AfterValidator, ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator
from slotbook.models import Entity, Key, Side
from slotbook.models.building import adapter
from slotbook.models.entity_fields import chain, form_of
from slotbook.models.entity_reading import read_at_once
from slotbook.models.errors import CorruptRecord, InvalidArgument
from slotbook.models.table import table_model
from slotbook.models.types import Count, Multiplier, Name, Nanoseconds, Price, Quantity, SignedTotal, Text


class Word(Enum):
    ONE = "one"
    TWO = "TWO"


class Lenient(StrEnum):
    BUY = "BUY"

    @classmethod
    def _missing_(cls, value: object) -> Lenient | None:
        return cls.BUY if value == "buy" else None


class Odd(Enum):
    DOTS = "a.b"


class Number(IntEnum):
    ONE = 1


TYPES: tuple[Any, ...] = (
    Name, Text, Quantity, Price, Multiplier, SignedTotal, Count, Nanoseconds,
    cast("Any", Name) | None, cast("Any", Price) | None, str, Word, Lenient, Side,
    Annotated[str, StringConstraints(max_length=3)],
)  # fmt: skip
TEXTS = (
    *("", "0", "-0", "00", "1", "-1", "+1", "1.0", "1.5", "-0.5", ".5", "5.", "1e3", "1E+3", "0x1", "1_0", " 1", "1\n"),
    *("9" * 12, "9" * 13, "9" * 18, "9" * 19, "9" * 20, "9" * 36, "9" * 37, f"0.{'0' * 17}1", f"0.{'0' * 18}1"),
    *("1703422805243", "1703422805243925307", "9007199254740991", "9007199254740992", "9223372036854775808", "NaN"),
    *("T001", "a b", " a", "a ", "{a}", "a\0", "é", "\udc80", "a" * 256, "a" * 257, "one", "TWO", "two", "buy"),
    *("BUY", "٣"),
)  # fmt: skip


def readers(kind: Any) -> tuple[Any, Any]:
    """Return the reader of a type's texts at once, and the one that says what they are."""
    schema: dict[str, Any] = dict(adapter(kind).core_schema)
    fast: Any = read_at_once(schema, {})
    assert fast is not None
    whole: Any = chain(form_of(schema, {}).read, schema)
    return (
        SchemaValidator(fast, _use_prebuilt=False).validate_python,
        SchemaValidator(whole, _use_prebuilt=False).validate_python,
    )


def check(kind: Any, text: str) -> bool:
    """Return True for a text that is read at once, as the whole schema reads it."""
    fast, whole = readers(kind)
    try:
        found = fast(text)
    except ValidationError:
        return False
    again = whole(text)
    assert type(found) is type(again)
    assert found == again
    assert str(found) == str(again)
    return True


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: str(kind)[:60].replace("slotbook.models.", ""))
def test_a_text_is_read_at_once_as_its_type_reads_it_or_not_at_all(kind: Any) -> None:
    assert [text for text in TEXTS if check(kind, text)]


@given(st.sampled_from(TYPES[:8]), st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.text())
@example(Nanoseconds, 1_703_422_805_243)
def test_random_texts_are_read_likewise(kind: Any, value: object) -> None:
    check(kind, str(value))
    if isinstance(value, Decimal):
        check(kind, format(value, "f"))


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (Name, ("T001", "a b", "é")), (Quantity, ("40", "0.25", "9" * 18)), (Price, ("-187.23", "0", "9" * 12)),
        (Count, ("0", "7", "9007199254740991")), (Nanoseconds, ("1703422805243925307",)), (Word, ("one", "TWO")),
    ],
    ids=["name", "quantity", "price", "count", "time", "enum"],
)  # fmt: skip
def test_what_is_written_most_is_read_at_once(kind: Any, texts: tuple[str, ...]) -> None:
    assert [check(kind, text) for text in texts] == [True] * len(texts)


@pytest.mark.parametrize(
    "kind",
    [
        Number,
        Odd,
        int,
        Annotated[Name, AfterValidator(str.upper)],
        Annotated[Quantity, AfterValidator(abs)],
        float,
        bytes,
    ],
    ids=["IntEnum", "odd words", "int", "Name after", "Quantity after", "float", "bytes"],
)
def test_of_a_type_with_rules_of_its_own_the_type_itself_is_asked(kind: Any) -> None:
    assert read_at_once(TypeAdapter(kind).core_schema, {}) is None


class Fill(Entity, kind="reading_fill"):
    trader: Name
    fill_id: Annotated[Name, Key]
    side: Lenient
    at: Nanoseconds
    quantity: Quantity


WRITTEN = {"trader": "T1", "fill_id": "1", "side": "BUY", "at": "1703422805243925307", "quantity": "40", "version": "1"}


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("side", "buy", "ever written"), ("at", "1703422805243", "looks like milliseconds"),
        ("quantity", "40.0", "ever written"),
        ("quantity", "-40", "greater than 0"), ("trader", "{", "a name is"), ("other", "1", "is no field"),
    ],
)  # fmt: skip
def test_what_is_not_read_at_once_is_refused_as_before(field: str, text: str, problem: str) -> None:
    with pytest.raises(CorruptRecord, match=problem) as raised:
        table_model(Fill).decode("k", {**WRITTEN, field: text})
    assert raised.value.field == field


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(CorruptRecord, match="is missing") as raised:
        table_model(Fill).decode("k", {name: text for name, text in WRITTEN.items() if name != "side"})
    assert raised.value.field == "side"


def test_a_time_of_a_simulation_is_read_by_its_type() -> None:
    assert table_model(Fill).decode("k", {**WRITTEN, "at": "7"}).at == 7


def test_a_value_that_would_not_come_back_is_refused_as_before() -> None:
    table = table_model(Fill)
    record = table.decode("k", WRITTEN)
    assert table.encode(record) == {name: text for name, text in WRITTEN.items() if name != "version"}
    for field, value in (
        ("at", 1_703_422_805_243),
        ("quantity", "40"),
        ("trader", 7),
        ("side", "BUY"),
        ("quantity", 0),
    ):
        with pytest.raises(InvalidArgument, match=field):
            table.encode(record.model_copy(update={field: value}))


class Shouted(Entity, kind="reading_shouted"):
    model_config = ConfigDict(str_to_upper=True)
    trader: Name
    name: Annotated[Name, Key]


class Short(Entity, kind="reading_short"):
    trader: Name
    name: Annotated[Name, StringConstraints(max_length=3), Key]


class Checked(Entity, kind="reading_checked"):
    trader: Name
    name: Annotated[Name, AfterValidator(lambda name: f"<{name}>"[1:-1].lower()), Key]


class Strict(Entity, kind="reading_strict"):
    model_config = ConfigDict(strict=True)
    trader: Name
    name: Annotated[Name, Key]
    quantity: Quantity


def test_a_key_is_what_the_model_makes_of_it() -> None:
    assert table_model(Fill).key_from("a:b c") == "a:b c"
    assert table_model(Fill).key_from(7) == "7"
    assert table_model(Shouted).key_from("abc") == "ABC"
    assert table_model(Checked).key_from("ABC") == "abc"
    for model, wrong in ((Fill, "a{"), (Fill, ""), (Fill, "a" * 257), (Short, "abcd")):
        table = table_model(model)
        with pytest.raises(InvalidArgument, match=model.__name__):
            table.key_from(wrong)


def test_a_strict_model_reads_what_it_writes() -> None:
    table = table_model(Strict)
    record = Strict(trader="T1", name="a", quantity=Decimal(40))
    assert table.decode("k", {**table.encode(record), "version": "0"}) == record


DECIMAL: Any = form_of(dict(adapter(Decimal).core_schema), {})
read_decimal: Any = SchemaValidator(DECIMAL.read, _use_prebuilt=False).validate_python


@pytest.mark.parametrize(
    ("given_as", "text"),
    [
        ("100", "100"), ("187.23", "187.23"), ("-0.5", "-0.5"), ("1.10", "1.1"), ("1.00", "1"), ("1E+2", "100"),
        ("-0.0", "0"), ("0", "0"),
        ("1E-7", "0.0000001"), ("1.5E-70", "15E-71"), ("9" * 60, "9" * 60), ("9" * 62, f"{'9' * 62}E0"),
        (f"1.{'1' * 70}", f"1.{'1' * 70}"),
    ],
)  # fmt: skip
def test_a_decimal_has_one_text(given_as: str, text: str) -> None:
    assert DECIMAL.write(Decimal(given_as)) == text
    assert read_decimal(text) == Decimal(given_as)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_read_as_it_was_written(number: Decimal) -> None:
    text = DECIMAL.write(number)
    assert read_decimal(text) == number
    assert DECIMAL.write(read_decimal(text)) == text


@pytest.mark.parametrize("value", ["7", 1.5, Decimal("NaN"), Decimal("Infinity")], ids=str)
def test_what_is_no_decimal_is_not_written_as_one(value: Any) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError, ArithmeticError)):
        read_decimal(DECIMAL.write(value))


class Loud(Entity, kind="reading_loud"):
    trader: Name
    loud_id: Annotated[Name, Key]
    word: Annotated[str, AfterValidator(str.upper)] = "X"


def test_a_value_that_comes_back_as_another_of_its_type_is_refused() -> None:
    record = Loud(trader="T1", loud_id="1").model_copy(update={"word": "x"})
    with pytest.raises(InvalidArgument, match="would come back as 'X'"):
        table_model(Loud).encode(record)

"""A table's description: records are written as text, read back strictly, and looked for by what is stored."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Annotated, Any, cast

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ValidationInfo,
    field_validator,
    model_validator,
)
from slotbook.models import Entity, Index, Key, Unique
from slotbook.models.errors import CorruptRecord, InvalidArgument
from slotbook.models.table import TableModel, table_model
from slotbook.models.types import Name, Price, Quantity

from ..support.entities import KEY, model_of


class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    account: Annotated[Name, Index]
    reference: Annotated[Name | None, Unique] = None
    quantity: Quantity
    price: Annotated[Price | None, Index] = None


ALLOCATION = Allocation(trader="T001", allocation_id="L1", account="ACC1", quantity=40)
BY_THE_BOOK = {"version": "3", "updated_ns": "5", "@digest": "d", "@schema": "1"}


def test_the_description_of_a_table() -> None:
    table = table_model(Allocation)
    assert table is table_model(Allocation)
    assert (table.kind, table.ttl, table.key_fields) == ("allocation", None, ("allocation_id",))
    assert (table.indexes, table.uniques) == (("account", "price"), ("reference",))
    assert table.fields == ("trader", "allocation_id", "account", "reference", "quantity", "price")
    assert table_model(type("Own", (Allocation,), {"__module__": __name__}, kind="own", ttl=60)).ttl == 60


def test_two_threads_that_describe_a_model_at_once_get_one_description() -> None:
    model, found = model_of(), list[TableModel[Any]]()
    threads = [threading.Thread(target=lambda: found.append(table_model(model))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one is found[0] for one in found)


def test_a_record_is_written_as_readable_text_and_read_back() -> None:
    table = table_model(Allocation)
    record = Allocation(
        trader="T001", allocation_id="L1", account="ACC1", quantity=Decimal("40"), price=Decimal("187.230")
    )
    fields = table.encode(record)
    assert fields == {
        "trader": "T001", "allocation_id": "L1", "account": "ACC1", "quantity": "40", "price": "187.23",
    }  # fmt: skip
    found = table.decode("{T001}:allocation:L1", {**fields, **BY_THE_BOOK}, "T001", "L1")
    assert found == record.model_copy(update={"version": 3, "updated_ns": 5})
    assert repr(found) == (
        "Allocation(trader='T001', allocation_id='L1', account='ACC1', reference=None, quantity=Decimal('40'), "
        "price=Decimal('187.23'), version=3, updated_ns=5)"
    )


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"quantity": None}, "quantity", "is missing"),
        ({"version": None}, "version", "is missing"),
        ({"quantity": "040"}, "quantity", "'040' is not a value that was ever written"),
        ({"quantity": "-5"}, "quantity", "'-5': Input should be greater than 0"),
        ({"price": "1.50"}, "price", "'1.50' is not a value that was ever written"),
        ({"account": ""}, "account", "'': a name is a string of 1 to 256 characters"),
        ({"note": "x"}, "note", "is no field of Allocation"),
        ({"@schema": "x"}, "@schema", "'x' is no number of a schema"),
        ({"trader": "T002"}, "trader", "'T002' is not 'T001': it is the record of another trader"),
        ({"allocation_id": "L2"}, "allocation_id", "'L2' is not 'L1': it is another key's record"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_corrupt_record(fields: dict[str, str | None], field: str, problem: str) -> None:
    table = table_model(Allocation)
    held = {**table.encode(ALLOCATION), **BY_THE_BOOK, **fields}
    with pytest.raises(CorruptRecord) as corrupt:
        table.decode("KEY", {name: text for name, text in held.items() if text is not None}, "T001", "L1")
    assert (corrupt.value.key, corrupt.value.field) == ("KEY", field)
    assert problem in str(corrupt.value)


class Checked(Entity, kind="checked"):
    trader: Name
    k: KEY
    low: int
    high: int
    legs: tuple[int, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def grow(cls, values: Any) -> Any:
        if isinstance(values, dict):
            assert not isinstance(cast("dict[str, object]", values).get("low"), str)
        return cast("object", values)

    @model_validator(mode="after")
    def ordered(self) -> Checked:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


def test_validators_of_whole_records_see_values_and_not_texts() -> None:
    table = table_model(Checked)
    record = Checked(trader="T", k="K", low=1, high=2, legs=(3,))
    fields = table.encode(record)
    assert fields == {"trader": "T", "k": "K", "low": "1", "high": "2", "legs": "[3]"}
    assert table.decode("KEY", {**fields, "version": "0"}) == record
    for wrong, field in (({"low": "5"}, "@record"), ({"low": "x"}, "low"), ({"other": "x"}, "other")):
        with pytest.raises(CorruptRecord) as corrupt:
            table.decode("KEY", {**fields, "version": "0", **wrong})
        assert corrupt.value.field == field
    with pytest.raises(CorruptRecord, match="'high': is missing"):
        table.decode("KEY", {"trader": "T", "k": "K", "version": "0"})
    with pytest.raises(InvalidArgument, match="Checked: low is above high"):
        table.encode(record.model_copy(update={"low": 5}))


def takes_info(value: int, info: ValidationInfo) -> int:
    return value


def post_init(self: BaseModel, context: object) -> None:
    """Check nothing."""


class Informed(Entity, kind="informed"):
    trader: Name
    k: KEY
    low: int
    high: int

    @field_validator("high")
    @classmethod
    def above(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data["low"]:
            raise ValueError("high is below low")
        return value


WHOLE: list[tuple[type[Entity], str]] = [
    (Checked, "Checked cannot be updated: grow checks whole records; use put"),
    (Informed, "Informed cannot be updated: a validator of high takes info, so it may look at other fields; use put"),
    (
        model_of(a=Annotated[int, AfterValidator(takes_info)]),
        "Own cannot be updated: a validator of a takes info, so it may look at other fields; use put",
    ),
    (model_of({"model_post_init": post_init}), "Own cannot be updated: model_post_init checks whole records; use put"),
]


@pytest.mark.parametrize(("model", "sentence"), WHOLE, ids=[sentence[:40] for _, sentence in WHOLE])
def test_a_model_that_can_only_be_checked_whole_is_not_updated(model: type[Entity], sentence: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        table_model(model).encode_changes({"k": "x"})
    assert str(refused.value) == sentence


def test_validators_that_take_info_see_the_other_fields_of_a_record() -> None:
    table = table_model(Informed)
    fields = table.encode(Informed(trader="T", k="K", low=1, high=2))
    assert table.decode("KEY", {**fields, "version": "0"}).high == 2
    with pytest.raises(CorruptRecord, match="'high': '0': Value error, high is below low"):
        table.decode("KEY", {**fields, "version": "0", "high": "0"})


CHANGES: list[tuple[dict[Any, Any], str]] = [
    ({"qantity": 5}, "Allocation has no field 'qantity'; the nearest is quantity"),
    ({7: 5}, "Allocation has no field 7; the nearest is trader"),
    ({"quantity": -5}, "Allocation.quantity Decimal('-5'): Input should be greater than 0"),
    ({"quantity": None}, "Allocation.quantity None: None is not a decimal number"),
    ({"account": ""}, "Allocation.account '': a name is a string of 1 to 256 characters, or a whole number, without "
     "control characters, '{' or '}', and with blanks only inside"),
    ({"trader": "T002"}, "Allocation.trader cannot be changed: it names the record; insert another"),
    ({"allocation_id": "L2"}, "Allocation.allocation_id cannot be changed: it names the record; insert another"),
    ({"version": 5}, "Allocation.version is set by the book alone"),
    ({"updated_ns": 5}, "Allocation.updated_ns is set by the book alone"),
    ({}, "Allocation: an update changes at least one field"),
    (cast("Any", [("quantity", 5)]), "changes [('quantity', 5)] cannot be used: it is a list, not a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), CHANGES, ids=[str(changes) for changes, _ in CHANGES])
def test_changes_that_no_record_can_have_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        table_model(Allocation).encode_changes(changes)
    assert str(refused.value) == sentence


def test_changes_are_checked_by_the_types_of_the_fields() -> None:
    changes = {"quantity": "40.0", "price": "187.230", "reference": None}
    assert table_model(Allocation).encode_changes(changes) == {"quantity": "40", "price": "187.23", "reference": None}


VALUES: list[tuple[str, object, str]] = [
    ("acount", "A", "Allocation has no field 'acount'; the nearest is account"),
    ("quantity", 5, "Allocation.quantity has no index (there are account, price); "
     "declare it as Annotated[..., Index] to look by it"),
    ("version", 5, "Allocation.version is set by the book alone"),
    ("price", "x", "Allocation.price 'x': 'x' is not a decimal number"),
    ("price", None, "Allocation.price None cannot be looked for: it is in no index"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "sentence"), VALUES, ids=[field for field, _, _ in VALUES])
def test_values_that_no_index_has_are_refused(field: str, value: object, sentence: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        table_model(Allocation).encode_indexed(field, value)
    assert str(refused.value) == sentence


def test_a_value_is_looked_for_in_the_form_that_is_stored() -> None:
    assert table_model(Allocation).encode_indexed("price", "187.230") == "187.23"
    with pytest.raises(InvalidArgument, match=r"Own\.k has no index \(it has none\)"):
        table_model(model_of()).encode_indexed("k", "x")


def test_parts_of_a_key_cannot_run_into_one_another() -> None:
    table = table_model(model_of(k=Annotated[str, Key], region=Annotated[int, Key], day=Annotated[str, Key]))
    assert table.key_from(("a:b", 7, "50%:x")) == "a%3Ab:7:50%:x"
    assert table.key_from(("a", 7, "")) == "a:7:"
    assert table.key_from(("50%", "7", "c")) == "50%25:7:c"
    for wrong in ("a", ("a", 7), ("a", 7, "c", "d"), ["a", 7, "c"]):
        with pytest.raises(InvalidArgument, match="cannot be used: the key is k and region and day"):
            table.key_from(cast("Any", wrong))
    with pytest.raises(InvalidArgument, match=r"Own\.region 'x': Input should be a valid integer"):
        table.key_from(("a", "x", "c"))
    record = table.model.model_validate({"trader": "T", "k": "a:b", "region": 7, "day": "x"})
    assert table.key_of(record) == "a%3Ab:7:x"
    fields = {**table.encode(record), "version": "0"}
    assert table.decode("KEY", fields, "T", "a%3Ab:7:x") == record


def test_an_empty_key_is_refused() -> None:
    table = table_model(model_of(k=Annotated[str, Key]))
    with pytest.raises(InvalidArgument, match=r"Own\.k '' cannot be used: a key is not empty"):
        table.key_from("")
    with pytest.raises(CorruptRecord, match="'' is not 'K': it is another key's record"):
        table.decode("KEY", {"trader": "T", "k": "", "version": "1"}, "T", "K")


def test_a_record_of_another_model_is_refused() -> None:
    class Wider(Allocation):
        note: str = ""

    class Own(Allocation, kind="own"):
        pass

    class Plain(Allocation):
        @property
        def notional(self) -> Decimal:
            return self.quantity * (self.price or Decimal(0))

    table = table_model(Allocation)
    values = ALLOCATION.model_dump()
    assert table.encode(Plain(**values)) == table.encode(ALLOCATION)
    with pytest.raises(InvalidArgument, match="a Wider has fields that no book stores: note; give a plain Allocation"):
        table.encode(Wider(**values, note="x"))
    with pytest.raises(InvalidArgument, match="a Own is a record of the kind own, not allocation"):
        table.encode(Own(**values))
    with pytest.raises(InvalidArgument, match="is a Checked, not an Allocation"):
        table.encode(cast("Any", Checked(trader="T", k="K", low=1, high=2)))
    with pytest.raises(InvalidArgument, match="a Allocation has fields that no book stores: note"):
        table.encode(ALLOCATION.model_copy(update={"note": "x"}))

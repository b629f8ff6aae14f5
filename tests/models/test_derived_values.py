"""Values that follow from a record's fields: shown in dumps, taken back where they agree, refused where they do not."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any, cast

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, computed_field
from slotbook import Correct, Execution, Fill, Order, OrderStatus, Position
from slotbook.models.errors import InvalidArgument
from slotbook.models.record import Record, as_stored, checked, copied
from slotbook.models.wire import codec, decode, encode

from ..support.make import limit

ORDER = limit("T001", "A1", quantity=100, price="187.23").model_copy(
    update={
        "status": OrderStatus.PARTIALLY_FILLED,
        "filled_quantity": Decimal(3),
        "filled_notional": Decimal("550.01"),
        "pending": '[["PENDING_CANCEL","Y","7","","","",""]]',
    }
)
POSITION = Position(
    trader="T001", symbol="AAPL", quantity=60, bought_quantity=100, sold_quantity=30,
    bought_notional=Decimal(18700), sold_notional=Decimal(7500), open_cost=Decimal(11220),
)  # fmt: skip
FILL = Fill(trader="T001", order_id="A1", exec_id="X1", quantity=40, price=Decimal("187.22"))
CORRECT = Correct(
    trader="T001", order_id="A1", exec_ref_id="X1", exec_id="C1", quantity=40, price=Decimal("187.20"),
)  # fmt: skip
EXECUTION = Execution(
    trader="T001", order_id="A1", exec_id="X1", sequence=2, quantity=40, price=Decimal("187.22"), live_quantity=20,
    live_price=Decimal("187.00"), multiplier=Decimal(50),
)  # fmt: skip
WRONG: tuple[object, ...] = ("5.5", 5, 5.5, "NaN", "sNaN", "", True, [], {}, [["PENDING_CANCEL"]], None)
RECORDS: list[Record] = [ORDER, POSITION, FILL, CORRECT, EXECUTION]
by_name = pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)


def test_json_has_what_follows() -> None:
    def of(record: BaseModel) -> dict[str, object]:
        written = json.loads(record.model_dump_json())
        return {name: written[name] for name in type(record).model_computed_fields}

    assert of(ORDER) == {
        "open_quantity": "97",
        "pending_requests": [["PENDING_CANCEL", "Y", 7, None, None, None, None]],
        "average_price": str(Decimal("550.01") / 3),
    }
    assert of(POSITION) == {
        **{"adjusted_quantity": "-10", "cash": "-11200", "average_bought_price": "187"},
        **{"average_sold_price": "250", "average_open_price": "187"},
    }
    assert (of(FILL), of(CORRECT), of(EXECUTION)) == (
        {"notional": "7488.80"},
        {"notional": "7488.00"},
        {"notional": "187000.00", "arrived_quantity": "20"},
    )


@by_name
def test_a_record_takes_back_its_dump(record: Record) -> None:
    kind = type(record)
    assert kind.model_computed_fields
    for dump in (record.model_dump(), record.model_dump(mode="json"), json.loads(record.model_dump_json())):
        assert kind(**dump) == record
        assert kind.model_validate(dump) == record
        assert checked(kind, **dump) == record
    assert kind.model_validate_json(record.model_dump_json()) == record
    assert kind(**record.model_dump()).__dict__.keys() == record.__dict__.keys()


@by_name
def test_what_contradicts_is_refused_by_name(record: Record) -> None:
    for name in type(record).model_computed_fields:
        for wrong in WRONG:
            found: object = getattr(record, name)
            if wrong == found:
                continue
            with pytest.raises(ValidationError, match="it follows from the other fields, which say") as raised:
                type(record).model_validate({**record.model_dump(), name: wrong})
            [error] = raised.value.errors()
            assert (error["loc"], error["type"], error["input"]) == ((name,), "derived_value", wrong)


def test_a_change_of_a_dump_says_what_to_leave_out() -> None:
    with pytest.raises(ValidationError, match=r"open_quantity\n  it follows .* which say 197: leave it out"):
        Order.model_validate({**ORDER.model_dump(), "quantity": 200})
    changed = Order.model_validate({**ORDER.model_dump(exclude_computed_fields=True), "quantity": 200})
    assert changed.open_quantity == 197
    with pytest.raises(InvalidArgument, match=r"order: open_quantity '5': it follows from the other fields"):
        checked(Order, **cast("dict[str, Any]", {**ORDER.model_dump(), "open_quantity": "5"}))


def test_several_contradictions_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        Order.model_validate({**ORDER.model_dump(), "open_quantity": 5, "average_price": None})
    assert [error["loc"] for error in raised.value.errors()] == [("open_quantity",), ("average_price",)]


def test_an_average_agrees_with_one_that_another_context_or_a_double_has_rounded() -> None:
    exact = ORDER.average_price
    assert exact is not None
    with localcontext(prec=50):
        longer = ORDER.average_price
        assert longer != exact
        assert Order.model_validate({**ORDER.model_dump(), "average_price": exact}) == ORDER
    for same in (longer, float(exact), str(longer)):
        assert Order.model_validate({**ORDER.model_dump(), "average_price": same}) == ORDER
    for other in (round(exact, 10), exact + Decimal("1E-11"), str(exact)[:10]):
        with pytest.raises(ValidationError, match="average_price"):
            Order.model_validate({**ORDER.model_dump(), "average_price": other})


def test_other_errors_are_those_of_the_fields_and_unknown_names_are_still_refused() -> None:
    dump = ORDER.model_dump()
    for change, place, kind in (
        ({"quantity": -1}, ("quantity",), "greater_than"),
        ({"opened": 1}, ("opened",), "extra_forbidden"),
        ({"price": None}, (), "value_error"),
    ):
        with pytest.raises(ValidationError) as raised:
            Order.model_validate({**dump, **change})
        assert [(error["loc"], error["type"]) for error in raised.value.errors()] == [(place, kind)]
    with pytest.raises(ValidationError, match="Input should be a valid dictionary or instance of Order"):
        Order.model_validate([1])


@by_name
def test_nothing_of_it_is_stored_or_shown_by_repr(record: Record) -> None:
    written, kind = encode(record), type(record)
    derived = {*kind.model_computed_fields}
    assert not derived & written.keys()
    assert not derived & record.__dict__.keys()
    assert not [name for name in derived if f" {name}=" in repr(record)]
    assert not derived & record.model_dump(round_trip=True).keys()
    pickled: object = pickle.loads(pickle.dumps(record))  # noqa: S301
    assert copied(record, trader=cast("Any", record).trader) == copy.copy(record) == pickled == record
    assert as_stored(record, kind) is record
    assert decode(kind, "key", written) == record


def test_the_reader_of_hashes_runs_nothing_for_it() -> None:
    def kinds(schema: dict[str, Any]) -> list[str]:
        inner: list[dict[str, Any]] = [part for part in schema.values() if isinstance(part, dict)]
        return [str(schema.get("type")), *(kind for part in inner for kind in kinds(part))]

    assert "function-wrap" in kinds(cast("dict[str, Any]", Order.__pydantic_core_schema__))
    reader: object = cast("Any", codec(Order).read).__self__
    assert "function-wrap" not in repr(reader)
    assert "FunctionWrap" not in repr(reader)


@pytest.mark.parametrize("extra", ["allow", "ignore"])
def test_a_class_that_takes_any_field_compares_what_follows_too(extra: Any) -> None:
    class LooseOrder(Order):
        model_config = ConfigDict(extra=extra)

    make = cast("Callable[..., Order]", LooseOrder)  # a type checker knows no field of such a class but its own
    loose = make(**ORDER.model_dump(), strategy="S1")
    assert loose.model_extra == ({"strategy": "S1"} if extra == "allow" else None)
    with pytest.raises(ValidationError, match="open_quantity\n  it follows from the other fields"):
        make(**{**ORDER.model_dump(), "open_quantity": 5})


def test_a_desk_may_add_its_own() -> None:
    class DeskOrder(Order):
        @computed_field
        @property
        def is_large(self) -> bool:
            return self.quantity >= 100

    order = DeskOrder(**ORDER.model_dump())
    assert json.loads(order.model_dump_json())["is_large"] is True
    assert DeskOrder(**order.model_dump()) == order
    with pytest.raises(ValidationError, match="is_large\n  it follows from the other fields, which say True"):
        DeskOrder.model_validate({**order.model_dump(), "is_large": False})
    with pytest.raises(ValidationError, match="is_large\n  Extra inputs"):
        Order(**order.model_dump())

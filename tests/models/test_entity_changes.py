"""The changes of own records as values: each knows its table, trader, key and written fields, or is refused."""

from __future__ import annotations

import copy
import pickle
import time
from typing import Annotated, Any, cast

import pytest
from slotbook.models import Cancel, Delete, Entity, Index, Insert, Key, Order, Put, RecordResult, Update
from slotbook.models.entity_changes import EntityChange
from slotbook.models.errors import InvalidArgument
from slotbook.models.results import Outcome, first_result, is_stored, with_replicas
from slotbook.models.table import table_model
from slotbook.models.types import Name, Quantity


class Booking(Entity, kind="booking"):
    trader: Name
    order_id: Annotated[Name, Key]
    leg: Annotated[int, Key]
    account: Annotated[Name, Index]
    quantity: Quantity
    note: str | None = None


BOOKING = Booking(trader="T001", order_id="A:1", leg=2, account="ACC1", quantity=40)
KEY = ("A:1", 2)


def test_each_knows_its_table_its_trader_and_its_key() -> None:
    changes: list[EntityChange[Booking]] = [
        Insert(BOOKING),
        Put(BOOKING),
        Update(Booking, "T001", KEY, {"quantity": 5}),
        Delete(Booking, "T001", KEY),
    ]
    for change in changes:
        assert change.table is table_model(Booking)
        assert (cast("Any", change).trader, change.key_text) == ("T001", "A%3A1:2")
        assert abs(cast("Any", change).ts_ns - time.time_ns()) < 60 * 10**9


def test_what_is_written_is_worked_out_when_the_change_is_made() -> None:
    fields = {"trader": "T001", "order_id": "A:1", "leg": "2", "account": "ACC1", "quantity": "40"}
    assert Insert(BOOKING).written == Put(BOOKING).written == fields
    changes: dict[str, object] = {"quantity": "5.0", "note": None}
    update = Update(Booking, "T001", KEY, changes, expected_version=3, request_id="R1", ts_ns=7)
    changes["quantity"] = -1
    assert update.written == {"quantity": "5", "note": None}
    assert (update.changes, update.expected_version, update.request_id, update.ts_ns) == (
        {"quantity": "5.0", "note": None}, 3, "R1", 7,
    )  # fmt: skip


def test_requests_are_named_by_chance_where_they_have_no_name() -> None:
    makers = [
        lambda: Put(BOOKING),
        lambda: Update(Booking, "T001", KEY, {"note": "x"}),
        lambda: Delete(Booking, "T", KEY),
    ]
    assert len({cast("Any", make()).request_id for make in makers for _ in range(3)}) == 9


def test_they_are_equal_by_what_they_say_and_they_pickle_and_copy() -> None:
    for change in (
        Insert(BOOKING, ts_ns=7),
        Put(BOOKING, expected_version=0, request_id="R1", ts_ns=7),
        Update(Booking, "T001", KEY, {"note": "x"}, request_id="R1", ts_ns=7),
        Delete(Booking, "T001", KEY, request_id="R1", ts_ns=7),
    ):
        for again in (pickle.loads(pickle.dumps(change)), copy.copy(change), copy.deepcopy(change)):  # noqa: S301
            assert again == change
            assert again.table is change.table
            assert (again.trader, again.key_text) == (change.trader, change.key_text)
    assert repr(Insert(BOOKING, ts_ns=7)) == f"Insert(record={BOOKING!r}, ts_ns=7)"
    assert Insert(BOOKING, ts_ns=7) != Insert(BOOKING, ts_ns=8)


def test_a_subclass_without_a_kind_goes_to_the_table_of_its_model() -> None:
    class Shown(Booking):
        @property
        def text(self) -> str:
            return f"{self.account}: {self.quantity}"

    assert Insert(Shown(**BOOKING.__dict__)).table is cast("object", table_model(Booking))


class Kindless(Entity):
    trader: Name


def wrong(make: str, **arguments: Any) -> None:
    kinds: dict[str, Any] = {"insert": Insert, "put": Put, "update": Update, "delete": Delete}
    kinds[make](**arguments)


BY_KEY: dict[str, Any] = {"model": Booking, "trader": "T001", "key": KEY}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("insert", {"record": "x"}, "'x' is a str, not an Entity"),
    ("insert", {"record": Cancel(trader="T", order_id="A")}, "not an Entity"),
    ("insert", {"record": Kindless(trader="T")}, "Kindless has no kind"),
    ("insert", {"record": BOOKING.model_copy(update={"quantity": -1})}, "Booking.quantity Decimal('-1'): Input should"),
    ("put", {"record": BOOKING, "request_id": ""}, "request_id '' cannot be used"),
    ("put", {"record": BOOKING, "expected_version": -1}, "expected_version -1 cannot be used"),
    ("put", {"record": BOOKING, "expected_version": "3"}, "expected_version '3' cannot be used"),
    ("put", {"record": BOOKING, "ts_ns": 1703422805243}, "ts_ns: 1703422805243 looks like milliseconds"),
    ("insert", {"record": BOOKING, "ts_ns": -1}, "ts_ns -1 cannot be used"),
    ("insert", {"record": BOOKING, "ts_ns": "now"}, "ts_ns: 'now' is not a whole number"),
    ("update", {**BY_KEY, "model": Order, "changes": {"a": 1}}, "has no table: it is no subclass of Entity"),
    ("update", {**BY_KEY, "trader": "{T}", "changes": {"quantity": 1}}, "trader '{T}' cannot be used"),
    ("update", {**BY_KEY, "key": "A", "changes": {"note": "x"}}, "'A' cannot be used: the key is order_id and leg"),
    ("update", {**BY_KEY, "changes": {"qty": 1}}, "Booking has no field 'qty'; the nearest is quantity"),
    ("delete", {**BY_KEY, "key": ("A", "x")}, "Booking.leg 'x': Input should be a valid integer"),
    ("delete", {**BY_KEY, "model": "Booking"}, "'Booking' has no table"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "arguments", "sentence"), REFUSED, ids=[sentence for _, _, sentence in REFUSED])
def test_what_no_book_could_store_is_refused_when_it_is_made(
    make: str, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        wrong(make, **arguments)
    assert sentence in str(refused.value)


def test_a_result_is_stored_unless_it_is_of_the_delete_of_nothing() -> None:
    made = RecordResult(BOOKING, applied=True, sequence=3, version=1)
    gone = RecordResult[Booking](None, applied=True, sequence=4, version=2)
    nothing = RecordResult[Booking](None, applied=False, sequence=0, version=0)
    assert [is_stored(one) for one in (made, gone, nothing)] == [True, True, False]
    assert with_replicas(made, 2) == RecordResult(BOOKING, applied=True, sequence=3, version=1, replicas=2)
    assert with_replicas([Outcome(gone)], 1)[0].result().replicas == 1
    assert first_result(gone, nothing) is nothing


@pytest.mark.parametrize("ts_ns", [2**63, -1, 1_700_000_000_000])
def test_a_time_that_is_none_is_refused(ts_ns: int) -> None:
    with pytest.raises(InvalidArgument, match="ts_ns"):
        Insert(BOOKING, ts_ns=ts_ns)

"""The fills of an order, read back as records."""

from __future__ import annotations

import pytest
from slotbook.models import Execution
from slotbook.models.errors import CorruptRecord, InvalidArgument
from slotbook.models.keys import Keys
from slotbook.repositories.orders import executions

from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit
from ...support.own_orders import DeskFill, DeskOrder, desk_order


def terms(quantity: int, price: str) -> dict[str, object]:
    return {"quantity": quantity, "live_quantity": quantity, "price": price, "live_price": price}


def test_fills_come_in_the_order_of_their_events(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.place(limit(trader, "A2"))
    orders.fill(execution(trader, "X9", 40, "187.2200"))
    orders.fill(execution(trader, "X2", 7, "1", order_id="A2"))
    orders.replace(trader, "A1", price="188")
    orders.fill(execution(trader, "X1", 10, "-0.5", ts_ns=TS + 9))
    orders.cancel(trader, "A1")
    orders.fill(execution(trader, "X5", 50, "2"))
    orders.fill(execution(trader, "X9", 40, "187.22"))  # a repeat
    named = {"trader": trader, "order_id": "A1"}
    fills = orders.fills(trader, "A1")
    assert fills == [
        Execution.model_validate({**named, **terms(40, "187.22"), "exec_id": "X9", "sequence": 3, "ts_ns": TS + 1}),
        Execution.model_validate({**named, **terms(10, "-0.5"), "exec_id": "X1", "sequence": 6, "ts_ns": TS + 9}),
        Execution.model_validate(
            {**named, **terms(50, "2"), "exec_id": "X5", "sequence": 8, "late": True, "ts_ns": TS + 1}
        ),
    ]
    assert [str(one.notional) for one in orders.fills(trader, "A1")] == ["7488.80", "-5.0", "100"]
    assert orders.fills(trader, "A3") == []


@on_one_server
def test_what_only_the_event_has_is_none_once_that_is_gone(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.of(DeskOrder).place(desk_order(trader))
    orders.of(DeskOrder).fill(DeskFill(**dict(execution(trader)), venue="XNAS"))
    (kept,) = orders.fills(trader, "A1")
    assert (kept.own, kept.ts_ns) == ('{"venue":"XNAS"}', TS + 1)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 0)
    assert orders.fills(trader, "A1") == [kept.model_copy(update={"own": None, "ts_ns": None})]


@on_one_server
def test_many_fills_come_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "FILLS_AT_ONCE", 3)
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    for count in range(1, 8):
        orders.fill(execution(trader, f"X{count}", count))
        assert [one.quantity for one in orders.fills(trader, "A1")] == list(range(1, count + 1))


@on_one_server
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fill:X1", "2 0 187.22|"),
        ("fill:X1", "two 40 187.22|"),
        ("fill:X1", "0 40 187.22|"),
        ("fill:X1", "2 41 187.22|"),
    ],
)
def test_what_cannot_be_read_or_contradicts_the_event_is_corrupt(desk: Desk, field: str, value: str) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader))
    desk.vandalise("HSET", Keys("").of(trader).applied("A1"), field, value)
    with pytest.raises(CorruptRecord):
        orders.fills(trader, "A1")


@on_one_server
def test_a_bad_name_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match="order_id"):
        desk.book.orders.fills(desk.trader, "a{b")

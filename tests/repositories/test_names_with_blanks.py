"""Names with blanks inside, and numbers as ids, work wherever a name goes: keys, texts, events and listings."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, cast

import pytest
from slotbook.models import Cancel, Entity, Expire, Fill, Index, Insert, Key, Order, PositionChange, Replace, Unique
from slotbook.models.errors import DuplicateRequest, OrderMismatch
from slotbook.models.guards import Expect
from slotbook.models.names import Name

from ..support.desk import Desk
from ..support.make import TS, execution, fresh, limit

SYMBOL = "ES  03-24"
OTHER = "ES  03-24 ADJUST"
"""A symbol that looks like another one and the word after it."""


class Booking(Entity, kind="booking"):
    trader: Name
    desk: Annotated[Name, Key]
    booking_id: Annotated[Name, Key]
    account: Annotated[Name, Index]
    reference: Annotated[Name | None, Unique] = None


def new(trader: object, order_id: object = "A 1", **changes: object) -> Order:
    return Order.model_validate(
        limit("T", symbol=SYMBOL).model_dump() | {"trader": trader, "order_id": order_id, **changes}
    )


def about(desk: Desk, kind: type[Any], **fields: object) -> Any:
    return kind.model_validate({"trader": desk.trader, "order_id": "A 1", "ts_ns": TS, **fields})


def test_a_life_of_an_order_whose_names_have_blanks(desk: Desk) -> None:
    orders = desk.book.orders
    assert orders.place(new(desk.trader)).applied
    replace = about(desk, Replace, request_id="R 1 REPLACED", quantity=80, symbol=SYMBOL, side="BUY")
    fill = about(desk, Fill, exec_id="X 1 TRADE", quantity=40, price="187.22", symbol=SYMBOL, side="BUY")
    cancel = about(desk, Cancel, request_id="C 1", symbol=SYMBOL)
    requests = [replace, fill, cancel]
    first = [orders.apply(request) for request in requests]
    again = [orders.apply(request) for request in requests]
    assert [one.applied for one in first + again] == [True] * 3 + [False] * 3
    assert [one.order for one in again] == [one.order for one in first]
    assert orders.place(new(desk.trader)).order == first[-1].order
    assert [order.order_id for order in orders.by_symbol(desk.trader, SYMBOL)] == ["A 1"]
    assert orders.count(desk.trader, symbol="ES") == 0
    assert [(event.symbol, event.order_id) for event in desk.book.events.history(desk.trader)] == [(SYMBOL, "A 1")] * 4
    snapshot = desk.book.snapshot(desk.trader)
    assert [held.symbol for held in snapshot.positions] == [SYMBOL]


@pytest.mark.parametrize("symbol", ["ES", "ES 03-24", "03-24", OTHER])
@pytest.mark.parametrize("kind", [Replace, Fill, Cancel, Expire])
def test_another_symbol_is_a_contradiction_however_its_blanks_fall(desk: Desk, kind: type[Any], symbol: str) -> None:
    desk.book.orders.place(new(desk.trader))
    terms = (
        {"exec_id": "X1", "quantity": 4, "price": 1} if kind is Fill else {"quantity": 90} if kind is Replace else {}
    )
    before = desk.contents()
    with pytest.raises(OrderMismatch, match=f"it says {symbol}, but the order is BUY {SYMBOL}"):
        desk.book.orders.apply(about(desk, kind, symbol=symbol, **terms))
    assert desk.contents() == before


def test_changes_of_positions_are_told_apart(desk: Desk) -> None:
    positions = desk.book.positions
    for request_id, symbol in (("R", SYMBOL), ("R 1", OTHER), ("R 1 ES", "X")):
        assert positions.adjust(desk.trader, symbol, 5, request_id=request_id).applied
        again = positions.adjust(desk.trader, symbol, 5, request_id=request_id)
        assert (again.applied, again.position.symbol) == (False, symbol)
    with pytest.raises(DuplicateRequest):
        positions.adjust(desk.trader, SYMBOL, 5, request_id="R 1")
    assert positions.set(desk.trader, OTHER, 7, request_id="S 1").position.quantity == 7
    assert not positions.check_and_update(desk.trader, SYMBOL, 5, 6, request_id="L 1").accepted
    assert [held.symbol for held in positions.all(desk.trader)] == [SYMBOL, OTHER, "X"]
    assert desk.book.audit.verify(desk.trader) == []


def test_what_was_applied_is_known_from_events_alone(desk: Desk) -> None:
    """An exec_id that begins like another one, which goes on with a blank and the word for a fill."""
    book = desk.book
    rows = [
        new(desk.trader),
        about(desk, Fill, exec_id="X 1", quantity=40, price="187.22", symbol=SYMBOL, side="BUY"),
        about(desk, Fill, exec_id="X", quantity=60, price="187.22", symbol=SYMBOL, side="BUY"),
    ]
    assert book.reconcile(rows).applied == 3
    book.orders.delete(desk.trader, "A 1")
    assert book.reconcile(rows).repeated == 3
    assert book.positions.get(desk.trader, SYMBOL).quantity == 100
    odd = about(desk, Fill, exec_id="X", quantity=40, price="187.22", symbol=SYMBOL, side="BUY")
    assert [type(refusal.error) for refusal in book.reconcile([odd]).refusals] == [DuplicateRequest]


def test_own_records_whose_keys_and_values_have_blanks(desk: Desk) -> None:
    table = desk.book.table(Booking)
    one = Booking(trader=desk.trader, desk="EQ 1", booking_id="B 1", account="ACC  1", reference="R 1")
    assert table.insert(one).applied
    assert not table.insert(one).applied
    assert table.get(desk.trader, ("EQ 1", "B 1")) == table.by(desk.trader, {"account": "ACC  1"})[0]
    assert table.by(desk.trader, {"account": "ACC"}) == []
    changed = table.update(desk.trader, ("EQ 1", "B 1"), {"account": "ACC 2"}, request_id="U 1")
    assert not table.update(desk.trader, ("EQ 1", "B 1"), {"account": "ACC 2"}, request_id="U 1").applied
    assert changed.record is not None
    assert table.count(desk.trader, {"account": "ACC 2"}) == 1 == changed.record.version - 1
    assert table.delete(desk.trader, ("EQ 1", "B 1"), request_id="D 1").applied


def test_numbers_are_ids_in_every_call(desk: Desk) -> None:
    numbered = cast("Any", desk.book)
    trader = int(desk.another(str(int(fresh().rpartition("-")[2], 16))))
    assert numbered.orders.place(new(trader, 5)).order.order_id == "5"
    assert not numbered.orders.place(new(str(trader), "5")).applied
    assert numbered.orders.fill(execution(cast("Any", trader), cast("Any", 7), order_id=cast("Any", 5))).applied
    assert not numbered.orders.fill(execution(str(trader), "7", order_id="5")).applied
    assert numbered.orders.replace(trader, 5, quantity=90, request_id=8).order.quantity == 90
    assert not numbered.orders.replace(str(trader), "5", quantity=90, request_id="8").applied
    assert numbered.orders.get(trader, 5).trader == str(trader)
    assert [one.result() for one in numbered.orders.get_many([(trader, 5)])] == [numbered.orders.get(str(trader), "5")]
    assert len(numbered.orders.open(trader)) == len(numbered.orders.by_symbol(trader, SYMBOL)) == 1
    assert numbered.orders.count(trader) == numbered.orders.count(trader, symbol=SYMBOL) == 1
    assert numbered.positions.get(trader, SYMBOL).quantity == 40
    assert numbered.positions.get(trader, 9).symbol == "9"
    assert [one.result().quantity for one in numbered.positions.get_many([(trader, SYMBOL)])] == [40]
    assert numbered.positions.adjust(trader, 9, 5, request_id=1).position.symbol == "9"
    assert [held.symbol for held in numbered.positions.all(trader)] == ["9", SYMBOL]
    assert numbered.snapshot(trader).trader == str(trader)
    assert {event.trader for event in numbered.events.history(trader)} == {str(trader)}
    assert numbered.commit([Expect(cast("Any", 5), 3), Cancel.model_validate({"trader": trader, "order_id": 5})])
    table = numbered.table(Booking)
    assert table.insert(Booking.model_validate({"trader": trader, "desk": 1, "booking_id": 2, "account": 3})).applied
    assert table.get(trader, (1, 2)) == table.by(trader, {"account": 3})[0] == table.all(str(trader))[0]
    assert (table.count(trader), table.exists(trader, (1, 2))) == (1, True)
    assert table.update(trader, (1, 2), {"account": 4}, request_id=6).record.account == "4"
    assert numbered.commit(
        [Insert(Booking.model_validate({"trader": trader, "desk": 1, "booking_id": 3, "account": 3}))]
    )
    assert table.delete(trader, (1, 2)).applied
    assert numbered.audit.verify(trader) == []
    session = numbered.sessions.create(trader, 60)
    assert [one.trader for one in numbered.sessions.by_trader(trader)] == [session.trader] == [str(trader)]
    with numbered.lock("settle", trader=trader) as held:
        assert held.positions.apply_many(
            [PositionChange.model_validate({"trader": trader, "symbol": 9, "quantity": Decimal(1)})]
        )[0].result()
    numbered.orders.delete(trader, 5)
    assert numbered.orders.get(trader, 5) is None

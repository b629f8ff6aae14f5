"""Test that a fill past the quantity of its order is refused, or recorded and flagged where that is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from slotbook import Settings
from slotbook.models import DoneForDay, ExecutionReport, Fill, Replace, Restate
from slotbook.models.errors import AmountOverflow, InvalidSettings, Overfill

from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit


def recorded(trader: str, exec_id: str, quantity: int, **more: object) -> Fill:
    return Fill.model_validate({**dict(execution(trader, exec_id, quantity)), "overfill": "record", **more})


def open_quantities(desk: Desk) -> object:
    return desk.ask("HMGET", "%:position:AAPL", "open_buy_quantity", "open_sell_quantity")


def test_what_goes_past_the_quantity_is_booked_and_flagged_where_that_is_asked_for(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    assert not orders.fill(recorded(trader, "X1", 90)).overfilled
    for request in (execution(trader, "X2", 11), recorded(trader, "X2", 11, overfill="refuse")):
        with pytest.raises(Overfill, match="more than the 10 left"):
            orders.fill(request)
    done = orders.fill(recorded(trader, "X2", 11, fee="0.5"))
    order = done.order
    assert (done.overfilled, done.late, done.applied) == (True, False, True)
    assert (order.status, order.filled_quantity, order.open_quantity, order.quantity) == ("FILLED", 101, 0, 100)
    assert (done.position.quantity, done.position.fees, open_quantities(desk)) == (101, {"": 0.5}, ["0", "0"])
    again = orders.fill(recorded(trader, "X2", 11))
    assert (again.overfilled, again.applied, again.order) == (True, False, order)
    assert not orders.fill(execution(trader, "X2", 11)).applied  # it need not be asked for again
    assert [event.overfilled for event in desk.events()] == [None, None, True]
    assert [one.overfilled for one in orders.fills(trader, "A1")] == [False, True]
    with pytest.raises(Overfill, match="more than the 0 left"):
        orders.fill(execution(trader, "X3", 1))
    assert desk.book.audit.verify(trader) == []


def test_an_order_is_never_filled_past_the_largest_quantity(desk: Desk) -> None:
    """The position may be small all the while: it was set, split or reduced by other orders."""
    orders, trader, most = desk.book.orders, desk.trader, 10**18 - 1
    orders.place(limit(trader, quantity=most))
    orders.fill(execution(trader, "X1", 1))
    desk.book.positions.set(trader, "AAPL", 0)
    before = desk.contents()
    with pytest.raises(AmountOverflow, match=r"filled_quantity of the order would reach 10\*\*18: take"):
        orders.fill(recorded(trader, "X2", most))
    assert desk.contents() == before
    assert orders.fill(recorded(trader, "X2", most - 1)).order.filled_quantity == most


def test_a_bust_leaves_what_is_past_the_quantity_or_opens_the_order_again(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(recorded(trader, "X1", 60))
    orders.fill(recorded(trader, "X2", 50))
    orders.fill(recorded(trader, "X3", 5))
    still = orders.bust(trader, "A1", "X3").order
    assert (still.status, still.filled_quantity, still.open_quantity) == ("FILLED", 110, 0)
    assert open_quantities(desk) == ["0", "0"]
    with pytest.raises(Overfill, match="more than the 50 that the execution can have"):
        orders.correct(trader, "A1", "X1", quantity=61, price="187.23")
    orders.fill(recorded(trader, "X4", 60))
    with pytest.raises(Overfill, match="more than the 0 that the execution can have"):
        orders.correct(trader, "A1", "X1", quantity=61, price="187.23")
    orders.bust(trader, "A1", "X4")
    back = orders.bust(trader, "A1", "X1").order
    assert (back.status, back.filled_quantity, back.open_quantity) == ("PARTIALLY_FILLED", 50, 50)
    assert open_quantities(desk) == ["50", "0"]
    assert desk.book.audit.verify(trader) == []


def test_past_the_quantity_of_an_order_that_is_pending_or_has_ended(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.pending_cancel(trader, "A1", client_order_id="C1")
    waiting = orders.fill(recorded(trader, "X1", 120)).order
    assert (waiting.status, waiting.open_quantity, open_quantities(desk)) == ("PENDING_CANCEL", 0, ["0", "0"])
    assert desk.events()[-1].open_quantity == 0
    assert orders.cancel_reject(trader, "A1", client_order_id="C1").order.status == "FILLED"
    orders.place(limit(trader, "A2"))
    orders.cancel(trader, "A2")
    late = orders.fill(recorded(trader, "X1", 120, order_id="A2"))
    assert (late.late, late.overfilled, late.order.status, late.position.quantity) == (True, True, "CANCELED", 240)
    again = orders.fill(recorded(trader, "X1", 120, order_id="A2"))
    assert (again.late, again.overfilled, again.applied) == (True, True, False)
    assert desk.book.audit.verify(trader) == []


@on_one_server
@pytest.mark.parametrize("damage", ["remembered", "quantity"])
def test_what_is_past_the_quantity_without_a_flag_is_found(desk: Desk, damage: str) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(recorded(trader, "X1", 60))
    orders.fill(recorded(trader, "X2", 41 if damage != "quantity" else 40))
    assert desk.book.audit.verify(trader) == []
    if damage == "remembered":
        text: Any = desk.ask("HGET", "%:applied:A1", "fill:X2")
        assert "41 187.22 over|" in text
        desk.vandalise("HSET", "%:applied:A1", "fill:X2", text.replace(" over", ""))
    else:
        desk.vandalise("HSET", "%:order:A1", "quantity", "99")
    assert desk.book.audit.verify(trader) != []


def test_a_book_may_record_what_goes_past_by_its_setting(desk: Desk) -> None:
    """One by one, in a batch, in a unit, from a journal and by a report; what a fill says itself wins."""
    book, trader = desk.open(overfill="record"), desk.trader
    places = {name: limit(trader, name) for name in ("A1", "A2", "A3", "A4", "A5")}
    for order in places.values():
        book.orders.place(order)
    past = {name: execution(trader, f"X-{name}", 101, order_id=name) for name in places}
    with pytest.raises(Overfill):
        book.orders.fill(past["A1"].model_copy(update={"overfill": "refuse"}))
    assert book.orders.fill(past["A1"]).overfilled
    [outcome] = book.orders.fill_many([past["A2"]])
    assert outcome.result().overfilled
    assert book.commit([past["A3"]])[0].overfilled  # type: ignore[union-attr]
    assert book.reconcile([past["A4"]]).applied == 1
    report = ExecutionReport.model_validate(
        {
            **{"trader": trader, "order_id": "A5", "exec_id": "X-A5", "exec_type": "TRADE", "status": "FILLED"},
            **{"symbol": "AAPL", "side": "BUY", "quantity": 100, "cumulative_quantity": 101, "open_quantity": 0},
            **{"last_quantity": 101, "last_price": "187"},
        }
    )
    assert book.orders.apply(report).differences == ()
    assert [book.orders.fills(trader, name)[0].overfilled for name in places] == [True] * 5
    other = desk.another()
    desk.book.orders.place(limit(other))
    with pytest.raises(Overfill):
        desk.book.orders.fill(execution(other, "X1", 101))
    assert book.orders.fill(execution(other, "X1", 101)).overfilled
    assert not desk.book.orders.fill(execution(other, "X1", 101)).applied, "a repeat need not say it"


@pytest.mark.parametrize("kind", [Replace, Restate])
def test_a_change_of_the_price_alone_raises_the_quantity_to_what_is_filled(
    desk: Desk, kind: type[Replace] | type[Restate]
) -> None:
    """The order is done for the day, so it is not full although more was filled than was ordered."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.apply(DoneForDay(trader=trader, order_id="A1", request_id="R1"))
    orders.fill(recorded(trader, "X1", 101))
    change = kind(trader=trader, order_id="A1", request_id="R2", price=Decimal("187.25"))
    assert orders.apply(change).applied
    event = desk.events()[-1]
    assert (event.quantity, event.requested_quantity, event.price) == (101, 100, Decimal("187.25"))
    assert not orders.apply(change).applied
    found = orders.get(trader, "A1")
    assert found is not None
    assert found.open_quantity == 0


def test_another_word_is_no_setting() -> None:
    with pytest.raises(InvalidSettings, match="overfill"):
        Settings.model_validate({"overfill": "accept"})
    assert (Settings().overfill, Settings(overfill="record").overfill) == ("refuse", "record")

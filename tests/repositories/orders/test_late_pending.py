"""A pending request that comes after its own answer changes nothing; a stop outlives a fill, as a bust shows."""

from __future__ import annotations

import pytest
from slotbook.models import OrderStatus

from ...support.desk import Desk
from ...support.make import execution, limit


@pytest.mark.parametrize("is_told_before", [True, False], ids=["told before", "only late"])
def test_a_late_pending_request_changes_nothing(desk: Desk, is_told_before: bool) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    if is_told_before:
        orders.pending_cancel(trader, "A1", client_order_id="C2")
    refused = orders.cancel_reject(trader, "A1", client_order_id="C2", status="NEW").order
    before = desk.contents()
    late = orders.pending_cancel(trader, "A1", client_order_id="C2", request_id="late")
    assert (late.applied, late.sequence, late.order) == (False, 0, refused)
    assert (desk.contents(), orders.in_flight(trader)) == (before, [])
    again = orders.pending_cancel(trader, "A1", client_order_id="C3")
    assert (again.applied, again.order.status) == (True, OrderStatus.PENDING_CANCEL)


def test_a_late_request_to_replace_changes_nothing(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    replaced = orders.replace(trader, "A1", quantity=150, client_order_id="A2", original_client_order_id="A1").order
    late = orders.pending_replace(trader, "A1", client_order_id="A2", quantity=150)
    assert (late.applied, late.order) == (False, replaced)
    orders.pending_replace(trader, "A2", client_order_id="A3", quantity=170)
    orders.cancel_reject(trader, "A2", client_order_id="A3")
    assert not orders.pending_replace(trader, "A2", client_order_id="A3", quantity=180).applied
    assert [order.order_id for order in orders.in_flight(trader)] == []


def test_a_bust_leaves_the_stop_that_was_before_its_fill(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, "X1", 40))
    stopped = orders.stop(trader, "A1", quantity=60, price="187").order
    assert stopped.status == "STOPPED"
    assert orders.fill(execution(trader, "X2", 60)).order.status == "FILLED"
    busted = orders.bust(trader, "A1", "X2", exec_id="B1").order
    assert (busted.status, busted.open_quantity, busted.marks) == ("STOPPED", 60, stopped.marks)


def test_each_id_of_the_chain_reads_the_order_and_its_last_ones_are_fields(desk: Desk) -> None:
    """The last ones are what `find` looks for; the others are in no index."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.accept(trader, "A1", venue_order_id="V1")
    for number in (2, 3):
        orders.replace(trader, "A1", quantity=100 + number, client_order_id=f"A{number}")
    order = orders.get(trader, "A1")
    assert order is not None
    assert [orders.get(trader, one) for one in ("A2", "A3", "V1")] == [order] * 3
    found = orders.get_many([(trader, one) for one in ("V1", "A2", "A9")])
    assert [one.result() for one in found] == [order, order, None]
    assert (order.client_order_id, order.venue_order_id, order.aliases) == ("A3", "V1", 3)

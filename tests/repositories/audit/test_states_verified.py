"""Test that verify and repair know the states of an order: what is open of it today, and that it is there at all."""

from __future__ import annotations

import pytest
from slotbook.repositories.audit.findings import FindingKind

from ...support.desk import Desk
from ...support.make import execution, limit


@pytest.mark.parametrize("state", ["done for the day", "filled, with a pending cancel"])
def test_an_order_that_has_not_ended_is_missed_though_nothing_is_open_of_it(lone_desk: Desk, state: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, quantity=100 if state.startswith("filled") else 40))
    if state.startswith("filled"):
        orders.pending_cancel(trader, "A1", client_order_id="C2")
    else:
        orders.done_for_day(trader, "A1")
    assert lone_desk.book.audit.verify(trader) == []
    for key in ("order:A1", "applied:A1", "orders_by_symbol:AAPL", "orders_by_status:DONE_FOR_DAY"):
        lone_desk.vandalise("DEL", f"%:{key}")
    lone_desk.vandalise("DEL", "%:orders_by_status:PENDING_CANCEL")
    found = lone_desk.book.audit.verify(trader)
    assert FindingKind.ORDER in {one.kind for one in found}, found
    assert "is not there" in next(one.message for one in found if one.kind is FindingKind.ORDER)


@pytest.mark.parametrize("time_in_force", ["DAY", "GTC"])
def test_what_is_open_of_a_day_that_is_over_is_neither_found_nor_repaired(desk: Desk, time_in_force: str) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, time_in_force=time_in_force))
    orders.place(limit(trader, "A2", quantity=7))
    orders.done_for_day(trader, "A1")
    assert desk.book.audit.repair(trader) == []
    assert desk.ask("HGET", "%:position:AAPL", "open_buy_quantity") == ("7" if time_in_force == "DAY" else "107")
    orders.fill(execution(trader))
    orders.restate(trader, "A1")
    assert desk.book.audit.repair(trader) == []
    assert desk.ask("HGET", "%:position:AAPL", "open_buy_quantity") == "67"

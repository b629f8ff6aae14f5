"""Test that verify and repair know the states of an order: what is open of it today, and that it is there at all."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models import Order
from slotbook.repositories.audit.findings import FindingKind

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.raw import Reply, mapping


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


def stated(desk: Desk) -> Order:
    """Give an order every state that another one leaves room for; return it."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, status="PENDING_NEW", time_in_force="GTC"))
    orders.pending_cancel(trader, "A1", client_order_id="C1", text='a "/\\ b', reason="1")
    orders.accept(trader, "A1", status="NEW")
    orders.fill(execution(trader))
    orders.pending_replace(trader, "A1", client_order_id="C2", original_client_order_id="A1", price="188", quantity=99)
    orders.pending_replace(trader, "A1", client_order_id="C3")
    orders.cancel_reject(trader, "A1", client_order_id="C1", status="FILLED", reason="2")
    orders.replace(trader, "A1", client_order_id="C3", quantity=90, reason="3")
    orders.suspend(trader, "A1")
    orders.done_for_day(trader, "A1")
    orders.restate(trader, "A1", price="189", reason="4")
    orders.stop(trader, "A1", quantity=5, price="190")
    return orders.suspend(trader, "A1", reason="5").order


REPAIRED = {
    "pending": ("garbage", "[]", None),
    "marks": ("garbage", "STOPPED STOPPED", ""),
}
NAMED = {
    "pending": ('[["PENDING_CANCEL","C2","7","","","",""]]',),
    "marks": ("SUSPENDED", "STOPPED", "SUSPENDED STOPPED", None),
}


def damage(desk: Desk, field: str, value: str | None) -> None:
    desk.vandalise(*(("HDEL", "%:order:A1", field) if value is None else ("HSET", "%:order:A1", field, value)))


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in REPAIRED.items() for v in values])
def test_states_that_no_book_writes_are_repaired(lone_desk: Desk, field: str, value: str | None) -> None:
    order = stated(lone_desk)
    assert (order.status, order.marks, order.client_order_id) == ("PENDING_REPLACE", "STOPPED SUSPENDED", "C3")
    assert lone_desk.book.audit.verify(lone_desk.trader) == []
    damage(lone_desk, field, value)
    [found] = [one for one in lone_desk.book.audit.verify(lone_desk.trader) if one.is_difference]
    assert (found.key.rpartition(":")[2], found.entry, found.repairable) == ("A1", field, True)
    lone_desk.book.audit.repair(lone_desk.trader)
    assert lone_desk.book.orders.get(lone_desk.trader, "A1") == order
    assert lone_desk.book.audit.verify(lone_desk.trader) == []


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in NAMED.items() for v in values])
def test_states_that_could_be_are_named_and_left_alone(lone_desk: Desk, field: str, value: str | None) -> None:
    stated(lone_desk)
    damage(lone_desk, field, value)
    found = lone_desk.book.audit.verify(lone_desk.trader)
    assert [(one.entry, one.repairable) for one in found] == [(field, False)]
    assert {"applied", "events"} <= found[0].says.keys()
    before = lone_desk.contents()
    lone_desk.book.audit.repair(lone_desk.trader)
    assert lone_desk.contents() == before


def test_every_event_of_a_report_is_compared_in_all_that_it_says(lone_desk: Desk) -> None:
    stated(lone_desk)
    unseen: list[tuple[str, str]] = []
    entries = cast("list[tuple[str, list[Reply]]]", lone_desk.ask("XRANGE", "%:events", "-", "+"))
    said = ("client_order_id", "original_client_order_id", "reason", "reported_status", "requested_quantity")
    for number, (event_id, flat) in enumerate(entries):
        for name in {*mapping(flat)} & {*said, "requested_price", "text"} | {"reason", "client_order_id"}:
            changed = {**mapping(flat), name: "77" if name != "reported_status" else "NEW"}
            if mapping(flat)["type"] in ("TRADE", "PENDING_NEW"):
                continue
            lone_desk.vandalise("DEL", "%:copy")
            for at, (one_id, one) in enumerate(entries):
                words = map(str, one) if at != number else [word for pair in changed.items() for word in pair]
                lone_desk.vandalise("XADD", "%:copy", one_id, *words)
            lone_desk.vandalise("RENAME", "%:copy", "%:events")
            if not lone_desk.book.audit.verify(lone_desk.trader):
                unseen.append((event_id, name))
    assert unseen == []

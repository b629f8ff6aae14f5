"""Test what is remembered of an order's first change: in the order where it is short, else beside it."""

from __future__ import annotations

import pytest
from slotbook.models.errors import CorruptRecord, DuplicateRequest
from slotbook.models.fill import Fill
from slotbook.models.order import Order

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.raw import mapping
from ...support.venue_reports import report


def remembered(desk: Desk, order_id: str = "A1") -> tuple[list[str], list[str]]:
    """Return the names of what is remembered in an order and beside it."""
    order, beside = (mapping(desk.ask("HGETALL", f"%:{kind}:{order_id}")) for kind in ("order", "applied"))
    return [name for name in order if ":" in name], sorted(beside)


def test_the_first_fill_is_in_the_order_and_all_others_are_beside_it(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    first = orders.fill(execution(trader, "X1", 10))
    assert remembered(desk) == (["fill:X1"], [])
    orders.fill(execution(trader, "X2", 20))
    orders.cancel(trader, "A1", request_id="R1")
    assert remembered(desk) == (["fill:X1"], ["fill:X2", "request:R1"])
    before = desk.contents()
    again = orders.fill(execution(trader, "X1", 10))
    assert not again.applied
    assert (again.sequence, again.order, again.position) == (first.sequence, first.order, first.position)
    with pytest.raises(DuplicateRequest):
        orders.fill(execution(trader, "X1", 11))
    assert [fill.exec_id for fill in orders.fills(trader, "A1")] == ["X1", "X2"]
    assert desk.contents() == before


def test_a_repeat_in_one_unit_finds_the_first_change(desk: Desk) -> None:
    trader = desk.trader
    fill = execution(trader, "X1", 10)
    answers = desk.book.commit([limit(trader), fill, fill, execution(trader, "X2", 5), fill])
    assert [answer.applied for answer in answers] == [True, True, False, True, False]
    assert remembered(desk) == (["fill:X1"], ["fill:X2"])


def test_the_first_cancel_is_in_the_order_and_expires_with_it(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    done = orders.cancel(trader, "A1", request_id="R1")
    assert remembered(desk) == (["request:R1"], [])
    assert not orders.cancel(trader, "A1", request_id="R1").applied
    assert desk.ask("PTTL", "%:order:A1") != -1
    assert orders.get(trader, "A1") == done.order
    orders.fill(execution(trader, "X1", 5))  # late: beside the order, which expires anew with it
    assert remembered(desk) == (["request:R1"], ["fill:X1"])
    assert desk.ask("PEXPIRETIME", "%:order:A1") == desk.ask("PEXPIRETIME", "%:applied:A1")


def test_a_report_of_another_kind_finds_the_first_fill_in_its_order(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, "X1", 10))
    assert remembered(desk) == (["fill:X1"], [])
    before = desk.contents()
    with pytest.raises(DuplicateRequest, match="another kind"):
        orders.apply(report(trader, "X1", "CANCELED", "CANCELED"))
    assert desk.contents() == before


@pytest.mark.parametrize(
    ("order", "fill"),
    [
        (limit("T", text="as the client says"), execution("T", "X1", 10)),
        (limit("T"), execution("T", "X" * 60, 10)),
        (limit("T"), execution("T", "X1", "0.123456789012", "1.123456789012")),
        (limit("T"), execution("T", "X1", 10).model_copy(update={"venue_order_id": "V1"})),
    ],
    ids=["an order with a text", "a long id", "many places", "an id of the venue's"],
)
def test_what_is_long_or_rare_is_beside_the_order(lone_desk: Desk, order: Order, fill: Fill) -> None:
    orders, of_trader = lone_desk.book.orders, {"trader": lone_desk.trader}
    orders.place(order.model_copy(update=of_trader))
    request = fill.model_copy(update=of_trader)
    first = orders.fill(request)
    inside, beside = remembered(lone_desk)
    assert inside == []
    assert f"fill:{request.exec_id}" in beside
    assert lone_desk.ask("OBJECT", "ENCODING", "%:order:A1") == "listpack"
    again = orders.fill(request)
    assert (again.applied, again.order) == (False, first.order)


def test_a_first_cancel_with_a_text_is_beside_the_order(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.cancel(trader, "A1", request_id="R1", text="as the client asks")
    assert remembered(lone_desk) == ([], ["request:R1"])
    assert not orders.cancel(trader, "A1", request_id="R1", text="as the client asks").applied


def test_an_order_with_one_change_and_its_hash_stay_small(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, "X" * 43, "0.1234567890", "1.1234567890"))
    assert remembered(lone_desk)[0] == ["fill:" + "X" * 43]
    assert lone_desk.ask("OBJECT", "ENCODING", "%:order:A1") == "listpack"


def test_a_first_fill_that_cannot_be_read_is_named_with_the_order(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, "X1", 10))
    lone_desk.vandalise("HSET", "%:order:A1", "fill:X1", "2 ten 187.22|")
    with pytest.raises(CorruptRecord) as found:
        orders.fills(trader, "A1")
    assert (found.value.key, found.value.field) == (f"{{{trader}}}:order:A1", "fill:X1")

"""Test cancel, reject and expire: each ends an open order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from slotbook.models import Cancel, Expire, OrderResult, Reject
from slotbook.models.errors import DuplicateRequest, InvalidArgument, OrderNotFound

from ...support.desk import Desk
from ...support.make import TS, execution, limit

Close: TypeAlias = "Callable[..., OrderResult]"
STATUS = {"cancel": "CANCELED", "reject": "REJECTED", "expire": "EXPIRED"}
REQUEST = {"cancel": Cancel, "reject": Reject, "expire": Expire}


def closing(desk: Desk, verb: str) -> Close:
    orders = desk.book.orders
    return {"cancel": orders.cancel, "reject": orders.reject, "expire": orders.expire}[verb]


@pytest.mark.parametrize("verb", STATUS)
def test_a_new_order_is_closed(desk: Desk, verb: str) -> None:
    order = desk.book.orders.place(limit(desk.trader, text="new")).order
    closed = closing(desk, verb)(desk.trader, "A1", ts_ns=TS + 9, text="why").order
    assert closed == order.model_copy(
        update={"status": STATUS[verb], "text": "why", "version": 2, "updated_ns": TS + 9}
    )
    assert desk.book.orders.get(desk.trader, "A1") == closed
    assert closed.open_quantity == 0


@pytest.mark.parametrize("verb", STATUS)
def test_closed_again_it_stays_as_it_is(desk: Desk, verb: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    closed = closing(desk, verb)(desk.trader, "A1", text="first").order
    before = desk.contents()
    assert closing(desk, verb)(desk.trader, "A1", text="second", ts_ns=TS + 50).order == closed
    assert desk.contents() == before


@pytest.mark.parametrize("verb", STATUS)
def test_apply_says_whether_it_changed_anything(desk: Desk, verb: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    request = REQUEST[verb](trader=desk.trader, order_id="A1")
    first, again = desk.book.orders.apply(request), desk.book.orders.apply(request)
    assert (first.applied, first.sequence, again.applied) == (True, 2, False)
    assert again.order == first.order


@pytest.mark.parametrize("verb", ["cancel", "expire"])
def test_what_was_filled_stays_filled(desk: Desk, verb: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    filled = desk.book.orders.fill(execution(desk.trader, quantity=40))
    closed = closing(desk, verb)(desk.trader, "A1").order
    assert (closed.filled_quantity, closed.filled_notional) == (40, filled.order.filled_notional)
    assert desk.book.positions.get(desk.trader, "AAPL") == filled.position


@pytest.mark.parametrize("verb", STATUS)
def test_an_order_that_is_not_there_cannot_be_closed(desk: Desk, verb: str) -> None:
    with pytest.raises(OrderNotFound, match=f"^{verb} {desk.trader}/A1: "):
        closing(desk, verb)(desk.trader, "A1")
    assert desk.contents() == {}


@pytest.mark.parametrize("verb", STATUS)
def test_arguments_that_no_book_could_accept_are_not_sent(desk: Desk, verb: str) -> None:
    for arguments, named in [
        ({"trader": "a{b", "order_id": "A1"}, {}),
        ({"trader": "T", "order_id": ""}, {}),
        ({"trader": "T", "order_id": "A1"}, {"text": ""}),
        ({"trader": "T", "order_id": "A1"}, {"ts_ns": -1}),
    ]:
        with pytest.raises(InvalidArgument, match=f"^{verb}: "):
            closing(desk, verb)(arguments["trader"], arguments["order_id"], **named)


@pytest.mark.parametrize("verb", STATUS)
def test_the_same_request_again_gets_the_first_result(desk: Desk, verb: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    request = REQUEST[verb](trader=desk.trader, order_id="A1", request_id="C1", text="first")
    first = desk.book.orders.apply(request)
    desk.book.orders.fill(execution(desk.trader))  # late
    before = desk.contents()
    again = desk.book.orders.apply(request.model_copy(update={"ts_ns": TS + 9, "text": "second"}))
    assert (again.applied, again.sequence, again.order) == (False, first.sequence, first.order)
    other = desk.book.orders.apply(request.model_copy(update={"request_id": "C2"}))
    assert (other.applied, other.sequence, other.order) == (False, 0, desk.book.orders.get(desk.trader, "A1"))
    assert desk.contents() == before


@pytest.mark.parametrize("verb", STATUS)
def test_a_request_id_of_another_change_of_the_order_is_refused(desk: Desk, verb: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.replace(desk.trader, "A1", quantity=90, request_id="R1")
    for closed, used in [(False, "R1"), (True, "C1")]:
        if closed:
            another = next(name for name in STATUS if name != verb)
            closing(desk, another)(desk.trader, "A1", request_id="C1")
        before = desk.contents()
        with pytest.raises(DuplicateRequest, match="another change of this order"):
            closing(desk, verb)(desk.trader, "A1", request_id=used)
        assert desk.contents() == before


def test_a_request_id_belongs_to_its_order_and_is_no_exec_id(desk: Desk) -> None:
    desk.book.orders.place_many([limit(desk.trader, "A1"), limit(desk.trader, "A2")])
    desk.book.orders.fill(execution(desk.trader, "C1"))
    for order_id in ("A1", "A2"):
        assert desk.book.orders.cancel(desk.trader, order_id, request_id="C1").applied

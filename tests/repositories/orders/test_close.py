"""Test cancel, reject and expire: each ends an open order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from slotbook.models import Cancel, Expire, OrderResult, Reject
from slotbook.models.errors import InvalidArgument, OrderNotFound

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

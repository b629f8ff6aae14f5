"""A batch whose reply was lost: what it had refused is not applied when it is sent again."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models import Cancel, Order, OrderResult, OrderStatus
from slotbook.models.errors import OrderNotFound, Refused
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.topology.call import Call, PendingCall

from ...support.desk import Desk
from ...support.make import execution, limit


def batch(desk: Desk, calls: OrderCalls | None = None) -> PendingCall[object]:
    """Return the call of a cancel that comes too early, of its order, and of a fill."""
    calls = calls or OrderCalls(desk.book.backend.settings, LossDetector())
    requests = [
        Cancel(trader=desk.trader, order_id="A1", request_id="C1"),
        limit(desk.trader, "A1"),
        execution(desk.trader, "X1", 40, order_id="A1"),
    ]
    (pending,) = calls.grouped(calls.checked(requests)).calls
    return pending  # type: ignore[return-value]


def run(desk: Desk, call: Call[object]) -> list[object]:
    """Return the result or the error of each step."""
    return [outcome.error or outcome.value for outcome in desk.book.backend.run(call)]  # type: ignore[attr-defined]


def test_what_was_refused_stays_refused(desk: Desk) -> None:
    pending = batch(desk)
    first = run(desk, pending.build())
    assert isinstance(first[0], OrderNotFound)
    again = run(desk, pending.rebuild().build())
    assert isinstance(again[0], Refused)
    assert "refused when it was first sent" in str(again[0])
    assert [getattr(one, "applied", None) for one in again[1:]] == [False, False]
    order = desk.book.orders.get(desk.trader, "A1")
    assert order is not None
    assert order.status is OrderStatus.PARTIALLY_FILLED


def test_others_may_have_written_since(desk: Desk) -> None:
    pending = batch(desk)
    run(desk, pending.build())
    for number in range(150):
        desk.book.orders.place(limit(desk.trader, f"B{number}"))
    assert isinstance(run(desk, pending.rebuild().build())[0], Refused)


def test_a_call_that_is_sent_unchanged_has_run_too(desk: Desk) -> None:
    """A batch is sent like this when its copies could not be proven."""
    call = batch(desk).build()
    run(desk, call)
    assert isinstance(run(desk, call)[0], Refused)


@pytest.mark.parametrize("sends", [1, 2, 10])
def test_one_that_never_ran_is_applied(desk: Desk, sends: int) -> None:
    """Its first sends were lost on their way, and the order is there by now.

    The writer's first call was not lost: its count is 1, with which those of ten sends begin.
    """
    calls = OrderCalls(desk.book.backend.settings, LossDetector())
    (first_call,) = calls.grouped(calls.checked([limit(desk.trader, "B1")])).calls
    run(desk, first_call.build())  # type: ignore[arg-type]
    pending = batch(desk, calls)
    for _ in range(sends):
        pending.build()
    desk.book.orders.place(limit(desk.trader, "A1"))
    first, *_ = run(desk, pending.rebuild().build())
    assert isinstance(first, OrderResult)
    placed = cast("OrderResult[Order]", first)
    assert (placed.applied, placed.order.status) == (True, OrderStatus.CANCELED)

"""Quantities of an order that a fill states: what differs is reported, and never refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import Fill, Gap

from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit


def stating(fill: Fill, filled: int | None, left: int | None) -> Fill:
    return fill.model_copy(update={"cumulative_quantity": filled, "open_quantity": left})


def gap_of(filled: int, left: int) -> Gap:
    return Gap(Decimal(filled), Decimal(left))


@on_one_server
@pytest.mark.parametrize(
    ("filled", "left", "gap"),
    [
        (None, None, None),
        (50, 50, None),
        (50, None, None),
        (None, 50, None),
        (60, 40, gap_of(10, -10)),
        (49, None, gap_of(-1, 0)),
        (None, 0, gap_of(0, -50)),
        (50, 51, gap_of(0, 1)),
        (0, 50, gap_of(-50, 0)),
    ],
)
def test_a_gap_is_reported(desk: Desk, filled: int | None, left: int | None, gap: Gap | None) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, "X1", 40))
    fill = stating(execution(desk.trader, "X2", 10), filled, left)
    done = desk.book.orders.fill(fill)
    assert (done.applied, done.gap, done.order.filled_quantity) == (True, gap, 50)
    desk.book.orders.fill(execution(desk.trader, "X3", 5))
    again = desk.book.orders.fill(fill)  # compared with the order as the fill left it
    assert (again.applied, again.gap) == (False, gap)


@on_one_server
def test_a_repeat_whose_event_is_gone_tells_no_gap(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fill = stating(execution(desk.trader, "X1", 40), 40, 60)
    desk.book.orders.fill(fill)
    desk.book.orders.fill(execution(desk.trader, "X2", 5))
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 0)
    assert desk.book.orders.fill(fill).gap is None


@on_one_server
def test_an_order_that_has_ended_has_nothing_open(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.cancel(desk.trader, "A1")
    assert desk.book.orders.fill(stating(execution(desk.trader, "X1", 40), 40, 0)).gap is None
    assert desk.book.orders.fill(stating(execution(desk.trader, "X2", 10), 50, 50)).gap == gap_of(0, 50)

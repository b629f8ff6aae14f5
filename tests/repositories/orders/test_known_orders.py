"""A run of a journal learns from events which of its rows may have been applied before, one event apart."""

from __future__ import annotations

import pytest
from slotbook.models import Cancel
from slotbook.models.keys import Keys
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.known_orders import FOREVER, HistoryPage, KnownOrders


def known(first: int, last: int, ever: int) -> KnownOrders:
    """Return what is known of a book of which some events are kept: each places an order, at its number as a time."""
    made = KnownOrders(Keys().of("T"), LossDetector())
    made.read_orders(100)
    fields = {"type": "NEW", "symbol": "AAPL", "side": "BUY", "quantity": "5"}
    events = [(number, {**fields, "order_id": f"A{number}", "ts_ns": str(number)}) for number in range(first, last + 1)]
    assert made.add_orders(HistoryPage(ever, ever, events, is_last=True)) is None
    return made


@pytest.mark.parametrize(
    ("first", "last", "ever", "unknown_until"),
    [(1, 3, 3, -1), (2, 3, 3, 3), (1, 0, 0, -1), (1, 2, 3, FOREVER), (4, 3, 3, FOREVER)],
)
def test_one_event_that_is_gone_leaves_a_time_in_doubt(first: int, last: int, ever: int, unknown_until: int) -> None:
    assert known(first, last, ever).unknown_until == unknown_until


@pytest.mark.parametrize(("ts_ns", "is_misplaced"), [(2, True), (3, False), (4, False)])
def test_a_request_from_before_its_order_may_be_of_an_earlier_one(ts_ns: int, is_misplaced: bool) -> None:
    request = Cancel(trader="T", order_id="A3", ts_ns=ts_ns)
    assert known(2, 4, 4).is_misplaced(request) is is_misplaced
    assert not known(1, 4, 4).is_misplaced(request), "of a book of which nothing is gone, none is"

"""A loss is told from the first event of the call that was lost, however many that call has written."""

from __future__ import annotations

import pytest

from ...support.desk import Desk
from ...support.make import limit


@pytest.mark.parametrize("form", ["batch", "unit"])
def test_a_lost_call_is_lost_from_its_first_event(desk: Desk, form: str) -> None:
    book = desk.open()
    desk.book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(3)])
    orders = [limit(desk.trader, f"B{number}") for number in range(4)]
    if form == "batch":
        assert all(outcome.error is None for outcome in book.orders.place_many(orders))
    else:
        book.commit(orders)
    desk.vandalise("DEL", "%:events")
    desk.vandalise("HSET", "%:book", "sequence", 3, "writer", "00000000", "count", 1)
    (loss,) = book.losses()
    assert (loss.first, loss.last) == (4, 7)

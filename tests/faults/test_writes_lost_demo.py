"""Fault "writes lost": in the demo, whose gateways bring back what is lost before they send anything else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook import Book
from slotbook.cli.gateway import Gateway
from slotbook.models import Cancel, OrderStatus, Replace
from slotbook.models.journal import JournalRequest

from ..support.faults.control import Control
from ..support.make import execution, fresh, limit
from .conftest import Deploy
from .test_writes_lost_reconcile import TOPOLOGIES, lose_by


@pytest.fixture(params=TOPOLOGIES)
def control(request: pytest.FixtureRequest, deploy: Deploy) -> Control:
    """Return servers of a topology in which a replica takes over."""
    return deploy(request.param)


def test_a_request_that_would_forbid_what_was_lost_waits_for_it(control: Control) -> None:
    """A fill and a replace are lost; the cancel that comes next would have both refused."""
    trader = fresh()
    day: list[JournalRequest] = [
        limit(trader, "A1"),
        execution(trader, "X1", 40),
        Replace(trader=trader, order_id="A1", revision=1, price=Decimal(9), ts_ns=6),
        Cancel(trader=trader, order_id="A1", request_id="C1", ts_ns=7),
    ]
    with Book.open(control.url(deadline=20)) as book:
        gateway = Gateway(book, trader, day)
        gateway.send(0)
        lose = lose_by(control, trader)
        gateway.send(1)
        gateway.send(2)
        lose()
        gateway.send(3)
        order = book.orders.get(trader, "A1")
        assert order is not None
        assert (order.status, order.filled_quantity, order.price) == (OrderStatus.CANCELED, 40, 9)
        assert (gateway.brought_back, gateway.answered) == (2, 4)
        assert [event.sequence for event in book.events.history(trader)] == [1, 2, 3, 4]

"""Test that orders of several decimal places are within their limits in the short ways exactly as by the engine."""

from __future__ import annotations

from contextlib import closing
from typing import cast

import pytest
from slotbook.models import Limits, Order, Replace
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.orders.verbs import OrderRequest
from slotbook.topology.call import Call
from slotbook.topology.settings import Settings

from ...support.desk import Desk
from ...support.make import limit
from ...support.two_ways import TwoWays

LIMITS = [{"max_order": "1.49"}, {"max_notional": "280.84"}, {"max_position": "101.49"}]
"""Each lets an order of 0.5 at 187.23 pass beside one of 100, and none of 1.5."""


def set_limit(desk: Desk, values: dict[str, str]) -> None:
    desk.book.limits.set(Limits.model_validate({"trader": desk.trader, **values}))


def make(ways: TwoWays, request: OrderRequest) -> int:
    """Make a request both ways, refused or not, and return how many have taken the short way so far."""
    calls = OrderCalls[Order](Settings(), LossDetector())
    ways.make(cast("Call[object]", calls.change(request)))
    return ways.taken


@pytest.mark.parametrize("values", LIMITS, ids=lambda values: next(iter(values)))
def test_a_place_beyond_a_limit_is_the_engines(lone_desk: Desk, values: dict[str, str]) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    set_limit(lone_desk, values)
    with closing(TwoWays(lone_desk, "place")) as ways:
        assert make(ways, limit(lone_desk.trader, "within", quantity="0.5", price="187.23")) == 1
        assert make(ways, limit(lone_desk.trader, "beyond", quantity="1.5", price="187.23")) == 1
    assert lone_desk.ask("EXISTS", "%:order:beyond") == 0


@pytest.mark.parametrize("values", LIMITS, ids=lambda values: next(iter(values)))
def test_a_replace_beyond_a_limit_is_the_engines(lone_desk: Desk, values: dict[str, str]) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    lone_desk.book.orders.place(limit(lone_desk.trader, "A2", quantity="0.25", price="187.23"))
    set_limit(lone_desk, values)
    about = {"trader": lone_desk.trader, "order_id": "A2"}
    with closing(TwoWays(lone_desk, "replace")) as ways:
        assert make(ways, Replace.model_validate({**about, "request_id": "R1", "quantity": "0.5"})) == 1
        assert make(ways, Replace.model_validate({**about, "request_id": "R2", "quantity": "1.5"})) == 1
    assert lone_desk.ask("HGET", "%:order:A2", "quantity") == "0.5"

"""Test that the short way of a fill leaves to the engine what it does not expect, and does all else to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from slotbook.models import Fill, Order
from slotbook.repositories.changes.fence import NO_FENCE, Fence
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.topology.call import Call
from slotbook.topology.settings import Settings

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.two_ways import TwoWays


@pytest.fixture
def ways(lone_desk: Desk) -> Iterator[TwoWays]:
    """Yield the two ways of a fill, on a book with two orders."""
    for order_id in ("A1", "A2"):
        lone_desk.book.orders.place(limit(lone_desk.trader, order_id))
    found = TwoWays(lone_desk, "fill")
    yield found
    found.close()


def calls_of(fence: Fence = NO_FENCE) -> OrderCalls[Order]:
    return OrderCalls[Order](Settings(), LossDetector(), fence)


def fill(calls: OrderCalls[Order], made: Fill, expected: int | None = None) -> Call[object]:
    return cast("Call[object]", calls.change(made) if expected is None else calls.unit([made], expected))


@pytest.mark.parametrize("size", [1, 42, 43, 44, 59, 60])
def test_a_long_exec_id_is_remembered_where_the_engine_looks(lone_desk: Desk, ways: TwoWays, size: int) -> None:
    calls = calls_of()
    for quantity in (1, 2):
        ways.make(fill(calls, execution(lone_desk.trader, "X" * size, quantity)))
    assert ways.taken == (size < 44)


@pytest.mark.parametrize("price", ["0.000000000000001", "0.0000000000000001", "0.000000000000000001"])
def test_what_has_many_digits_is_remembered_where_the_engine_looks(lone_desk: Desk, ways: TwoWays, price: str) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader, "large", quantity=10**8))
    calls = calls_of()
    for exec_id in ("X1", "X1", "X2"):
        ways.make(fill(calls, execution(lone_desk.trader, exec_id, 10**6, price, "large")))
    assert ways.taken == (2 if len(price) < 18 else 0)


@pytest.mark.parametrize(
    ("name", "value"), [("open_buy_quantity", "5"), ("multiplier", "50"), ("fees", '{"":"1"}'), ("approximated", "1")]
)
def test_an_odd_position_is_the_engines(lone_desk: Desk, ways: TwoWays, name: str, value: str) -> None:
    lone_desk.vandalise("HSET", "%:position:AAPL", name, value)
    ways.make(fill(calls_of(), execution(lone_desk.trader, "X1", 10)))
    assert ways.taken == 0


def test_a_number_that_is_expected_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    ways.make(fill(calls_of(), execution(lone_desk.trader, "X1", 10), expected=7))
    ways.make(fill(calls_of(), execution(lone_desk.trader, "X1", 10), expected=2))
    assert ways.taken == 0


def test_an_order_that_is_filled_in_three_parts_expires_with_what_is_remembered(lone_desk: Desk, ways: TwoWays) -> None:
    calls = calls_of()
    for exec_id, quantity in (("X1", 10), ("X2", 20)):
        ways.make(fill(calls, execution(lone_desk.trader, exec_id, quantity)))
    assert ways.taken == 2
    lone_desk.book.orders.fill(execution(lone_desk.trader, "X3", 70))
    assert all(int(str(lone_desk.ask("PTTL", f"%:{key}:A1"))) > 0 for key in ("order", "applied"))


def test_a_call_that_is_sent_again_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    calls, trader = calls_of(), lone_desk.trader
    fills = [execution(trader, "X1", 10, order_id=order_id) for order_id in ("B1", "B2")]
    (pending,) = calls.grouped(calls.checked(fills)).calls
    ways.make(cast("Call[object]", pending.build()))
    for order_id in ("B1", "B2"):
        lone_desk.book.orders.place(limit(trader, order_id))
    ways.make(cast("Call[object]", pending.build()))
    assert ways.taken == 0


def test_a_fill_under_a_lock_that_is_not_held_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    trader = lone_desk.trader
    calls = calls_of(Fence(f"{{{trader}}}:lock:L", trader, 5))
    ways.make(fill(calls, execution(trader, "X1", 10)))
    assert ways.taken == 0

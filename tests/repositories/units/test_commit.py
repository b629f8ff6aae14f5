"""Test commit: the changes of a unit are made together, in one round trip, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import Cancel, Expire, FillResult, OrderStatus, PositionAction, PositionChange, Reject, Replace
from slotbook.models.errors import (
    DuplicateOrder,
    DuplicateRequest,
    InvalidArgument,
    OrderClosed,
    OrderMismatch,
    OrderNotFound,
    Overfill,
    Refused,
)
from slotbook.models.guards import Expect
from slotbook.repositories.changes.engine import MOST_STEPS
from slotbook.repositories.units.calls import UnitStep

from ...support.callers import CALLERS, open_book
from ...support.desk import Desk
from ...support.histories import as_answer
from ...support.make import execution, limit
from ...support.relay import Relay


def test_a_later_step_sees_what_an_earlier_one_has_done(desk: Desk) -> None:
    placed, filled, replaced, canceled = desk.book.commit(
        [
            limit(desk.trader),
            execution(desk.trader, quantity=40),
            Replace(trader=desk.trader, order_id="A1", quantity=90),
            Cancel(trader=desk.trader, order_id="A1", text="enough"),
        ]
    )
    results = (placed, filled, replaced, canceled)
    assert [(one.applied, one.sequence) for one in results] == [(True, 1), (True, 2), (True, 3), (True, 4)]
    orders = [order for one in results if (order := as_answer(one).order) is not None]
    assert [order.version for order in orders] == [1, 2, 3, 4]
    assert [order.status for order in orders] == ["NEW", "PARTIALLY_FILLED", "PARTIALLY_FILLED", "CANCELED"]
    assert desk.book.orders.get(desk.trader, "A1") == orders[-1]
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == 40
    assert [event.type for event in desk.events()] == ["NEW", "TRADE", "REPLACED", "CANCELED"]


def test_every_kind_of_change_can_be_a_step(desk: Desk) -> None:
    trader = desk.trader
    results = desk.book.commit(
        [
            *(limit(trader, f"A{number}") for number in range(1, 5)),
            execution(trader, quantity=100),
            Cancel(trader=trader, order_id="A2"),
            Reject(trader=trader, order_id="A3"),
            Expire(trader=trader, order_id="A4"),
            PositionChange(trader=trader, symbol="MSFT", quantity=5, max_position=5),
            PositionChange(trader=trader, symbol="MSFT", quantity=-3, action=PositionAction.SET),
        ]
    )
    assert [one.sequence for one in results] == list(range(1, 11))
    for number, status in enumerate(["FILLED", "CANCELED", "REJECTED", "EXPIRED"], 1):
        assert [one.order_id for one in desk.book.orders.by_status(trader, status)] == [f"A{number}"]
    assert {one.symbol: one.quantity for one in desk.book.positions.all(trader)} == {"AAPL": 100, "MSFT": -3}


def test_two_fills_of_one_position_are_summed(desk: Desk) -> None:
    _, _, first, second = desk.book.commit(
        [
            limit(desk.trader, "A1"),
            limit(desk.trader, "A2", side="SELL"),
            execution(desk.trader, "X1", 40),
            execution(desk.trader, "X1", 30, order_id="A2"),
        ]
    )
    assert [cast(FillResult, one).position.quantity for one in (first, second)] == [40, 10]
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == 10


def refusals(trader: str) -> dict[str, tuple[UnitStep, type[Refused]]]:
    """Return a step that is refused for each reason, given the order A0 with the fill X0 of 40, and A9, canceled."""
    return {
        "no such order": (execution(trader, order_id="A7"), OrderNotFound),
        "other content": (limit(trader, "A0", quantity=1), DuplicateOrder),
        "overfill": (execution(trader, "X1", 61, order_id="A0"), Overfill),
        "other fill": (execution(trader, "X0", 41, order_id="A0"), DuplicateRequest),
        "canceled": (Replace(trader=trader, order_id="A9", quantity=39), OrderClosed),
        "closed": (Expire(trader=trader, order_id="A9"), OrderClosed),
        "filled in part": (Reject(trader=trader, order_id="A0"), OrderClosed),
        "beyond the limit": (PositionChange(trader=trader, symbol="AAPL", quantity=1, max_position=10), Refused),
    }


@pytest.mark.parametrize("at", [0, 2, 5])
@pytest.mark.parametrize("reason", refusals("T"))
def test_the_first_refusal_refuses_the_unit(desk: Desk, reason: str, at: int) -> None:
    trader = desk.trader
    desk.book.commit([limit(trader, "A0"), execution(trader, "X0", order_id="A0"), limit(trader, "A9")])
    desk.book.orders.cancel(trader, "A9")
    steps: list[UnitStep] = [
        limit(trader, "A1"),
        execution(trader, "X1", 100, order_id="A1"),
        Replace(trader=trader, order_id="A0", price=Decimal(188)),
        PositionChange(trader=trader, symbol="MSFT", quantity=5),
        limit(trader, "A2", symbol="TSLA"),
    ]
    step, kind = refusals(trader)[reason]
    steps.insert(at, step)
    steps.append(execution(trader, order_id="A8"))  # refused too, but not the first
    before = desk.contents()
    with pytest.raises(Refused) as caught:
        desk.book.commit(steps)
    assert (type(caught.value), caught.value.index) == (kind, steps.index(step))
    assert desk.contents() == before


def test_a_price_that_the_order_does_not_take_refuses_the_unit(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, "A1", type="MARKET", price=None))
    before = desk.contents()
    with pytest.raises(OrderMismatch, match=r"replace R1 .*MARKET order takes no price") as refused:
        desk.book.commit(
            [limit(desk.trader, "A2"), Replace(trader=desk.trader, order_id="A1", request_id="R1", price=Decimal(1))]
        )
    assert refused.value.index == 1
    assert desk.contents() == before


def test_256_steps_are_one_unit(desk: Desk) -> None:
    orders = [limit(desk.trader, f"A{number}", symbol=f"S{number % 5}") for number in range(MOST_STEPS)]
    assert [one.sequence for one in desk.book.commit(orders)] == list(range(1, MOST_STEPS + 1))
    assert desk.book.orders.count(desk.trader, status=OrderStatus.NEW) == MOST_STEPS == 256
    fills = [execution(desk.trader, order_id=order.order_id) for order in orders[:-1]]
    before = desk.contents()
    with pytest.raises(Overfill) as caught:
        desk.book.commit([*fills, execution(desk.trader, quantity=101, order_id=orders[-1].order_id)])
    assert caught.value.index == 255
    assert desk.contents() == before


def test_256_changes_of_one_order_are_one_unit(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, type="STOP_LIMIT", stop_price=1))
    replaces = [
        Replace(
            trader=desk.trader,
            order_id="A1",
            quantity=number + 1,
            price=Decimal(number),
            stop_price=Decimal(number),
            revision=number,
            text="text" if number % 2 else None,
        )
        for number in range(MOST_STEPS)
    ]
    assert as_answer(desk.book.commit(replaces)[-1]).order == desk.book.orders.get(desk.trader, "A1")
    desk.book.commit([execution(desk.trader, f"X{number}", 1) for number in range(MOST_STEPS)])
    assert [order.filled_quantity for order in desk.book.orders.by_status(desk.trader, "FILLED")] == [MOST_STEPS]
    assert desk.book.positions.get(desk.trader, "AAPL").version == MOST_STEPS


def test_steps_may_come_from_any_iterable(desk: Desk) -> None:
    assert len(desk.book.commit(limit(desk.trader, f"A{number}") for number in range(3))) == 3


def test_what_is_no_unit_is_not_sent(lone_desk: Desk) -> None:
    trader, other = lone_desk.trader, lone_desk.another()
    bad: list[tuple[object, str]] = [
        ([], "1 to 256 steps, not 0"),
        ([limit(trader, f"A{number}") for number in range(257)], "1 to 256 steps, not 257"),
        ([limit(trader), limit(other)], f"one trader, not ({trader}, {other}|{other}, {trader})"),
        ([Expect("A1", 1)], "guards alone"),
        ([limit(trader), "cancel"], "'cancel' is a str"),
        ([limit(trader).model_copy(update={"version": 1})], "not new"),
        (limit(trader), "is a tuple"),
        (None, "steps"),
    ]
    with Relay(lone_desk.fleet) as relay, open_book(relay.url, lone_desk.caller, lone_desk.runner) as book:
        book.orders.count(trader)
        relay.bursts = 0
        for steps, problem in bad:
            with pytest.raises(InvalidArgument, match=problem):
                book.commit(cast("Sequence[UnitStep]", steps))
        for expected in (-1, 1.5, "1", True):
            with pytest.raises(InvalidArgument, match="expected_sequence"):
                book.commit([limit(trader)], expected_sequence=cast(int, expected))
        with pytest.raises(InvalidArgument, match="durability 'some'"):
            book.commit([limit(trader)], durability="some")
        assert relay.bursts == 0
    assert lone_desk.contents() == {}


@pytest.mark.parametrize("desk", [("sentinel", caller) for caller in CALLERS], indirect=True, ids="-".join)
def test_a_unit_waits_for_the_copies_that_it_asks_for(desk: Desk) -> None:
    results = desk.book.commit([limit(desk.trader), execution(desk.trader)], durability="replicated=1")
    assert all(cast(int, one.replicas) >= 1 for one in results)
    assert [one.replicas for one in desk.book.commit([limit(desk.trader, "A2")])] == [None]

"""Test place_many, get_many, fill_many, apply and apply_many: one outcome for each item, in the order given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import Cancel, Expire, FillResult, Order, OrderResult, OrderStatus, Reject, Replace
from slotbook.models.errors import DuplicateOrder, InvalidArgument, OrderClosed, OrderNotFound, Overfill, SlotbookError
from slotbook.models.results import Outcome
from slotbook.repositories.changes.engine import STEPS_AT_ONCE, Chunk
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.orders.verbs import PLACE
from slotbook.topology.call import Call, CallBuilder

from ..support.desk import Desk
from ..support.faults.control import wait_until
from ..support.make import execution, limit


def errors(outcomes: Sequence[Outcome[OrderResult | FillResult]]) -> list[type[SlotbookError] | None]:
    return [None if outcome.error is None else type(outcome.error) for outcome in outcomes]


def test_orders_of_many_traders_are_placed_and_returned_in_the_order_given(desk: Desk) -> None:
    traders = [desk.another() for _ in range(40)]
    orders = [limit(trader, f"A{number}", quantity=number + 1) for number in range(5) for trader in traders]
    placed = desk.book.orders.place_many(orders)
    assert [outcome.result().order for outcome in placed] == [
        order.model_copy(update={"version": 1}) for order in orders
    ]
    got = desk.book.orders.get_many([(order.trader, order.order_id) for order in orders])
    assert [outcome.result() for outcome in got] == [outcome.result().order for outcome in placed]


def test_each_item_has_its_own_outcome(desk: Desk) -> None:
    orders = [
        limit(desk.trader, "A1"),
        limit(desk.trader, "A1", quantity=5),
        limit(desk.trader, "A1"),
        limit(desk.trader, "A2"),
    ]
    outcomes = desk.book.orders.place_many(orders)
    assert errors(outcomes) == [None, DuplicateOrder, None, None]
    assert [outcome.value and outcome.value.applied for outcome in outcomes] == [True, None, False, True]
    with pytest.raises(DuplicateOrder):
        outcomes[1].result()


def test_get_many_returns_none_for_orders_that_do_not_exist(desk: Desk) -> None:
    placed = desk.book.orders.place(limit(desk.trader)).order
    outcomes = desk.book.orders.get_many([(desk.trader, "A0"), (desk.trader, "A1"), (desk.another(), "A1")])
    assert [outcome.result() for outcome in outcomes] == [None, placed, None]


def test_fills_of_one_order_are_applied_in_the_order_given(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    fills = [execution(desk.trader, f"X{number}", 30) for number in range(5)]
    outcomes = desk.book.orders.fill_many([*fills, fills[0]])
    assert errors(outcomes) == [None, None, None, Overfill, Overfill, None]
    assert [outcome.value.order.filled_quantity for outcome in outcomes if outcome.value] == [30, 60, 90, 30]
    assert [outcome.value.applied for outcome in outcomes if outcome.value] == [True, True, True, False]


def test_a_journal_of_everything_is_applied_in_its_order(desk: Desk) -> None:
    trader = desk.trader
    outcomes = desk.book.orders.apply_many(
        [
            limit(trader, "A1"),
            limit(trader, "A2"),
            limit(trader, "A3"),
            limit(trader, "A4"),
            execution(trader, "X1", 40, order_id="A1"),
            Replace(trader=trader, order_id="A1", quantity=50),
            execution(trader, "X2", 10, order_id="A1"),
            Cancel(trader=trader, order_id="A1"),
            Cancel(trader=trader, order_id="A2"),
            execution(trader, "X3", 5, order_id="A2"),
            Reject(trader=trader, order_id="A3"),
            Expire(trader=trader, order_id="A4"),
            Expire(trader=trader, order_id="A5"),
        ]
    )
    assert [type(outcome.error) if outcome.error else outcome.result().order.status for outcome in outcomes] == [
        OrderStatus.NEW,
        OrderStatus.NEW,
        OrderStatus.NEW,
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
        OrderClosed,
        OrderStatus.CANCELED,
        OrderStatus.CANCELED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
        OrderNotFound,
    ]
    assert desk.book.positions.get(trader, "AAPL").quantity == 55


def test_a_batch_leaves_the_events_of_a_trader_in_the_order_given(desk: Desk) -> None:
    trader = desk.trader
    desk.book.orders.place_many([limit(trader, "A1"), limit(trader, "A2")])
    outcomes = desk.book.orders.apply_many(
        [
            execution(trader, "X1", 1, order_id="A1"),
            execution(trader, "X2", 1, order_id="A1"),
            execution(trader, "X3", 1, order_id="A2"),
            execution(trader, "X4", 1, order_id="A1"),
            Cancel(trader=trader, order_id="A2"),
        ]
    )
    assert [outcome.result().sequence for outcome in outcomes] == [3, 4, 5, 6, 7]
    assert [event.exec_id for event in desk.events()[2:]] == ["X1", "X2", "X3", "X4", None]


def test_a_journal_applied_again_changes_nothing(desk: Desk) -> None:
    journal = [
        limit(desk.trader),
        execution(desk.trader, "X1", 40),
        Replace(trader=desk.trader, order_id="A1", quantity=70),
        Cancel(trader=desk.trader, order_id="A1"),
    ]
    first = desk.book.orders.apply_many(journal)
    before = desk.contents()
    again = desk.book.orders.apply_many(journal)
    assert desk.contents() == before
    assert [outcome.result().applied for outcome in first] == [True] * 4
    assert [outcome.result().applied for outcome in again] == [False] * 4


def test_apply_answers_as_the_verb_does(desk: Desk) -> None:
    orders = desk.book.orders
    placed = orders.apply(limit(desk.trader))
    assert isinstance(placed, OrderResult)
    assert (placed.applied, placed.sequence, placed.order.version) == (True, 1, 1)
    filled = orders.apply(execution(desk.trader))
    assert isinstance(filled, FillResult)
    assert (filled.applied, filled.sequence, filled.position.quantity) == (True, 2, 40)
    with pytest.raises(OrderNotFound):
        orders.apply(Cancel(trader=desk.trader, order_id="A9"))


def test_an_empty_batch_has_no_outcomes(desk: Desk) -> None:
    assert desk.book.orders.place_many([]) == []
    assert desk.book.orders.get_many([]) == []
    assert desk.book.orders.apply_many([]) == []
    assert desk.book.positions.get_many([]) == []


def test_an_order_that_cannot_be_placed_stops_the_batch_before_it_is_sent(desk: Desk) -> None:
    with pytest.raises(InvalidArgument):
        desk.book.orders.place_many([limit(desk.trader, "A1"), limit(desk.trader, "A2", status="FILLED")])
    assert desk.contents() == {}


def test_an_order_that_is_not_new_stops_a_long_batch_before_any_of_it_is_sent(desk: Desk) -> None:
    orders = [limit(desk.trader, f"A{number}") for number in range(200)]
    placed = orders[-1].model_copy(update={"version": 1})
    for send in (desk.book.orders.place_many, desk.book.orders.apply_many):
        with pytest.raises(InvalidArgument, match="not new"):
            send([*orders[:-1], placed])
    with pytest.raises(InvalidArgument, match="not a Fill"):
        desk.book.orders.fill_many([execution(desk.trader), *orders])  # type: ignore[list-item]
    assert desk.contents() == {}


class InterruptedBuilder:
    """Builds the calls of new orders of one trader; before the last call it does something else."""

    def __init__(self, book: Book, orders: Sequence[Order], before_the_last: Callable[[], object]) -> None:
        self._calls = OrderCalls(book.backend.settings, LossDetector())
        self._last = orders[-1]
        self._before_the_last = before_the_last
        builder = cast("CallBuilder[object]", self)
        grouped = self._calls.grouped(self._calls.checked(orders, PLACE))
        self._builder = grouped.calls[0].builder
        self.pending_calls = [replace(pending, builder=builder) for pending in grouped.calls]

    def change(self, request: Chunk, /) -> Call[object]:
        if request.steps[-1].request is self._last:
            self._before_the_last()
        return self._builder.change(request)


@pytest.mark.parametrize("desk", [("standalone", "sync"), ("cluster", "sync")], indirect=True)
def test_the_first_of_a_batch_are_applied_while_the_last_are_built(desk: Desk) -> None:
    def applied() -> None:
        wait_until(lambda: desk.ask("EXISTS", "%:order:A0") == 1, "the first is applied")

    orders = [limit(desk.trader, f"A{number}") for number in range(1_000)]
    outcomes = desk.book.backend.run_many(InterruptedBuilder(desk.book, orders, applied).pending_calls)
    whole, rest = divmod(len(orders), STEPS_AT_ONCE)
    assert [errors(outcome.result()) for outcome in outcomes] == [[None] * STEPS_AT_ONCE] * whole + [[None] * rest]


@pytest.mark.parametrize("desk", [("standalone", "sync"), ("cluster", "sync")], indirect=True)
def test_a_call_that_cannot_be_built_leaves_no_reply_to_another_caller(desk: Desk) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    orders = [limit(desk.trader, f"A{number}") for number in range(200)]
    with pytest.raises(ZeroDivisionError):
        desk.book.backend.run_many(InterruptedBuilder(desk.book, orders, fail).pending_calls)
    placed = [outcome.result().order.order_id for outcome in desk.book.orders.place_many(orders)]
    assert placed == [order.order_id for order in orders]

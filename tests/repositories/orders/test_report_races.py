"""Test reports whose order others change meanwhile, whose reply is lost, and whose change too few confirm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import ExecType, ExecutionReport, Order, Outcome, ReportResult, errors
from slotbook.models.errors import SlotbookError, VersionConflict
from slotbook.repositories.changes.fence import NO_FENCE
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.orders.venue_reports.calls import TRIES, ReportCalls, ReportSteps, advance

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.relay import Relay
from ...support.venue_reports import report, trade


@pytest.fixture
def relay(lone_desk: Desk) -> Iterator[Relay]:
    with Relay(lone_desk.fleet) as running:
        yield running


@pytest.fixture
def far(lone_desk: Desk, relay: Relay) -> Iterator[Book]:
    """Yield a book behind the relay, which has loaded its scripts."""
    with open_book(relay.url, lone_desk.caller, lone_desk.runner) as book:
        book.orders.place(limit(lone_desk.trader, "warm", quantity=500))
        for told in (
            trade(lone_desk.trader, "W1", 10, 10, 500, "warm"),
            trade(lone_desk.trader, "W2", 10, 20, 600, "warm"),
            report(lone_desk.trader, "W3", "RESTATED", "PARTIALLY_FILLED", "warm", quantity=700),
        ):
            book.orders.apply(told)
        book.orders.place(limit(lone_desk.trader))
        relay.quiet_time, relay.bursts = 0.02, 0
        yield book


def told_of(trader: str) -> dict[str, tuple[ExecutionReport, int]]:
    """Return reports, and the round trips that each takes."""
    return {
        "a fill": (trade(trader, "X1"), 1),
        "a fill again": (trade(trader, "X1"), 1),
        "a fill with another quantity": (trade(trader, "X2", 10, 50, 150), 3),
        "any other": (report(trader, "E1", "RESTATED", "PARTIALLY_FILLED", quantity=160), 2),
        "a question": (report(trader, "E2", "ORDER_STATUS", "PARTIALLY_FILLED", quantity=160), 1),
    }


def test_round_trips_are_as_said(lone_desk: Desk, relay: Relay, far: Book) -> None:
    for name, (told, trips) in told_of(lone_desk.trader).items():
        relay.bursts = 0
        assert far.orders.apply(told).differences == (), name
        assert relay.bursts == trips, name


def test_a_lost_reply_does_not_double_a_report(lone_desk: Desk, relay: Relay, far: Book) -> None:
    trader = lone_desk.trader
    for number, told in enumerate(
        [
            trade(trader, "X1"),
            trade(trader, "X2", 10, 50, 150),
            report(trader, "E1", "RESTATED", "PARTIALLY_FILLED", quantity=160),
            report(trader, "E2", "PENDING_CANCEL", "PENDING_CANCEL", quantity=170, client_order_id="C2"),
        ]
    ):
        relay.lose_replies = 3 - number % 2
        assert far.orders.apply(told).differences == ()
        relay.lose_replies = 0
    assert [one.exec_id for one in lone_desk.book.orders.fills(trader, "A1")] == ["X1", "X2"]
    mine = [one.type for one in lone_desk.events() if one.order_id == "A1"]
    assert mine == ["NEW", "TRADE", "RESTATED", "TRADE", "RESTATED", "RESTATED", "PENDING_CANCEL"]


def steps_of(desk: Desk, told: ExecutionReport, *, external: bool = False) -> ReportSteps[Order]:
    """Return the calls of a report, to be carried out one by one."""
    detector, found = LossDetector(), desk.book.backend.settings
    calls = OrderCalls(found, detector)
    return ReportCalls(calls, found, detector, NO_FENCE, Order).steps(told, external=external)


def carried_out(
    desk: Desk, steps: ReportSteps[Order], meanwhile: Callable[[int], object]
) -> tuple[ReportResult | SlotbookError | None, int]:
    """Carry out a report while something else happens before each change; return what comes of it, and the changes."""
    answer: Outcome[object] | None = None
    changes = 0
    while True:
        following = advance(steps, answer)
        if isinstance(following, Outcome):
            return following.value or following.error, changes
        if not following.readonly:
            meanwhile(changes)
            changes += 1
        try:
            answer = Outcome[object](desk.book.backend.run(following))
        except SlotbookError as error:
            answer = Outcome[object](error=error)


def test_an_order_that_changes_meanwhile_is_read_again(lone_desk: Desk) -> None:
    desk, told = lone_desk, report(lone_desk.trader, "E1", "CANCELED", "CANCELED", quantity=150)
    desk.book.orders.place(limit(desk.trader))

    def fill_twice(number: int) -> None:
        if number < 2:
            desk.book.orders.fill(execution(desk.trader, f"X{number}", 10))

    result, changes = carried_out(desk, steps_of(desk, told), fill_twice)
    assert isinstance(result, ReportResult)
    assert (changes, result.order.status, result.order.filled_quantity) == (3, "CANCELED", 20)
    assert [one.type for one in result.changes] == ["RESTATED", "CANCELED"]


def test_an_order_that_always_changes_is_given_up_with_nothing_changed(lone_desk: Desk) -> None:
    desk, told = lone_desk, report(lone_desk.trader, "E1", "CANCELED", "CANCELED")
    desk.book.orders.place(limit(desk.trader))
    found, changes = carried_out(
        desk, steps_of(desk, told), lambda number: desk.book.orders.fill(execution(desk.trader, f"X{number}", 1))
    )
    assert isinstance(found, VersionConflict)
    assert "apply the report again" in str(found)
    assert (changes, {one.type for one in desk.events()}) == (TRIES, {"NEW", "TRADE"})


@pytest.mark.parametrize("ordered", [100, 150], ids=lambda quantity: f"another-of-{quantity}")
def test_two_processes_open_one_order(lone_desk: Desk, ordered: int) -> None:
    desk, told = lone_desk, trade(lone_desk.trader, "X1")
    other = trade(desk.trader, "X2", 10, 10, ordered)

    def open_it(number: int) -> None:
        if number == 1:  # the first change has found no order
            desk.book.orders.apply(other, external=True)

    result, _ = carried_out(desk, steps_of(desk, told, external=True), open_it)
    assert isinstance(result, ReportResult)
    assert (result.order.filled_quantity, result.order.quantity) == (50, ordered)
    assert len([one for one in desk.events() if one.type == "NEW"]) == 1


def test_two_processes_receive_one_report(lone_desk: Desk) -> None:
    desk = lone_desk
    desk.book.orders.place(limit(desk.trader))
    for told in (
        trade(desk.trader, "X1", 40, 40, 150),
        report(desk.trader, "E1", "RESTATED", "PARTIALLY_FILLED", quantity=170),
    ):
        first: list[ReportResult] = []

        def apply_too(number: int, told: ExecutionReport = told, first: list[ReportResult] = first) -> None:
            if number == (told.exec_type is ExecType.TRADE):
                first.append(desk.book.orders.apply(told))

        result, _ = carried_out(desk, steps_of(desk, told), apply_too)
        assert isinstance(result, ReportResult)
        assert (first[0].applied, result.applied, result.order) == (True, False, first[0].order)


def result_of(error: errors.UnderReplicated) -> ReportResult:
    """Return the result of a report that was applied, and confirmed by too few."""
    given = error.result
    assert isinstance(given, ReportResult)
    return cast("ReportResult", given)


def test_an_error_after_the_change_has_its_result(lone_desk: Desk) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader))
    with pytest.raises(errors.UnderReplicated) as raised:
        lone_desk.book.orders.apply(trade(lone_desk.trader), durability="replicated=1")
    assert result_of(raised.value).order.filled_quantity == 40
    told = report(lone_desk.trader, "E1", "RESTATED", "PARTIALLY_FILLED", quantity=160)
    (outcome,) = lone_desk.book.orders.apply_many([told], durability="replicated=1")
    assert isinstance(outcome.error, errors.UnderReplicated)
    assert result_of(outcome.error).order.quantity == 160

"""Test what a reader of the engine once found wrong: each of these tests has failed before it was repaired."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import Cancel, Order, OrderResult, Outcome, PositionChange, PositionResult
from slotbook.models.errors import CorruptRecord, InvalidArgument, OrderNotFound, UnderReplicated, VersionConflict
from slotbook.models.position import Position
from slotbook.models.results import first_result

from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.make import execution, limit

TOO_MANY = "replicated=99"
"""More copies than there are, so that a server waits for as long as it may."""


def test_a_refusal_is_not_made_good_by_proving_what_came_after_it(desk: Desk) -> None:
    """Let a batch on one server end with a trader who has no book, in which no field can be written back."""
    book, other = desk.open(replication_wait=0.05), desk.another()
    refused, placed, missing = book.orders.apply_many(
        [Cancel(trader=desk.trader, order_id="A1"), limit(desk.trader), Cancel(trader=other, order_id="A1")],
        durability=TOO_MANY,
    )
    assert isinstance(refused.error, OrderNotFound)
    assert isinstance(placed.error, UnderReplicated)
    assert isinstance(missing.error, OrderNotFound)
    order = book.orders.get(desk.trader, "A1")
    assert order is not None
    assert order.status == "NEW"
    assert not desk.contents(other)


def test_a_step_that_was_refused_is_not_applied_when_its_batch_is_sent_again(desk: Desk) -> None:
    """Cut the connection while the server waits for copies; then the cancel would find the order placed after it."""
    book = desk.open(replication_wait=2, deadline=20, socket_timeout=10)
    book.orders.apply_many([limit(desk.trader, "A0"), Cancel(trader=desk.trader, order_id="A0")])  # loads the script
    found: list[Outcome[OrderResult]] = []

    def send() -> None:
        requests = [Cancel(trader=desk.trader, order_id="A1"), limit(desk.trader)]
        found.extend(cast("list[Outcome[OrderResult]]", book.orders.apply_many(requests, durability=TOO_MANY)))

    def is_cut() -> bool:
        lines = str(desk.ask("CLIENT", "LIST", "TYPE", "NORMAL")).splitlines()
        waiting = [line for line in lines if " flags=b " in line and " cmd=wait " in line]
        killed = [desk.ask("CLIENT", "KILL", "ID", line.split(" ")[0].removeprefix("id=")) for line in waiting]
        return 1 in killed

    thread = threading.Thread(target=send)
    thread.start()
    wait_until(is_cut, "the change waits for its copies", 10)
    thread.join(30)
    canceled, placed = found
    assert isinstance(canceled.error, OrderNotFound)
    assert isinstance(placed.error, UnderReplicated)
    assert cast("OrderResult", placed.error.result).order.status == "NEW"
    order = book.orders.get(desk.trader, "A1")
    assert order is not None
    assert order.status == "NEW"


def test_the_first_of_two_results_counts_if_the_change_is_still_there() -> None:
    order = limit("T1")
    first = OrderResult(order, applied=True, sequence=1)
    again = OrderResult(order, applied=False, sequence=1)
    beyond = PositionResult(Position.flat("T1", "AAPL"), applied=False, accepted=False, sequence=0)
    gone = Outcome[object](error=OrderNotFound("gone"))
    assert first_result(first, again) is first
    assert first_result([first, first], [again, again]) == [first, first]
    outcomes: list[Outcome[object]] = [Outcome(first), Outcome(first), gone, Outcome(first)]
    later: list[Outcome[object]] = [Outcome(again), gone, Outcome(again), Outcome(beyond)]
    assert first_result(outcomes, later) == [Outcome(first), gone, Outcome(again), Outcome(beyond)]


def test_a_snapshot_ends_when_the_header_is_behind_its_stream(desk: Desk) -> None:
    """A user who may append an event, but not write the rest, leaves the header behind."""
    desk.book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(450)])
    desk.vandalise("HSET", "%:book", "sequence", "1")
    found = desk.open().snapshot(desk.trader)
    assert (found.sequence, len(found.orders)) == (450, 450)


def test_a_unit_can_expect_the_last_event_when_the_header_is_behind_its_stream(desk: Desk) -> None:
    desk.book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(3)])
    desk.vandalise("HSET", "%:book", "sequence", "1")
    book = desk.open()
    with pytest.raises(VersionConflict, match="the book is at sequence 3"):
        book.commit([limit(desk.trader, "B1")], expected_sequence=1)
    with pytest.raises(VersionConflict, match="the book is at sequence 3"):
        book.commit([limit(desk.trader, "B1")], expected_sequence=2)
    (placed,) = book.commit([limit(desk.trader, "B1")], expected_sequence=book.snapshot(desk.trader).sequence)
    assert placed.sequence == 4
    assert desk.ask("HGET", "%:book", "sequence") == "4"


def test_a_repeat_is_answered_when_header_and_stream_are_gone(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    first = desk.book.orders.cancel(desk.trader, "A1", request_id="C1")
    desk.vandalise("DEL", "%:book", "%:events")
    again = desk.open().orders.cancel(desk.trader, "A1", request_id="C1")
    assert (again.order, again.applied, again.sequence) == (first.order, False, 2)


def test_a_book_without_a_header_acknowledges_no_event_of_nobody(desk: Desk) -> None:
    """An answer without a header is not told later as if its event had been lost."""
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.place(limit(desk.trader, "A2"))
    desk.vandalise("DEL", "%:book")
    book = desk.open()
    assert not book.orders.place(limit(desk.trader)).applied
    assert desk.book.orders.place(limit(desk.trader, "A3")).sequence == 3
    assert book.orders.place(limit(desk.trader, "A4")).sequence == 4
    assert book.losses() == []


@pytest.mark.parametrize("value", ["", "1 2", "1.50", "-1", "-0.5", "1" + "0" * 36])
def test_an_open_quantity_that_is_no_number_is_corrupt(desk: Desk, value: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.vandalise("HSET", "%:position:AAPL", "open_buy_quantity", value)
    before = desk.contents()
    with pytest.raises(CorruptRecord, match="open_buy_quantity"):
        desk.book.orders.place(limit(desk.trader, "A2"))
    assert desk.contents() == before


@pytest.mark.parametrize(
    "later",
    [
        {"filled_notional": Decimal(3)},
        {"placed_price": Decimal(0)},
        {"placed_stop_price": Decimal(1)},
        {"revision": 0},
        {"updated_ns": 0},
    ],
    ids=lambda later: next(iter(later)),
)
def test_an_order_that_has_what_only_changes_give_is_not_placed(desk: Desk, later: dict[str, object]) -> None:
    """Refuse what the book would not store, in place of a result that has it."""
    order: Order = limit(desk.trader, **later)
    with pytest.raises(InvalidArgument, match="the order is not new"):
        desk.book.orders.place(order)
    with pytest.raises(InvalidArgument, match="the order is not new"):
        desk.book.commit([order])
    assert not desk.contents()


@pytest.mark.parametrize("rare", ["garbage", "[1]", "{}", '["only one"]', "[1,2,3,4,5,6]"])
def test_what_is_remembered_of_a_change_may_be_corrupt(desk: Desk, rare: str) -> None:
    """One such record does not fail the other changes of a batch."""
    fill, request = execution(desk.trader), Cancel(trader=desk.trader, order_id="A1", request_id="C1")
    desk.book.commit([limit(desk.trader), fill, request])
    desk.vandalise("HSET", "%:order:A1", "fill:X1", f"2 40 187.22|{rare}")
    desk.vandalise("HSET", "%:applied:A1", "request:C1", f"3 CANCELED|{rare}")
    for repeat in (fill, request):
        with pytest.raises(CorruptRecord):
            desk.book.orders.apply(repeat)
    filled, canceled, placed = desk.book.orders.apply_many([fill, request, limit(desk.trader, "A2")])
    assert isinstance(filled.error, CorruptRecord)
    assert isinstance(canceled.error, CorruptRecord)
    assert placed.result().applied


@pytest.mark.parametrize("totals", ["", "1", "1 2 3 4 five"])
def test_the_event_of_a_position_may_be_corrupt(desk: Desk, totals: str) -> None:
    change = PositionChange(trader=desk.trader, symbol="AAPL", quantity=5, request_id="P1")
    desk.book.positions.apply_many([change])
    desk.vandalise("DEL", "%:events")
    event = ("writer", "0", "count", "1", "type", "POSITION", "ts_ns", "1", "symbol", "AAPL", "request_id", "P1")
    desk.vandalise("XADD", "%:events", "1-0", *event, "position_quantity", "5", "totals", totals)
    (outcome,) = desk.open().positions.apply_many([change])
    assert isinstance(outcome.error, CorruptRecord)


@pytest.mark.parametrize("repeat", ["fill", "adjust"])
def test_an_order_placed_before_a_repeat_of_its_position_is_counted(lone_desk: Desk, repeat: str) -> None:
    """The order needs only what is open of the position, and the repeat, which changes nothing, all of it."""
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    book.positions.adjust(trader, "AAPL", 5, request_id="R1")
    again = (
        execution(trader)
        if repeat == "fill"
        else PositionChange(trader=trader, symbol="AAPL", quantity=5, request_id="R1")
    )
    placed, repeated = book.commit([limit(trader, "A2", quantity=7), again])
    assert (placed.applied, repeated.applied) == (True, False)
    assert lone_desk.ask("HMGET", "%:position:AAPL", "open_buy_quantity", "quantity") == ["67", "45"]


def test_a_step_that_is_out_of_date_refuses_no_unit(lone_desk: Desk) -> None:
    """Another request has done what it asks for."""
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place(limit(trader))
    book.orders.cancel(trader, "A1", request_id="C1")
    outdated, placed = book.commit([Cancel(trader=trader, order_id="A1", request_id="C2"), limit(trader, "A2")])
    assert (outdated.applied, outdated.sequence, placed.applied) == (False, 0, True)

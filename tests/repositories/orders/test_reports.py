"""Test the verbs that record what a venue says of an order: one effect and one event each, repeats, and refusals."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from slotbook.models import (
    Accept,
    Calculate,
    CancelReject,
    DoneForDay,
    OrderEvent,
    PendingCancel,
    PendingReplace,
    Replace,
    Restate,
    Stop,
    Suspend,
)
from slotbook.models.errors import DuplicateRequest, OrderClosed, OrderMismatch, OrderNotFound
from slotbook.models.record import Record
from slotbook.repositories.orders.verbs import ORDER_VERBS, OrderRequest

from ...support.desk import Desk
from ...support.make import TS, execution, limit

Values: TypeAlias = "dict[str, object]"
ANSWERED: Values = {"client_order_id": "C2", "original_client_order_id": "A1"}
ASKED: Values = {"quantity": 150, "price": "187.5"}
GIVEN: dict[type[Record], Values] = {
    Accept: {"status": "NEW"},
    PendingCancel: ANSWERED,
    PendingReplace: {**ANSWERED, **ASKED},
    CancelReject: {**ANSWERED, "status": "NEW"},
    DoneForDay: {},
    Stop: ASKED,
    Suspend: {},
    Restate: {"quantity": 90, "price": "188"},
    Calculate: {"client_order_id": "C2"},
}
"""What a report of each kind says, beside what every one can say."""
LEAVES: dict[type[Record], Values] = {
    Accept: {"marks": None},
    PendingCancel: {
        "status": "PENDING_CANCEL",
        "pending": f'[["PENDING_CANCEL","C2","{TS + 7}","","","","why\\/not"]]',
    },
    PendingReplace: {
        "status": "PENDING_REPLACE",
        "pending": f'[["PENDING_REPLACE","C2","{TS + 7}","150","187.5","","why\\/not"]]',
    },
    CancelReject: {},
    DoneForDay: {"status": "DONE_FOR_DAY", "marks": "DONE_FOR_DAY"},
    Stop: {"status": "STOPPED", "marks": "STOPPED"},
    Suspend: {"status": "SUSPENDED", "marks": "SUSPENDED"},
    Restate: {"quantity": 90, "price": 188, "placed_quantity": 100, "placed_price": limit("T").price},
    Calculate: {"status": "CALCULATED"},
}
"""What it changes of an order for 100, beside text, version and time."""
OTHER: Values = {
    **{"client_order_id": "C3", "original_client_order_id": "A2", "reason": "2", "status": "PENDING_NEW"},
    **{"quantity": 151, "price": "187.6", "stop_price": "1", "venue_order_id": "V2"},
}
VERBS = {verb.request: verb for verb in ORDER_VERBS}
every_report = pytest.mark.parametrize("kind", GIVEN, ids=lambda kind: kind.__name__)


def report(kind: type[Record], trader: str, /, **changes: object) -> OrderRequest:
    given: Values = {"trader": trader, "order_id": "A1", "request_id": "R1", "ts_ns": TS + 7, "text": "why/not"}
    return kind.model_validate({**given, "reason": "1", **GIVEN[kind], **changes})  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


def place(desk: Desk, kind: type[Record]) -> None:
    status = "PENDING_NEW" if kind is Accept else "NEW"
    desk.book.orders.place(limit(desk.trader, status=status, type="STOP_LIMIT", stop_price="2", text="new"))


@every_report
def test_it_changes_what_it_says_and_leaves_one_event(desk: Desk, kind: type[Record]) -> None:
    place(desk, kind)
    before = desk.book.orders.get(desk.trader, "A1")
    assert before is not None
    done = desk.book.orders.apply(report(kind, desk.trader))
    later: Values = {"text": "why/not", "version": 2, "updated_ns": TS + 7, "status": "NEW"}
    if kind is Restate:
        later["placed_stop_price"] = 2
    if "client_order_id" in GIVEN[kind]:
        later["aliases"] = 1
    assert done.order == before.model_copy(update={**later, **LEAVES[kind]})
    assert (done.applied, done.sequence) == (True, 2)
    assert desk.book.orders.get(desk.trader, "A1") == done.order
    [_, event] = desk.events()
    restated = kind is Restate
    said: Values = {} if restated else {f"requested_{one}": value for one, value in GIVEN[kind].items() if one in ASKED}
    said |= {one: GIVEN[kind].get(one) for one in ANSWERED}
    is_over = kind is DoneForDay
    expected = OrderEvent.model_validate(
        {
            **{"trader": desk.trader, "sequence": 2, "type": VERBS[kind].event, "ts_ns": TS + 7, "symbol": "AAPL"},
            **{"order_id": "A1", "side": "BUY", "status": done.order.status, "quantity": done.order.quantity},
            **{"price": done.order.price, "filled_quantity": 0, "request_id": "R1", "text": "why/not", "reason": "1"},
            **{"open_quantity": 0 if is_over else None, "writer": event.writer, **said},
        }
    )
    assert event == expected
    assert desk.book.audit.verify(desk.trader) == []


@every_report
def test_a_method_says_all_that_its_request_says(desk: Desk, kind: type[Record]) -> None:
    place(desk, kind)
    request = report(kind, desk.trader, venue_order_id="V1", symbol="AAPL", side="BUY")
    said = request.model_dump(exclude={"trader", "order_id"}, exclude_none=True)
    method = getattr(desk.book.orders, VERBS[kind].name)
    if kind is Calculate:
        said = {name: value for name, value in said.items() if name not in ("venue_order_id", "symbol", "side")}
        request = report(kind, desk.trader)
    assert method(desk.trader, "A1", **said).applied
    again = desk.book.orders.apply(request)
    assert (again.applied, again.sequence) == (False, 2)
    wrong = [{"side": "SELL"}, {"symbol": "MSFT"}] if kind is not Calculate else []
    for contradiction in wrong:
        with pytest.raises(OrderMismatch):
            method(desk.trader, "A1", **{**said, **contradiction})


def test_only_the_first_acceptance_changes_an_order(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader, status="PENDING_NEW"))
    accepted = orders.accept(trader, "A1", request_id="R1").order
    before = lone_desk.contents()
    again = orders.accept(trader, "A1", request_id="R2")
    assert (again.applied, again.sequence, again.order, lone_desk.contents()) == (False, 0, accepted, before)


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ({"type": "MARKET", "price": None}, "price"),
        ({"type": "MARKET", "price": None}, "stop_price"),
        ({}, "stop_price"),
        ({"type": "STOP", "price": None, "stop_price": "1"}, "price"),
    ],
    ids=str,
)
def test_a_replace_cannot_ask_for_a_price_that_the_order_cannot_have(lone_desk: Desk, terms: Values, name: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader, **terms))
    before = lone_desk.contents()
    with pytest.raises(OrderMismatch, match=f"takes no {name}"):
        orders.apply(
            PendingReplace.model_validate({"trader": trader, "order_id": "A1", "client_order_id": "C", name: 5})
        )
    assert lone_desk.contents() == before
    orders.place(limit(trader, "A2", type="TRAILING_STOP_LIMIT", price=None))
    asked = orders.pending_replace(trader, "A2", client_order_id="D", price="5", stop_price="4").order.pending_requests
    assert [(one.price, one.stop_price) for one in asked] == [("5", "4")]


@every_report
def test_the_same_again_is_answered_with_the_first_result(lone_desk: Desk, kind: type[Record]) -> None:
    place(lone_desk, kind)
    first = lone_desk.book.orders.apply(report(kind, lone_desk.trader))
    lone_desk.book.orders.fill(execution(lone_desk.trader))  # late, if need be
    lone_desk.book.orders.cancel_reject(lone_desk.trader, "A1")
    before = lone_desk.contents()
    again = lone_desk.book.orders.apply(report(kind, lone_desk.trader, ts_ns=TS + 9, text="later"))
    assert (again.applied, again.sequence, again.order) == (False, first.sequence, first.order)
    assert lone_desk.contents() == before


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in GIVEN for name in OTHER if name in kind.model_fields],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
@pytest.mark.parametrize("is_left_out", [False, True])
def test_a_request_id_with_another_content_is_refused(
    lone_desk: Desk, kind: type[Record], name: str, *, is_left_out: bool
) -> None:
    place(lone_desk, kind)
    request = report(kind, lone_desk.trader)
    was = getattr(request, name)
    if is_left_out and (was is None or kind.model_fields[name].is_required()):
        return
    lone_desk.book.orders.apply(request)
    before = lone_desk.contents()
    with pytest.raises(DuplicateRequest, match="another change of this order"):
        lone_desk.book.orders.apply(report(kind, lone_desk.trader, **{name: None if is_left_out else OTHER[name]}))
    assert lone_desk.contents() == before


@every_report
def test_a_request_id_of_another_verb_is_refused(lone_desk: Desk, kind: type[Record]) -> None:
    for other in GIVEN:
        if other is kind:
            continue
        lone_desk.trader = lone_desk.another()
        place(lone_desk, kind)
        lone_desk.book.orders.apply(report(kind, lone_desk.trader))
        before = lone_desk.contents()
        with pytest.raises(DuplicateRequest, match="another change of this order"):
            lone_desk.book.orders.apply(report(other, lone_desk.trader))
        assert lone_desk.contents() == before


@every_report
def test_an_order_that_is_not_there_is_not_made(desk: Desk, kind: type[Record]) -> None:
    with pytest.raises(OrderNotFound, match=f"{desk.trader}/A1"):
        desk.book.orders.apply(report(kind, desk.trader))
    assert desk.contents() == {}


def test_a_pending_request_told_again_changes_nothing_and_with_other_terms_is_refused(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, type="PEGGED"))
    asked = orders.pending_replace(trader, "A1", client_order_id="C2", quantity=150).order
    before = desk.contents()
    for terms in ({}, {"quantity": 150}):
        again = orders.pending_replace(trader, "A1", client_order_id="C2", **terms)  # type: ignore[arg-type]
        assert (again.applied, again.order) == (False, asked)
    for terms in ({"quantity": 151}, {"quantity": 150, "price": 1}, {"price": "187.5"}):
        with pytest.raises(DuplicateRequest, match="client_order_id C2 asks for something else already"):
            orders.pending_replace(trader, "A1", client_order_id="C2", **terms)  # type: ignore[arg-type]
    with pytest.raises(DuplicateRequest, match="client_order_id C2 asks for something else already"):
        orders.pending_cancel(trader, "A1", client_order_id="C2")
    assert desk.contents() == before
    orders.pending_cancel(trader, "A1", client_order_id="C3")
    with pytest.raises(DuplicateRequest):
        orders.pending_replace(trader, "A1", client_order_id="C3")


def test_an_answer_takes_the_request_that_it_names_and_no_other(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    for number in (1, 2, 3):
        orders.pending_replace(trader, "A1", client_order_id=f"C{number}", quantity=100 + number)
    orders.pending_cancel(trader, "A1", client_order_id="C4")
    [order] = orders.in_flight(trader)
    before = desk.contents()
    for answer in (Replace(trader=trader, order_id="A1", quantity=7), CancelReject(trader=trader, order_id="A1")):
        with pytest.raises(OrderMismatch, match="several requests are pending; name the client_order_id"):
            orders.apply(answer)
    assert desk.contents() == before
    rejected = orders.cancel_reject(trader, "A1", client_order_id="C2").order
    assert [one.client_order_id for one in rejected.pending_requests] == ["C1", "C3", "C4"]
    with pytest.raises(OrderMismatch, match="several requests are pending"):  # two to replace it
        orders.replace(trader, "A1", quantity=7)
    unknown = orders.cancel_reject(trader, "A1", client_order_id="C9")
    assert (unknown.applied, unknown.order.pending) == (True, rejected.pending)
    replaced = orders.replace(trader, "A1", quantity=103, client_order_id="C3").order
    assert [one.client_order_id for one in replaced.pending_requests] == ["C1", "C4"]
    assert (replaced.status, replaced.client_order_id) == ("PENDING_CANCEL", "C3")
    other = orders.replace(trader, "A1", quantity=101, client_order_id="C4").order  # which asks for something else
    assert [one.client_order_id for one in other.pending_requests] == ["C1", "C4"]
    with pytest.raises(OrderMismatch, match="several requests are pending"):  # one to replace it, one to cancel it
        orders.cancel_reject(trader, "A1")
    last = orders.replace(trader, "A1", quantity=102).order  # that of the only replace
    assert [one.client_order_id for one in last.pending_requests] == ["C4"]
    assert orders.cancel_reject(trader, "A1").order.status == "NEW"
    assert orders.in_flight(trader) == []
    assert order.pending_requests[1].quantity == "102"


def test_what_is_in_flight_is_what_waits_for_an_answer(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    for number in range(1, 8):
        orders.place(limit(trader, f"A{number}", status="PENDING_NEW" if number < 4 else "NEW"))
    orders.accept(trader, "A2")
    orders.fill(execution(trader, order_id="A3"))  # a venue that fills it has accepted it
    orders.pending_cancel(trader, "A4", client_order_id="C4")
    orders.pending_replace(trader, "A5", client_order_id="C5", quantity=7)
    orders.fill(execution(trader, order_id="A5", quantity=100))  # its answer is not there yet
    orders.pending_cancel(trader, "A6", client_order_id="C6")
    orders.cancel(trader, "A6", client_order_id="C6")
    orders.pending_cancel(trader, "A7", client_order_id="C7")
    orders.pending_cancel(trader, "A1", client_order_id="C1")
    orders.accept(trader, "A1", status="NEW")  # shows what is below, and waits all the same
    assert {one.order_id: one.status.value for one in orders.in_flight(trader)} == {
        **{"A1": "NEW", "A4": "PENDING_CANCEL", "A5": "PENDING_REPLACE", "A7": "PENDING_CANCEL"},
    }


@pytest.mark.parametrize("said", ["FILLED", "PARTIALLY_FILLED", "PENDING_NEW", "SUSPENDED", "CANCELED"])
def test_an_accepted_order_has_no_other_status_than_it_can_have(lone_desk: Desk, said: str) -> None:
    place(lone_desk, Accept)
    lone_desk.book.orders.pending_cancel(lone_desk.trader, "A1", client_order_id="C1")
    before = lone_desk.contents()
    with pytest.raises(OrderMismatch, match=f"it says {said}, and would leave the order PENDING_CANCEL"):
        lone_desk.book.orders.accept(lone_desk.trader, "A1", status=said)
    assert lone_desk.contents() == before


@pytest.mark.parametrize("end", ["cancel", "expire", "calculate"])
def test_an_end_answers_all_that_is_pending(lone_desk: Desk, end: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.suspend(trader, "A1")
    orders.pending_cancel(trader, "A1", client_order_id="C1")
    orders.pending_replace(trader, "A1", client_order_id="C2", quantity=7)
    ended = getattr(orders, end)(trader, "A1", client_order_id="C9").order
    assert (ended.marks, ended.pending, ended.open_quantity) == (None, None, 0)
    for late in (orders.pending_cancel, orders.pending_replace):
        with pytest.raises(OrderClosed):
            late(trader, "A1", client_order_id="C3")
    assert orders.cancel_reject(trader, "A1", client_order_id="C2").order.status == ended.status


@pytest.mark.parametrize("end", ["cancel", "expire", "reject"])
def test_nothing_ends_an_order_that_is_filled_while_it_waits_for_an_answer(lone_desk: Desk, end: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.pending_cancel(trader, "A1", client_order_id="C1")
    orders.fill(execution(trader, quantity=100))
    before = lone_desk.contents()
    with pytest.raises(OrderClosed):
        getattr(orders, end)(trader, "A1", client_order_id="C1")
    assert lone_desk.contents() == before
    assert orders.cancel_reject(trader, "A1", client_order_id="C1").order.status == "FILLED"


@pytest.mark.parametrize(("verb", "counts"), [("stop", True), ("suspend", False), ("done_for_day", False)])
def test_another_report_of_the_same_counts_where_it_may_guarantee_more(
    lone_desk: Desk, verb: str, *, counts: bool
) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    first = getattr(orders, verb)(trader, "A1")
    again = getattr(orders, verb)(trader, "A1", **({"quantity": 5} if counts else {}))
    assert (again.applied, again.order.marks, again.order.status) == (counts, first.order.marks, first.order.status)
    assert len(lone_desk.events()) == (3 if counts else 2)

"""Test the registry of verbs: whatever lists the verbs of orders lists all of them."""

from __future__ import annotations

from typing import get_args

import pytest
from slotbook.models import Cancel, EventType, PositionChange
from slotbook.models.errors import InvalidArgument
from slotbook.models.journal import JournalEvent, JournalRequest
from slotbook.repositories import AsyncOrderRepository, OrderRepository
from slotbook.repositories.changes import recorded
from slotbook.repositories.changes.loss_detector import LossDetector, Told
from slotbook.repositories.changes.scripts import engine
from slotbook.repositories.changes.verb import AnyVerb
from slotbook.repositories.limits.calls import LIMIT_VERBS
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.orders.verbs import FILL, ORDER_VERBS, PLACE, OrderRequest
from slotbook.repositories.positions.calls import POSITION_VERBS
from slotbook.repositories.records.verbs import OWN_VERBS
from slotbook.topology.settings import Settings

from ...support.faults.verbs import BY_NAME
from ...support.make import example
from ...support.reference import Request

REQUESTS = {verb.request for verb in ORDER_VERBS}
every_verb = pytest.mark.parametrize("verb", ORDER_VERBS, ids=lambda verb: verb.name)


class Forgetful(LossDetector):
    """Tells the same with every call, so that equal requests make equal calls."""

    def tell(self, trader: str) -> Told:
        return Told(trader, "mark", 1, ())


@pytest.fixture
def calls() -> OrderCalls:
    return OrderCalls(Settings(), Forgetful())


def test_the_type_of_requests_has_every_verb() -> None:
    assert set(get_args(OrderRequest)) == REQUESTS
    assert len(REQUESTS) == len(ORDER_VERBS)


def test_the_plain_python_book_knows_every_verb() -> None:
    assert set(get_args(Request)) == REQUESTS | {verb.request for verb in (*POSITION_VERBS, *LIMIT_VERBS)}


def test_a_journal_has_words_for_verbs_alone() -> None:
    requests = {event.request for event in JournalEvent}
    assert requests == set(get_args(JournalRequest))
    assert requests <= REQUESTS


def test_what_is_recorded_with_an_order_is_what_the_verbs_say() -> None:
    found = {verb.event for verb in ORDER_VERBS if verb is not PLACE}
    assert found | {EventType.TRADE_DETAILS} == recorded.RECORDED_EVENTS  # those of a repeat that completes a fill
    assert all(
        verb.request.model_fields.keys() & {"exec_id", "request_id"} for verb in ORDER_VERBS if verb is not PLACE
    )


def test_every_event_has_a_verb() -> None:
    found = {verb.event for verb in (*ORDER_VERBS, *POSITION_VERBS, *LIMIT_VERBS, *OWN_VERBS)}
    of_others = {EventType.PENDING_NEW, EventType.TRADE_DETAILS, EventType.LIMIT_REFUSED}  # of a place, fill or replace
    assert found == set(EventType) - of_others
    events = [verb.event for verb in ORDER_VERBS if verb.name != "accept"]  # NEW, as place
    assert len(set(events)) == len(events)


@every_verb
def test_a_verb_is_a_method_of_both_repositories(verb: AnyVerb) -> None:
    assert callable(getattr(OrderRepository, verb.name))
    assert callable(getattr(AsyncOrderRepository, verb.name))
    assert BY_NAME[verb.name].event == verb.event


@every_verb
def test_a_request_is_carried_out_by_its_verb(verb: AnyVerb, calls: OrderCalls) -> None:
    request = example(verb.request, "T1")
    call = calls.change(request)
    assert call.script is engine(verb.step)
    assert call.name.startswith(f"{verb.name} ")
    assert call.keys[0] == "{T1}:book"
    assert "{T1}:order:A1" in call.keys
    assert call.packed == calls.call(verb, request).packed == call.rebuild().packed


def test_a_class_derived_from_a_request_is_carried_out_like_it(calls: OrderCalls) -> None:
    class OwnCancel(Cancel):
        """A request of a desk's own."""

    request = OwnCancel(trader="T1", order_id="A1", ts_ns=7)
    like_it = Cancel(trader="T1", order_id="A1", ts_ns=7, request_id=request.request_id)
    assert calls.change(request).packed == calls.change(like_it).packed


def test_what_no_verb_takes_is_refused(calls: OrderCalls) -> None:
    change = PositionChange(trader="T1", symbol="AAPL", quantity=1)
    requests = " or ".join(verb.request.__name__ for verb in ORDER_VERBS)
    with pytest.raises(InvalidArgument, match=f"not an {requests}"):
        calls.change(change)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument, match="is a Cancel, not a Fill"):
        calls.checked([Cancel(trader="T1", order_id="A1")], FILL)

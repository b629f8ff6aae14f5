"""Fault "reply cut", and a slot that migrates: changes by any id of an order are made once, and every id finds it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slotbook import Book
from slotbook.models import Accept, Cancel, FillResult, Order, OrderResult, Replace
from slotbook.models.errors import OutcomeUnknown, SlotbookError, Unavailable

from ..support.faults.migration import Migration
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand, Stands
from ..support.histories import NAMES, Draft, as_answer, closings, fillings, placings, replacings, reports, revisions
from ..support.make import execution, limit
from ..support.reference import Answer, ReferenceBook, Request

Result = OrderResult[Order] | FillResult[Order]
CALLS: dict[str, Callable[[Book, str, str], Result]] = {
    "fill": lambda book, trader, name: book.orders.fill(execution(trader, order_id=name)),
    "replace": lambda book, trader, name: book.orders.apply(
        Replace(trader=trader, order_id=name, request_id="R9", quantity=80, client_order_id="C3")
    ),
    "accept": lambda book, trader, name: book.orders.apply(
        Accept(trader=trader, order_id=name, request_id="R9", venue_order_id="V2")
    ),
    "cancel": lambda book, trader, name: book.orders.apply(
        Cancel(trader=trader, order_id=name, request_id="R9", client_order_id="C3")
    ),
}


def _named(book: Book, trader: str) -> None:
    book.orders.place(limit(trader))
    book.orders.pending_replace(trader, "A1", client_order_id="C2", quantity=90)
    book.orders.replace(trader, "C2", client_order_id="C2", quantity=90, venue_order_id="V1")


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET, Do.SWALLOW], ids=["closed", "reset", "lost"])
@pytest.mark.parametrize("call", CALLS)
def test_a_change_by_another_id_is_made_once(stand: Stand, call: str, do: Do) -> None:
    book, trader = stand.open(), stand.trader
    _named(book, trader)
    stand.veil.add(Rule(do) if do is Do.SWALLOW else Rule(do, at=0))
    first = CALLS[call](book, trader, "C2")
    assert stand.veil.plan.idle
    for name in ("A1", "V1", "C2"):
        again = CALLS[call](book, trader, name)
        assert (again.applied, again.order, again.sequence) == (False, first.order, first.sequence)
    assert len(stand.kinds()) == 4
    assert book.audit.verify(trader) == []


DRAFTS: st.SearchStrategy[Draft] = st.one_of(
    placings, placings, fillings, replacings, replacings, closings, reports, revisions
)


def test_any_history_of_ids_with_cut_replies_is_that_of_a_plain_book(lone_stand: Stand) -> None:
    stand, base = lone_stand, lone_stand.trader
    book, count = stand.open(pool_size=1), [0]

    @settings(
        max_examples=40,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(st.tuples(DRAFTS, st.sampled_from([None, None, 0, 20])), min_size=5, max_size=25))
    def check(drafts: list[tuple[Draft, int | None]]) -> None:
        count[0] += 1
        stand.trader = trader = f"{base}.{count[0]}"
        reference, done = ReferenceBook(), list[Request]()
        begun: list[tuple[Draft, int | None]] = [
            ((Order, {**limit(trader, name, quantity=9).model_dump()}), None) for name in ("A1", "A2")
        ]
        for (kind, values), cut in (*begun, *drafts):
            request: Request = kind.model_validate({**values, "trader": trader})  # type: ignore[assignment]
            if cut is not None:
                stand.veil.add(Rule(Do.CUT, at=cut))
            try:
                expected: Answer | type[SlotbookError] = reference.apply(request)
            except SlotbookError as error:
                expected = type(error)
            assert _answer(book, request, expected) == expected
            done.append(request)
        for name in ("A1", "A2", "A3", *NAMES, "C4", "C5", "V3"):
            entry = reference.find(trader, name)
            assert book.orders.get(trader, name) == (entry.now if entry else None)
        assert [one for one in book.audit.verify(trader) if one.is_difference] == []

    check()
    stand.trader = base


def _answer(book: Book, request: Request, expected: Answer | type[SlotbookError]) -> Answer | type[SlotbookError]:
    """Return the answer of a book; one whose reply was lost, and that was sent again, says that it was a repeat."""
    try:
        answer = as_answer(book.orders.apply(request))  # type: ignore[arg-type]
    except SlotbookError as error:
        return type(error)
    if isinstance(expected, Answer) and expected.applied and not answer.applied:
        sequence = 0 if isinstance(request, Order) else expected.sequence
        return expected if (answer.order, answer.sequence) == (expected.order, sequence) else answer
    return answer


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
@pytest.mark.parametrize("name", ["C2", "V1"])
def test_every_id_holds_whichever_key_has_moved(stands: Stands, runner: asyncio.Runner, alone: bool, name: str) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried, base = stand.open(), stand.hurried(0.3), stand.trader
        at, keys = 0, [""]
        while at < len(keys):
            stand.trader = trader = f"{base}.{at}"
            _named(book, trader)
            book.orders.fill(execution(trader))
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            found = book.orders.get(trader, name)
            assert found is not None, keys[at]
            assert found.order_id == "A1"
            assert book.orders.get(trader, "A9") is None
            for request in (execution(trader, order_id=name), execution(trader, "X2", 5, order_id=name)):
                with contextlib.suppress(Unavailable, OutcomeUnknown):
                    hurried.orders.fill(request)
            migration.finish()
            assert not book.orders.fill(execution(trader, order_id=name)).applied
            assert book.orders.fill(execution(trader, "X2", 5, order_id=name)).order.filled_quantity == 45
            assert stand.kinds().count("TRADE") == 2, keys[at]
            migration.back()
            at += 1
        stand.trader = base
        assert at > 8

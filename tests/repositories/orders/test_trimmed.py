"""Test repeats of changes whose events are no longer kept: they are recognised, and answered with what is there now."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import Cancel, LimitsChange, PositionChange, Replace, Roll, Split, TradingChange
from slotbook.models.errors import DuplicateRequest

from ...support.desk import Desk
from ...support.histories import as_answer
from ...support.make import execution, limit
from ...support.reference import Answer, Request


def changes(trader: str) -> list[Request]:
    """Return a change of each kind that is remembered."""
    return [
        execution(trader, quantity=40),
        Replace(trader=trader, order_id="A1", request_id="R1", quantity=90, price=Decimal(188), revision=1),
        PositionChange(trader=trader, symbol="AAPL", request_id="P1", quantity=5),
        Cancel(trader=trader, order_id="A1", request_id="C1", text="enough"),
        execution(trader, "X2", 10),
    ]


def apply(desk: Desk, request: Request) -> Answer:
    if isinstance(request, PositionChange):
        return as_answer(desk.book.positions.apply_many([request])[0].result())
    assert not isinstance(request, Split | Roll | LimitsChange | TradingChange)
    return as_answer(desk.book.orders.apply(request))


def prepare(desk: Desk) -> list[Answer]:
    """Make the changes, and then others, so that the records are not as any of them has left them."""
    desk.book.orders.place(limit(desk.trader))
    first = [apply(desk, request) for request in changes(desk.trader)]
    desk.book.orders.fill(execution(desk.trader, "X3", 5))
    desk.book.positions.set(desk.trader, "AAPL", 1_000)
    return first


def test_a_repeat_gets_the_records_as_they_are_now(desk: Desk) -> None:
    first = prepare(desk)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 1)
    before = desk.contents()
    order, position = desk.book.orders.get(desk.trader, "A1"), desk.book.positions.get(desk.trader, "AAPL")
    for request, answer in zip(changes(desk.trader), first, strict=True):
        again = apply(desk, request)
        assert (again.applied, again.sequence, again.late) == (False, answer.sequence, answer.late)
        assert again.order == (order if answer.order else None)
        assert again.position == (position if answer.position else None)
    assert desk.contents() == before


def test_while_an_event_is_kept_its_repeat_gets_the_first_result(desk: Desk) -> None:
    first = prepare(desk)
    for kept in (5, 4, 3):
        desk.vandalise("XTRIM", "%:events", "MAXLEN", kept)
        for number, (request, answer) in enumerate(zip(changes(desk.trader), first, strict=True), 2):
            again = apply(desk, request)
            is_first = (again.order, again.position) == (answer.order, answer.position)
            assert is_first is (number > 8 - kept), request  # there were eight events


def test_other_content_is_still_refused(desk: Desk) -> None:
    prepare(desk)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 0)
    for request in (
        execution(desk.trader, quantity=41),
        Replace(trader=desk.trader, order_id="A1", request_id="R1", quantity=91),
        PositionChange(trader=desk.trader, symbol="AAPL", request_id="P1", quantity=6),
        Replace(trader=desk.trader, order_id="A1", request_id="C1", quantity=91),
    ):
        with pytest.raises(DuplicateRequest):
            apply(desk, request)


def test_a_unit_that_comes_again_is_answered_too(desk: Desk) -> None:
    first = prepare(desk)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 0)
    before = desk.contents()
    again = desk.book.commit(changes(desk.trader), expected_sequence=1)
    assert [(one.applied, one.sequence) for one in again] == [(False, answer.sequence) for answer in first]
    assert desk.contents() == before

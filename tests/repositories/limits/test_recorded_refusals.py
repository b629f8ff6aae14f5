"""Test the setting record_refusals: a refusal for a limit or by the switch is an event, and changes nothing else."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from slotbook.models import EventType, Limits, OrderEvent
from slotbook.models.errors import LimitExceeded, TradingHalted

from ...support.desk import Desk
from ...support.make import TS, execution, limit


def refusals(desk: Desk) -> list[OrderEvent]:
    return [event for event in desk.events() if event.type is EventType.LIMIT_REFUSED]


def test_a_refusal_is_an_event(desk: Desk) -> None:
    trader, book = desk.trader, desk.open(record_refusals=True)
    book.limits.set(Limits(trader=trader, max_order=100))
    book.limits.set(Limits(trader=trader, symbol="AAPL", max_position=120))
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    before = desk.contents()
    with pytest.raises(LimitExceeded):
        book.orders.place(limit(trader, "A2", side="SELL", quantity=101, text='a "word"'))
    with pytest.raises(LimitExceeded) as caught:
        book.orders.place(limit(trader, "A2", side="BUY", quantity=21))
    with pytest.raises(LimitExceeded):
        book.orders.replace(trader, "A1", quantity=121, request_id="R1", ts_ns=TS + 5)
    first, second, third = refusals(desk)
    assert (first.order_id, first.side, first.quantity, first.price) == ("A2", "SELL", 101, Decimal("187.23"))
    assert (first.sequence, first.symbol, first.ts_ns, first.text, first.reason, first.status) == (
        *(5, "AAPL", TS, 'a "word"', "3"),
        None,
    )
    assert json.loads(first.refused or "") == {
        **{"limit": "max_order", "value": "100", "asked": "101", "position": "40", "open": "101"},
    }
    assert json.loads(second.refused or "") == {
        **{"limit": "max_position", "symbol": "AAPL", "value": "120", "asked": "121", "position": "40", "open": "81"},
    }
    assert caught.value.asked == 121
    assert (third.order_id, third.request_id, third.quantity, third.reason) == ("A1", "R1", 121, "2")
    after = desk.contents()
    assert {key for key in after if after[key] != before[key]} == {f"{{{trader}}}:book", f"{{{trader}}}:events"}
    assert list(book.events.history(trader)) == desk.events()
    assert book.audit.verify(trader) == []
    assert [one.order_id for one in book.snapshot(trader).orders] == ["A1"]


def test_the_switch_is_one_too(desk: Desk) -> None:
    trader, book = desk.trader, desk.open(record_refusals=True)
    book.trading(trader, "halted")
    for order in (limit(trader), limit(trader)):
        with pytest.raises(TradingHalted):
            book.orders.place(order)
    assert [(json.loads(one.refused or ""), one.reason) for one in refusals(desk)] == [({"trading": "HALTED"}, "0")] * 2


def test_it_is_none_unless_it_is_asked_for_and_a_refused_unit_writes_nothing(desk: Desk) -> None:
    trader, book = desk.trader, desk.open(record_refusals=True)
    book.limits.set(Limits(trader=trader, max_order=10, max_notional=Decimal(5)))
    with pytest.raises(LimitExceeded):
        desk.book.orders.place(limit(trader))
    before = desk.contents()
    with pytest.raises(LimitExceeded) as caught:
        book.commit([limit(trader, "A1", quantity=1, price="1"), limit(trader, "A2")])
    assert (caught.value.index, desk.contents()) == (1, before)


def test_each_of_a_batch_has_its_own(desk: Desk) -> None:
    trader, book = desk.trader, desk.open(record_refusals=True)
    book.limits.set(Limits(trader=trader, max_position=100))
    outcomes = book.orders.place_many([limit(trader, f"A{number}", quantity=60) for number in range(3)])
    assert [one.error is None for one in outcomes] == [True, False, False]
    assert [(event.type, event.order_id) for event in desk.events()[1:]] == [
        ("NEW", "A0"),
        ("LIMIT_REFUSED", "A1"),
        ("LIMIT_REFUSED", "A2"),
    ]
    assert outcomes[0].result().sequence == 2
    assert book.orders.place(limit(trader, "A3", quantity=40)).sequence == 5
    assert book.losses() == []
    assert book.audit.verify(trader) == []


def test_it_is_published_and_followed(desk: Desk) -> None:
    trader, book = desk.trader, desk.open(record_refusals=True, publish="traders,symbols")
    book.limits.set(Limits(trader=trader, max_order=1))
    with book.events.follow(trader, since=0) as follower:
        with pytest.raises(LimitExceeded):
            book.orders.place(limit(trader))
        found = [follower.get(30) for _ in range(2)]
    assert found == desk.events()


def test_a_journal_places_later_what_was_refused(desk: Desk) -> None:
    trader, book = desk.trader, desk.open(record_refusals=True)
    book.limits.set(Limits(trader=trader, max_order=1))
    with pytest.raises(LimitExceeded):
        book.orders.place(limit(trader))
    book.limits.delete(trader)
    assert book.reconcile([limit(trader), execution(trader)]).applied == 2

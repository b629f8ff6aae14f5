"""Test book.trading: the switch that lets nothing, or only what reduces a position, be placed and replaced."""

from __future__ import annotations

import pytest
from slotbook.models import EventType, Trading, TradingChange
from slotbook.models.errors import CorruptRecord, DuplicateRequest, InvalidArgument, TradingHalted

from ...support.desk import Desk
from ...support.make import execution, limit


def test_halted_refuses_what_is_placed_or_replaced(desk: Desk) -> None:
    trader, book = desk.trader, desk.book
    assert book.limits.trading(trader) is Trading.ACTIVE
    book.orders.place(limit(trader, "A1"))
    book.orders.place(limit(trader, "A2"))
    book.orders.place(limit(trader, "A3"))
    book.positions.adjust(trader, "AAPL", 500)
    halted = book.trading(trader, "halted", request_id="H1", text="too fast")
    assert (halted.trading, halted.applied, halted.sequence) == (Trading.HALTED, True, 5)
    assert (book.limits.trading(trader), book.snapshot(trader).trading) == (Trading.HALTED, Trading.HALTED)
    before = desk.contents()
    for side in ("BUY", "SELL"):
        with pytest.raises(TradingHalted, match="HALTED") as caught:
            book.orders.place(limit(trader, "A4", side=side))
        assert caught.value.trading == "HALTED"
    with pytest.raises(TradingHalted):
        book.orders.replace(trader, "A1", quantity=50)
    assert not book.orders.place(limit(trader, "A1")).applied
    assert desk.contents() == before
    book.orders.fill(execution(trader, "X1", 40))
    book.orders.cancel(trader, "A1")
    book.orders.reject(trader, "A2")
    book.orders.expire(trader, "A3")
    book.orders.fill(execution(trader, "X2", 10))
    book.positions.adjust(trader, "AAPL", 5)
    assert not book.trading(trader, "halted", request_id="H1", text="too fast").applied
    with pytest.raises(DuplicateRequest):
        book.trading(trader, "reducing", request_id="H1")
    book.trading(trader, "active")
    book.orders.place(limit(trader, "A4"))
    events = [event for event in desk.events() if event.type is EventType.TRADING]
    assert [(one.trading, one.text) for one in events] == [(Trading.HALTED, "too fast"), (Trading.ACTIVE, None)]


def test_reducing_lets_only_what_reduces_pass(desk: Desk) -> None:
    trader, book = desk.trader, desk.book
    book.orders.place(limit(trader, "B1", quantity=10))
    book.positions.set(trader, "AAPL", 100)
    book.trading(trader, "REDUCING")
    for quantity, side in ((1, "BUY"), (201, "SELL")):
        with pytest.raises(TradingHalted, match="REDUCING"):
            book.orders.place(limit(trader, "A1", quantity=quantity, side=side))
    with pytest.raises(TradingHalted):
        book.orders.replace(trader, "B1", price="180")
    book.orders.place(limit(trader, "A1", quantity=200, side="SELL"))
    with pytest.raises(TradingHalted):
        book.orders.place(limit(trader, "A2", quantity=1, side="SELL"))
    book.orders.replace(trader, "A1", price="180")
    with pytest.raises(TradingHalted):
        book.orders.place(limit(trader, "M1", symbol="MSFT"))


def test_a_unit_may_turn_the_switch(desk: Desk) -> None:
    trader, book = desk.trader, desk.book
    with pytest.raises(TradingHalted) as caught:
        book.commit([TradingChange(trader=trader, trading=Trading.HALTED), limit(trader)])
    assert (caught.value.index, book.limits.trading(trader), desk.events()) == (1, Trading.ACTIVE, [])
    book.commit([limit(trader), TradingChange(trader=trader, trading=Trading.HALTED)])
    book.commit([TradingChange(trader=trader, trading=Trading.ACTIVE), limit(trader, "A2")])
    assert [event.type for event in desk.events()] == ["NEW", "TRADING", "TRADING", "NEW"]


def test_there_are_three_positions(lone_desk: Desk) -> None:
    for to in ("off", "", 1, None):
        with pytest.raises(InvalidArgument):
            lone_desk.book.trading(lone_desk.trader, to)  # type: ignore[arg-type]
    lone_desk.book.trading(lone_desk.trader, "halted")
    lone_desk.vandalise("HSET", "%:book", "trading", "OFF")
    with pytest.raises(CorruptRecord, match="trading"):
        lone_desk.book.limits.trading(lone_desk.trader)
    with pytest.raises(CorruptRecord, match="trading"):
        lone_desk.book.orders.place(limit(lone_desk.trader))

"""Fault "reply cut", and a slot that migrates: an order under limits is placed once, and not refused for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models import Limits, LimitsChange, OrderResult, Trading, TradingChange
from slotbook.models.errors import LimitExceeded, OutcomeUnknown, TradingHalted, Unavailable
from slotbook.repositories.units.calls import UnitResult

from ..support.faults.migration import Migration
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand, Stands
from ..support.make import limit


def _tight(book: Book, trader: str) -> None:
    """Have limits that one order of 100 fills."""
    book.limits.set(Limits(trader=trader, max_order=100, max_position=100, orders_per_second=1_000))


CALLS: dict[str, Callable[[Book, str], UnitResult]] = {
    "place": lambda book, trader: book.orders.place(limit(trader)),
    "place many": lambda book, trader: book.orders.place_many([limit(trader)])[0].result(),
    "unit": lambda book, trader: book.commit([limit(trader), TradingChange(trader=trader, trading=Trading.HALTED)])[0],
}


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET, Do.SWALLOW], ids=["closed", "reset", "lost"])
@pytest.mark.parametrize("call", CALLS)
def test_an_order_that_fills_its_limit_is_placed_once(stand: Stand, call: str, do: Do) -> None:
    book, trader = stand.open(), stand.trader
    _tight(book, trader)
    stand.veil.add(Rule(do) if do is Do.SWALLOW else Rule(do, at=0))
    result = CALLS[call](book, trader)
    assert stand.veil.plan.idle
    assert isinstance(result, OrderResult)
    assert result.order.version == 1
    assert [kind for kind in stand.kinds() if kind == "NEW"] == ["NEW"]
    with pytest.raises((LimitExceeded, TradingHalted)):
        book.orders.place(limit(trader, "A2", quantity=1))


def test_a_replace_that_fills_its_limit_is_made_once(stand: Stand) -> None:
    book, trader = stand.open(), stand.trader
    _tight(book, trader)
    book.orders.place(limit(trader, quantity=50))
    stand.veil.add(Rule(Do.SWALLOW))
    assert book.orders.replace(trader, "A1", quantity=100, request_id="R1").order.quantity == 100
    assert stand.kinds() == ["LIMITS", "NEW", "REPLACED"]
    with pytest.raises(LimitExceeded):
        book.orders.replace(trader, "A1", quantity=101)


REFUSED: dict[str, Callable[[Book, str], object]] = {
    "place": lambda book, trader: book.orders.place(limit(trader)),
    "replace": lambda book, trader: book.orders.replace(trader, "A0", quantity=150, request_id="R1"),
    "many": lambda book, trader: book.orders.place_many([limit(trader)])[0].result(),
}


@pytest.mark.parametrize("call", REFUSED)
@pytest.mark.parametrize("do", [Do.CUT, Do.SWALLOW], ids=["closed", "lost"])
def test_a_refusal_that_is_recorded_is_recorded_once(stand: Stand, call: str, do: Do) -> None:
    book, trader = stand.open(record_refusals=True), stand.trader
    book.orders.place(limit(trader, "A0", quantity=50))
    book.limits.set(Limits(trader=trader, symbol="AAPL", max_position=100))
    stand.veil.add(Rule(do) if do is Do.SWALLOW else Rule(do, at=0))
    with pytest.raises(LimitExceeded) as caught:
        REFUSED[call](book, trader)
    assert stand.veil.plan.idle
    error = caught.value
    assert (error.limit, error.symbol, error.value, error.asked) == ("max_position", "AAPL", 100, 150)
    assert stand.kinds() == ["NEW", "LIMITS", "LIMIT_REFUSED"]
    with pytest.raises(LimitExceeded):
        REFUSED[call](book, trader)
    assert stand.kinds() == ["NEW", "LIMITS", "LIMIT_REFUSED", "LIMIT_REFUSED"]


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
@pytest.mark.parametrize("change", ["place", "limits"])
def test_limits_hold_whichever_key_has_moved(stands: Stands, runner: asyncio.Runner, alone: bool, change: str) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried, base = stand.open(), stand.hurried(), stand.trader
        at, keys = 0, [""]
        while at < len(keys):
            stand.trader = trader = f"{base}.{at}"
            _tight(book, trader)
            book.orders.place(limit(trader, "A1", quantity=60))
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            try:
                if change == "place":
                    with pytest.raises(LimitExceeded):
                        hurried.orders.place(limit(trader, "A2", quantity=41))
                    hurried.orders.place(limit(trader, "A3", quantity=40))
                else:
                    hurried.commit([LimitsChange(trader=trader, symbol="AAPL", max_position=60, request_id="L1")])
            except (Unavailable, OutcomeUnknown):
                pass
            migration.finish()
            if change == "place":
                with pytest.raises(LimitExceeded):
                    book.orders.place(limit(trader, "A2", quantity=41))
                book.orders.place(limit(trader, "A3", quantity=40))
                assert stand.kinds() == ["LIMITS", "NEW", "NEW"], keys[at]
            else:
                book.commit([LimitsChange(trader=trader, symbol="AAPL", max_position=60, request_id="L1")])
                with pytest.raises(LimitExceeded):
                    book.orders.place(limit(trader, "A3", quantity=1))
                assert stand.kinds() == ["LIMITS", "NEW", "LIMITS"], keys[at]
            migration.back()
            at += 1
        stand.trader = base
        assert at > 5

"""Fault "clock jumps": the clock jumps."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from slotbook.models.errors import OutcomeUnknown, Unavailable

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.stand import Stand
from ..support.make import execution, fresh, limit
from .conftest import Deploy

DAY = 86_400


@pytest.fixture
def jumping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the wall clock a day ahead and a day behind in turn, each time it is read."""
    sign = itertools.cycle((1, -1))
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + next(sign) * DAY)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + next(sign) * DAY * 10**9)


@pytest.mark.usefixtures("jumping")
@pytest.mark.parametrize("caller", CALLERS)
def test_deadlines_are_monotonic(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone"), fresh()
    book = open_book(control.url(deadline=1, socket_timeout=0.3), caller, runner)
    book.orders.place(limit(trader))
    control.freeze(control.data[0])
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        book.orders.cancel(trader, "A1")
    with pytest.raises(Unavailable):
        book.orders.get(trader, "A1")
    assert 1.9 < time.monotonic() - started < 5
    control.thaw(control.data[0])
    book.close()


@pytest.mark.usefixtures("jumping")
def test_order_is_by_sequence(lone_stand: Stand) -> None:
    stand = lone_stand
    book = stand.open()
    book.orders.place(limit(stand.trader))
    for number in range(10):
        book.orders.fill(execution(stand.trader, f"X{number}", 1, ts_ns=10**18 - number * 10**9))
        book.positions.adjust(stand.trader, "AAPL", 1)  # by the clock that jumps
    events = stand.events()
    assert [event["id"] for event in events] == [f"{number}-0" for number in range(1, 22)]
    assert [event["exec_id"] for event in events if event["type"] == "TRADE"] == [f"X{n}" for n in range(10)]
    times = [int(event["ts_ns"]) for event in events]
    assert times != sorted(times)
    assert not book.orders.fill(execution(stand.trader, "X3", 1)).applied

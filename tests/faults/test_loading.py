"""Fault "loading": the server loads its data and answers LOADING."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from slotbook.models.errors import Unavailable

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import wait_until
from ..support.make import execution, fresh, limit
from .conftest import Deploy

SLOW = {"loading-process-events-interval-bytes": "1024", "key-load-delay": "1500", "save": "3600 1"}


@pytest.mark.parametrize("caller", CALLERS)
def test_waits_to_the_deadline(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone", options=SLOW), fresh()
    server = control.data[0]
    book = open_book(control.url(deadline=15), caller, runner)
    hurried = open_book(control.url(deadline=0.8), caller, runner)
    book.orders.place(limit(trader))
    server.ask("EVAL", "for i = 1, 2400 do redis.call('SET', 'padding' .. i, string.rep('x', 40)) end", 0)
    server.ask("SAVE")
    server.kill()
    server.spawn()
    wait_until(lambda: server.log.read_text().count("oading RDB") > 0, "it begins to load")
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"deadline of 0\.8 s"):  # loading takes four times as long
        hurried.orders.get(trader, "A1")
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (server.wait_for_answer(), done.set()))
    waiting.start()
    assert not done.is_set()
    assert book.orders.fill(execution(trader)).applied
    assert time.monotonic() - started > 1
    waiting.join(20)
    book.close()
    hurried.close()

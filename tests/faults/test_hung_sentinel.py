"""Fault "hung Sentinel": the first Sentinel hangs."""

from __future__ import annotations

import asyncio
import time

import pytest
from slotbook.models.errors import Unavailable

from ..support.callers import CALLERS, Caller, open_book
from ..support.make import fresh, limit
from .conftest import Deploy


@pytest.mark.parametrize("caller", CALLERS)
def test_discovery_inside_the_deadline(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("sentinel"), fresh()
    warm = open_book(control.url(deadline=60, socket_timeout=0.5), caller, runner)
    warm.orders.place(limit(trader), durability=f"replicated={len(control.replicas(control.primary()))}")
    control.freeze(control.sentinels[0])
    started = time.monotonic()
    book = open_book(control.url(deadline=60, connect_timeout=0.5, socket_timeout=0.5), caller, runner)
    assert book.orders.get(trader, "A1") is not None
    assert time.monotonic() - started < 30  # and not the deadline
    was = control.primary()
    control.kill(was)  # the two Sentinels that are left are enough to replace it
    for number, one in enumerate((book, warm)):
        one.orders.place(limit(trader, f"B{number}"))
    control.promoted(was)
    book.close()
    warm.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_all_hung_it_is_the_deadline(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control = deploy("sentinel")
    for sentinel in control.sentinels:
        control.freeze(sentinel)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="Sentinel"):
        open_book(control.url(deadline=1.5, connect_timeout=0.3, socket_timeout=0.3), caller, runner)
    assert time.monotonic() - started < 5

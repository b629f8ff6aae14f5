"""Fault "busy script": a script runs for ever and the server answers BUSY."""

from __future__ import annotations

import asyncio
import hashlib
import threading

import pytest
from slotbook.models.errors import EmbeddedError, OutcomeUnknown, Unavailable
from slotbook.topology.call import Call, evaluate
from slotbook.topology.embedded import Server
from slotbook.topology.scripts import Script

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import wait_until
from ..support.make import fresh, limit
from .conftest import Deploy

LOOP = "local n = 0; while true do n = n + 1 end"


def looping(trader: str) -> Call[None]:
    """Return a call whose script never ends."""
    script = Script(LOOP, hashlib.sha1(LOOP.encode(), usedforsecurity=False).hexdigest())
    return evaluate("loop", script, (f"{{{trader}}}:events",), (), decode=lambda _: None)


@pytest.mark.parametrize("caller", CALLERS)
def test_others_wait_and_its_owner_does_not_know(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone", options={"lua-time-limit": "50"}), fresh()
    server = control.data[0]
    book = open_book(control.url(deadline=60), caller, runner)
    owner = open_book(control.url(deadline=1, socket_timeout=0.5), caller, runner)
    book.orders.place(limit(trader))
    server.ask("SCRIPT", "LOAD", LOOP)
    with pytest.raises(OutcomeUnknown, match="loop"):
        owner.backend.run(looping(trader))
    killer = threading.Timer(0.5, lambda: server.ask("SCRIPT", "KILL"))
    killer.start()
    assert book.orders.cancel(trader, "A1").order.status == "CANCELED"
    killer.join()
    assert book.orders.count(trader, status="CANCELED") == 1
    book.close()
    owner.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_busy_until_the_deadline_is_not_applied(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone", options={"lua-time-limit": "50"}), fresh()
    server = control.data[0]
    book = open_book(control.url(deadline=2), caller, runner)
    book.orders.place(limit(trader))
    running = threading.Thread(target=_loop, args=(server,))
    running.start()
    wait_until(lambda: _is_busy(server), "the script runs for long")
    with pytest.raises(Unavailable, match="BUSY"):
        book.orders.cancel(trader, "A1")
    server.ask("SCRIPT", "KILL")
    running.join()
    order = book.orders.get(trader, "A1")
    assert order is not None
    assert order.status == "NEW"
    book.close()


def _is_busy(server: Server) -> bool:
    try:
        server.ask("PING")
    except EmbeddedError as error:
        return "BUSY" in str(error)
    return False


def _loop(server: Server) -> None:
    with pytest.raises(EmbeddedError, match="SCRIPT KILL"):
        server.ask("EVAL", LOOP, 0)

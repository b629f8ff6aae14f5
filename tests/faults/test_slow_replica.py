"""Fault "slow replica": the replicas are slow: applied, but not replicated."""

from __future__ import annotations

import asyncio
import time

import pytest
from slotbook import Book
from slotbook.models import FillResult, PositionResult
from slotbook.models.errors import SlotbookError, UnderReplicated
from slotbook.topology.embedded import Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand, Stands
from ..support.faults.verbs import VERBS, Verb, content_of
from ..support.make import execution, fresh, limit
from .conftest import Deploy


def events_of(control: Control, trader: str) -> int:
    """Return how many events a trader has."""
    count = control.ask(f"{{{trader}}}", "XLEN", f"{{{trader}}}:events")
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_applied_but_under_replicated(
    deploy: Deploy, runner: asyncio.Runner, topology: Topology, caller: Caller
) -> None:
    control, trader = deploy(topology), fresh()
    book = open_book(control.url(durability="replicated=1", socket_timeout=0.4, deadline=60), caller, runner)
    patient = open_book(control.url(durability="replicated=1", replication_wait=30, deadline=60), caller, runner)
    assert (patient.orders.apply(limit(trader)).replicas or 0) >= 1
    replicas = control.replicas(control.primary(f"{{{trader}}}"))
    for replica in replicas:
        control.freeze(replica)
    for number, verb in enumerate(VERBS[1:3], 2):
        started = time.monotonic()
        with pytest.raises(UnderReplicated) as caught:
            verb.call(book, trader)
        assert time.monotonic() - started < 30  # and not the deadline
        assert (caught.value.replicas, caught.value.wanted) == (0, 1)
        assert events_of(control, trader) == number
        if verb.name == "fill":
            result = caught.value.result
            assert isinstance(result, FillResult)
            assert (result.applied, result.replicas, result.position.quantity) == (True, 0, 40)
    for replica in replicas:
        control.thaw(replica)
    again = patient.orders.fill(execution(trader))
    assert not again.applied
    assert again.replicas is not None
    assert again.replicas >= 1  # a repeat waits too: what was not replicated then is now
    assert events_of(control, trader) == 3
    patient.close()
    book.close()


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_per_call(stand: Stand, verb: Verb) -> None:
    if stand.topology == "standalone":
        book = stand.open(durability="replicated=1", socket_timeout=0.3)
        before = verb.prepare(stand.open(), stand.trader)
        with pytest.raises(UnderReplicated, match="0 of 1"):
            verb.call(book, stand.trader)
        assert stand.kinds() == [*before, verb.event]
        return
    book = stand.open(durability="replicated=1", replication_wait=30, deadline=60)
    before = verb.prepare(book, stand.trader)
    result = verb.call(book, stand.trader)
    assert stand.kinds() == [*before, verb.event]
    assert content_of(verb.call(stand.open(), stand.trader)) == content_of(result)


def test_the_reply_of_the_wait_is_lost(stands: Stands, runner: asyncio.Runner) -> None:
    for caller in CALLERS:
        with Stand(stands.of("sentinel"), caller, runner) as stand:
            book = stand.open()
            book.orders.place(limit(stand.trader))
            stand.veil.add(Rule(Do.SWALLOW, verbs=frozenset({"WAIT"})))
            result = book.orders.fill(execution(stand.trader), durability="replicated=1")
            assert stand.veil.plan.met == 1
            assert result.position.quantity == 40
            assert (result.replicas or 0) >= 1
            assert stand.kinds() == ["NEW", "TRADE"]


def test_local_does_not_wait(stand: Stand) -> None:
    book = stand.open(durability="replicated=1", socket_timeout=0.3)
    waits = stand.veil.requests("WAIT")
    result: PositionResult = book.positions.adjust(stand.trader, "AAPL", 5, durability="local")
    assert result.replicas is None
    assert stand.veil.requests("WAIT") == waits


def test_fsynced(deploy: Deploy) -> None:
    control, trader = deploy("standalone", options={"appendonly": "yes", "appendfsync": "everysec"}), fresh()
    with Book.open(control.url(durability="fsynced", deadline=60, replication_wait=30)) as book:
        version = str(control.data[0].ask("INFO", "server"))
        if "redis_version:7.0" in version:
            with pytest.raises(SlotbookError, match=r"7\.2"):
                book.orders.place(limit(trader))
            return
        for number in range(3):
            book.orders.place(limit(trader, f"A{number}"))
        control.kill(control.data[0])
        control.restart(control.data[0])
        assert book.orders.count(trader) == 3

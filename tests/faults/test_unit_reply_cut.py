"""Fault "reply cut": a unit whose reply is cut at every byte has one effect, also when the primary dies in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from slotbook.topology.embedded import Server, Topology, start

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control, wait_until
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.faults.units import contents_of, unit, units_there
from ..support.faults.veil import Veil
from ..support.faults.watch import replicated
from ..support.make import NIGHTLY, fresh, limit

STRIDE = 1 if NIGHTLY else 13


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET], ids=["closed", "reset"])
def test_one_effect_and_the_first_results(lone_stand: Stand, do: Do) -> None:
    stand = lone_stand
    book = stand.open(pool_size=1)
    other = book.orders.place(limit(stand.trader, "B1", quantity=7)).order
    first = contents_of(book.commit(unit(f"{stand.trader}.first", 0)))
    at, sizes = 0, [1]
    while at < max(sizes):
        trader = f"{stand.trader}.{at}"
        stand.veil.add(Rule(do, at=at))
        results = contents_of(book.commit(unit(trader, 0)))
        sizes.append(stand.veil.plan.size)
        assert stand.veil.plan.idle
        assert book.orders.get(stand.trader, "B1") == other, at
        assert contents_of(book.commit(unit(trader, 0))) == results, at
        assert units_there(stand.control.ask, trader, 1) == [0], at
        assert len(results) == len(first)
        at += STRIDE if do is Do.CUT else 5 * STRIDE
    assert at > 1_000


@contextmanager
def _beside(work: Callable[[], None]) -> Generator[None, None, None]:
    """Run something in a thread."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result()


def _replace(control: Control, veil: Veil, primary: Server, replicas: list[Server], key: str) -> None:
    """Kill a primary as soon as the unit is sent again, and let nothing through until another has its place."""
    wait_until(lambda: veil.plan.met >= 2, "the unit is sent again")
    if not replicas:
        replicated(control, key)
    control.kill(primary)
    for replica in replicas:
        control.thaw(replica)
    control.take_over(primary, key)
    veil.plan.clear()


@pytest.mark.parametrize("kept", [True, False], ids=["replicated", "lost"])
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_the_primary_dies_before_it_is_sent_again(
    runner: asyncio.Runner, topology: Topology, caller: Caller, kept: bool
) -> None:
    with start(topology) as deployment, Veil(deployment) as veil, Control(deployment) as control:
        book = open_book(veil.url({"deadline": 30}), caller, runner)
        for number, at in enumerate((0, 100)):
            trader = fresh()
            key = f"{{{trader}}}"
            book.commit(unit(trader, 0))
            replicated(control, key)
            primary = control.primary(key)
            replicas = [] if kept else control.strand(primary)

            veil.add(Rule(Do.CUT, at=at), Rule(Do.DROP, times=10_000))
            with _beside(partial(_replace, control, veil, primary, replicas, key)):
                results = contents_of(book.commit(unit(trader, 1)))
            assert contents_of(book.commit(unit(trader, 1))) == results
            assert units_there(control.ask, trader, 2) == [0, 1], number
            assert book.losses() == []
            if number == 0:
                control.heal()
        book.close()

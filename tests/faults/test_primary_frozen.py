"""Fault "primary frozen": the primary freezes, is replaced, and comes back believing that it is in charge."""

from __future__ import annotations

import asyncio
import time

import pytest
from slotbook.models.errors import OutcomeUnknown, Unavailable
from slotbook.topology.embedded import Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.watch import heal_and_judge, more
from ..support.make import fresh, limit
from .conftest import Deploy


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_no_stale_read_afterwards(deploy: Deploy, topology: Topology, caller: Caller, runner: asyncio.Runner) -> None:
    control, trader = deploy(topology), fresh()
    book = open_book(control.url(deadline=20, socket_timeout=0.5), caller, runner)
    was = control.primary(f"{{{trader}}}")
    # On every replica, for one of them will take over, and its write is not what this test may lose.
    book.orders.place(limit(trader), durability=f"replicated={len(control.replicas(was))}")
    control.freeze(was)
    book.orders.replace(trader, "A1", quantity=500)
    control.thaw(was)
    until = time.monotonic() + 1.5
    with open_book(control.url(deadline=20), caller, runner) as newcomer:
        while time.monotonic() < until:
            for reader in (book, newcomer):
                found = reader.orders.get(trader, "A1")
                assert found is not None
                assert found.quantity == 500
    book.close()


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_under_load_nothing_is_lost_or_doubled(deploy: Deploy, topology: Topology) -> None:
    control, traders = deploy(topology), [fresh() for _ in range(4)]
    history = History()
    with Load(control.url(deadline=20, durability="replicated=1"), history, traders):
        more(history)
        was = control.primary(f"{{{traders[0]}}}")
        control.freeze(was)
        control.promoted(was, f"{{{traders[0]}}}")
        more(history)
        control.thaw(was)
        more(history, 200)
    found = heal_and_judge(control, history)
    assert (found.unknown, found.not_applied) == (0, 0), [one.error for one in history.problems()][:5]


def test_frozen_for_good_it_is_a_timeout_within_the_deadline(deploy: Deploy, runner: asyncio.Runner) -> None:
    control = deploy("standalone")
    for caller in CALLERS:
        book = open_book(control.url(deadline=1, socket_timeout=0.3), caller, runner)
        trader = fresh()
        book.orders.place(limit(trader))
        control.freeze(control.data[0])
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match="deadline of 1 s"):
            book.orders.cancel(trader, "A1")
        with pytest.raises(Unavailable, match="deadline of 1 s"):
            book.orders.get(trader, "A1")
        assert time.monotonic() - started < 5
        control.thaw(control.data[0])
        assert book.orders.cancel(trader, "A1").order.status == "CANCELED"
        book.close()

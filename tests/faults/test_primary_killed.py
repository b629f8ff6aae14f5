"""Fault "primary killed": the primary is killed under load."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from slotbook.topology.embedded import Server, Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import role, wait_until
from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.watch import heal_and_judge, more, no_error_reached_a_caller, replicated
from ..support.make import fresh, limit
from .conftest import Deploy


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_one_effect_and_no_error_within_the_deadline(deploy: Deploy, topology: Topology) -> None:
    control = deploy(topology)
    history, traders = History(), [fresh() for _ in range(4)]
    with Load(control.url(deadline=20, durability="replicated=1"), history, traders):
        more(history)
        was = control.primary(f"{{{traders[0]}}}:")
        control.kill(was)
        control.promoted(was, f"{{{traders[0]}}}:")
        more(history)
        control.restart(was)
        more(history)
    found = heal_and_judge(control, history)
    assert (found.unknown, found.not_applied) == (0, 0), [one.error for one in history.problems()][:5]


def test_a_single_server_that_comes_back_with_its_data(deploy: Deploy) -> None:
    control = deploy("standalone", options={"appendonly": "yes", "appendfsync": "always"})
    history = History()
    with Load(control.url(deadline=20), history, [fresh(), fresh()]):
        for _ in range(3):
            more(history)
            control.kill(control.data[0])
            time.sleep(0.3)
            control.restart(control.data[0], rewrite=True)
        more(history)
    heal_and_judge(control, history)
    no_error_reached_a_caller(history)


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
@pytest.mark.parametrize("caller", CALLERS)
def test_the_first_write_comes_within_a_second_of_the_promotion(
    deploy: Deploy, topology: Topology, caller: Caller, runner: asyncio.Runner
) -> None:
    control, trader = deploy(topology), fresh()
    book = open_book(control.url(deadline=20), caller, runner)
    book.orders.place(limit(trader, "A0"))
    replicated(control, f"{{{trader}}}")  # or the loss of this order would be told
    was = control.primary(f"{{{trader}}}")
    promoted_at: list[float] = []
    watcher = threading.Thread(target=_watch, args=(control.replicas(was), promoted_at))
    control.kill(was)
    watcher.start()
    book.orders.place(limit(trader, "A1"))
    written_at = time.monotonic()
    watcher.join(20)
    book.close()
    assert written_at - promoted_at[0] < 1.0


def _watch(heirs: list[Server], promoted_at: list[float]) -> None:
    """Note when a replica serves as primary, as it says itself; in a cluster, when it has the slots."""
    wait_until(lambda: any(role(heir)[0] == "master" for heir in heirs), "a replica is promoted")
    promoted_at.append(time.monotonic())

"""A cluster in containers, under load."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .engine import Engine
from .faults import Fault, kill, lose, pause, restart, stop, under_load, without_an_error
from .replays import begin_replay, end_replay, needs_data
from .stack import Stack

FULL = bool(os.environ.get("SLOTBOOK_NIGHTLY"))
SLOTS = 16_384 // 3 if FULL else 500
"""How many slots a new node is given: a third takes redis-cli the better part of a minute (SLOTBOOK_NIGHTLY=1)."""
KEY = "{T000}"


@pytest.fixture(scope="module")
def stack(engine: Engine) -> Iterator[Stack]:
    with Stack(engine, "cluster") as found:
        yield found


@pytest.mark.parametrize("fault", [kill, pause, stop, lose], ids=lambda fault: fault.__name__)
def test_a_primary_is_replaced(stack: Stack, fault: Fault) -> None:
    """One that comes back without its volume at once, too: it waits until it is given up, and joins as a replica."""
    with under_load(stack, durability="replicated=1") as (control, _):
        was = control.primary(KEY)
        fault(control, was)
        control.promoted(was, KEY, 60)
        control.heal(90)


@pytest.mark.parametrize("fault", [kill, lose], ids=lambda fault: fault.__name__)
def test_a_replica_is_not_missed(stack: Stack, fault: Fault) -> None:
    with without_an_error(stack, deadline=15) as (control, _):
        fault(control, control.replicas(control.primary(KEY))[0])
        control.heal(90)


def test_all_six_are_restarted_one_after_the_other(stack: Stack) -> None:
    """No error reaches a caller with a deadline of 15 s, and nothing is lost."""
    with without_an_error(stack, deadline=15) as (control, _):
        for server in control.data:
            restart(control, server)
            control.heal(90)


@needs_data
def test_a_real_day_while_a_primary_dies_and_the_cluster_grows(stack: Stack) -> None:
    control = stack.control()
    # Whoever was just promoted has no replica until the killed one is back: each change waits for it.
    url = stack.url(prefix="grow:", deadline=60, durability="replicated=1", replication_wait=30)
    replay = begin_replay(url, "--batch", "5" if FULL else "20")
    try:
        was = control.primary(KEY)
        control.kill(was)
        control.promoted(was, KEY, 60)
        control.heal(90)
        stack.grow()
        stack.compose("exec", "-T", "redis-7", "sh", "/slotbook/cluster.sh", "take", str(SLOTS))
        went_on = replay.poll() is None
        report = end_replay(replay)
    finally:
        if replay.poll() is None:
            replay.kill()
            replay.wait(30)
    assert went_on, "the replay was over before the cluster had grown"
    control = stack.control()
    control.heal(90)
    assert len(control.deployment.primaries()) == 4
    told = {name: report[name] for name in ("applied", "repeated", "under_replicated", "reapplied", "seconds")}
    print(f"{SLOTS} slots taken; {told}")
    assert (report["under_replicated"], report["reapplied"]) == (0, 0)

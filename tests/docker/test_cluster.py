"""A cluster in containers under load, while one of them fails, and while it grows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.docker.container_faults import KEY, Fault, kill, lose, pause, restart, stop, under_load, without_an_error
from ..support.docker.engine import Engine
from ..support.docker.stack import Stack
from ..support.replays import needs_data, replaying

THIRD = 16_384 // 3
"""The number of slots that the new primary takes."""


@pytest.fixture(scope="module")
def stack(engine: Engine) -> Iterator[Stack]:
    with Stack(engine, "cluster") as found:
        yield found


@pytest.mark.parametrize("fault", [kill, pause, stop, lose], ids=lambda fault: fault.__name__)
def test_a_primary_is_replaced(stack: Stack, fault: Fault) -> None:
    """A primary that comes back at once without its volume waits until it is replaced, and joins as a replica."""
    with under_load(stack, durability="replicated=1") as (control, history):
        was = control.primary(KEY)
        fault(control, was)
        control.promoted(was, KEY, 60)
        control.heal(90)
    assert history.longest_outage > 1, "nobody had to wait for the new primary"


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
    """The replay works in small batches, to last for most of the change, and is repeated until the change ends."""
    control = stack.control()

    def url(prefix: str) -> str:
        # The new primary has no replica until the killed server is back, and each change waits for one.
        return stack.url(prefix=prefix, deadline=60, durability="replicated=1", replication_wait=30)

    with replaying(url, "--batch", "2") as reports:
        was = control.primary(KEY)
        control.kill(was)
        control.promoted(was, KEY, 60)
        control.heal(90)
        stack.grow()
        stack.compose("exec", "-T", "redis-7", "sh", "/slotbook/cluster.sh", "take", str(THIRD))
    control = stack.control()
    control.heal(90)
    assert len(control.deployment.primaries()) == 4
    for report in reports:
        shown = {name: report[name] for name in ("applied", "repeated", "under_replicated", "reapplied", "seconds")}
        print(f"{THIRD} slots taken; {shown}")
        assert (report["under_replicated"], report["reapplied"]) == (0, 0)

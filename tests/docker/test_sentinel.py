"""A primary, its replicas and Sentinels in containers under load, while some of them fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.docker.container_faults import (
    Fault,
    container_of,
    kill,
    lose,
    pause,
    restart,
    stop,
    under_load,
    without_an_error,
)
from ..support.docker.engine import Engine
from ..support.docker.stack import Stack


@pytest.fixture(scope="module")
def stack(engine: Engine) -> Iterator[Stack]:
    with Stack(engine, "sentinel") as found:
        yield found


@pytest.mark.parametrize("fault", [kill, pause, stop, lose], ids=lambda fault: fault.__name__)
def test_the_primary_is_replaced(stack: Stack, fault: Fault) -> None:
    """A primary that comes back at once without its volume waits until another is chosen, and copies its data."""
    with under_load(stack, durability="replicated=1") as (control, _):
        was = control.primary()
        fault(control, was)
        control.promoted(was, seconds=60)
        control.heal(90)


@pytest.mark.parametrize("fault", [kill, pause, lose], ids=lambda fault: fault.__name__)
def test_a_replica_and_a_sentinel_are_not_missed(stack: Stack, fault: Fault) -> None:
    with without_an_error(stack, deadline=15) as (control, _):
        fault(control, control.replicas(control.primary())[0])
        fault(control, control.sentinels[0])
        control.heal(90)


def test_servers_are_restarted_one_after_the_other(stack: Stack) -> None:
    with without_an_error(stack, deadline=15) as (control, _):
        for server in (control.sentinels[0], *control.data):
            restart(control, server)
            control.heal(90)


def test_all_at_once_come_back_with_everything(stack: Stack) -> None:
    """The primary need not be the one that the compose file begins with."""
    with under_load(stack):
        pass
    control = stack.control()
    before = {str(server): server.ask("DBSIZE") for server in control.data}
    stack.compose("stop")
    stack.compose("up", "-d", "--wait")
    for server in control.data:
        container_of(server).answers()
    control.heal(90)
    assert {str(server): server.ask("DBSIZE") for server in control.data} == before
    assert 0 not in before.values()

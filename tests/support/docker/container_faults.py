"""Faults of containers, under a load whose result is judged as in tests/faults."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias, cast

from slotbook.topology.embedded import Server

from ..faults.checker import Judgement
from ..faults.control import Control
from ..faults.history import History
from ..faults.load import Load
from ..faults.watch import heal_and_judge, more, no_error_reached_a_caller
from ..make import fresh
from .stack import ContainerServer, Stack

Fault: TypeAlias = Callable[[Control, Server], None]

KEY = "{T000}"
"""A fault of a cluster's primary is one of the primary of this key; the load has a trader there, too."""
CHANGES = 30
"""The number of changes that are acknowledged before a fault, and again after it."""


@contextmanager
def under_load(stack: Stack, **settings: object) -> Generator[tuple[Control, History], None, None]:
    """Run a load during the block; then check that the store agrees with its replies, and that no call has failed."""
    control, history = stack.control(), History()
    url = stack.url(**{"deadline": 30, **settings})
    with Load(url, history, _traders(control), threads=2, tasks=2, pause=0.02):
        more(history, CHANGES, 30)
        yield control, history
        more(history, CHANGES, 60)
    found = heal_and_judge(control, history)
    assert (found.unknown, found.not_applied) == (0, 0), [one.error for one in history.problems()][:5]
    print(f"{stack.topology}: {_summary(found)}, longest wait {history.longest_outage:.1f} s")


@contextmanager
def without_an_error(stack: Stack, deadline: float) -> Generator[tuple[Control, History], None, None]:
    """Run a load like :func:`under_load`, and check that every call has succeeded within the deadline."""
    with under_load(stack, deadline=deadline) as (control, history):
        yield control, history
    no_error_reached_a_caller(history)


def _traders(control: Control) -> list[str]:
    faulty = control.primary(KEY)
    among = next(name for name in iter(fresh, "") if control.primary(f"{{{name}}}") is faulty)
    return [among, *(fresh() for _ in range(5))]


def _summary(found: Judgement) -> str:
    return (
        f"{found.operations} operations, {found.acknowledged} acknowledged, {found.under_replicated} under-replicated, "
        f"{len(found.reported)} lost and reported, {len(found.violations)} violations"
    )


def container_of(server: Server) -> ContainerServer:
    """Return the container behind a server of a Control."""
    return cast(ContainerServer, server)


def kill(control: Control, server: Server) -> None:
    """Kill the container (``docker kill``)."""
    control.kill(server)


def pause(control: Control, server: Server) -> None:
    """Pause the container (``docker pause``)."""
    control.freeze(server)


def stop(control: Control, server: Server) -> None:
    """Stop the container in order, as for a move to another machine (``docker stop``)."""
    container_of(server).container.stop(timeout=30)
    control.dead.add(server)


def restart(control: Control, server: Server) -> None:
    """Restart the container (``docker restart``)."""
    container_of(server).container.restart(timeout=30)
    container_of(server).answers()


def lose(control: Control, server: Server) -> None:
    """Remove the container and its volume, and create both again at once."""
    container_of(server).lose_everything()

"""A load on containers while one of them meets with something, and the judgement of tests/faults."""

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
"""What is done to a primary of a cluster is done to this key's, of which the load has a trader, too."""
BREATH = 30
"""So many changes are acknowledged before a fault, and after it."""


@contextmanager
def under_load(stack: Stack, **settings: object) -> Generator[tuple[Control, History], None, None]:
    """A desk at work; in the end the store agrees with what its callers were told, and no call has failed."""
    control, history = stack.control(), History()
    url = stack.url(**{"deadline": 30, **settings})
    with Load(url, history, _traders(control), threads=2, tasks=2, pause=0.02):
        more(history, BREATH, 30)
        yield control, history
        more(history, BREATH, 60)
    found = heal_and_judge(control, history)
    assert (found.unknown, found.not_applied) == (0, 0), [one.error for one in history.problems()][:5]
    print(f"{stack.topology}: {_told(found)}, longest wait {history.longest_outage:.1f} s")


@contextmanager
def without_an_error(stack: Stack, deadline: float) -> Generator[tuple[Control, History], None, None]:
    """The same, and every call has succeeded within the deadline, with nothing to be said about it."""
    with under_load(stack, deadline=deadline) as (control, history):
        yield control, history
    no_error_reached_a_caller(history)


def _traders(control: Control) -> list[str]:
    stricken = control.primary(KEY)
    among = next(name for name in iter(fresh, "") if control.primary(f"{{{name}}}") is stricken)
    return [among, *(fresh() for _ in range(5))]


def _told(found: Judgement) -> str:
    return (
        f"{found.operations} operations, {found.acknowledged} acknowledged, {found.under_replicated} under-replicated, "
        f"{len(found.reported)} lost and reported, {len(found.violations)} violations"
    )


def container_of(server: Server) -> ContainerServer:
    """The container behind what a Control takes for a server of its own kind."""
    return cast(ContainerServer, server)


def kill(control: Control, server: Server) -> None:
    """docker kill."""
    control.kill(server)


def pause(control: Control, server: Server) -> None:
    """docker pause."""
    control.freeze(server)


def stop(control: Control, server: Server) -> None:
    """docker stop: in order, as for a move to another machine."""
    container_of(server).container.stop(timeout=30)
    control.dead.add(server)


def restart(control: Control, server: Server) -> None:
    """docker restart."""
    container_of(server).container.restart(timeout=30)
    container_of(server).answers()


def lose(control: Control, server: Server) -> None:
    """The container is gone, and its volume; both are made anew at once."""
    container_of(server).lose_everything()

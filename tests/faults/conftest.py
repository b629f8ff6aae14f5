"""Deployments to break: shared ones behind proxies, and private ones for what cannot be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import product
from typing import TypeAlias, cast

import pytest
from slotbook.topology.embedded import Topology, start

from ..support.callers import CALLERS, Caller
from ..support.faults.control import Control
from ..support.faults.stand import Stand, Stands

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")
Deploy: TypeAlias = Callable[..., Control]


@pytest.fixture(scope="session")
def stands(_no_settings_from_outside: None) -> Iterator[Stands]:
    """Yield the shared deployments of this test process, each behind proxies."""
    started = Stands()
    yield started
    started.stop()


@pytest.fixture(params=list(product(TOPOLOGIES, CALLERS)), ids="-".join)
def stand(request: pytest.FixtureRequest, stands: Stands, runner: asyncio.Runner) -> Iterator[Stand]:
    """Yield a shared deployment behind proxies, on every topology, for threads and for asyncio."""
    topology, caller = cast("tuple[Topology, Caller]", request.param)
    with Stand(stands.of(topology), caller, runner) as found:
        yield found


@pytest.fixture(params=CALLERS)
def lone_stand(request: pytest.FixtureRequest, stands: Stands, runner: asyncio.Runner) -> Iterator[Stand]:
    """Yield a shared server behind a proxy, for threads and for asyncio."""
    with Stand(stands.of("standalone"), cast(Caller, request.param), runner) as found:
        yield found


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    """Start private servers that end with the test."""
    with ExitStack() as stack:

        def begin(topology: Topology, replicas: int | None = None, options: Mapping[str, str] | None = None) -> Control:
            deployment = stack.enter_context(start(topology, replicas=replicas, options=options))
            return stack.enter_context(Control(deployment))

        yield begin

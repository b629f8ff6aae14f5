"""Deployments to break: shared ones behind proxies, and private ones for what cannot be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import product
from typing import TypeAlias, cast

import pytest
from slotbook.topology.embedded import Deployment, Topology, start

from ..support.callers import CALLERS, Caller
from ..support.faults.between import Between, between
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


@pytest.fixture(scope="module")
def lone_server(_no_settings_from_outside: None) -> Iterator[Deployment]:
    """Yield a server of the module's own."""
    with start("standalone") as started:
        yield started


@pytest.fixture(scope="module", params=CALLERS)
def proxied(request: pytest.FixtureRequest, lone_server: Deployment, runner: asyncio.Runner) -> Iterator[Between]:
    """Yield the module's server behind a proxy that can change its replies, for threads and for asyncio."""
    with between(lone_server, cast(Caller, request.param), runner) as found:
        yield found

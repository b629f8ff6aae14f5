"""Fixtures of servers that search, for the tests of search and of its command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

import pytest
from slotbook.topology.embedded import Topology

from ..fleet import Fleet
from .server import SERVER

SearchFleets: TypeAlias = Callable[[Topology], Fleet]


@pytest.fixture(scope="session")
def search_fleet(_no_settings_from_outside: None) -> Iterator[SearchFleets]:
    """Yield a function that starts one deployment of each topology, in the cluster without replicas."""
    started: dict[Topology, Fleet] = {}

    def of(topology: Topology) -> Fleet:
        if topology not in started:
            started[topology] = Fleet(topology, SERVER, 0, enable_debug_command="local")
        return started[topology]

    yield of
    for fleet in started.values():
        fleet.stop()


@pytest.fixture(params=("standalone", "cluster"))
def topology(request: pytest.FixtureRequest) -> Topology:
    """Return each topology in turn on which a search differs."""
    return cast(Topology, request.param)

"""Containers without the host's network, as in Docker Desktop: they share one, and have the same addresses."""

from __future__ import annotations

from typing import cast

import pytest
import slotbook
from slotbook.topology.embedded import Topology

from ..support.docker.engine import Engine
from ..support.docker.stack import Stack
from ..support.make import execution, limit


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_a_shared_network_serves(engine: Engine, topology: str) -> None:
    with Stack(engine, cast(Topology, topology), shared_network=True) as stack:
        stack.check_loopback()
        with slotbook.connect(stack.url(durability="replicated=1")) as book:
            for number in range(20):
                book.orders.place(limit(f"T{number}"))
                assert book.orders.fill(execution(f"T{number}")).position.quantity == 40

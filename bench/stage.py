"""Private servers for the benchmark, and books on them."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from ..models.errors import EmbeddedError
from ..repositories import Book
from ..topology.address import Address
from ..topology.embedded import Deployment, Topology, start


@contextmanager
def private_book(topology: Topology) -> Generator[tuple[Deployment, Book]]:
    """Yield new servers and a book on them, which end with the context."""
    with start(topology) as deployment, Book.open(deployment.url) as book:
        yield deployment, book


@contextmanager
def cores_apart(deployment: Deployment) -> Generator[None]:
    """Keep the servers on one core and the calling thread on the others, where there are several.

    What it costs a server to wake up for a command depends on whether its caller runs on the same core. Callers run on
    other machines in earnest, so here at least on other cores, and not now on this one and now on that.
    """
    if sys.platform != "linux" or len(cores := sorted(os.sched_getaffinity(0))) < 2:
        yield
        return
    for server in deployment.servers:
        os.sched_setaffinity(server.pid, cores[-1:])
    os.sched_setaffinity(0, cores[:-1])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def address_of(deployment: Deployment) -> Address:
    """Return the address of a primary; raise EmbeddedError when there is none."""
    for server in deployment.servers:
        if server.kind == "data":
            return Address(server.host, server.port)
    raise EmbeddedError("there is no server")

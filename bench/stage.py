"""Private servers for the benchmark, and books on them."""

from __future__ import annotations

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


def address_of(deployment: Deployment) -> Address:
    """Return the address of a primary; raise EmbeddedError when there is none."""
    for server in deployment.servers:
        if server.kind == "data":
            return Address(server.host, server.port)
    raise EmbeddedError("there is no server")

"""Servers of the benchmark's own, and books on them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ..models.errors import EmbeddedError
from ..repositories import Book
from ..topology.address import Address
from ..topology.embedded import Deployment, Topology, start


@contextmanager
def standing(topology: Topology) -> Generator[tuple[Deployment, Book]]:
    """Servers for as long as the context, and a book on them."""
    with start(topology) as deployment, Book.open(deployment.url) as book:
        yield deployment, book


def address_of(deployment: Deployment) -> Address:
    """The address of a primary."""
    for server in deployment.servers:
        if server.kind == "data":
            return Address(server.host, server.port)
    raise EmbeddedError("there is no server")

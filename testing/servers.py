"""The servers of a test session: private ones of each topology that tests ask for, or those of a URL."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ..topology.embedded import Deployment, Topology, start
from ..topology.settings import read


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers for tests, and where they are.

    ::

        with slotbook.connect(servers.url) as book: ...
    """

    topology: Topology
    url: str = field(repr=False)
    """Where a book connects to; it contains the password."""
    deployment: Deployment | None = None
    """The private servers, which a test may kill, freeze and restart; None for those of a URL."""


class ServerFactory:
    """The function of ``slotbook_server``: called with a topology, it returns its servers, which it starts once."""

    def __init__(self, url: str | None) -> None:
        self._servers: dict[Topology, Servers] = {}
        self.topology_of_url: Topology | None = None
        """The topology of the servers that the session is to use; None where it starts its own."""
        if url is not None:
            topology: Topology = read(url).kind.value
            self.topology_of_url = topology
            self._servers[topology] = Servers(topology, url)

    def __call__(self, topology: Topology = "standalone") -> Servers:
        """Return the servers of a topology; skip the test where those of the URL are of another.

        Raises EmbeddedError when they cannot be started.
        """
        if topology not in self._servers:
            if self.topology_of_url is not None:
                pytest.skip(f"needs {topology} servers, and those of the URL are {self.topology_of_url}")
            deployment = start(topology)
            self._servers[topology] = Servers(topology, deployment.url, deployment)
        return self._servers[topology]

    def stop(self) -> None:
        """Stop all servers that were started."""
        for servers in self._servers.values():
            if servers.deployment is not None:
                servers.deployment.stop()

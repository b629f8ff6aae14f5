"""Kill the primary that serves a trader, and wait for the one that takes over."""

from __future__ import annotations

from typing import cast

from ..models.errors import EmbeddedError
from ..topology.embedded import Deployment, Server
from ..topology.embedded.takeover import primary_of, wait_for


class Failover:
    """The function of ``slotbook_failover``: called with a trader, it returns the primary that has taken over."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._killed: list[Server] = []

    def __call__(self, trader: str = "T001") -> Server:
        """Kill the primary of a trader's book with SIGKILL and return its successor, once that serves.

        What the primary had acknowledged has been copied before, so that a test knows what it will find; what it
        acknowledges meanwhile may be lost, as in any failover. The killed server is restarted after the test.

        Raises:
            EmbeddedError: Nobody takes over within a minute.
        """
        self.restart()
        primary = wait_for(lambda: self._ready(trader), "the servers are not whole")
        primary.kill()
        self._killed.append(primary)
        return wait_for(lambda: primary_of(self._deployment, trader), f"nobody took over from {primary}")

    def restart(self) -> None:
        """Start again what was killed."""
        while self._killed:
            self._killed[-1].restart()
            self._killed.pop()

    def _ready(self, trader: str) -> Server | None:
        """Return the primary of a trader once all is whole: each other server is a replica and in step.

        A primary that was killed and restarted may say for some seconds that it is one still.
        """
        primaries = self._deployment.primaries()
        if len(primaries) != (3 if self._deployment.topology == "cluster" else 1):
            return None
        in_step = sum(replicas_in_step(primary) for primary in primaries)
        all_data = [server for server in self._deployment.servers if server.kind == "data"]
        return primary_of(self._deployment, trader) if len(primaries) + in_step == len(all_data) else None


def replicas_in_step(primary: Server) -> int:
    """Return how many replicas have all that a primary has written (ROLE)."""
    try:
        role, offset, replicas, *_ = cast("list[object]", primary.ask("ROLE"))
    except (EmbeddedError, ValueError):
        return 0
    return (
        sum(int(one[2]) >= int(cast(int, offset)) for one in cast("list[list[str]]", replicas))
        if role == "master"
        else 0
    )

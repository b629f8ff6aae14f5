"""Kill the primary that serves a trader, and wait for the one that takes over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from ..models.errors import EmbeddedError
from ..topology.embedded import Deployment, Server

_LONGEST = 60.0
_POLL_SECONDS = 0.05


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
        primary = self._wait("the servers are not whole", lambda: self._ready(trader))
        primary.kill()
        self._killed.append(primary)
        return self._wait(f"nobody took over from {primary}", lambda: self._primary_of(trader))

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
        return self._primary_of(trader) if len(primaries) + in_step == len(all_data) else None

    def _primary_of(self, trader: str) -> Server | None:
        return next((server for server in self._deployment.primaries() if _serves(server, trader)), None)

    def _wait(self, problem: str, look: Callable[[], Server | None]) -> Server:
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            if (found := look()) is not None:
                return found
            time.sleep(_POLL_SECONDS)
        raise EmbeddedError(f"{problem} within {_LONGEST:g} s")


def _serves(server: Server, trader: str) -> bool:
    try:
        server.ask("EXISTS", f"{{{trader}}}:book")
    except EmbeddedError:  # MOVED: the slot is another primary's
        return False
    return True


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

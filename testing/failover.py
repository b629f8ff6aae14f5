"""Kill the primary that serves a trader, and wait for the one that takes over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from ..models.errors import EmbeddedError
from ..topology.embedded import Deployment, Server
from ..topology.embedded.admin import Reply
from ..topology.embedded.config import MASTER_NAME
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
        """Start again what was killed, as a replica where Sentinels would tell it so some ten seconds later."""
        while self._killed:
            serving, server = self._deployment.primaries(), self._killed[-1]
            server.restart()
            if self._deployment.topology == "sentinel" and len(serving) == 1:
                server.ask("REPLICAOF", serving[0].host, serving[0].port)
            self._killed.pop()

    def _ready(self, trader: str) -> Server | None:
        """Return the primary of a trader once all is whole: each other server is a replica, in step, and known as one.

        A primary that was killed and restarted may say for some seconds that it is one still; and Sentinels that have
        not ended a failover do not begin another.
        """
        primaries = self._deployment.primaries()
        if len(primaries) != (3 if self._deployment.topology == "cluster" else 1):
            return None
        others = [one for one in self._deployment.servers if one.kind == "data" and one not in primaries]
        in_step = [one for primary in primaries for one in in_step_with(primary, others)]
        sentinels = [one for one in self._deployment.servers if one.kind == "sentinel"]
        are_ready = len(in_step) == len(others) and all(watches(one, primaries[0]) for one in sentinels)
        return primary_of(self._deployment, trader) if are_ready else None


def in_step_with(primary: Server, servers: Iterable[Server]) -> list[Server]:
    """Return those of some servers that follow a primary and have all that it had written before (ROLE).

    What replicas acknowledge to their primary would be a second old, in which it has written more. A server that does
    not answer within a second is left out.
    """
    match _role(primary):
        case ["master", int(written), *_]:
            return [one for one in servers if _follows(one, primary, written)]
        case _:
            return []


def watches(sentinel: Server, primary: Server) -> bool:
    """Return whether a Sentinel takes a server for the primary, sees it, and is not about to replace it.

    One whose clock has jumped, as after a pause, replaces nobody for half a minute (TILT).
    """
    try:
        reply = cast("list[str]", sentinel.ask("SENTINEL", "MASTER", MASTER_NAME, timeout=1.0))
        is_tilted = "sentinel_tilt:0" not in str(sentinel.ask("INFO", "sentinel", timeout=1.0))
    except EmbeddedError:
        return False
    state = dict(zip(reply[::2], reply[1::2], strict=True))
    return not is_tilted and (state["flags"], int(state["port"])) == ("master", primary.port)


def _follows(server: Server, primary: Server, written: int) -> bool:
    match _role(server):
        case ["slave", host, port, "connected", int(offset)]:
            return (host, port) == (primary.host, primary.port) and offset >= written
        case _:
            return False


def _role(server: Server) -> Reply:
    try:
        return server.ask("ROLE", timeout=1.0)
    except EmbeddedError:
        return None

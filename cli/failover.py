"""The demo's failover: kill a primary that holds a book, and wait for another to take over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..models.errors import EmbeddedError
from ..models.keys import Keys
from ..topology.embedded import Deployment, Server

_LONGEST = 60.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Killed:
    """A primary that was killed."""

    server: Server
    traders: tuple[str, ...]
    """The traders whose books it held."""
    others: tuple[Server, ...]
    """The other primaries."""
    at: float
    """The time of the kill, by ``time.monotonic``."""


def kill_primary(deployment: Deployment, traders: Sequence[str]) -> Killed:
    """Kill the primary that holds the first trader's book, with SIGKILL; raise EmbeddedError if none does."""
    primaries = deployment.primaries()
    for server in primaries:
        held = tuple(trader for trader in traders if _holds(server, trader))
        if traders[0] in held:
            others = tuple(other for other in primaries if other is not server)
            at = time.monotonic()
            server.kill()
            return Killed(server, held, others, at)
    raise EmbeddedError(f"no primary holds the book of {traders[0]}")


def wait_for_successor(deployment: Deployment, killed: Killed) -> tuple[Server, float]:
    """Return the server that took over, and the seconds that it took.

    Raises EmbeddedError when none does within a minute.
    """
    while time.monotonic() < killed.at + _LONGEST:
        for server in deployment.primaries():
            if server not in killed.others:
                return server, time.monotonic() - killed.at
        time.sleep(_POLL_SECONDS)
    raise EmbeddedError(f"no server took over from {killed.server} within {_LONGEST:g} s")


def _holds(server: Server, trader: str) -> bool:
    try:
        return server.ask("EXISTS", Keys().of(trader).events) == 1
    except EmbeddedError:  # MOVED: the slot is another primary's
        return False

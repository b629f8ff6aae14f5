"""Wait until the servers of a deployment are ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...models.errors import EmbeddedError
from .admin import NotAnswering
from .server import Server

_POLL_SECONDS = 0.03


@dataclass(frozen=True)
class Pending:
    """A sign that a server is not ready yet; the reason continues a sentence that begins with the server's name."""

    server: Server
    reason: str


Check: TypeAlias = Callable[[], Pending | None]


def wait_until(check: Check, servers: Sequence[Server], deadline: float) -> None:
    """Repeat a check until it finds nothing pending.

    Raises EmbeddedError, with the end of the server's log, if something is still pending at ``deadline`` (a time on the
    monotonic clock) or if a server has died.
    """
    while True:
        try:
            pending = check()
        except NotAnswering:
            for server in servers:
                if not server.alive:
                    death = f"{server} died while the deployment was forming; {server.log_tail()}"
                    raise EmbeddedError(death) from None
            if time.monotonic() > deadline:
                raise
        else:
            if pending is None:
                return
            if time.monotonic() > deadline:
                server = pending.server
                raise EmbeddedError(
                    f"the deployment was not ready in time: {server} {pending.reason}; {server.log_tail()}"
                )
        time.sleep(_POLL_SECONDS)


def replication_pending(primary: Server, replicas: Sequence[Server]) -> Pending | None:
    """Return the first sign that a replica does not follow its primary yet, so that it could not replace it."""
    for replica in replicas:
        if _info(replica).get("master_link_status") != "up":
            return Pending(replica, f"has no link to its primary, {primary.name}")
    info = _info(primary)
    online = sum("state=online" in info.get(f"slave{index}", "") for index in range(len(replicas)))
    if online < len(replicas):
        return Pending(primary, f"has {online} of {len(replicas)} replicas online")
    return None


def _info(server: Server) -> dict[str, str]:
    lines = str(server.ask("INFO", "replication")).splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines)}

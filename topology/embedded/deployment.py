"""A running set of private servers."""

from __future__ import annotations

import contextlib
import shutil
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, TypeAlias

from ...models.errors import EmbeddedError
from .admin import NotAnswering
from .cluster import owns_slots
from .config import MASTER_NAME
from .guard import Guard
from .server import Server

Topology: TypeAlias = Literal["standalone", "sentinel", "cluster"]

_ROLE_SECONDS = 1.0


class Deployment:
    """A running set of private servers; ``start`` makes it.

    As a context manager, it stops the servers at the end of the block::

        with start("sentinel") as deployment:
            book = slotbook.connect(deployment.url)

    The servers are stopped and their folder is removed by ``stop``, at the end of a ``with`` block, when the object is
    garbage-collected, and when the process that started them ends in whatever way, also together with its guard
    process. What is left when the machine goes down, or every process of the deployment but a server is killed at once,
    is cleaned up by the next start; so it is, on systems other than Linux, when the process id of the killed owner was
    given to another process at once. A forked child can send commands to the servers but cannot stop them.
    """

    def __init__(
        self, topology: Topology, servers: Sequence[Server], guard: Guard, password: str, sentinel_password: str | None
    ) -> None:
        self.topology: Topology = topology
        self.servers = tuple(servers)
        self.password = password
        self.sentinel_password = sentinel_password
        self.folder = guard.folder
        self._guard = guard
        self._finalizer = weakref.finalize(self, _release, guard, self.servers)

    def __repr__(self) -> str:
        ports = ", ".join(str(server) for server in self.servers)
        return f"<Deployment {self.topology}: {ports}>"

    def __enter__(self) -> Deployment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The URL to connect a book to. It contains the password."""
        data = ",".join(f"{server.host}:{server.port}" for server in self.servers if server.kind == "data")
        if self.topology == "standalone":
            return f"redis://:{self.password}@{data}"
        if self.topology == "cluster":
            return f"redis+cluster://:{self.password}@{data}"
        sentinels = ",".join(f"{server.host}:{server.port}" for server in self.servers if server.kind == "sentinel")
        query = f"sentinel_password={self.sentinel_password}"
        return f"redis+sentinel://:{self.password}@{sentinels}/{MASTER_NAME}?{query}"

    def primaries(self) -> list[Server]:
        """Return the data servers that now report the role of a primary and, in a cluster, serve slots.

        A server that does not answer within a second is left out. A server that has just restarted may still report the
        role that it had before another took it over.
        """
        return [server for server in self._with_role("master") if self.topology != "cluster" or _serves(server)]

    def replicas(self) -> list[Server]:
        """Return the data servers that now report the role of a replica; one that does not answer is left out."""
        return self._with_role("slave")

    def stop(self) -> None:
        """Kill the servers and remove their folder. Does nothing the second time, or in a forked child."""
        self._finalizer()
        self._guard.close()  # if another thread is stopping them, wait until it has

    def _with_role(self, role: str) -> list[Server]:
        return [server for server in self.servers if server.kind == "data" and _role(server) == role]


def _role(server: Server) -> str | None:
    with contextlib.suppress(NotAnswering):
        reply = server.ask("ROLE", timeout=_ROLE_SECONDS)
        return str(reply[0]) if isinstance(reply, list) else None
    return None


def _serves(server: Server) -> bool:
    with contextlib.suppress(NotAnswering):
        return owns_slots(server, _ROLE_SECONDS)
    return False


def _release(guard: Guard, servers: Sequence[Server]) -> None:
    if guard.close():
        return
    # The guard was killed, so a process id may by now belong to another program. A server that accepts the password is
    # certainly ours.
    for server in servers:
        with contextlib.suppress(EmbeddedError):
            server.ask("SHUTDOWN", "NOSAVE", timeout=1.0)
    shutil.rmtree(guard.folder, ignore_errors=True)

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
    """Private servers for the life of this object in the process that started them; a context manager.

    They are stopped, and their folder removed, by ``stop``, at the end of a ``with`` block, when the object is
    collected and when the process ends in whatever way. A forked child may ask the servers but not stop them.
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
        """The URL of the book's servers, WITH the password."""
        data = ",".join(f"{server.host}:{server.port}" for server in self.servers if server.kind == "data")
        if self.topology == "standalone":
            return f"redis://:{self.password}@{data}"
        if self.topology == "cluster":
            return f"redis+cluster://:{self.password}@{data}"
        sentinels = ",".join(f"{server.host}:{server.port}" for server in self.servers if server.kind == "sentinel")
        query = f"sentinel_password={self.sentinel_password}"
        return f"redis+sentinel://:{self.password}@{sentinels}/{MASTER_NAME}?{query}"

    def primaries(self) -> list[Server]:
        """Return the data servers that say now that they are primaries, in a cluster those with slots.

        One that does not answer is left out; one that has just restarted may not know yet that it was replaced.
        """
        return [server for server in self._with_role("master") if self.topology != "cluster" or _serves(server)]

    def replicas(self) -> list[Server]:
        """Return the data servers that say now that they are replicas; one that does not answer is left out."""
        return self._with_role("slave")

    def stop(self) -> None:
        """Kill the servers and remove their folder; the second time, and in a forked child, do nothing."""
        self._finalizer()
        self._guard.close()  # so that of two threads that stop, the second waits for the first

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
    # Someone killed the guard, so nobody can tell for certain whose the process ids are now; the passwords can.
    for server in servers:
        with contextlib.suppress(EmbeddedError):
            server.ask("SHUTDOWN", "NOSAVE", timeout=1.0)
    shutil.rmtree(guard.folder, ignore_errors=True)

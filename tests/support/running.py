"""Servers that another process started: like a Deployment, but without control of the server processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from slotbook.models.errors import EmbeddedError
from slotbook.topology.embedded import Topology

from .raw import Raw, Refusal, Reply, Word

HOST = "127.0.0.1"
SERVICE = "slotbook"
OPERATOR = "operator"


@dataclass(frozen=True)
class Keys:
    """The passwords of the application, on servers and on Sentinels, and of the operator, on both."""

    application: str
    sentinel: str
    operator: str


class RunningServer:
    """One server, which is called as its operator."""

    def __init__(self, name: str, kind: Literal["data", "sentinel"], port: int, operator_password: str) -> None:
        self.name = name
        self.kind: Literal["data", "sentinel"] = kind
        self.host = HOST
        self.port = port
        self._password = operator_password

    def __repr__(self) -> str:
        return f"{self.name} ({self.host}:{self.port})"

    def ask(self, *command: Word, timeout: float = 5.0) -> Reply:
        """Send one command on a new connection and return its reply; ``timeout`` is in seconds.

        Raises EmbeddedError, as the method of an embedded server does.
        """
        try:
            raw = Raw(self.host, self.port, self._password, OPERATOR, timeout=timeout)
            try:
                return raw.ask(*command)
            finally:
                raw.close()
        except (OSError, Refusal) as error:
            raise EmbeddedError(f"{self}, {command[0]!s}: {error}") from None


class Running:
    """The servers of one topology, with the attributes of a Deployment that tests use."""

    def __init__(self, topology: Topology, servers: Sequence[RunningServer], keys: Keys) -> None:
        self.topology: Topology = topology
        self.servers = tuple(servers)
        self.keys = keys
        self.password = keys.application
        self.sentinel_password = keys.sentinel if topology == "sentinel" else None

    @classmethod
    def load(cls, file: Path, topology: Topology) -> Self:
        """Read the file that ``save`` has written."""
        found = json.loads(file.read_text(encoding="utf-8"))[topology]
        keys = Keys(**found["keys"])
        servers = [RunningServer(name, kind, port, keys.operator) for name, kind, port in found["servers"]]
        return cls(topology, servers, keys)

    @property
    def url(self) -> str:
        """The URL of the book's servers, WITH the password and without the user name."""
        at = ",".join(
            f"{server.host}:{server.port}"
            for server in self.servers
            if server.kind == ("sentinel" if self.topology == "sentinel" else "data")
        )
        if self.topology == "standalone":
            return f"redis://:{self.password}@{at}"
        if self.topology == "cluster":
            return f"redis+cluster://:{self.password}@{at}"
        return f"redis+sentinel://:{self.password}@{at}/{SERVICE}?sentinel_password={self.sentinel_password}"

    def primaries(self) -> list[RunningServer]:
        """Return the servers that are primaries at this moment; in a cluster, those with slots."""
        found: list[RunningServer] = []
        for server in self.servers:
            if server.kind == "data":
                try:
                    role = server.ask("ROLE", timeout=1.0)
                    if isinstance(role, list) and role[0] == "master" and self._serves(server):
                        found.append(server)
                except EmbeddedError:
                    continue
        return found

    def stop(self) -> None:
        """Do nothing: the process that started the servers stops them."""

    def _serves(self, server: RunningServer) -> bool:
        if self.topology != "cluster":
            return True
        lines = str(server.ask("CLUSTER", "NODES", timeout=1.0)).splitlines()
        return any("myself" in line and len(line.split()) > 8 for line in lines)


def save(file: Path, deployments: Sequence[Running]) -> None:
    """Write the addresses and passwords of deployments to a file, for another process."""
    written = {
        one.topology: {"keys": asdict(one.keys), "servers": [(each.name, each.kind, each.port) for each in one.servers]}
        for one in deployments
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(written), encoding="utf-8")

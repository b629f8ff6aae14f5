"""The servers that tests share: one deployment of each topology, started by the first test that needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from redis.crc import key_slot
from slotbook.topology.embedded import Deployment, Topology, start
from slotbook.topology.embedded.config import MASTER_NAME

from . import application
from .raw import Raw, Reply, Word, mapping
from .running import OPERATOR, Running
from .urls import with_settings

_PATIENCE = "60000"
"""Milliseconds after which a server that tests share is replaced."""
IDLE = {"hz": "4"}
"""Options of servers that tests share: awake four times a second rather than ten, as most wait most of the time."""
_REFUSED = (application.NAME, "command")
_CALLS = re.compile(r"^cmdstat_([^:]+):calls=(\d+)", re.MULTILINE)


class Fleet:
    """One deployment, and a connection to each of its primaries.

    Books work on it as the application's user of docker/server/users.acl, the connections as one who may do everything.
    """

    def __init__(
        self,
        topology: Topology,
        server: str | None = None,
        replicas: int | None = None,
        running: Running | None = None,
        **options: str,
    ) -> None:
        self.topology: Topology = topology
        self.deployment: Deployment | Running = running or _started(topology, server, replicas, options)
        self._ports: dict[range, int] = {}
        self._login = (self.deployment.password, "default") if running is None else (running.keys.operator, OPERATOR)
        self.raws = {server.port: Raw(server.host, server.port, *self._login) for server in self.deployment.primaries()}

    @property
    def private(self) -> Deployment:
        """The deployment, which must be one that the test process has started, so that a test may break it."""
        assert isinstance(self.deployment, Deployment)
        return self.deployment

    def url(self, settings: Mapping[str, object] | None = None) -> str:
        """Return the URL of the deployment with settings in its query."""
        url = self.deployment.url
        users = {"username": application.NAME}
        if self.deployment.sentinel_password:
            users["sentinel_username"] = application.NAME
        return with_settings(url, {**users, **(settings or {})})

    def raw(self, key: str | bytes) -> Raw:
        """Return the connection to the primary of a key."""
        if self.topology != "cluster":
            return next(iter(self.raws.values()))
        slot = key_slot(key.encode() if isinstance(key, str) else key)
        if not self._ports:  # a shared cluster never changes
            for row in cast("list[list[Reply]]", next(iter(self.raws.values())).ask("CLUSTER", "SLOTS")):
                first, last, primary = cast(int, row[0]), cast(int, row[1]), cast("list[Reply]", row[2])
                self._ports[range(first, last + 1)] = cast(int, primary[1])
        (port,) = [port for slots, port in self._ports.items() if slot in slots]
        return self.raws[port]

    def one_more(self, key: str | bytes) -> Raw:
        """Open a connection of its own to the primary of a key. The caller closes it."""
        host, port = self.raw(key).address
        return Raw(host, port, *self._login)

    def ask(self, key: str | bytes, *command: Word) -> Reply:
        """Ask the primary of a key."""
        return self.raw(key).ask(*command)

    def calls(self) -> dict[str, int]:
        """Return how often each command was called on the primaries, also by scripts (INFO commandstats)."""
        total: dict[str, int] = {}
        for raw in self.raws.values():
            for name, calls in _CALLS.findall(str(raw.ask("INFO", "commandstats"))):
                total[name] = total.get(name, 0) + int(calls)
        return total

    def denied(self) -> list[str]:
        """Return the commands that servers have refused the application since the last call (ACL LOG)."""
        found: list[str] = []
        for raw in self.raws.values():
            entries = [mapping(entry) for entry in cast("list[Reply]", raw.ask("ACL", "LOG"))]
            refused = {entry["object"] for entry in entries if (entry["username"], entry["reason"]) == _REFUSED}
            if refused:
                raw.ask("ACL", "LOG", "RESET")
            found += [f"docker/server/users.acl lacks +{name}: add it if Slotbook has to call it" for name in refused]
        return found

    def stop(self) -> None:
        for raw in self.raws.values():
            raw.close()
        self.deployment.stop()


def _started(topology: Topology, server: str | None, replicas: int | None, options: Mapping[str, str]) -> Deployment:
    named = {name.replace("_", "-"): word for name, word in options.items()}
    deployment = start(topology, server=server, replicas=replicas, options={**IDLE, **named})
    application.admit(deployment)
    return deployment


def _be_patient(deployment: Deployment) -> None:
    """Let the servers replace nobody who is slow to answer on a busy machine."""
    for server in deployment.servers:
        if server.kind == "sentinel":
            server.ask("SENTINEL", "SET", MASTER_NAME, "down-after-milliseconds", _PATIENCE)
        elif deployment.topology == "cluster":
            server.ask("CONFIG", "SET", "cluster-node-timeout", _PATIENCE)


class Fleets:
    """All fleets of a test process: started by it, or already running, as a file says (``--running``)."""

    def __init__(self, running: Path | None = None) -> None:
        self._running = running
        self._started: dict[Topology, Fleet] = {}

    def of(self, topology: Topology) -> Fleet:
        """Return the fleet of a topology, which the first call starts."""
        if topology not in self._started:
            running = Running.load(self._running, topology) if self._running else None
            fleet = self._started[topology] = Fleet(topology, running=running)
            if running is None:
                _be_patient(fleet.private)
        return self._started[topology]

    def stop(self) -> None:
        for fleet in self._started.values():
            fleet.stop()

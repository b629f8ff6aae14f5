"""The servers that tests share: one deployment of each topology, started by the first test that needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlencode

from redis.crc import key_slot
from slotbook.topology.embedded import Deployment, Topology, start

from .raw import Raw, Reply, Word

_CALLS = re.compile(r"^cmdstat_([^:]+):calls=(\d+)", re.MULTILINE)


class Fleet:
    """One deployment, and a connection to each of its primaries."""

    def __init__(
        self, topology: Topology, server: str | None = None, replicas: int | None = None, **options: str
    ) -> None:
        self.topology: Topology = topology
        self.deployment: Deployment = start(
            topology,
            server=server,
            replicas=replicas,
            options={name.replace("_", "-"): word for name, word in options.items()},
        )
        self._ports: dict[range, int] = {}
        self.raws = {
            server.port: Raw(server.host, server.port, self.deployment.password)
            for server in self.deployment.primaries()
        }

    def url(self, settings: Mapping[str, object] | None = None) -> str:
        """The URL of the deployment with settings in its query."""
        url = self.deployment.url
        if not settings:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(dict(settings))}"

    def raw(self, key: str) -> Raw:
        """The connection to the primary of a key."""
        if self.topology != "cluster":
            return next(iter(self.raws.values()))
        slot = key_slot(key.encode())
        if not self._ports:  # a shared cluster never changes
            for row in cast("list[list[Reply]]", next(iter(self.raws.values())).ask("CLUSTER", "SLOTS")):
                first, last, primary = cast(int, row[0]), cast(int, row[1]), cast("list[Reply]", row[2])
                self._ports[range(first, last + 1)] = cast(int, primary[1])
        (port,) = [port for slots, port in self._ports.items() if slot in slots]
        return self.raws[port]

    def ask(self, key: str, *command: Word) -> Reply:
        """Ask the primary of a key."""
        return self.raw(key).ask(*command)

    def calls(self) -> dict[str, int]:
        """How often each command was called on the primaries, in scripts included (INFO commandstats)."""
        total: dict[str, int] = {}
        for raw in self.raws.values():
            for name, calls in _CALLS.findall(str(raw.ask("INFO", "commandstats"))):
                total[name] = total.get(name, 0) + int(calls)
        return total

    def stop(self) -> None:
        for raw in self.raws.values():
            raw.close()
        self.deployment.stop()


class Fleets:
    """All fleets of a test process."""

    def __init__(self) -> None:
        self._started: dict[Topology, Fleet] = {}

    def of(self, topology: Topology) -> Fleet:
        """The fleet of a topology, started when it is first asked for."""
        if topology not in self._started:
            self._started[topology] = Fleet(topology)
        return self._started[topology]

    def stop(self) -> None:
        for fleet in self._started.values():
            fleet.stop()

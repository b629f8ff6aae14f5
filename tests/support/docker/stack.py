"""Docker compose projects for tests, each with its own name, ports, passwords and volumes; nothing is left of them."""

from __future__ import annotations

import contextlib
import os
import random
import re
import secrets
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlencode

from docker.errors import APIError
from slotbook.topology.embedded import Deployment, Topology

from ..application import NAME
from ..faults.control import Control, wait_until
from ..package import ROOT
from ..running import HOST, Keys, Running, RunningServer
from .engine import Container, Engine

DOCKER = ROOT / "docker"
PROJECT = "slotbook-test"
GROW = ("redis-7", "redis-8")


class ContainerServer(RunningServer):
    """A server in a container. A Control can kill, freeze and restart it like a process."""

    def __init__(self, stack: Stack, service: str, port: int) -> None:
        super().__init__(service, "sentinel" if service.startswith("sentinel") else "data", port, stack.keys.operator)
        self._stack = stack

    @property
    def container(self) -> Container:
        """The container in its current state."""
        return self._stack.container(self.name)

    def kill(self) -> None:
        """Send SIGKILL; the container does not come back by itself."""
        self.container.kill()

    def freeze(self) -> None:
        """Pause every process in the container."""
        self.container.pause()

    def thaw(self) -> None:
        self.container.unpause()

    def restart(self) -> None:
        """Start the container again with the same volume, and wait until the server answers."""
        self.container.start()
        self.answers()

    def answers(self) -> None:
        """Wait until the server answers."""
        wait_until(lambda: self.ask("PING", timeout=1.0) == "PONG", f"{self} answers")

    def lose_everything(self) -> None:
        """Remove the container and its volume, and create both again."""
        self.container.remove(force=True, v=True)
        self._stack.engine.volumes.get(f"{self._stack.project}_{self.name}").remove()
        self._stack.compose("up", "-d", "--no-deps", self.name)


class Stack:
    """A running compose file: a context manager that starts its services, and removes them with their volumes."""

    def __init__(
        self,
        engine: Engine,
        topology: Topology,
        *,
        certificates: Path | None = None,
        shared_network: bool = False,
        image: str | None = None,
    ) -> None:
        self.engine = engine
        self.topology: Topology = topology
        self.keys = Keys(*(secrets.token_hex(24) for _ in range(3)))
        self.ports = _free_ports()
        self.project = f"{PROJECT}-{os.getpid()}-{self.ports}"
        self._tls = certificates is not None
        self._files = [f"compose.{topology}.yml", *(["compose.desktop.yml"] if shared_network else [])]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLOTBOOK_", "COMPOSE_"))},
            "SLOTBOOK_PASSWORD": self.keys.application,
            "SLOTBOOK_SENTINEL_PASSWORD": self.keys.sentinel,
            "REDIS_OPERATOR_PASSWORD": self.keys.operator,
            "REDIS_PORTS": self.ports,
            "REDIS_PORT": f"{self.ports}1",
            "REDIS_NETWORK": "service:network" if shared_network else "host",
            "REDIS_BIND": "0.0.0.0" if shared_network else HOST,  # noqa: S104 (inside the containers' own network)
            "REDIS_CERTIFICATES": str(certificates or ""),
            **({"REDIS_IMAGE": image} if image else {}),
        }
        self.servers = self._servers(range(1, 7 if topology == "cluster" else 4))

    def __enter__(self) -> Self:
        try:
            self.compose("up", "-d", "--wait")
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def compose(self, *words: str, timeout: float = 180) -> str:
        """Run a docker compose command on this project and return its output; raises AssertionError with its errors."""
        files = [word for name in self._files for word in ("-f", str(DOCKER / name))]
        done = subprocess.run(
            ["docker", "compose", "--ansi", "never", "-p", self.project, *files, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        if done.returncode != 0:
            logs = [f"{each.name}:\n{each.logs(tail=15).decode(errors='replace')}" for each in self._containers()]
            raise AssertionError("\n".join([f"docker compose {' '.join(words)}:", done.stderr, *logs]))
        return done.stdout

    def down(self) -> None:
        """Remove the project, and check that nothing is left of it."""
        self.compose("--profile", "grow", "down", "--volumes", "--remove-orphans", "--timeout", "0")
        assert left_of(self.engine, self.project) == []

    def container(self, service: str) -> Container:
        """Return the container of a service in its current state."""
        (found,) = [each for each in self._containers() if each.labels["com.docker.compose.service"] == service]
        return found

    def grow(self) -> None:
        """Start the two nodes that the cluster may grow by."""
        self.compose("--profile", "grow", "up", "-d", "--wait", *GROW)
        self.servers += self._servers(range(7, 9))

    def check_loopback(self) -> None:
        """Fail unless each of its ports, for clients or among the servers, is on loopback only."""
        listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout.splitlines()
        addresses = [line.split()[3] for line in listening]
        mine = [address for address in addresses if re.search(rf":[12]?{self.ports}\d$", address)]
        assert all(address.startswith(f"{HOST}:") for address in mine), mine
        assert {f"{HOST}:{server.port}" for server in self.servers} <= set(mine)

    @property
    def running(self) -> Running:
        """The servers, for commands of the operator."""
        return Running(self.topology, self.servers, self.keys)

    def control(self) -> Control:
        """Return a Control that does to the containers what it otherwise does to processes."""
        deployed = cast(Deployment, _Deployed(self.topology, self.servers, self.keys))
        return Control(deployed, keeps_connections=False)

    def url(self, **settings: object) -> str:
        """Return the book's URL as the application's user, with the passwords, and with settings in its query."""
        url = _Deployed(self.topology, self.servers, self.keys).url
        if self._tls:
            url = url.replace("redis", "rediss", 1)
        return f"{url}&{urlencode(settings)}" if settings else url

    def _containers(self) -> list[Container]:
        return self.engine.containers.list(all=True, filters={"label": f"com.docker.compose.project={self.project}"})

    def _servers(self, numbers: Sequence[int]) -> tuple[ContainerServer, ...]:
        if self.topology == "standalone":
            return (ContainerServer(self, "redis", int(f"{self.ports}1")),)
        data = [ContainerServer(self, f"redis-{number}", int(f"{self.ports}{number}")) for number in numbers]
        if self.topology == "cluster":
            return tuple(data)
        sentinels = [ContainerServer(self, f"sentinel-{number}", int(f"2{self.ports}{number}")) for number in numbers]
        return (*data, *sentinels)


class _Deployed(Running):
    @property
    def url(self) -> str:
        users = {"username": NAME, **({"sentinel_username": NAME} if self.sentinel_password else {})}
        url = super().url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(users)}"


def left_of(engine: Engine, project: str) -> list[str]:
    """Return the names of a project's containers, volumes and networks."""
    mine: Mapping[str, str] = {"label": f"com.docker.compose.project={project}"}
    resources = (*engine.containers.list(all=True, filters=mine), *engine.volumes.list(filters=mine))
    return [each.name for each in (*resources, *engine.networks.list(filters=mine))]


def sweep(engine: Engine) -> None:
    """Remove the projects of test processes that do not run any more."""
    filters = {"label": "com.docker.compose.project"}
    for container in engine.containers.list(all=True, filters=filters):
        if _is_orphan(container.labels["com.docker.compose.project"]):
            with contextlib.suppress(APIError):  # another test process removes it at the same time
                container.remove(force=True, v=True)
    for resource in (*engine.volumes.list(filters=filters), *engine.networks.list(filters=filters)):
        if _is_orphan(resource.name):
            with contextlib.suppress(APIError):
                resource.remove()


def _is_orphan(project: str) -> bool:
    found = re.match(rf"{PROJECT}-(\d+)-", project)
    if found is None:
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _free_ports() -> str:
    """Return three digits with which the project's ports begin; all are free, those of Sentinels and bus too."""
    while True:
        digits = str(random.randint(200, 899))
        if all(_is_free(int(f"{first}{digits}{last}")) for first in ("", "1", "2") for last in range(1, 9)):
            return digits


def _is_free(port: int) -> bool:
    with socket.socket() as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((HOST, port))
        except OSError:
            return False
        return True

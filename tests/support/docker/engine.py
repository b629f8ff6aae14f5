"""The part of the Docker SDK that the tests use, with types, which the SDK does not have."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import Protocol, cast

REQUIRED = bool(os.environ.get("SLOTBOOK_REQUIRE_DOCKER"))
"""True when a missing engine is a failure. It is read here, before the tests remove such variables."""


class Container(Protocol):
    name: str
    status: str
    labels: Mapping[str, str]

    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def unpause(self) -> None: ...
    def start(self) -> None: ...
    def stop(self, *, timeout: int) -> None: ...
    def restart(self, *, timeout: int) -> None: ...
    def remove(self, *, force: bool, v: bool) -> None: ...
    def reload(self) -> None: ...
    def logs(self, *, tail: int) -> bytes: ...


class Resource(Protocol):
    """A volume or a network."""

    name: str

    def remove(self) -> None: ...


class Containers(Protocol):
    def list(self, *, all: bool, filters: Mapping[str, str]) -> list[Container]: ...


class Resources(Protocol):
    def list(self, *, filters: Mapping[str, str]) -> list[Resource]: ...
    def get(self, name: str, /) -> Resource: ...


class Engine(Protocol):
    containers: Containers
    volumes: Resources
    networks: Resources

    def ping(self) -> bool: ...
    def close(self) -> None: ...


def connect() -> Engine:
    """Return the engine that DOCKER_HOST names, or the system's. Raises an exception of the SDK."""
    module = importlib.import_module("docker")
    engine = cast("Callable[[], Engine]", module.from_env)()
    engine.ping()
    return engine


def missing() -> str:
    """Return the reason why tests with containers cannot run; empty when they can."""
    try:
        connect().close()
    except Exception as error:  # whatever the SDK raises, it is the reason
        return f"no Docker engine answers: {error}"
    if shutil.which("docker") is None:
        return "a Docker engine answers, but there is no docker command"
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, text=True, check=False, timeout=30)
    return "" if asked.returncode == 0 else f"a Docker engine answers, but docker compose does not: {asked.stderr}"

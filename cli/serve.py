"""``slotbook serve``: private servers for a program that is being written, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Annotated

import typer

from ..topology.embedded import Deployment, Topology, start
from .options import AsJson
from .output import JsonValue, json_line

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(
    topology: Annotated[Topology, typer.Option(help="The servers to start.")] = "standalone",
    port: Annotated[
        int | None,
        typer.Option(
            min=1_024,
            max=65_000,
            help="The port of the first server that the URL names; any if not given.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start private servers on loopback, print their URL, and stop them at Ctrl-C; nothing is left.

    The URL has a random password. It is the first line on stdout; with --json it is a field of one.
    """
    with _ended() as end, start(topology, port=port) as deployment:
        sys.stdout.write(json_line(_described(deployment)) if as_json else f"{deployment.url}\n")
        sys.stdout.flush()
        sys.stderr.write(f"slotbook: a {topology} deployment is ready; Ctrl-C ends it and all it keeps\n")
        end.wait()


@contextmanager
def _ended() -> Generator[Event]:
    """Yield an event that is set by the first signal that ends a program."""
    end = Event()

    def note(_: int, __: FrameType | None) -> None:
        end.set()

    before = {number: signal.signal(number, note) for number in _ENDS}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _described(deployment: Deployment) -> dict[str, JsonValue]:
    servers: list[JsonValue] = [
        {"name": server.name, "kind": server.kind, "host": server.host, "port": server.port, "pid": server.pid}
        for server in deployment.servers
    ]
    return {"url": deployment.url, "topology": deployment.topology, "servers": servers}

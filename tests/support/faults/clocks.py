"""Servers whose clocks a test can move, by libfaketime (Debian's package of that name).

They are always the Valkey from pip: Debian's Redis asks for the time before the library is ready (jemalloc), and ends.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import cast

from slotbook.topology.embedded import Deployment, Server, Topology, start
from slotbook.topology.embedded.binary import find_program

from .control import wait_until

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
"""The library that moves the clock of a program; None when it is not installed."""

_PROGRAM = """\
#!/bin/sh
case "$1" in
  --*) exec "{server}" "$@" ;;
esac
clock="$(dirname "$1")/clock"
test -e "$clock" || echo "+0" >"$clock"
export LD_PRELOAD="{library}" FAKETIME_TIMESTAMP_FILE="$clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
exec "{server}" "$@"
"""


class Clocks:
    """A deployment, and the clocks of its data servers."""

    def __init__(self, topology: Topology, folder: Path) -> None:
        program = folder / "server"
        program.write_text(_PROGRAM.format(server=_valkey(), library=LIBRARY), encoding="utf-8")
        program.chmod(0o700)
        self.deployment: Deployment = start(topology, server=str(program))
        self._seconds = 0

    def step(self, seconds: int) -> None:
        """Set every clock forward, or back by a negative number, and return when the servers have noticed."""
        self._seconds += seconds
        data = [server for server in self.deployment.servers if server.kind == "data"]
        for server in data:
            new = server.folder / "clock.new"
            new.write_text(f"{self._seconds:+d}\n", encoding="utf-8")
            new.replace(server.folder / "clock")
        for server in data:
            wait_until(lambda server=server: abs(_time(server) - time.time() - self._seconds) < 2, "its clock is set")

    def stop(self) -> None:
        """Stop the servers."""
        self.deployment.stop()


def _valkey() -> Path:
    configured = os.environ.pop("SLOTBOOK_SERVER", None)
    try:
        return find_program(None)
    finally:
        if configured is not None:
            os.environ["SLOTBOOK_SERVER"] = configured


def _time(server: Server) -> int:
    return int(cast("list[str]", server.ask("TIME"))[0])

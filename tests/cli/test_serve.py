"""``slotbook serve``: servers that live as long as the command, wherever its end comes from."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import pytest
import slotbook
from slotbook.topology.embedded import Topology

from ..support.make import limit
from .conftest import Cli

Serving = subprocess.Popen[str]
COMMAND = (sys.executable, "-m", "slotbook", "serve")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Serving]]:
    """Yield a list of commands, which are ended after the test."""
    commands: list[Serving] = []
    yield commands
    for command in commands:
        command.kill()
        command.communicate(timeout=100)


def serve(started: list[Serving], folder: Path, *arguments: str) -> Serving:
    """Start the command, with its files in a folder."""
    command = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    started.append(command)
    return command


def line(command: Serving) -> str:
    return cast("IO[str]", command.stdout).readline().rstrip("\n")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("topology", "number"), [("standalone", signal.SIGINT), ("sentinel", signal.SIGTERM), ("cluster", signal.SIGHUP)]
)
def test_it_serves_until_a_signal_and_leaves_nothing(
    started: list[Serving], tmp_path: Path, topology: Topology, number: signal.Signals
) -> None:
    command = serve(started, tmp_path, "--topology", topology, "--json")
    told = json.loads(line(command))
    pids = [server["pid"] for server in told["servers"]]
    with slotbook.connect(told["url"]) as book:
        book.orders.place(limit("T001"))
        assert book.orders.count("T001") == 1
    assert told["topology"] == topology
    assert all(is_running(pid) for pid in pids)
    assert {server["host"] for server in told["servers"]} == {"127.0.0.1"}
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.iterdir()] == [0o700]
    command.send_signal(number)
    out, err = command.communicate(timeout=100)
    assert (command.returncode, out) == (0, "")
    assert err.startswith(f"slotbook: a {topology} deployment is ready")
    assert not any(is_running(pid) for pid in pids)
    assert list(tmp_path.iterdir()) == []


def test_the_url_is_the_first_line_and_the_port_is_as_asked(started: list[Serving], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = line(serve(started, tmp_path, "--port", str(port)))
    assert url.startswith("redis://:")
    assert url.endswith(f"@127.0.0.1:{port}")
    with slotbook.connect(url) as book:
        assert book.orders.count("T001") == 0


@pytest.mark.parametrize(("topology", "names"), [("sentinel", 3), ("cluster", 6)])
def test_the_servers_that_a_url_names_have_consecutive_ports(
    started: list[Serving], tmp_path: Path, topology: Topology, names: int
) -> None:
    first = 21_400 + os.getpid() % 3_000
    told = json.loads(line(serve(started, tmp_path, "--topology", topology, "--port", str(first), "--json")))
    wanted = [f"127.0.0.1:{first + number}" for number in range(names)]
    assert told["url"].partition("@")[2].partition("/")[0].split(",") == wanted


def test_a_port_that_is_taken_is_said(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = cli("serve", "--port", str(port))
    assert (done.code, done.out) == (1, "")
    assert f"port {port} cannot be had: Address already in use" in done.err


@pytest.mark.parametrize("arguments", [("--port", "80"), ("--port", "65001"), ("--topology", "ring")])
def test_what_cannot_be_served_is_bad_usage(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("serve", *arguments).code == 2

"""Other programs that receive the published documents: redis-cli, and twenty lines of Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import slotbook
from slotbook.models import OrderEvent
from slotbook.models.event import document
from slotbook.models.wire import decode, encode

from ...support import node
from ...support.desk import Desk
from ...support.fleet import Fleets
from ...support.make import fresh, limit
from ...support.package import ROOT

SUBSCRIBER = ROOT / "tests/support/events/subscriber.mjs"


@pytest.fixture
def lines() -> Iterator[list[subprocess.Popen[str]]]:
    """Yield a list of programs, which are ended after the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().rstrip("\n")


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the packages of npm."""
    return node.node_modules(tmp_path_factory.mktemp("node"))


def test_redis_cli_reads_the_document(lone_desk: Desk, lines: list[subprocess.Popen[str]]) -> None:
    if shutil.which("redis-cli") is None:
        pytest.skip("redis-cli is not installed (Debian: redis-tools)")
    prefix = fresh("i") + ":"
    book, trader = lone_desk.open(publish="order_events", prefix=prefix), lone_desk.trader
    server = lone_desk.fleet.deployment.servers[0]
    command = ["redis-cli", "-h", server.host, "-p", str(server.port), "--raw", "SUBSCRIBE", f"{prefix}order_events"]
    environment = os.environ | {"REDISCLI_AUTH": lone_desk.fleet.deployment.password}
    lines.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment))
    out = lines[0].stdout
    assert [line(out) for _ in range(3)] == ["subscribe", f"{prefix}order_events", "1"]
    book.orders.place(limit(trader, text="Grüße / 日本"))
    assert [line(out) for _ in range(2)] == ["message", f"{prefix}order_events"]
    assert line(out) == document(encode(lone_desk.events(prefix=prefix)[0]))


def test_node_reads_the_document(fleets: Fleets, node_modules: Path, lines: list[subprocess.Popen[str]]) -> None:
    prefix, trader = fresh("i") + ":", fresh()
    fleet = fleets.of("standalone")
    server = fleet.deployment.servers[0]
    script = node_modules.parent / f"{fresh('subscriber')}.mjs"  # Node looks for modules beside the script
    script.write_text(SUBSCRIBER.read_text(encoding="utf-8"), encoding="utf-8")
    channels = [f"{prefix}order_events", f"{prefix}events.AAPL.new", f"{prefix}{{{trader}}}:events"]
    for channel in channels:
        environment = os.environ | {
            "REDIS_URL": f"redis://:{fleet.deployment.password}@{server.host}:{server.port}",
            "CHANNEL": channel,
            "SHARDED": "1" if "{" in channel else "",
        }
        lines.append(subprocess.Popen(["node", str(script)], stdout=subprocess.PIPE, text=True, env=environment))
    assert [line(reader.stdout) for reader in lines] == ["subscribed"] * 3
    with slotbook.connect(fleet.url({"publish": "traders,order_events,symbols", "prefix": prefix})) as book:
        book.orders.place(limit(trader, price="187.230000001", text="Grüße / 日本"))
        (event,) = book.events.history(trader)
    for reader, channel in zip(lines, channels, strict=True):
        received = json.loads(line(reader.stdout))
        exact = (received["channel"], received["price"], received["ts_ns"])
        assert exact == (channel, "187.230000001", "1700000000000000000")
        del received["channel"]
        assert decode(OrderEvent, channel, received) == event
    script.unlink()


def test_the_script_is_short() -> None:
    assert len(SUBSCRIBER.read_text(encoding="utf-8").splitlines()) <= 20

"""What other programs hear: redis-cli, and twenty lines of Node."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from slotbook.models import OrderEvent
from slotbook.models.event import document
from slotbook.models.wire import decode, encode

from ..desk import Desk
from ..make import execution, fresh, limit

SUBSCRIBER = Path(__file__).with_name("subscriber.mjs")


@pytest.fixture
def lines() -> Iterator[list[subprocess.Popen[str]]]:
    """Programs that are to be ended."""
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


@functools.cache
def node_modules() -> Path | None:
    """The folder with npm's ``redis``: what ``SLOTBOOK_NODE_MODULES`` names, else one that is installed once."""
    if given := os.environ.get("SLOTBOOK_NODE_MODULES"):
        return Path(given) if (Path(given) / "redis").is_dir() else None
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    place = Path(tempfile.gettempdir()) / f"slotbook-node-{os.getuid()}"
    if not (place / "node_modules" / "redis").is_dir():
        place.mkdir(mode=0o700, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), "redis@5"]
        subprocess.run(command, check=False, capture_output=True, timeout=120)
    found = place / "node_modules"
    return found if (found / "redis").is_dir() else None


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


@pytest.mark.parametrize("channel", ["order_events", "events.AAPL.fill", "{%}:events"])
def test_node_reads_the_document(lone_desk: Desk, lines: list[subprocess.Popen[str]], channel: str) -> None:
    modules = node_modules()
    if modules is None:
        pytest.skip("Node.js with npm's redis is not there: install node and npm, or set SLOTBOOK_NODE_MODULES")
    prefix = fresh("i") + ":"
    book, trader = lone_desk.open(publish="traders,order_events,symbols", prefix=prefix), lone_desk.trader
    server = lone_desk.fleet.deployment.servers[0]
    name = prefix + channel.replace("%", trader)
    environment = os.environ | {
        "REDIS_URL": f"redis://:{lone_desk.fleet.deployment.password}@{server.host}:{server.port}",
        "CHANNEL": name,
        "SHARDED": "1" if channel.startswith("{") else "",
    }
    script = modules.parent / f"{fresh('subscriber')}.mjs"  # Node looks for modules beside the script
    script.write_text(SUBSCRIBER.read_text(encoding="utf-8"), encoding="utf-8")
    try:
        lines.append(subprocess.Popen(["node", str(script)], stdout=subprocess.PIPE, text=True, env=environment))
        assert line(lines[0].stdout) == "subscribed"
        if channel != "events.AAPL.fill":
            book.orders.place(limit(trader, price="187.230000001", text="Grüße / 日本"))
            told = json.loads(line(lines[0].stdout))
            assert (told["channel"], told["price"], told["ts_ns"]) == (name, "187.230000001", "1700000000000000000")
        else:
            book.orders.place(limit(trader))
        book.orders.fill(execution(trader, "X1", 40, "187.22"))
        told = json.loads(line(lines[0].stdout))
    finally:
        script.unlink()
    assert told.pop("channel") == name
    assert decode(OrderEvent, name, told) == lone_desk.events(prefix=prefix)[1]


def test_the_script_is_short() -> None:
    assert len(SUBSCRIBER.read_text(encoding="utf-8").splitlines()) <= 20

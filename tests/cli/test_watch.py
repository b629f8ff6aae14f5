"""The command ``slotbook watch``, in a pipe, as JSON, and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from contextlib import closing
from typing import cast

import pytest
import slotbook
from slotbook.models import OrderEvent
from slotbook.topology.embedded import Topology

from ..faults.conftest import Deploy, deploy
from ..support.fleet import Fleets
from ..support.forked import Piped, fork, module
from ..support.make import TS, execution, fresh, limit
from .conftest import Cli

__all__ = ["deploy"]


@pytest.fixture
def trader(url: str) -> str:
    """Return a trader with three events."""
    name = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(name, ts_ns=TS))
        book.orders.fill(execution(name, ts_ns=TS + 1))
        book.orders.place(limit(name, "A2", symbol="MSFT"))
    return name


def test_plain(cli: Cli, url: str, trader: str) -> None:
    done = cli("watch", "--plain", "--trader", trader, "--since", 0, "--count", 3, "--url", url)
    assert (done.code, done.err) == (0, "")
    first, second, third = done.out.splitlines()
    assert first == f"2023-11-14T22:13:20.000000000Z  {trader}  1  NEW  AAPL  A1  BUY  0/100 at 187.23 NEW"
    assert second.split("  ")[3:] == [
        *("TRADE", "AAPL", "A1", "BUY", "40 at 187.22", "40/100 at 187.23 PARTIALLY_FILLED", "position 40"),
    ]
    assert third.split("  ")[4:6] == ["MSFT", "A2"]


def test_json_is_a_document_a_line(cli: Cli, url: str, trader: str) -> None:
    done = cli("watch", "--json", "--since", 0, "--count", 2, "--symbol", "AAPL", "--url", url)
    events = [OrderEvent.model_validate_json(line) for line in done.out.splitlines()]
    with slotbook.connect(url) as book:
        assert events == book.events.history(trader)[:2]
    assert [json.loads(line) for line in done.out.splitlines()] == cli(
        "history", trader, "--until", 2, "--url", url, "--json"
    ).rows()


def test_what_is_no_longer_kept_is_said(cli: Cli, url: str, trader: str) -> None:
    with slotbook.connect(url) as book:
        book.events.trim(trader, 3)
    done = cli("watch", "--plain", "--trader", trader, "--since", 0, "--count", 1, "--url", url)
    assert (done.code, len(done.out.splitlines())) == (0, 1)
    assert "events 1 to 2" in done.err


@pytest.mark.parametrize(("options", "said"), [(["--trader", "T{"], "trader 'T{'"), (["--symbol", ""], "symbol ''")])
def test_bad_names(cli: Cli, url: str, options: list[str], said: str) -> None:
    done = cli("watch", *options, "--url", url)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def in_a_pipe(url: str, *options: str) -> Piped:
    """Watch from the first event on, a line for each."""
    return Piped(module("slotbook", "watch", "--plain", "--since", "0", "--url", url, *options))


def test_a_reader_that_leaves(url: str, trader: str) -> None:
    watching = in_a_pipe(url)
    assert watching.stdout.readline().split("  ")[1] == trader
    watching.stdout.close()
    with slotbook.connect(url) as book:
        for number in range(100):
            book.orders.place(limit(trader, f"B{number}"))
    watching.process.wait(30)
    assert watching.stderr.read() == ""
    watching.stderr.close()
    watching.stdin.close()


def test_a_line_is_not_held_back_by_what_says_nothing_new(fleets: Fleets, url: str, trader: str) -> None:
    """After a lost connection, the message of an event may come that has been read from the stream already."""
    watching = in_a_pipe(url, "--trader", trader)
    for _ in range(3):
        watching.stdout.readline()
    with slotbook.connect(url) as book, closing(fleets.of("standalone").one_more("")) as raw:
        stream = f"{book.backend.settings.prefix}{{{trader}}}:events"
        raw.ask("SSUBSCRIBE", stream)
        watching.process.send_signal(signal.SIGSTOP)
        book.orders.place(limit(trader, "A3"))
        ((*_, message),) = cast("list[list[str]]", raw.published())
        for _ in range(50):
            fleets.of("standalone").ask(stream, "SPUBLISH", stream, message)
        watching.process.send_signal(signal.SIGCONT)
        assert select.select([watching.stdout], [], [], 20)[0], "the line stays in the buffer"
        assert watching.stdout.readline().split("  ")[2] == "4"
    watching.process.send_signal(signal.SIGINT)
    assert watching.rest(30) == ("", "")


def test_a_line_is_not_held_back_by_events_of_other_symbols(url: str, trader: str) -> None:
    watching = in_a_pipe(url, "--trader", trader, "--symbol", "AAPL")
    for _ in range(2):
        watching.stdout.readline()
    with slotbook.connect(url) as book:
        watching.process.send_signal(signal.SIGSTOP)
        book.orders.place(limit(trader, "A3"))
        book.orders.place_many([limit(trader, f"M{number}", symbol="MSFT") for number in range(100)])
        watching.process.send_signal(signal.SIGCONT)
        ends, number = time.monotonic() + 20, 100
        while time.monotonic() < ends and not select.select([watching.stdout], [], [], 0)[0]:
            number += 1
            book.orders.place(limit(trader, f"M{number}", symbol="MSFT"))
        assert time.monotonic() < ends, "the line stays in the buffer"
        assert watching.stdout.readline().split("  ")[2] == "4"
    watching.process.send_signal(signal.SIGINT)
    assert watching.rest(30) == ("", "")


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_over_a_failover(deploy: Deploy, topology: Topology) -> None:
    control, trader = deploy(topology), fresh()
    url = control.url(deadline=30)
    watching = in_a_pipe(url, "--trader", trader)
    with slotbook.connect(url) as book:
        primary = control.primary(f"{{{trader}}}")
        # On every replica, for any of them may take over, and its loss is not what is looked at here.
        book.orders.place(limit(trader, "A1"), durability=f"replicated={len(control.replicas(primary))}")
        assert watching.stdout.readline().split("  ")[2] == "1"
        control.kill(primary)
        control.promoted(primary, f"{{{trader}}}")
        for number in range(2, 12):
            book.orders.place(limit(trader, f"A{number}"))
    assert [watching.stdout.readline().split("  ")[2] for _ in range(10)] == [str(number) for number in range(2, 12)]
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(30) == 130
    assert watching.rest() == ("", "")


def test_a_terminal_shows_a_blotter(url: str, trader: str) -> None:
    ours, theirs = pty.openpty()
    hears, complaining = os.pipe()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "140", "LINES": "50"}
    command = module("slotbook", "watch", "--trader", trader, "--count", "2", "--url", url)
    watching = fork(command, (theirs, theirs, complaining), environment=environment)
    os.close(theirs)
    os.close(complaining)
    shown = b""
    try:
        while b"A2" not in shown:  # an order that was there before
            shown += os.read(ours, 65_536)
        with slotbook.connect(url) as book:
            book.orders.cancel(trader, "A2")
            book.orders.fill(execution(trader, "X9", 60, "187.25"))
            book.positions.adjust(trader, "AAPL", 11)
        while True:
            try:
                shown += os.read(ours, 65_536)
            except OSError:  # the terminal has been closed
                break
        assert watching.wait(30) == 0
    finally:
        watching.kill()
        watching.wait(30)
        os.close(ours)
    with os.fdopen(hears) as complaints:
        assert complaints.read() == ""
    text = shown.decode()
    for word in ("live", "events/s", "MSFT", "CANCELED", "PARTIALLY_FILLED"):
        assert word.replace("events/s", "/s") in text

"""Fault "deadline stretched": signals interrupt every wait, or a server answers a byte at a time."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from slotbook import Book
from slotbook.models.errors import OutcomeUnknown, ServerError, Unavailable

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.scripted import Scripted
from ..support.faults.stand import Stand, Stands
from ..support.interrupts import alarm_handler
from ..support.make import limit

GREEN = Path(__file__).parents[1] / "support" / "faults" / "green.py"
DEADLINE = 0.6
LATE = 4.0
"""Seconds that may pass after the deadline on a busy machine."""
FAULT = 10.0
"""Seconds that a fault lasts at least: a call that waits for its end is seen on a busy machine too."""
TIMES = {"deadline": DEADLINE, "socket_timeout": 0.3, "busy_poll": 0}


@contextmanager
def timed() -> Generator[None]:
    """Fail if the block takes longer than the deadline."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < DEADLINE + LATE


def ignore(_: int, __: object) -> None:
    """Handle a signal by doing nothing."""


@pytest.fixture
def ticking() -> Iterator[None]:
    """Let a signal come every 50 ms whose handler does nothing."""
    with alarm_handler(ignore):
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        yield


class Freezer:
    """A server that can be frozen, and goes on by itself after a while: a call that waits for it ends then."""

    def __init__(self, stand: Stand) -> None:
        self._server = stand.control.primary()
        self._stand = stand
        self._rescue: threading.Timer | None = None
        self.url = stand.control.url(**TIMES)
        self.trader = stand.trader

    def open(self) -> Book:
        """Return a book on the server, for the stand's caller."""
        return self._stand.keep(open_book(self.url, self._stand.caller, self._stand.runner))

    def freeze(self) -> None:
        """Stop the server."""
        self._rescue = threading.Timer(FAULT, self._server.thaw)
        self._rescue.start()
        self._server.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        if self._rescue is not None:
            self._rescue.cancel()
        self._server.thaw()


@pytest.fixture
def freezer(lone_stand: Stand) -> Iterator[Freezer]:
    """Yield a server to freeze, for threads and for asyncio."""
    found = Freezer(lone_stand)
    yield found
    found.thaw()


@pytest.fixture
def freezer_of_threads(stands: Stands, runner: asyncio.Runner) -> Iterator[Freezer]:
    """Yield a server to freeze, for threads only."""
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        found = Freezer(stand)
        yield found
        found.thaw()


@pytest.mark.usefixtures("ticking")
def test_signals_do_not_stretch_a_read(freezer: Freezer) -> None:
    book = freezer.open()
    book.orders.place(limit(freezer.trader))
    freezer.freeze()
    with timed(), pytest.raises(Unavailable, match="within the deadline"):
        book.orders.get(freezer.trader, "A1")


@pytest.mark.usefixtures("ticking")
def test_signals_do_not_stretch_a_write_that_the_server_does_not_read(freezer: Freezer) -> None:
    book = freezer.open()
    pages = book.cache(str, freezer.trader)
    pages.put("page", "")
    freezer.freeze()
    with timed(), pytest.raises(OutcomeUnknown):
        pages.put("page", "x" * 12_000_000)  # more than the system keeps of a connection


@pytest.mark.usefixtures("ticking")
def test_signals_do_not_stretch_a_batch(freezer: Freezer) -> None:
    book = freezer.open()
    book.orders.place(limit(freezer.trader))
    freezer.freeze()
    with timed():
        outcomes = book.orders.place_many([limit(freezer.trader, f"B{number}") for number in range(600)])
    assert {type(outcome.error) for outcome in outcomes} <= {OutcomeUnknown, Unavailable}


def test_signals_do_not_stretch_a_read_of_another_thread(freezer_of_threads: Freezer) -> None:
    freezer = freezer_of_threads
    book = freezer.open()
    book.orders.place(limit(freezer.trader))
    errors: list[Exception] = []

    def read() -> None:
        try:
            with timed():
                book.orders.get(freezer.trader, "A1")
        except Exception as error:
            errors.append(error)

    freezer.freeze()
    reader = threading.Thread(target=read)
    reader.start()
    with alarm_handler(ignore):
        while reader.is_alive():
            signal.pthread_kill(reader.ident or 0, signal.SIGALRM)
            reader.join(0.05)
    assert [type(error) for error in errors] == [Unavailable]


@pytest.mark.parametrize("verb", ["AUTH", "HGETALL"])
@pytest.mark.parametrize("caller", CALLERS)
def test_a_reply_that_comes_byte_by_byte_does_not_stretch_it(verb: str, caller: Caller, runner: asyncio.Runner) -> None:
    with Scripted() as server:
        url = server.url(**TIMES, password="p")  # noqa: S106
        server.drip(verb)
        if verb == "HGETALL":
            book = open_book(url, caller, runner)
            with timed(), pytest.raises(Unavailable):
                book.orders.get("T001", "A1")
            book.close()
        else:
            with timed(), pytest.raises(ServerError):
                open_book(url, caller, runner)


def test_addresses_of_one_host_share_the_time_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        taken = [socket.socket() for _ in range(3)]
        for one in taken:
            one.settimeout(0)
            one.connect_ex(full.getsockname())  # the queue is full: who comes now is not answered
        found = socket.getaddrinfo("127.0.0.1", full.getsockname()[1], type=socket.SOCK_STREAM)

        def eight(*_: object, **__: object) -> list[object]:
            return [*found] * 8

        monkeypatch.setattr(socket, "getaddrinfo", eight)
        with timed(), pytest.raises(Unavailable):
            Book.open(f"redis://127.0.0.1:{full.getsockname()[1]}?deadline={DEADLINE}&connect_timeout=0.3")
        for one in taken:
            one.close()


def test_a_name_that_is_not_resolved_does_not_stretch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve, asked = socket.getaddrinfo, threading.Event()

    def slow(*question: Any, **options: Any) -> object:
        if not options.get("flags"):
            asked.wait(FAULT)
        return resolve(*question, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with timed(), pytest.raises(Unavailable):
        Book.open(f"redis://localhost:1?deadline={DEADLINE}&connect_timeout=0.3")
    asked.set()


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize("caller", CALLERS)
def test_signals_do_not_stretch_a_handshake(caller: Caller, runner: asyncio.Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, timed(), pytest.raises(Unavailable):
        open_book(
            f"rediss://127.0.0.1:{silent.getsockname()[1]}?deadline={DEADLINE}&socket_timeout=0.3", caller, runner
        )


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_green_threads_have_the_same_deadline_and_run_meanwhile(library: str, freezer_of_threads: Freezer) -> None:
    freezer = freezer_of_threads
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(GREEN), library, freezer.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        freezer.freeze()
        said, _ = process.communicate("go\n", timeout=100)
    seconds, turns, error = said.split()
    assert float(seconds) < DEADLINE + LATE
    assert int(turns) >= 3
    assert error == "Unavailable"

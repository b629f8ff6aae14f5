"""Consumers of which some are killed, frozen or slow: every event is handled, and acknowledged once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import cast

import pytest
from slotbook import Book

from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.forked import Piped, script
from ...support.make import limit
from ...support.package import ROOT

EVENTS = int(os.environ.get("SLOTBOOK_EVENTS", "4000")) // 8
"""A consumer makes a round trip for each event."""
MANY = int(os.environ.get("SLOTBOOK_EVENTS", "1200"))


class Process:
    """A consumer in a process of its own, and the lines that it has printed so far."""

    def __init__(self, program: str, *arguments: str) -> None:
        self.lines: list[str] = []
        self._piped = Piped(script(str(ROOT / "tests/support/events" / program), *arguments))
        self._running = self._piped.process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        self.lines.extend(line for line in self._piped.stdout if line.endswith("\n"))

    def printed(self, word: str) -> list[tuple[str, int]]:
        """Return the events of which it has printed this word."""
        words = [line.split() for line in list(self.lines)]
        return [(parts[1], int(parts[2])) for parts in words if parts[0] == word]

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def kill(self) -> None:
        self._running.send_signal(signal.SIGKILL)
        self._running.wait(30)
        self._reader.join(30)

    def stop(self) -> None:
        if self._running.poll() is None:
            self.kill()
        self._reader.join(30)
        self._piped.rest()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Yield a list of processes, which are stopped after the test."""
    started: list[Process] = []
    yield started
    for process in started:
        process.stop()


@pytest.mark.parametrize("desk", [("standalone", "sync"), ("sentinel", "sync"), ("cluster", "sync")], indirect=True)
def test_two_of_four_are_killed(desk: Desk, processes: list[Process]) -> None:
    traders = [desk.trader, desk.another(), desk.another(), desk.another()]
    book: Book = desk.book
    every = {(trader, number) for trader in traders for number in range(1, EVENTS // 4 + 1)}
    processes += [Process("consumer_process.py", desk.fleet.url(), f"c{number}", *traders) for number in range(4)]
    wait_until(lambda: all(process.lines for process in processes), "the consumers are ready", 60)
    for begin in range(0, EVENTS // 4, EVENTS // 12):
        least = _count(processes, "handled")
        for trader in traders:
            names = range(begin, min(begin + EVENTS // 12, EVENTS // 4))
            book.orders.place_many([limit(trader, f"A{number}") for number in names])
        if begin // (EVENTS // 12) < 2:  # each of the two is killed in the middle of a part
            wait_until(lambda least=least: _count(processes, "handled") > least, "some are handled")
            processes[begin // (EVENTS // 12)].kill()
    wait_until(lambda: _delivered(desk, traders), "all is delivered", 120)
    wait_until(lambda: not any(_pending(desk, trader) for trader in traders), "all is acknowledged")
    # What is printed may still be on its way.
    wait_until(lambda: {event for one in processes for event in one.printed("handled")} == every, "all are handled")
    # A consumer that was killed between the server's reply and its own print cannot print that it has acknowledged, and
    # what the others print may still be on its way.
    silent = {event for process in processes[:2] for event in process.printed("handled")[-1:]}
    wait_until(lambda: every - _acknowledged(processes).keys() <= silent, "all others print their acknowledgements")
    acknowledged = _acknowledged(processes)
    assert set(acknowledged.values()) == {1}
    missing = every - acknowledged.keys()
    assert len(missing) <= 2
    assert missing <= silent
    twice = sum(Counter(event for process in processes for event in process.printed("handled")).values()) - len(every)
    print(f"{desk.fleet.topology}: {len(every):,} events, {twice} handled again after a kill, acknowledged once each")


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
def test_killed_frozen_and_slow_ones_lose_nothing(lone_desk: Desk, processes: list[Process]) -> None:
    """Of six consumers two are killed, one is frozen past ``min_idle``, and one takes 50 ms for each event."""
    traders = [lone_desk.trader, *(lone_desk.another() for _ in range(3))]
    total, min_idle, began = MANY // 4, max(0.5, MANY / 20_000), time.monotonic()
    every = {(trader, number) for trader in traders for number in range(1, total + 1)}
    for number, (batch, delay) in enumerate([(1, 0), (20, 0), (300, 0), (10, 0.05), (100, 0), (50, 0)]):
        given = lone_desk.fleet.url(), f"c{number}", str(batch), str(delay), str(min_idle)
        processes.append(Process("handler_process.py", *given, *traders))
    killed, frozen = (processes[1], processes[4]), processes[2]
    wait_until(lambda: all(process.lines for process in processes), "the consumers are ready", 60)
    for part, process in enumerate((*killed, frozen, None)):
        had = len(process.lines) if process else 0
        for trader in traders:
            names = range(part * total // 4, (part + 1) * total // 4)
            lone_desk.book.orders.place_many([limit(trader, f"A{number}") for number in names])
        if process:
            done = 4 * ((part + 1) * total // 4)  # the others may have left it nothing
            wait_until(
                lambda process=process, had=had, done=done: (
                    len(process.lines) > had or len(_handled(processes)) >= done
                ),
                "it handles some",
            )
            process.signal(signal.SIGSTOP) if process is frozen else process.kill()
    frozen_at = time.monotonic()
    wait_until(lambda: time.monotonic() > frozen_at + min_idle * 1.5, "what it had may be claimed", 60)
    frozen.signal(signal.SIGCONT)
    wait_until(lambda: _handled(processes) >= every, "every event is handled", 600)
    wait_until(lambda: not any(_pending(lone_desk, trader) for trader in traders), "all is acknowledged", 60)
    assert _handled(processes) == every
    assert not any(lone_desk.book.events.dead_letters(trader) for trader in traders)
    again = _count(processes, "handled") - len(every)
    shares = [len(process.printed("handled")) for process in processes]
    print(f"{len(every):,} events, {again} handled again, {shares} by each, {time.monotonic() - began:.0f} s")


def _handled(processes: list[Process]) -> set[tuple[str, int]]:
    return {event for process in processes for event in process.printed("handled")}


def _acknowledged(processes: list[Process]) -> Counter[tuple[str, int]]:
    return Counter(event for process in processes for event in process.printed("acknowledged"))


def _count(processes: list[Process], word: str) -> int:
    return sum(len(process.printed(word)) for process in processes)


def _pending(desk: Desk, trader: str) -> int:
    key = f"{{{trader}}}:events"
    return cast("list[int]", desk.fleet.ask(key, "XPENDING", key, "risk"))[0]


def _delivered(desk: Desk, traders: list[str]) -> bool:
    """Return True when every event has been delivered to some consumer."""
    for trader in traders:
        key = f"{{{trader}}}:events"
        groups = cast("list[list[str]]", desk.fleet.ask(key, "XINFO", "GROUPS", key))  # none before the first read
        if not any(f"{EVENTS // 4}-0" in group for group in groups):
            return False
    return True

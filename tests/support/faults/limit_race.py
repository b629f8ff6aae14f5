"""Let eight processes race at the limits of four traders while a primary is killed twice, then judge what came of it.

``python -m tests.support.faults.limit_race --seconds 60 --durability replicated=2 --topology cluster`` runs it.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, Any, Literal, cast

from slotbook import Book
from slotbook.models import Limits, OrderEvent
from slotbook.topology.embedded import Server, start

from ..forked import Piped, script
from ..make import fresh
from . import limit_racer
from .control import Control, wait_until
from .limit_judge import Verdict, judge, judge_positions
from .limit_racer import Call

PROCESSES, TRADERS, RATE = 8, 4, 60
Raced = Literal["sentinel", "cluster"]
Told = tuple[list[Call], list[tuple[str, int, int]]]


class Process:
    """A racer, and what it has printed."""

    def __init__(self, url: str, seed: int, seconds: float, pause: float, traders: Sequence[str]) -> None:
        self._piped = Piped(script(limit_racer.__file__, url, str(seed), str(seconds), str(pause), *traders))
        self._process = self._piped.process
        self.is_ready, self.is_done = threading.Event(), threading.Event()
        self._lines: list[dict[str, object]] = []
        self._errors: list[str] = []
        streams = ((self._piped.stdout, self._read), (self._piped.stderr, self._read_errors))
        self._threads = [threading.Thread(target=read, args=(stream,)) for stream, read in streams]
        for thread in self._threads:
            thread.start()

    def end(self) -> Told:
        """Have the racer ask for its losses; return what it was told. Raises AssertionError when it has failed."""
        if self._process.poll() is None:
            self._piped.stdin.write("\n")
            self._piped.stdin.flush()
        code = self._process.wait(120)
        for thread in self._threads:
            thread.join(10)
        self._piped.rest()
        assert code == 0, "".join(self._errors)
        lost = [line for line in self._lines if "lost" in line]
        calls = [Call(**cast("dict[str, Any]", line)) for line in self._lines if "verb" in line]
        return calls, [(str(one["lost"]), cast(int, one["first"]), cast(int, one["last"])) for one in lost]

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait(10)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.append(json.loads(line))
            if "ready" in self._lines[-1]:
                self.is_ready.set()
            if "done" in self._lines[-1]:
                self.is_done.set()
        self.is_ready.set()
        self.is_done.set()

    def _read_errors(self, stream: IO[str]) -> None:
        self._errors += stream


def race(
    seconds: float, durability: str, topology: Raced = "sentinel", seed: int = 1, *, pause: float = 0.0
) -> Verdict:
    """Race for so long on primaries with two replicas each, of which two take over; then judge.

    After each call a racer pauses for so many seconds, on average.
    In a cluster it is the primary of the first trader that is killed.
    """
    traders = [fresh() for _ in range(TRADERS)]
    with start(topology, replicas=2) as deployment, Control(deployment) as control:
        url = control.url(deadline=15, socket_timeout=1, pool_wait=5, durability=durability)
        with Book.open(control.url(deadline=15, durability="replicated=2")) as book:
            for number, trader in enumerate(traders):
                rate = RATE if number == 0 else None
                limits = {"max_order": 100, "max_notional": 18_000, "max_position": 300, "orders_per_second": rate}
                book.limits.set(Limits.model_validate({"trader": trader, **limits}))
                book.limits.set(Limits(trader=trader, symbol="MSFT", max_position=150))
            began = time.monotonic()
            processes = [Process(url, seed * 100 + number, seconds, pause, traders) for number in range(PROCESSES)]
            try:
                for process in processes:
                    process.is_ready.wait(60)
                racing = time.monotonic()
                for part in (1 / 3, 2 / 3):
                    time.sleep(max(0.0, racing + seconds * part - time.monotonic()))
                    _kill(control, f"{{{traders[0]}}}", lossy=durability == "local")
                for process in processes:
                    assert process.is_done.wait(seconds + 60)
                took = time.monotonic() - began
                control.heal(90)
                told = [process.end() for process in processes]
            finally:
                for process in processes:
                    process.stop()
            events = {trader: _events(book, trader) for trader in traders}
            found = judge(events, told, {traders[0]: (RATE, took)})
            for trader in traders:
                judge_positions(found, trader, book.positions.all(trader), book.positions.by_account(trader))
                found.problems += [one.message for one in book.audit.verify(trader) if one.is_difference]
    return found


def _events(book: Book, trader: str) -> list[OrderEvent]:
    return list(book.events.history(trader))


def _kill(control: Control, key: str, *, lossy: bool) -> None:
    """Kill the primary of a key, and start it again as a replica.

    With ``lossy`` it has written, before that, what no replica has. The servers keep nothing on disk, so it comes back
    empty: the next one may be killed only when all copies are there again.
    """
    was = control.primary(key)
    stranded: list[Server] = control.strand(was) if lossy else []
    if lossy:
        time.sleep(0.4)
    control.kill(was)
    for replica in stranded:
        control.thaw(replica)
    control.promoted(was, key, 60)
    control.restart(was)
    wait_until(control.is_whole, "every replica has what its primary has", 60)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when a limit was passed, or anything was lost that nobody has said."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.faults.limit_race", description="a race at limits")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--durability", default="replicated=2", choices=("local", "replicated=2"))
    parser.add_argument("--topology", default="sentinel", choices=("sentinel", "cluster"))
    given = parser.parse_args(arguments)
    found = race(given.seconds, given.durability, given.topology, given.seed)
    sys.stdout.write(f"{given.topology}, {given.durability}, {given.seconds:g} s\n{found.text}\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())

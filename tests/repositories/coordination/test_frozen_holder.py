"""Frozen holders: eight processes count under one lock, and a holder stopped past its lease is refused."""

from __future__ import annotations

import contextlib
import signal

import pytest
from slotbook import Book
from slotbook.models.errors import FenceRefused, LockLost

from ...support.desk import Desk
from ...support.forked import Piped
from ...support.make import NIGHTLY

TURNS = 25 if NIGHTLY else 10

WORKER = """
import sys
import slotbook
from slotbook.models.errors import FenceRefused, LockLost, LockTimeout

url, trader, fenced = sys.argv[1], sys.argv[2], sys.argv[3] == "fenced"
counted = refused = 0
with slotbook.connect(url) as book:
    print("ready", flush=True)
    while counted < int(sys.argv[4]):
        try:
            with book.lock("count", trader=trader, lease=0.3, wait=60) as held:
                seen = book.positions.get(trader, "COUNT").quantity
                print("holding", flush=True)
                sys.stdin.readline()
                (held.positions if fenced else book.positions).set(trader, "COUNT", seen + 1)
                counted += 1
        except FenceRefused:
            refused += 1
        except LockLost:  # at the end of the block: the change had been made in time
            pass
print("done", counted, refused, flush=True)
"""


class Worker:
    """A process that counts under the lock, and waits for a line on its standard input before each write."""

    def __init__(self, url: str, trader: str, fenced: bool) -> None:
        arguments = [url, trader, "fenced" if fenced else "bare", str(TURNS)]
        self._piped = Piped(f"import sys; sys.argv[1:] = {arguments!r}\n{WORKER}")

    def wait_until_ready(self) -> None:
        assert self.read_line() == "ready"

    def read_line(self) -> str:
        return self._piped.stdout.readline().strip()

    def allow(self, times: int = 1) -> None:
        self._piped.stdin.write("\n" * times)
        self._piped.stdin.flush()

    def freeze(self) -> None:
        self._piped.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._piped.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self._piped.process.kill()
        self._piped.rest()


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
@pytest.mark.parametrize(
    ("fenced", "processes", "freezes"), [(True, 8, 5), (False, 3, 2)], ids=["fenced", "without-a-fence"]
)
def test_the_count_is_exact_although_holders_are_frozen(
    lone_desk: Desk, fenced: bool, processes: int, freezes: int
) -> None:
    workers = [Worker(lone_desk.fleet.url(), lone_desk.trader, fenced) for _ in range(processes)]
    for worker in workers:
        worker.wait_until_ready()
    try:
        for worker in workers[freezes:]:
            worker.allow(10_000)
        for worker in workers[:freezes]:
            assert worker.read_line() == "holding"
            worker.freeze()
            _count_once(lone_desk.book, lone_desk.trader)
            worker.thaw()
            worker.allow(10_000)
        results = [_result(worker) for worker in workers]
    finally:
        for worker in workers:
            worker.end()
    count = lone_desk.book.positions.get(lone_desk.trader, "COUNT").quantity
    counted, refused = (sum(column) for column in zip(*results, strict=True))
    assert counted == processes * TURNS
    if fenced:
        assert count == counted + freezes
        assert refused >= freezes
    else:  # the same run without a fence loses counts, so the test can fail
        assert count < counted + freezes
        assert refused == 0


def _count_once(book: Book, trader: str) -> None:
    """Count once under the lock, which is free when the frozen holder's lease has run out."""
    done = False
    while not done:
        with contextlib.suppress(FenceRefused, LockLost), book.lock("count", trader=trader, wait=30) as held:
            seen = book.positions.get(trader, "COUNT").quantity
            held.positions.set(trader, "COUNT", seen + 1)
            done = True


def _result(worker: Worker) -> tuple[int, int]:
    """Return how often a worker has counted, and how often it was refused."""
    while not (line := worker.read_line()).startswith("done"):
        assert line == "holding"
    _, counted, refused = line.split()
    return int(counted), int(refused)

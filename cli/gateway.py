"""The demo's callers: one thread for each trader, which sends one request after the other.

A trader has one gateway, so it knows the number of the last event, and says it with each request: what a failover lost
is noticed before anything builds on what is not there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence

from ..models.errors import Refused, StateLost, VersionConflict
from ..models.journal import JournalRequest
from ..repositories import Book


class Gateway(threading.Thread):
    """A thread that sends a trader's day; a daemon thread, so that Ctrl-C does not wait for a failover."""

    def __init__(self, book: Book, trader: str, requests: Sequence[JournalRequest]) -> None:
        super().__init__(name=f"gateway-{trader}", daemon=True)
        self.trader = trader
        self.requests = requests
        self.answered = 0
        self.brought_back = 0
        """Changes that were acknowledged, lost in the failover, and applied again."""
        self.longest_wait = 0.0
        self.failure: Exception | None = None
        self._book = book
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send everything, until ``stop`` is called or a call fails."""
        try:
            for number in range(len(self.requests)):
                if self._stopping.is_set():
                    return
                self.send(number)
        except Exception as error:  # raised by ``result`` in the thread that calls it
            self.failure = error

    def stop(self) -> None:
        """Send no further request."""
        self._stopping.set()

    def result(self) -> None:
        """Wait for the end, and raise the error that ended it early."""
        self.join()
        if self.failure is not None:
            raise self.failure

    def send(self, number: int) -> None:
        """Send one request; each before it has left one event, so their number is the book's sequence."""
        started = time.monotonic()
        try:
            self._book.commit([self.requests[number]], expected_sequence=number)
        except (StateLost, VersionConflict):
            done = self._book.reconcile(self.requests[: number + 1])
            self.brought_back += max(0, done.applied - 1)
        except Refused:
            pass  # the audit shows if this was wrong
        finally:
            self.longest_wait = max(self.longest_wait, time.monotonic() - started)
        self.answered += 1


def wait_until_half(gateways: Iterable[Gateway]) -> None:
    """Return when half of all requests have been answered, or when no gateway sends any more."""
    gateways = list(gateways)
    half = sum(len(gateway.requests) for gateway in gateways) // 2
    while sum(gateway.answered for gateway in gateways) < half and any(gateway.is_alive() for gateway in gateways):
        time.sleep(0.002)

"""Decide when a thread polls its socket for a reply before it goes to sleep for it.

A thread that sleeps in ``recv`` has to be woken up, and if its processor has gone idle meanwhile, that takes longer
than the server takes to answer. So a thread may first poll the socket for a short time (Linux calls this busy polling).
It does so only where another processor is left for the server, one thread at a time, and more and more rarely while
polls do not find their reply. The polling itself is :meth:`.connection.Connection.poll`.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter

MAX_SKIPPED = 1_023
"""The largest number of replies that are not polled for between two polls, after many polls in a row found nothing."""


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


LONGEST_POLL = 1.0
"""Seconds after which a poll has ended in any case."""
_polling_until = [0.0]
"""The time until which a thread polls: a second one would only take the interpreter from the first. It is no lock, for
a signal handler may raise before the thread says that it has ended."""


class BusyPoll:
    """The decision, for the connections to one server, if the next reply is polled for.

    ``seconds`` is the longest time to poll for one reply; 0 where polling is off or there is no second processor.
    """

    __slots__ = ("_skip_length", "_to_skip", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds if _processors() > 1 else 0.0
        self._skip_length = 0
        self._to_skip = 0

    def begin(self) -> bool:
        """Return True if the next reply is to be polled for; then ``end`` must be called after it."""
        if not self.seconds:
            return False
        if self._to_skip:
            self._to_skip -= 1
            return False
        now = perf_counter()
        if now < _polling_until[0]:
            return False
        _polling_until[0] = now + LONGEST_POLL
        return True

    def end(self, found: bool) -> None:
        """Let other threads poll, and skip about twice as many replies as last time unless the reply was found."""
        _polling_until[0] = 0.0
        self._skip_length = 0 if found else min(2 * self._skip_length + 1, MAX_SKIPPED)
        self._to_skip = self._skip_length

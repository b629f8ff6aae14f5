"""Looking for a reply before going to sleep for it.

A thread that sleeps in ``recv`` has to be woken, and where the processor has gone idle meanwhile, that takes longer
than a server takes to answer. So a reply is first looked for again and again (the kernel's term is busy polling), as
long as that has lately been worth it: by one thread at a time, where another processor is left for the server.
"""

from __future__ import annotations

import os
import sys
import threading

MOST_PASSED_OVER = 1_023
"""So many replies are slept for after a row of vain looks, before the next look."""


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


_ALONE = threading.Lock()
"""Two threads that looked at once would only take the interpreter from each other."""


class BusyPoll:
    """Whether the next reply of one server is looked for; ``seconds`` at most, and then slept for."""

    __slots__ = ("_passed_over", "_to_pass_over", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds if _processors() > 1 else 0.0
        self._passed_over = 0
        self._to_pass_over = 0

    def begin(self) -> bool:
        """Whether to look; if so, ``end`` must follow."""
        if not self.seconds:
            return False
        if self._to_pass_over:
            self._to_pass_over -= 1
            return False
        return _ALONE.acquire(blocking=False)

    def end(self, came: bool) -> None:
        """After a look: whether the reply came."""
        _ALONE.release()
        self._passed_over = 0 if came else min(2 * self._passed_over + 1, MOST_PASSED_OVER)
        self._to_pass_over = self._passed_over

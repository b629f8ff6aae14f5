"""Work that nobody waits for, for threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

WORKERS = 4


class Background:
    """Jobs that go on while their starter does; they end before the connections that they use are closed."""

    def __init__(self) -> None:
        self._owner = 0
        self._pool: ThreadPoolExecutor | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Begin a job, which must not raise; after four at a time, the others wait their turn."""
        if self._pool is None or self._owner != os.getpid():  # a forked child has none of its parent's threads
            self._owner, self._pool = os.getpid(), ThreadPoolExecutor(WORKERS, "slotbook-refresh")
        self._pool.submit(job)

    def close(self) -> None:
        """Wait for what is under way."""
        if self._pool is not None and self._owner == os.getpid():
            self._pool.shutdown()
            self._pool = None


def pause(seconds: float) -> None:
    """Let others go on."""
    time.sleep(seconds)

"""What has to be done differently in threads: waiting for a turn, and work that blocks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Turn:
    """A lock that is waited for within a time; a forked child starts with a free one."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def take(self, timeout: float) -> bool:
        """Wait for the turn; False when the time ran out."""
        if self._owner != os.getpid():
            self._owner, self._lock = os.getpid(), threading.Lock()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """End the turn."""
        self._lock.release()


def blocking(work: Callable[[], T]) -> T:
    """Do work that blocks: here that is no matter."""
    return work()

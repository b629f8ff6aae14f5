"""A bounded number of places, given to threads in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class Semaphore:
    """A semaphore that is fair: a place that becomes free goes to whoever has waited longest, and to nobody faster."""

    __slots__ = ("_free", "_lock", "_waiting")

    def __init__(self, number: int) -> None:
        self._free = number
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Take a place, waiting for it if need be; False when the time ran out."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        try:
            return gate.acquire(timeout=timeout) or not self._leave(gate)  # or it was handed over in the last moment
        except BaseException:
            if not self._leave(gate):
                self.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _leave(self, gate: threading.Lock) -> bool:
        """Wait no longer; False for one that has a place already."""
        with self._lock:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return True
            return False

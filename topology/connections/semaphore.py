"""A semaphore for threads that hands out its permits in the order in which they were asked for."""

from __future__ import annotations

import threading
from collections import deque


class Semaphore:
    """A fair semaphore: a permit that is released goes to the thread that has waited longest.

    ``threading.Semaphore`` lets a thread that comes later overtake those that wait.
    """

    __slots__ = ("_free", "_lock", "_waiting")

    def __init__(self, permits: int) -> None:
        self._free = permits
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        """One locked lock for each waiting thread; it is unlocked to hand that thread a permit."""

    def acquire(self, timeout: float) -> bool:
        """Take a permit, waiting up to ``timeout`` seconds for it; return False if there was none in time."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        try:
            # A thread that times out may find that it was handed a permit at the last moment; then it has one.
            return gate.acquire(timeout=timeout) or not self._stop_waiting(gate)
        except BaseException:
            if not self._stop_waiting(gate):
                self.release()
            raise

    def release(self) -> None:
        """Return a permit."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _stop_waiting(self, gate: threading.Lock) -> bool:
        """Leave the queue; return False if the permit has been handed over already."""
        with self._lock:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return True
            return False

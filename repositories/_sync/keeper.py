"""Work that is done again and again beside the caller's, for threads: on one of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Keeper:
    """Does some work every few seconds until it is stopped, or the work says that there is no more to do."""

    def __init__(self, work: Callable[[], bool], every: float) -> None:
        self._work = work
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="slotbook-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the work, when what is under way is done."""
        self._stopping.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stopping.wait(self._every) and self._work():
            pass

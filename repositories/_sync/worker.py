"""A caller's function that is called beside the caller, for threads: on a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ..handlers import Handler

T = TypeVar("T")


class Worker:
    """Work that goes on until it ends by itself."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="slotbook-worker", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end; not when the work itself asks."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def result(self) -> None:
        """Raise what ended it, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # handed to whoever asks for the result
            self._failure = error


def handle(handler: Handler[T], item: T) -> None:
    """Call a handler."""
    handler(item)

"""Know where something works that listens: in one process, and for asyncio in one event loop."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ...models.errors import BelongsElsewhere

if TYPE_CHECKING:  # a book of one form does not load what is for the other
    from ...topology._async.attachments import AsyncAttached
    from ...topology._async.backend import AsyncBackend
    from ...topology._sync.attachments import Attached
    from ...topology._sync.backend import Backend


class _Process:
    """The process in which something listens: in a forked child it has no thread, and would hear nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._id = 0

    def take(self) -> None:
        self._id = os.getpid()

    @property
    def is_gone(self) -> bool:
        return self._id not in (0, os.getpid())

    def check(self) -> None:
        if self.is_gone:
            raise BelongsElsewhere(
                f"this {self.name} works in process {self._id}; make another one in its child {os.getpid()}"
            )


class AsyncOwner:
    """The process and the event loop in which something listens, on the connections of a book."""

    def __init__(self, name: str, backend: AsyncBackend) -> None:
        self._backend = backend
        self._process = _Process(name)
        self._loop: asyncio.AbstractEventLoop | None = None

    def take(self, part: AsyncAttached) -> None:
        """Let it begin to work here, and have the book close it. Raises BookClosed or BelongsElsewhere."""
        self._backend.require_here()
        self._backend.attach(part)
        self._process.take()
        self._loop = asyncio.get_running_loop()

    def leave(self, part: AsyncAttached) -> bool:
        """Let the book forget it, and return True when there is something here to stop.

        There is nothing when its event loop is closed, or in a forked child. Raises BelongsElsewhere in another loop.
        """
        if not self.is_gone:
            self._check_loop()
        self._backend.detach(part)
        return not self.is_gone

    @property
    def is_gone(self) -> bool:
        """True where nothing of it works any more."""
        return self._process.is_gone or (self._loop is not None and self._loop.is_closed())

    def check_process(self) -> None:
        """Raise BookClosed, or BelongsElsewhere in another process than that in which it works."""
        self._backend.require_open()
        self._process.check()

    def check(self) -> None:
        """Raise BookClosed, or BelongsElsewhere in another process or event loop than that in which it works."""
        self.check_process()
        self._check_loop()

    def _check_loop(self) -> None:
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise BelongsElsewhere(
                f"this {self._process.name} works in another event loop; make another one in this loop"
            )


class Owner:
    """The process in which something listens, on the connections of a book."""

    def __init__(self, name: str, backend: Backend) -> None:
        self._backend = backend
        self._process = _Process(name)

    def take(self, part: Attached) -> None:
        """Let it begin to work here, and have the book close it. Raises BookClosed."""
        self._backend.attach(part)
        self._process.take()

    def leave(self, part: Attached) -> bool:
        """Let the book forget it, and return True when there is something here to stop: not in a forked child."""
        self._backend.detach(part)
        return not self.is_gone

    @property
    def is_gone(self) -> bool:
        """True where nothing of it works any more."""
        return self._process.is_gone

    def check_process(self) -> None:
        """Raise BookClosed, or BelongsElsewhere in another process than that in which it works."""
        self._backend.require_open()
        self._process.check()

    def check(self) -> None:
        """Do the same: any thread of the process may use it."""
        self.check_process()

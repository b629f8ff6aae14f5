"""Know where a book lives: an asyncio book in one event loop, until that is closed.

Names that begin with ``Async`` are for asyncio; a book for threads lives in all of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine

from ..models.errors import BelongsElsewhere


class AsyncHome:
    """The event loop whose connections a book uses; it moves when that loop is closed, and in a forked child."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()

    def enter(self) -> None:
        """Make the running loop the home. Raises BelongsElsewhere while another loop is, which is not closed."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop and self._is_taken():
            raise BelongsElsewhere(
                "the book is used in another event loop, which is not closed; open a book in each event loop"
            )
        self._loop, self._process = loop, os.getpid()

    async def run(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Do some work in the loop that is the home, from whichever loop it is asked for; here, if there is none.

        Does nothing when no loop runs and that one is closed: a destructor then ends what the loop was closed amid.
        Raises BelongsElsewhere when that loop is not closed and does not run, so that nobody can do anything in it.
        """
        loop = self._loop
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            if self._is_taken():
                raise
            return
        if loop is None or loop is here or not self._is_taken():
            await work()
        elif loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), loop))
        else:
            raise BelongsElsewhere("the book's event loop is open and does not run; close the book in it")

    def _is_taken(self) -> bool:
        return self._loop is not None and self._process == os.getpid() and not self._loop.is_closed()


class Home:
    """All threads of a process, and of its forked children."""

    def enter(self) -> None:
        """Do nothing: every thread is at home."""

    def run(self, work: Callable[[], None]) -> None:
        """Do some work in the calling thread."""
        work()

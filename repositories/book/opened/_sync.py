# Generated from repositories/book/opened/_async.py by scripts/generate_sync.py: edit that one.
"""Open, ping, count and close the connections of a book, for threads."""

from __future__ import annotations

from types import TracebackType
from typing import Self, cast

from ....models.arguments import seconds
from ....models.health import BookStats, Ping
from ....topology._sync.backend import Backend
from ....topology._sync.opening import open_backend
from ....topology.observing import Observer
from ....topology.settings import LONGEST, Settings
from ...caching._sync.lookup import Lookup


class Opened:
    """A book's connections, which end with it; a book is one of these."""

    backend: Backend
    """The connections and settings that the repositories share."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @classmethod
    def open(cls, url: str | Settings | None = None, *, observer: Observer | None = None) -> Self:
        """Find the servers and log in, like :func:`slotbook.connect`, which says what the arguments may be."""
        return cls(open_backend(url, observer))

    def ping(self, timeout: float | None = None) -> Ping:
        """Ask every primary for a sign of life, for a health check. One round trip to each, one after the other.

        When one does not answer, the primaries are looked for anew and asked once more, so a failover that is over is
        no failure. Nothing is raised for servers that fail, refuse or are silent, nor for a book that is closed or of
        another event loop: the result has that. A server whose pool has no free connection counts as failed.

        Args:
            timeout: Seconds for all of it; by default the book's deadline.

        Raises:
            InvalidArgument: The timeout is not a number of seconds.
        """
        wanted = self.backend.settings.deadline if timeout is None else seconds("timeout", timeout, 0.001, LONGEST)
        return self.backend.ping(wanted)

    def stats(self) -> BookStats:
        """Return the state of the connections, the calls in flight and the near caches. No server is asked.

        Each number is right by itself; together they may be of moments that are a little apart.
        """
        lookups = [cast("Lookup[object]", part) for part in self.backend.attached() if isinstance(part, Lookup)]
        near = [found for lookup in lookups if (found := lookup.near_stats()) is not None]
        return BookStats(self.backend.pool_stats(), tuple(near))

    def close(self) -> None:
        """Close the connections, and stop the servers if they are embedded; calls from now on raise BookClosed.

        Calls that wait for a server end with BookClosed, and changes that may have been sent with OutcomeUnknown. May
        be called again, and by another thread; by another event loop while that of the book runs, or is closed.
        """
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

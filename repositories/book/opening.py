"""Open a book, for threads."""

from __future__ import annotations

from ...topology.observing import Observer
from ...topology.settings import Settings
from ._sync import Book


def connect(url: str | Settings | None = None, *, observer: Observer | None = None) -> Book:
    """Open a book; close it, or use it as a context manager.

    Args:
        url: The servers of the book: ``redis://``, ``rediss://``, ``unix://``,
            ``redis+sentinel://host:port,host:port/service``, ``redis+cluster://host:port,host:port``
            (``rediss+…`` for TLS), or ``embedded://standalone|sentinel|cluster`` for private servers that
            live as long as the book. The address of ``redis://`` or ``unix://`` has to lead to the primary: it may be
            a name or a balancer that moves, and a replica is refused. Query parameters have the names of the fields
            of :class:`Settings`. By default ``SLOTBOOK_URL`` of the environment; without that the call is refused.
        observer: Told of every call when it has ended, and of what goes wrong with the servers; see
            :class:`~slotbook.topology.observing.Observer`. By default there is none, and calls run nothing for it.

    Raises:
        InvalidSettings: The URL or a setting cannot be used.
        AccessDenied: The servers refuse the credentials.
        Unavailable: No server could be reached within the deadline, or only one that is a replica.
        EmbeddedError: The private servers could not be started.
    """
    return Book.open(url, observer=observer)

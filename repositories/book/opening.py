"""Open a book, for threads or for asyncio."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType

from ...topology.observing import Observer
from ...topology.settings import Settings
from ._async import AsyncBook
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


class aconnect:
    """Open a book for asyncio; takes and raises the same as :func:`connect`.

    ::

        async with aconnect(url) as book: ...
        book = await aconnect(url)
    """

    def __init__(self, url: str | Settings | None = None, *, observer: Observer | None = None) -> None:
        self._url = url
        self._observer = observer
        self._book: AsyncBook | None = None

    def __await__(self) -> Generator[object, None, AsyncBook]:
        return AsyncBook.open(self._url, observer=self._observer).__await__()

    async def __aenter__(self) -> AsyncBook:
        self._book = await AsyncBook.open(self._url, observer=self._observer)
        return self._book

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._book is not None:
            await self._book.close()

"""Opening a book, in both colours."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType

from ...topology.settings import Settings
from ._async import AsyncBook
from ._sync import Book


def connect(url: str | Settings | None = None) -> Book:
    """Open a book; close it, or use it as a context manager.

    ``url`` says where it is kept: ``redis://``, ``rediss://``, ``unix://``, ``redis+sentinel://h:p,h:p/service``,
    ``redis+cluster://h:p,h:p`` (``rediss+…`` for TLS), or ``embedded://standalone|sentinel|cluster`` for private
    servers that live as long as the book. Query parameters are the names of :class:`Settings`. None means
    ``SLOTBOOK_URL``, then ``embedded://standalone``.

    Raises InvalidSettings, AccessDenied, Unavailable or EmbeddedError, within the deadline.
    """
    return Book.open(url)


class aconnect:
    """Open a book for asyncio, like ``connect``: ``async with aconnect(url) as book``, or ``await aconnect(url)``."""

    def __init__(self, url: str | Settings | None = None) -> None:
        self._url = url
        self._book: AsyncBook | None = None

    def __await__(self) -> Generator[object, None, AsyncBook]:
        return AsyncBook.open(self._url).__await__()

    async def __aenter__(self) -> AsyncBook:
        self._book = await AsyncBook.open(self._url)
        return self._book

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._book is not None:
            await self._book.close()

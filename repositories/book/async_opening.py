"""Open a book, for asyncio."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType

from ...topology.observing import Observer
from ...topology.settings import Settings
from ._async import AsyncBook


class aconnect:
    """Open a book for asyncio; takes and raises the same as :func:`slotbook.connect`.

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

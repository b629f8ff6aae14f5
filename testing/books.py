"""Books for one test each, with a prefix that no other has."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager, suppress

from ..models.keys import Keys
from ..repositories import AsyncBook, Book
from ..topology._async.backend import AsyncBackend
from ..topology.call import command
from ..topology.home import AsyncHome
from ..topology.settings import Settings, read
from .servers import Servers


class _Home(AsyncHome):
    """The event loop of a test, in which the connections are closed before it is."""

    def __init__(self, close: Callable[[], Coroutine[object, object, None]]) -> None:
        super().__init__()
        self._close = close
        self._at_the_end: AsyncGenerator[None, None] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> None:
        super().enter()
        if self._at_the_end is None:
            self.loop = asyncio.get_running_loop()
            self._at_the_end = self._until_the_end()
            with suppress(StopIteration):  # it runs to its yield, and the loop ends it when it is shut down
                self._at_the_end.__anext__().__await__().__next__()

    async def _until_the_end(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self._close()


class _Backend(AsyncBackend):
    """A backend that is closed by the event loop in which it is used."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(read(settings))
        self.home = self._nodes.home = _Home(self.close)


@contextmanager
def opened(settings: Settings) -> Generator[Book]:
    """Yield a book, and close it; raises what ``slotbook.connect`` does."""
    with Book.open(settings) as book:
        yield book


@contextmanager
def opened_for_asyncio(settings: Settings) -> Generator[AsyncBook]:
    """Yield a book for asyncio that connects when it is first used, and close it."""
    backend = _Backend(settings)
    yield AsyncBook(backend)
    loop = backend.home.loop
    if loop is not None and not loop.is_closed():  # one of several tests
        loop.run_until_complete(backend.close())


def settings_of(servers: Servers, settings: Mapping[str, object]) -> Settings:
    """Return settings with the address of servers and a random prefix, which begins with the one that is given."""
    prefix = f"{settings.get('prefix', 'test')}-{secrets.token_hex(4)}:"
    return Settings.model_validate({**dict(read(servers.url).settings.at(servers.url)), **settings, "prefix": prefix})


@contextmanager
def cleaned(servers: Servers, settings: Settings) -> Generator[None]:
    """Remove the keys of a prefix afterwards, from servers that go on."""
    yield
    if servers.deployment is not None:
        return
    with Book.open(settings) as book:
        for key in book.backend.scan(f"{Keys(settings.prefix).escaped_prefix}*"):
            book.backend.run(command(f"remove {key}", "DEL", key, decode=bool))

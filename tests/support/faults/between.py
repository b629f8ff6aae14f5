"""A server behind a proxy that can change one of its replies, or send more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from slotbook import AsyncBook, Book
from slotbook.topology._async.backend import AsyncBackend
from slotbook.topology._async.opening import open_async_backend
from slotbook.topology._sync.backend import Backend
from slotbook.topology._sync.opening import open_backend
from slotbook.topology.embedded import Deployment

from ..callers import Blocking, Caller
from ..raw import Raw
from ..urls import with_settings
from .odd import Swap
from .proxy import Proxy


class Between:
    """The proxy, and books on one backend."""

    def __init__(
        self, proxy: Proxy, swap: Swap, raw: Raw, backend: Backend | AsyncBackend, runner: asyncio.Runner
    ) -> None:
        self.proxy = proxy
        self.swap = swap
        self.raw = raw
        self._backend = backend
        self.runner = runner

    def book(self) -> Book:
        """Return a book that has not seen what is there."""
        if isinstance(self._backend, Backend):
            return Book(self._backend)
        return cast(Book, Blocking(AsyncBook(self._backend), self.runner))

    @property
    def async_book(self) -> AsyncBook | None:
        """The same for asyncio, without its wrapper; None for threads."""
        return None if isinstance(self._backend, Backend) else AsyncBook(self._backend)


@contextmanager
def between(deployment: Deployment, caller: Caller, runner: asyncio.Runner) -> Generator[Between]:
    """Yield the proxy in front of a server."""
    (server,), swap = deployment.servers, Swap()
    with Proxy(server.host, server.port, translate=swap) as proxy:
        url = deployment.url.replace(f":{server.port}", f":{proxy.port}")
        url = with_settings(url, {"deadline": 5, "socket_timeout": 1})
        raw = Raw(server.host, server.port, deployment.password)
        if caller == "sync":
            backend = open_backend(url)
            yield Between(proxy, swap, raw, backend, runner)
            backend.close()
        else:
            shared = runner.run(open_async_backend(url))
            yield Between(proxy, swap, raw, shared, runner)
            runner.run(shared.close())
        raw.close()

"""A book: all repositories of a desk on the same servers, for asyncio."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ...topology._async.backend import AsyncBackend, open_async_backend
from ...topology.settings import Settings
from .orders import AsyncOrderRepository
from .positions import AsyncPositionRepository


class AsyncBook:
    """Orders and positions of a desk; a context manager that closes its connections, and stops embedded servers."""

    def __init__(self, backend: AsyncBackend) -> None:
        self.backend = backend
        self.orders = AsyncOrderRepository(backend)
        self.positions = AsyncPositionRepository(backend)

    @classmethod
    async def open(cls, url: str | Settings | None = None) -> Self:
        """Find the servers and log in; see :func:`slotbook.aconnect`."""
        return cls(await open_async_backend(url))

    async def close(self) -> None:
        """Close the connections, and stop the servers if they are embedded."""
        await self.backend.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

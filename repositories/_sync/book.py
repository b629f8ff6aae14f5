# Generated from repositories/_async/book.py by scripts/generate_sync.py: edit that one.
"""A book: all repositories of a desk on the same servers, for threads."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ...topology._sync.backend import Backend, open_async_backend
from ...topology.settings import Settings
from .orders import OrderRepository
from .positions import PositionRepository


class Book:
    """Orders and positions of a desk; a context manager that closes its connections, and stops embedded servers."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.orders = OrderRepository(backend)
        self.positions = PositionRepository(backend)

    @classmethod
    def open(cls, url: str | Settings | None = None) -> Self:
        """Find the servers and log in; see :func:`slotbook.connect`."""
        return cls(open_async_backend(url))

    def close(self) -> None:
        """Close the connections, and stop the servers if they are embedded."""
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

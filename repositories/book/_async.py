"""A book: all repositories of a desk on the same servers, for asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

from ...models.arguments import each, whole
from ...models.coordination import Algorithm
from ...models.errors import StateLost
from ...topology._async.backend import AsyncBackend, open_async_backend
from ...topology.settings import Settings
from ..caching._async.cache import AsyncCache
from ..caching.policy import CachePolicy
from ..caching.source import AsyncSource
from ..changes.calls import check_loss
from ..changes.loss_detector import LossDetector
from ..coordination._async.limits import AsyncRateLimiter
from ..coordination._async.locks import AsyncLock
from ..coordination._async.sessions import AsyncSessionRepository
from ..coordination._async.values import AsyncValueRepository
from ..events._async.events import AsyncOrderEventRepository
from ..orders._async import AsyncOrderRepository
from ..orders.reconciliation import Reconciliation
from ..orders.verbs import OrderRequest
from ..positions._async import AsyncPositionRepository
from ..symbols._async import AsyncSymbolInfoRepository

T = TypeVar("T")


class AsyncBook:
    """Orders, positions, events and reference data of a desk.

    A context manager that closes its connections, and stops embedded servers.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self.backend = backend
        self._loss_detector = LossDetector()
        self.orders = AsyncOrderRepository(backend, self._loss_detector)
        self.positions = AsyncPositionRepository(backend, self._loss_detector)
        self.events = AsyncOrderEventRepository(backend)
        self.sessions = AsyncSessionRepository(backend)
        self.values = AsyncValueRepository(backend)
        self.symbols = AsyncSymbolInfoRepository(backend)

    @classmethod
    async def open(cls, url: str | Settings | None = None) -> Self:
        """Find the servers and log in; see :func:`slotbook.aconnect`."""
        return cls(await open_async_backend(url))

    def cache(
        self, model: type[T], name: str, source: AsyncSource[T] | None = None, policy: CachePolicy | None = None
    ) -> AsyncCache[T]:
        """A cache for values of your own type, under keys ``<name>:<key>``; make it once and keep it."""
        return AsyncCache(self.backend, model, name, source, policy)

    def lock(
        self, name: str, *, trader: str | None = None, lease: float = 10.0, wait: float = 10.0, renew: bool = False
    ) -> AsyncLock:
        """A lock, to be entered; with a ``trader`` it can fence that trader's changes. See :class:`AsyncLock`."""
        return AsyncLock(
            self.backend, name, trader=trader, lease=lease, wait=wait, renew=renew, loss_detector=self._loss_detector
        )

    def limiter(
        self,
        limit: int,
        window: float = 1.0,
        algorithm: Algorithm | str = Algorithm.FIXED_WINDOW,
        burst: int | None = None,
    ) -> AsyncRateLimiter:
        """A rate limiter: ``limit`` per ``window`` seconds for each name. See :class:`AsyncRateLimiter`."""
        return AsyncRateLimiter(self.backend, limit, window, algorithm, burst)

    async def losses(self) -> list[StateLost]:
        """What the servers have lost of the changes that they acknowledged to this book, trader by trader.

        A loss is also raised by the next change of its trader; this asks now, one round trip per node. Raises a
        SlotbookError when a trader cannot be asked.
        """
        detector = self._loss_detector
        outcomes = await self.backend.run_many(
            [check_loss(self.backend.settings, detector, trader) for trader in detector.traders()]
        )
        found = [outcome.error for outcome in outcomes if isinstance(outcome.error, StateLost)]
        for outcome in outcomes:
            if not isinstance(outcome.error, StateLost):
                outcome.result()
        return found

    async def reconcile(self, journal: Iterable[OrderRequest], *, batch: int = 1_000) -> Reconciliation:
        """Apply a journal again, to bring back what was lost; what is there already is not applied twice.

        Requests of one order are applied in the journal's order. Nothing is undone: what the book has and the journal
        does not, stays. Raises a SlotbookError when a request could not be decided; then reconcile again.
        """
        whole("batch", batch)
        tally = Reconciliation()
        requests = iter(each("journal", journal))
        while page := list(islice(requests, batch)):
            tally.add(page, await self.orders.apply_many(page))
        return tally

    async def close(self) -> None:
        """Close the connections, and stop the servers if they are embedded."""
        await self.backend.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

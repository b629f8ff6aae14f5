# Generated from repositories/book/_async.py by scripts/generate_sync.py: edit that one.
"""A book: all repositories of a desk on the same servers, for threads."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

from ...models.arguments import each, whole
from ...models.coordination import Algorithm
from ...models.errors import StateLost
from ...topology._sync.backend import Backend, open_backend
from ...topology.settings import Settings
from ..caching._sync.cache import Cache
from ..caching.policy import CachePolicy
from ..caching.source import Source
from ..changes.calls import check_loss
from ..changes.loss_detector import LossDetector
from ..coordination._sync.limits import RateLimiter
from ..coordination._sync.locks import Lock
from ..coordination._sync.sessions import SessionRepository
from ..coordination._sync.values import ValueRepository
from ..events._sync.events import OrderEventRepository
from ..orders._sync import OrderRepository
from ..orders.reconciliation import Reconciliation
from ..orders.verbs import OrderRequest
from ..positions._sync import PositionRepository
from ..symbols._sync import SymbolInfoRepository

T = TypeVar("T")


class Book:
    """Orders, positions, events and reference data of a desk.

    A context manager that closes its connections, and stops embedded servers.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._loss_detector = LossDetector()
        self.orders = OrderRepository(backend, self._loss_detector)
        self.positions = PositionRepository(backend, self._loss_detector)
        self.events = OrderEventRepository(backend)
        self.sessions = SessionRepository(backend)
        self.values = ValueRepository(backend)
        self.symbols = SymbolInfoRepository(backend)

    @classmethod
    def open(cls, url: str | Settings | None = None) -> Self:
        """Find the servers and log in; see :func:`slotbook.connect`."""
        return cls(open_backend(url))

    def cache(
        self, model: type[T], name: str, source: Source[T] | None = None, policy: CachePolicy | None = None
    ) -> Cache[T]:
        """A cache for values of your own type, under keys ``<name>:<key>``; make it once and keep it."""
        return Cache(self.backend, model, name, source, policy)

    def lock(
        self, name: str, *, trader: str | None = None, lease: float = 10.0, wait: float = 10.0, renew: bool = False
    ) -> Lock:
        """A lock, to be entered; with a ``trader`` it can fence that trader's changes. See :class:`Lock`."""
        return Lock(
            self.backend, name, trader=trader, lease=lease, wait=wait, renew=renew, loss_detector=self._loss_detector
        )

    def limiter(
        self,
        limit: int,
        window: float = 1.0,
        algorithm: Algorithm | str = Algorithm.FIXED_WINDOW,
        burst: int | None = None,
    ) -> RateLimiter:
        """A rate limiter: ``limit`` per ``window`` seconds for each name. See :class:`RateLimiter`."""
        return RateLimiter(self.backend, limit, window, algorithm, burst)

    def losses(self) -> list[StateLost]:
        """What the servers have lost of the changes that they acknowledged to this book, trader by trader.

        A loss is also raised by the next change of its trader; this asks now, one round trip per node. Raises a
        SlotbookError when a trader cannot be asked.
        """
        detector = self._loss_detector
        outcomes = self.backend.run_many(
            [check_loss(self.backend.settings, detector, trader) for trader in detector.traders()]
        )
        found = [outcome.error for outcome in outcomes if isinstance(outcome.error, StateLost)]
        for outcome in outcomes:
            if not isinstance(outcome.error, StateLost):
                outcome.result()
        return found

    def reconcile(self, journal: Iterable[OrderRequest], *, batch: int = 1_000) -> Reconciliation:
        """Apply a journal again, to bring back what was lost; what is there already is not applied twice.

        Requests of one order are applied in the journal's order. Nothing is undone: what the book has and the journal
        does not, stays. Raises a SlotbookError when a request could not be decided; then reconcile again.
        """
        whole("batch", batch)
        tally = Reconciliation()
        requests = iter(each("journal", journal))
        while page := list(islice(requests, batch)):
            tally.add(page, self.orders.apply_many(page))
        return tally

    def close(self) -> None:
        """Close the connections, and stop the servers if they are embedded."""
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

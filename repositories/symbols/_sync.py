# Generated from repositories/symbols/_async.py by scripts/generate_sync.py: edit that one.
"""The repository of symbols, for threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from ...models.results import Outcome
from ...models.stored import SYMBOLS
from ...models.symbol import SymbolInfo
from ...topology._sync.backend import Backend
from ...topology._sync.opening import open_backend
from ...topology.durability import Durability
from ...topology.settings import Settings
from ..caching._sync.base_cache import BaseCache
from ..caching.codec import RecordCodec, by_symbol
from ..caching.policy import CachePolicy
from ..caching.source import Source
from ..search._sync.find import Find, Search


class SymbolInfoRepository(BaseCache[SymbolInfo]):
    """The reference data of symbols: a hash ``symbol:<SYMBOL>`` for each, spread over all hash slots.

    It can be loaded again from its source, so entries expire. Use it like this::

        symbols = book.symbols.using(source)
        info = symbols.get_or_load("AAPL")

    Args:
        backend: The connections to the servers; ``book.symbols`` has the book's.
        source: The database behind the cache; without one there are no loads and no ``write_through``.
        policy: The times of the cache; None for those of ``CachePolicy()``.
    """

    def __init__(
        self,
        backend: Backend,
        source: Source[SymbolInfo] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        super().__init__(backend, "symbol", RecordCodec(SymbolInfo, "symbol"), source, policy)
        self._search = Search(backend, SYMBOLS)

    @classmethod
    def from_url(
        cls,
        url: str | Settings | None = None,
        source: Source[SymbolInfo] | None = None,
        policy: CachePolicy | None = None,
    ) -> Self:
        """Return a repository with connections of its own; close it when done.

        Args:
            url: A URL or settings; see :func:`slotbook.connect`.
            source: The database behind the cache; see the class.
            policy: The times of the cache; see the class.
        """
        return cls(open_backend(url), source, policy)

    def using(self, source: Source[SymbolInfo], policy: CachePolicy | None = None) -> Self:
        """Return a repository on the same connections with a source, and with other times if a policy is given.

        A near cache is not taken over: call :meth:`near` on the repository that is returned.
        """
        return type(self)(self._backend, source, policy or self.policy)

    def find(self, *conditions: object) -> Find[SymbolInfo]:
        """Search the cached symbols that meet all conditions, on servers with search; see ``OrderRepository.find``.

        Args:
            conditions: Conditions on fields of :data:`slotbook.models.hashes.SymbolInfoHash`.

        Raises InvalidArgument for anything that is not such a condition.
        """
        return self._search.find(conditions)

    def put(self, info: SymbolInfo, *, durability: Durability | str | None = None) -> None:
        """Cache a symbol; a field that is None is cleared. Of several callers the last to arrive wins. One round trip.

        With a source, ``write_through`` is safer: nothing shows which of two puts is the newer. A put whose reply was
        lost is sent again, and may arrive after one that another caller made meanwhile.
        """
        (outcome,) = self._put(by_symbol((info,)), durability)
        outcome.result()

    def put_many(
        self, infos: Sequence[SymbolInfo], *, durability: Durability | str | None = None
    ) -> list[Outcome[bool]]:
        """Cache many symbols: one outcome for each name, in the order first given. One round trip per node.

        When a name is given twice, the last one counts.
        """
        return self._put(by_symbol(infos), durability)

    def write_through(self, info: SymbolInfo, *, durability: Durability | str | None = None) -> bool:
        """Write a symbol to the source, then cache it. Two round trips around the source's transaction.

        True: every read of Redis from now on returns this value or a newer one.

        False: the source has it, but Redis could not be reached afterwards, or a reply was lost, or too few replicas
        confirmed it (``durability``), or another write or invalidation of the same symbol overlapped. Nothing older is
        served later than ``policy.write_window`` seconds after the source began to write: the write was announced to
        Redis beforehand, so that what is cached, and what is loaded meanwhile, expires by then. (When the source takes
        longer than the window, the limit is ``policy.bound``.)

        Raises Unavailable, OutcomeUnknown or UnderReplicated when Redis, or too many of its replicas, cannot be reached
        beforehand: nothing was written. Raises SourceFailed when the source fails: it may or may not have written, and
        nothing older than what it has is served after the window.
        """
        return (self._write_through(by_symbol((info,)), durability))[0]

    def write_through_many(
        self, infos: Sequence[SymbolInfo], *, durability: Durability | str | None = None
    ) -> list[bool]:
        """Write many symbols like ``write_through``, in one transaction of the source.

        One round trip per node before the transaction and one after it. There is one result for each name, in
        the order first given.
        """
        return self._write_through(by_symbol(infos), durability)

"""Reference data of symbols, for asyncio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from ...models.results import Outcome
from ...models.stored import SYMBOLS
from ...models.symbol import SymbolInfo
from ...topology._async.backend import AsyncBackend, open_async_backend
from ...topology.settings import Settings
from ..caching._async.base_cache import AsyncBaseCache
from ..caching.codec import RecordCodec, by_symbol
from ..caching.policy import CachePolicy
from ..caching.source import AsyncSource
from ..search._async.find import AsyncFind, AsyncSearch


class AsyncSymbolInfoRepository(AsyncBaseCache[SymbolInfo]):
    """What a desk knows of its symbols: a hash ``symbol:<SYMBOL>`` each, spread over the slots.

    Reference data can be loaded again, so it expires, and it is not worth waiting for replicas.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        source: AsyncSource[SymbolInfo] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        super().__init__(backend, "symbol", RecordCodec(SymbolInfo), source, policy)
        self._search = AsyncSearch(backend, SYMBOLS)

    @classmethod
    async def from_url(
        cls,
        url: str | Settings | None = None,
        source: AsyncSource[SymbolInfo] | None = None,
        policy: CachePolicy | None = None,
    ) -> Self:
        """A repository with servers of its own; see :func:`slotbook.aconnect` for the URL. Close it when done."""
        return cls(await open_async_backend(url), source, policy)

    def using(self, source: AsyncSource[SymbolInfo], policy: CachePolicy | None = None) -> Self:
        """A repository on the same servers with a source, and other times if a policy is given."""
        return type(self)(self._backend, source, policy or self.policy)

    def find(self, *conditions: object) -> AsyncFind[SymbolInfo]:
        """Search the symbols that are cached, on servers with search, by fields of
        :data:`slotbook.models.hashes.SymbolInfoHash`; see ``OrderRepository.find``. Raises InvalidArgument.
        """
        return self._search.find(conditions)

    async def put(self, info: SymbolInfo) -> None:
        """Cache a symbol; a field that is None is cleared. The last to arrive wins. One round trip.

        With a source, ``write_through`` is safer: nothing tells which of two puts is the newer.
        """
        (outcome,) = await self._put(by_symbol((info,)))
        outcome.result()

    async def put_many(self, infos: Sequence[SymbolInfo]) -> list[Outcome[bool]]:
        """Cache many symbols: one round trip per node, one outcome for each symbol, in the order first given."""
        return await self._put(by_symbol(infos))

    async def write_through(self, info: SymbolInfo) -> bool:
        """Write a symbol to the source, then cache it. Two round trips around the source's transaction.

        True: whoever reads Redis from now on gets this value or a newer one. False: the source has it, but Redis could
        not be reached afterwards, or another write or invalidation of the same symbol overlapped; nothing older is
        served later than ``policy.write_window`` seconds after the source began to write, because Redis was told
        beforehand: what is cached, and what is loaded meanwhile, lives no longer than that. (A source that takes longer
        than the window to write falls back to ``policy.bound``.)

        Raises Unavailable or OutcomeUnknown when Redis cannot be reached beforehand: nothing was written. Raises
        SourceFailed when the source fails: it may or may not have written, and nothing older than what it has is served
        after the window.
        """
        return (await self._write_through(by_symbol((info,))))[0]

    async def write_through_many(self, infos: Sequence[SymbolInfo]) -> list[bool]:
        """Like ``write_through``, in one transaction of the source and one round trip per node before and after it."""
        return await self._write_through(by_symbol(infos))

"""A cache of values of any type, for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ....models.arguments import mapping
from ....models.errors import InvalidArgument
from ....models.results import Outcome
from ....models.types import check_name
from ....topology._async.backend import AsyncBackend
from ..codec import JsonCodec
from ..policy import CachePolicy
from ..source import AsyncSource
from .base_cache import AsyncBaseCache

T = TypeVar("T")


class AsyncCache(AsyncBaseCache[T]):
    """Values of one type, any that Pydantic can write as JSON, under keys ``<name>:<key>``.

    Everything that :class:`~slotbook.repositories.SymbolInfoRepository` can do, for a type of your own.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        model: type[T],
        name: str,
        source: AsyncSource[T] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        if check_name("cache", name) == "symbol":
            raise InvalidArgument("a cache cannot be called 'symbol': those keys are book.symbols'")
        super().__init__(backend, name, JsonCodec(model), source, policy)

    async def put(self, key: str, value: T) -> None:
        """Cache a value; the last to arrive wins. One round trip. With a source, ``write_through`` is safer."""
        self.key(key)  # raises InvalidArgument
        (outcome,) = await self._put({key: value})
        outcome.result()

    async def put_many(self, values: Mapping[str, T]) -> list[Outcome[bool]]:
        """Cache many values: one round trip per node, one outcome each, in the order given."""
        return await self._put(mapping("values", values))

    async def write_through(self, key: str, value: T) -> bool:
        """Write a value to the source, then cache it; see
        :meth:`~slotbook.repositories.SymbolInfoRepository.write_through`.
        """
        self.key(key)  # raises InvalidArgument
        return (await self._write_through({key: value}))[0]

    async def write_through_many(self, values: Mapping[str, T]) -> list[bool]:
        """Like ``write_through``, in one transaction of the source and one round trip per node before and after it."""
        return await self._write_through(mapping("values", values))

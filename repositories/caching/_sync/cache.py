# Generated from repositories/caching/_async/cache.py by scripts/generate_sync.py: edit that one.
"""A cache of values of any type, for threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ....models.arguments import mapping
from ....models.errors import InvalidArgument
from ....models.results import Outcome
from ....models.types import check_name
from ....topology._sync.backend import Backend
from ..codec import JsonCodec
from ..policy import CachePolicy
from ..source import Source
from .base_cache import BaseCache

T = TypeVar("T")


class Cache(BaseCache[T]):
    """Values of one type, any that Pydantic can write as JSON, under keys ``<name>:<key>``.

    Everything that :class:`~slotbook.repositories.SymbolInfoRepository` can do, for a type of your own.
    """

    def __init__(
        self,
        backend: Backend,
        model: type[T],
        name: str,
        source: Source[T] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        if check_name("cache", name) == "symbol":
            raise InvalidArgument("a cache cannot be called 'symbol': those keys are book.symbols'")
        super().__init__(backend, name, JsonCodec(model), source, policy)

    def put(self, key: str, value: T) -> None:
        """Cache a value; the last to arrive wins. One round trip. With a source, ``write_through`` is safer."""
        self.key(key)  # raises InvalidArgument
        (outcome,) = self._put({key: value})
        outcome.result()

    def put_many(self, values: Mapping[str, T]) -> list[Outcome[bool]]:
        """Cache many values: one round trip per node, one outcome each, in the order given."""
        return self._put(mapping("values", values))

    def write_through(self, key: str, value: T) -> bool:
        """Write a value to the source, then cache it; see
        :meth:`~slotbook.repositories.SymbolInfoRepository.write_through`.
        """
        self.key(key)  # raises InvalidArgument
        return (self._write_through({key: value}))[0]

    def write_through_many(self, values: Mapping[str, T]) -> list[bool]:
        """Like ``write_through``, in one transaction of the source and one round trip per node before and after it."""
        return self._write_through(mapping("values", values))

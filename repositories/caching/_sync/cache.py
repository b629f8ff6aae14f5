# Generated from repositories/caching/_async/cache.py by scripts/generate_sync.py: edit that one.
"""A cache of values of any type, for threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ....models.arguments import mapping
from ....models.errors import InvalidArgument
from ....models.results import Outcome
from ....models.types import check_text_name
from ....topology._sync.backend import Backend
from ....topology.durability import Durability
from ..codec import JsonCodec
from ..policy import CachePolicy
from ..source import Source
from .base_cache import BaseCache

T = TypeVar("T")


class Cache(BaseCache[T]):
    """Values of one type, any that Pydantic can write as JSON, under keys ``<name>:<key>``.

    Make it with ``book.cache`` once, and keep it::

        contracts = book.cache(Contract, "contract", source)
        contract = contracts.get_or_load("ESH4")

    Args:
        backend: The connections to the servers; ``book.cache`` passes the book's.
        model: The type of the values: a Pydantic model, a dataclass, ``dict[str, int]``, or another that Pydantic
            supports.
        name: The beginning of the keys in Redis. Caches with the same name share their entries.
        source: The database behind the cache; without one there are no loads and no ``write_through``.
        policy: The times of the cache; None for those of ``CachePolicy()``.

    Raises InvalidArgument for a type that Pydantic does not support, and for the name ``symbol``, which is that of
    ``book.symbols``.
    """

    def __init__(
        self,
        backend: Backend,
        model: type[T],
        name: str,
        source: Source[T] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        if check_text_name("cache", name) == "symbol":
            raise InvalidArgument("a cache cannot be called 'symbol': those keys are book.symbols'")
        super().__init__(backend, name, JsonCodec(model), source, policy)

    def put(self, key: str, value: T, *, durability: Durability | str | None = None) -> None:
        """Cache a value; of several callers the last to arrive wins. One round trip.

        With a source, ``write_through`` is safer: nothing shows which of two puts is the newer. A put whose reply was
        lost is sent again, and may arrive after one that another caller made meanwhile.
        """
        self.key(key)  # raises InvalidArgument
        (outcome,) = self._put({key: value}, durability)
        outcome.result()

    def put_many(self, values: Mapping[str, T], *, durability: Durability | str | None = None) -> list[Outcome[bool]]:
        """Cache many values: one outcome each, in the order given. One round trip per node."""
        return self._put(mapping("values", values), durability)

    def write_through(self, key: str, value: T, *, durability: Durability | str | None = None) -> bool:
        """Write a value to the source, then cache it. Two round trips around the source's transaction.

        See :meth:`~slotbook.repositories.SymbolInfoRepository.write_through` for what True and False promise.
        """
        self.key(key)  # raises InvalidArgument
        return (self._write_through({key: value}, durability))[0]

    def write_through_many(self, values: Mapping[str, T], *, durability: Durability | str | None = None) -> list[bool]:
        """Write many values like ``write_through``, in one transaction of the source.

        One round trip per node before the transaction and one after it.
        """
        return self._write_through(mapping("values", values), durability)

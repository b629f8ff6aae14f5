"""The repositories of a desk, each for threads and for asyncio (``Async…``).

A book (:class:`Book`, :class:`AsyncBook`) has them all on one set of connections. What they take and return is in
:mod:`slotbook.models`; how they reach servers is in :mod:`slotbook.topology`.

The names below are imported when they are first used: who opens a book for threads does not wait for what is for
asyncio.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audit._async import AsyncAuditor
    from .audit._sync import Auditor
    from .book._async import AsyncBook
    from .book._sync import Book
    from .caching._async.cache import AsyncCache
    from .caching._sync.cache import Cache
    from .caching.policy import CachePolicy
    from .caching.source import AsyncSource, Source, Warmed
    from .coordination._async.limits import AsyncRateLimiter
    from .coordination._async.locks import AsyncAcquiredLock, AsyncLock
    from .coordination._async.sessions import AsyncSessionRepository
    from .coordination._async.values import AsyncValueRepository
    from .coordination._sync.limits import RateLimiter
    from .coordination._sync.locks import AcquiredLock, Lock
    from .coordination._sync.sessions import SessionRepository
    from .coordination._sync.values import ValueRepository
    from .events._async.consume import AsyncConsumer
    from .events._async.delivery import AsyncDelivery
    from .events._async.events import AsyncOrderEventRepository
    from .events._async.follow import AsyncFollow
    from .events._async.subscription import AsyncSubscription
    from .events._sync.consume import Consumer
    from .events._sync.delivery import Delivery
    from .events._sync.events import OrderEventRepository
    from .events._sync.follow import Follow
    from .events._sync.subscription import Subscription
    from .limits._async import AsyncLimitsRepository
    from .limits._sync import LimitsRepository
    from .orders._async import AsyncOrderRepository
    from .orders._sync import OrderRepository
    from .positions._async import AsyncPositionRepository
    from .positions._sync import PositionRepository
    from .records._async import AsyncTable
    from .records._sync import Table
    from .references._async import AsyncReferenceTable
    from .references._sync import ReferenceTable
    from .search._async.find import AsyncFind
    from .search._async.indexes import AsyncSearchIndexes
    from .search._sync.find import Find
    from .search._sync.indexes import SearchIndexes
    from .search.index_calls import IndexStatus
    from .symbols._async import AsyncSymbolInfoRepository
    from .symbols._sync import SymbolInfoRepository

__all__ = [
    "AcquiredLock",
    "AsyncAcquiredLock",
    "AsyncAuditor",
    "AsyncBook",
    "AsyncCache",
    "AsyncConsumer",
    "AsyncDelivery",
    "AsyncFind",
    "AsyncFollow",
    "AsyncLimitsRepository",
    "AsyncLock",
    "AsyncOrderEventRepository",
    "AsyncOrderRepository",
    "AsyncPositionRepository",
    "AsyncRateLimiter",
    "AsyncReferenceTable",
    "AsyncSearchIndexes",
    "AsyncSessionRepository",
    "AsyncSource",
    "AsyncSubscription",
    "AsyncSymbolInfoRepository",
    "AsyncTable",
    "AsyncValueRepository",
    "Auditor",
    "Book",
    "Cache",
    "CachePolicy",
    "Consumer",
    "Delivery",
    "Find",
    "Follow",
    "IndexStatus",
    "LimitsRepository",
    "Lock",
    "OrderEventRepository",
    "OrderRepository",
    "PositionRepository",
    "RateLimiter",
    "ReferenceTable",
    "SearchIndexes",
    "SessionRepository",
    "Source",
    "Subscription",
    "SymbolInfoRepository",
    "Table",
    "ValueRepository",
    "Warmed",
]

_MODULES = {
    "AcquiredLock": ".coordination._sync.locks",
    "AsyncAcquiredLock": ".coordination._async.locks",
    "AsyncAuditor": ".audit._async",
    "AsyncBook": ".book._async",
    "AsyncCache": ".caching._async.cache",
    "AsyncConsumer": ".events._async.consume",
    "AsyncDelivery": ".events._async.delivery",
    "AsyncFind": ".search._async.find",
    "AsyncFollow": ".events._async.follow",
    "AsyncLimitsRepository": ".limits._async",
    "AsyncLock": ".coordination._async.locks",
    "AsyncOrderEventRepository": ".events._async.events",
    "AsyncOrderRepository": ".orders._async",
    "AsyncPositionRepository": ".positions._async",
    "AsyncRateLimiter": ".coordination._async.limits",
    "AsyncReferenceTable": ".references._async",
    "AsyncSearchIndexes": ".search._async.indexes",
    "AsyncSessionRepository": ".coordination._async.sessions",
    "AsyncSource": ".caching.source",
    "AsyncSubscription": ".events._async.subscription",
    "AsyncSymbolInfoRepository": ".symbols._async",
    "AsyncTable": ".records._async",
    "AsyncValueRepository": ".coordination._async.values",
    "Auditor": ".audit._sync",
    "Book": ".book._sync",
    "Cache": ".caching._sync.cache",
    "CachePolicy": ".caching.policy",
    "Consumer": ".events._sync.consume",
    "Delivery": ".events._sync.delivery",
    "Find": ".search._sync.find",
    "Follow": ".events._sync.follow",
    "IndexStatus": ".search.index_calls",
    "LimitsRepository": ".limits._sync",
    "Lock": ".coordination._sync.locks",
    "OrderEventRepository": ".events._sync.events",
    "OrderRepository": ".orders._sync",
    "PositionRepository": ".positions._sync",
    "RateLimiter": ".coordination._sync.limits",
    "ReferenceTable": ".references._sync",
    "SearchIndexes": ".search._sync.indexes",
    "SessionRepository": ".coordination._sync.sessions",
    "Source": ".caching.source",
    "Subscription": ".events._sync.subscription",
    "SymbolInfoRepository": ".symbols._sync",
    "Table": ".records._sync",
    "ValueRepository": ".coordination._sync.values",
    "Warmed": ".caching.source",
}
"""The module of each name."""


if not TYPE_CHECKING:  # to a type checker a wrong name is a mistake, and not an object

    def __getattr__(name: str) -> object:
        """Import a name when it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(importlib.import_module(_MODULES[name], __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

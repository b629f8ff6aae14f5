"""What may be done with a desk's state; each repository in two colours, for threads and for asyncio."""

from ._async.audit import AsyncAuditor
from ._async.book import AsyncBook
from ._async.cache import AsyncCache
from ._async.find import AsyncFind
from ._async.indexes import AsyncSearchIndexes
from ._async.limits import AsyncRateLimiter
from ._async.locks import AsyncHeld, AsyncLock
from ._async.orders import AsyncOrderRepository
from ._async.positions import AsyncPositionRepository
from ._async.sessions import AsyncSessionRepository
from ._async.symbols import AsyncSymbolInfoRepository
from ._async.values import AsyncCompareAndSwap
from ._sync.audit import Auditor
from ._sync.book import Book
from ._sync.cache import Cache
from ._sync.find import Find
from ._sync.indexes import SearchIndexes
from ._sync.limits import RateLimiter
from ._sync.locks import Held, Lock
from ._sync.orders import OrderRepository
from ._sync.positions import PositionRepository
from ._sync.sessions import SessionRepository
from ._sync.symbols import SymbolInfoRepository
from ._sync.values import CompareAndSwap
from .cache_policy import CachePolicy
from .index_calls import IndexStatus
from .source import AsyncSource, Source, Warmed

__all__ = [
    "AsyncAuditor",
    "AsyncBook",
    "AsyncCache",
    "AsyncCompareAndSwap",
    "AsyncFind",
    "AsyncHeld",
    "AsyncLock",
    "AsyncOrderRepository",
    "AsyncPositionRepository",
    "AsyncRateLimiter",
    "AsyncSearchIndexes",
    "AsyncSessionRepository",
    "AsyncSource",
    "AsyncSymbolInfoRepository",
    "Auditor",
    "Book",
    "Cache",
    "CachePolicy",
    "CompareAndSwap",
    "Find",
    "Held",
    "IndexStatus",
    "Lock",
    "OrderRepository",
    "PositionRepository",
    "RateLimiter",
    "SearchIndexes",
    "SessionRepository",
    "Source",
    "SymbolInfoRepository",
    "Warmed",
]

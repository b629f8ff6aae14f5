"""What may be done with a desk's state; each repository in two colours, for threads and for asyncio."""

from ._async.book import AsyncBook
from ._async.limits import AsyncRateLimiter
from ._async.locks import AsyncHeld, AsyncLock
from ._async.orders import AsyncOrderRepository
from ._async.positions import AsyncPositionRepository
from ._async.sessions import AsyncSessionRepository
from ._async.values import AsyncCompareAndSwap
from ._sync.book import Book
from ._sync.limits import RateLimiter
from ._sync.locks import Held, Lock
from ._sync.orders import OrderRepository
from ._sync.positions import PositionRepository
from ._sync.sessions import SessionRepository
from ._sync.values import CompareAndSwap

__all__ = [
    "AsyncBook",
    "AsyncCompareAndSwap",
    "AsyncHeld",
    "AsyncLock",
    "AsyncOrderRepository",
    "AsyncPositionRepository",
    "AsyncRateLimiter",
    "AsyncSessionRepository",
    "Book",
    "CompareAndSwap",
    "Held",
    "Lock",
    "OrderRepository",
    "PositionRepository",
    "RateLimiter",
    "SessionRepository",
]

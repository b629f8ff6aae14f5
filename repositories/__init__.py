"""What may be done with a desk's state; each repository in two colours, for threads and for asyncio."""

from ._async.audit import AsyncAuditor
from ._async.book import AsyncBook
from ._async.orders import AsyncOrderRepository
from ._async.positions import AsyncPositionRepository
from ._sync.audit import Auditor
from ._sync.book import Book
from ._sync.orders import OrderRepository
from ._sync.positions import PositionRepository

__all__ = [
    "AsyncAuditor",
    "AsyncBook",
    "AsyncOrderRepository",
    "AsyncPositionRepository",
    "Auditor",
    "Book",
    "OrderRepository",
    "PositionRepository",
]

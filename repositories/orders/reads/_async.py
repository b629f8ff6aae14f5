"""Read, count and find orders, for asyncio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic

from typing_extensions import TypeVar

from ....models.arguments import identities, whole
from ....models.enums import OrderStatus
from ....models.execution import Execution
from ....models.order import Order
from ....models.results import Outcome
from ....models.stored_orders import stored_orders
from ....topology._async.backend import AsyncBackend
from ...changes.fence import Fence
from ...changes.loss_detector import LossDetector
from ...search._async.find import AsyncFind, AsyncSearch
from ..calls import OrderCalls

OrderT = TypeVar("OrderT", bound=Order, default=Order)
"""The class of a repository's orders: Order, or one with fields of the desk's own."""


class AsyncOrderReads(Generic[OrderT]):
    """The reading half of :class:`~slotbook.repositories.orders._async.AsyncOrderRepository`."""

    def __init__(self, backend: AsyncBackend, loss_detector: LossDetector, fence: Fence, model: type[OrderT]) -> None:
        self._backend = backend
        self._calls = OrderCalls(backend.settings, loss_detector, fence, model)
        self._search = AsyncSearch(backend, stored_orders(model))

    async def get(self, trader: str, order_id: str) -> OrderT | None:
        """Return an order as it is now, by any of its ids; None when there is none.

        One round trip by its ``order_id``, three by another of its ids, and two when there is none.

        Raises:
            CorruptRecord: A stored field is missing or cannot be read.
        """
        found = await self._backend.run(self._calls.get(trader, order_id))
        if found is None:
            return await self._backend.drive(self._calls.get_by_alias(trader, order_id))
        return found

    async def get_many(self, ids: Sequence[tuple[str, str]]) -> list[Outcome[OrderT | None]]:
        """Return many orders, by any of their ids: one outcome for each id, in the order given.

        One round trip per node; two more where an id is no order's own.

        Args:
            ids: A pair ``(trader, order_id)`` for each order.
        """
        asked = identities("ids", ids)
        found = await self._backend.read_many(self._calls.get_many(asked))
        missing = [number for number, one in enumerate(found) if one.error is None and one.value is None]
        if missing:
            named = await self._backend.drive(self._calls.get_many_by_alias([asked[number] for number in missing]))
            for number, outcome in zip(missing, named, strict=True):
                found[number] = outcome
        return found

    async def fills(self, trader: str, order_id: str) -> list[Execution]:
        """Return the fills of an order, in the order of their events; none of an order that is not there.

        They are known for as long as the order is kept; their times and own fields for as long as their events are. One
        round trip for up to 1,000 fills, then one more for each 1,000.

        Raises:
            CorruptRecord: What is remembered of a fill cannot be read, or its event says something else.
        """
        return await self._backend.drive(self._calls.fills(trader, order_id))

    async def open(self, trader: str) -> list[OrderT]:
        """Return a trader's open orders. One round trip for up to 1,000 orders, then one more for each 1,000."""
        return await self._backend.drive(self._calls.open(trader))

    async def by_status(self, trader: str, status: OrderStatus | str) -> list[OrderT]:
        """Return a trader's orders with a status. Round trips as for ``open``.

        Raises:
            InvalidArgument: There is no such status.
        """
        return await self._backend.drive(self._calls.by_status(trader, status))

    async def by_symbol(self, trader: str, symbol: str) -> list[OrderT]:
        """Return a trader's orders in a symbol, whatever their status. Round trips as for ``open``."""
        return await self._backend.drive(self._calls.by_symbol(trader, symbol))

    async def by(
        self, trader: str, values: Mapping[str, object], *, limit: int | None = None, after: str | None = None
    ) -> list[OrderT]:
        """Return a trader's orders with some values, in the order of their ids.

        One round trip for each 1,000; with several values also one for each 5,000 orders that have one of them.

        Args:
            trader: The trader of the orders.
            values: The value of each field to look by: of own fields that are marked with Index, and of ``symbol`` and
                ``status``.
            limit: The most orders to return; None for all.
            after: The order_id after which to begin, such as that of the last order of the page before.

        Raises:
            InvalidArgument: There is no such field, or it has no index.
        """
        limit = None if limit is None else whole("limit", limit)
        return await self._backend.drive(self._calls.by(trader, values, limit, after))

    async def count(
        self,
        trader: str,
        values: Mapping[str, object] | None = None,
        *,
        status: OrderStatus | str | None = None,
        symbol: str | None = None,
    ) -> int:
        """Return how many orders a trader has: all, with a status, in a symbol, or as for ``by``.

        One round trip; with several values one for each 5,000 orders that have one of them.

        Raises:
            InvalidArgument: A status and a symbol are given beside each other, not in ``values``.
        """
        return await self._backend.drive(self._calls.count(trader, values, status, symbol))

    def find(self, *conditions: object) -> AsyncFind[OrderT]:
        """Search the orders of all traders, on servers with search. Nothing is sent yet.

        The query is sent by ``all``, ``page``, ``first`` or ``count`` of what this returns: docs/how-to/redis-om.md.

        Args:
            conditions: Comparisons of fields of :data:`slotbook.models.hashes.OrderHash`, or of
                :func:`~slotbook.models.conditions.searchable` of a class of your own, as redis-om writes them, all of
                which must be true; none finds every order. Values are compared exactly.

        Raises:
            InvalidArgument: A condition is not one that can be searched for.
            MissingExtra: redis-om is not installed.
        """
        return self._search.find(conditions)

"""Place, change, find and delete orders, for asyncio."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Self, cast

from typing_extensions import TypeVar

from ...models.arguments import several, without_none
from ...models.fill import Fill
from ...models.order import Order, Replace
from ...models.own_fields import own_fields
from ...models.record import checked
from ...models.results import FillResult, OrderResult, Outcome
from ...models.types import Quantity
from ...topology._async.backend import AsyncBackend
from ...topology._async.opening import open_async_backend
from ...topology.durability import Durability
from ...topology.settings import Settings
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from .closings._async import AsyncClosings
from .reads._async import OrderT
from .reports._async import AsyncOrderReports
from .revisions._async import AsyncRevisions
from .venue_reports._async import AsyncVenueReports
from .verbs import DELETE, FILL, PLACE, REPLACE, Deletion

Own = TypeVar("Own", bound=Order)


class AsyncOrderRepository(
    AsyncOrderReports[OrderT], AsyncClosings[OrderT], AsyncRevisions[OrderT], AsyncVenueReports[OrderT]
):
    """The orders of a desk.

    ::

        result = await book.orders.cancel("T001", "A1")
        print(result.order.status, result.applied)

    Every change is one atomic round trip that moves the order, its indexes, its position and the trader's event stream
    together. It may be sent again, and is not applied twice: a repeat gets the first result, with ``applied`` False.

    Methods raise a :class:`~slotbook.models.errors.SlotbookError`; those whose names end in ``_many`` return one
    :class:`~slotbook.models.results.Outcome` for each item instead. Every change takes a ``durability``, by default the
    book's (:class:`~slotbook.topology.durability.Durability`). It raises UnderReplicated when it was applied, but too
    few replicas confirmed it, and StateLost when the server has lost earlier changes. A change under a lock
    (``held.orders``) raises FenceRefused when the lock is no longer held.

    Times (``ts_ns``) are nanoseconds since the epoch, by default the caller's clock. Quantities are in the symbol's
    unit, prices in its currency: a Decimal, a whole number, or text, with at most 18 decimal places.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        loss_detector: LossDetector | None = None,
        fence: Fence = NO_FENCE,
        model: type[OrderT] | None = None,
    ) -> None:
        self._loss_detector = loss_detector or LossDetector(backend.notices)
        self._fence = fence
        super().__init__(backend, self._loss_detector, fence, model or cast("type[OrderT]", Order))

    def of(self, model: type[Own]) -> AsyncOrderRepository[Own]:
        """Return these orders as those of a class of your own, whose fields are kept: docs/how-to/own-fields.md.

        ::

            orders = book.orders.of(DeskOrder)

        Args:
            model: A class that derives from :class:`~slotbook.models.order.Order`; a field may be marked ``Index``.

        Raises:
            InvalidArgument: A field could not be stored and read back equal; the message says what to write.
        """
        own_fields(model, Order)
        return AsyncOrderRepository(self._backend, self._loss_detector, self._fence, model)

    @classmethod
    async def from_url(cls, url: str | Settings | None = None) -> Self:
        """Open a repository with connections of its own, to be closed with ``close``.

        Args:
            url: The servers of the book, as for :func:`slotbook.aconnect`.
        """
        return cls(await open_async_backend(url))

    async def place(self, order: OrderT, *, durability: Durability | str | None = None) -> OrderResult[OrderT]:
        """Put a new order in the book. One round trip.

        The same order again changes nothing, and the result has the order as it is now. Orders are the same when their
        symbol, side, type, time in force, quantity, prices and own fields are equal, as first placed.

        Raises:
            DuplicateOrder: The id is taken by an order with other content, or is another id of an order.
            InvalidArgument: The order is not new: it has what only changes give, such as fills, a version or a status.
        """
        return cast("OrderResult[OrderT]", await self._changes.call(PLACE, cast("Order", order), durability))

    async def place_many(
        self, orders: Sequence[OrderT], *, durability: Durability | str | None = None
    ) -> list[Outcome[OrderResult[OrderT]]]:
        """Place many orders: one round trip per node, and one outcome for each order, in the order given."""
        outcomes = await self._changes.many(several("orders", orders), PLACE, durability)
        return cast("list[Outcome[OrderResult[OrderT]]]", outcomes)

    async def fill(self, fill: Fill, *, durability: Durability | str | None = None) -> FillResult[OrderT]:
        """Apply one execution to its order and its position, exactly once per ``exec_id``. One round trip.

        A fill of an order that was canceled, rejected or expired is applied all the same, for it has happened: the
        position moves, the status stays, and the result is ``late``.

        Raises:
            OrderNotFound: There is no such order.
            Overfill: The quantity is more than what is left of the order.
            OrderMismatch: The fill names another symbol or side than the order's.
            DuplicateRequest: The ``exec_id`` was used with another quantity, price or own field.
            AmountOverflow: The position would grow past what can be counted exactly.
        """
        return cast("FillResult[OrderT]", await self._changes.call(FILL, fill, durability))

    async def fill_many(
        self, fills: Sequence[Fill], *, durability: Durability | str | None = None
    ) -> list[Outcome[FillResult[OrderT]]]:
        """Apply many executions, with one outcome for each; round trips and order as for ``apply_many``."""
        outcomes = await self._changes.many(several("fills", fills), FILL, durability)
        return cast("list[Outcome[FillResult[OrderT]]]", outcomes)

    async def replace(
        self,
        trader: str,
        order_id: str,
        *,
        quantity: Quantity | str | float | None = None,
        price: Decimal | str | int | None = None,
        stop_price: Decimal | str | int | None = None,
        request_id: str | None = None,
        revision: int | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        client_order_id: str | None = None,
        original_client_order_id: str | None = None,
        venue_order_id: str | None = None,
        reason: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Change an order's quantity or prices, once per ``request_id``. One round trip.

        A quantity that is not above what is filled asks for the rest to be canceled: the order's quantity becomes what
        is filled, and the order FILLED. A larger one opens a FILLED order again (FIX 4.4, order state changes, D).

        Args:
            trader: The trader of the order.
            order_id: The id of the order, or another of its ids.
            quantity: The new *total* quantity, which includes what is filled (FIX OrderQty, tag 38); None keeps it.
            price: The new limit price; None keeps it.
            stop_price: The new trigger price; None keeps it.
            request_id: The identity of the request; by default random: a lost reply is still handled, but a second call
                is another request.
            revision: A number that grows with each replace of the order; a replace whose revision is not above the
                last one applied is out of date, and changes nothing.
            ts_ns: The time of the replace; by default now.
            text: Free text, such as the reason (tag 58).
            client_order_id: The identity of the request (ClOrdID, tag 11), which answers a pending one, and
                is the order's from then on, and finds it.
            original_client_order_id: The id that the request names the order by (OrigClOrdID, tag 41).
            venue_order_id: The venue's id of the order (OrderID, tag 37), which finds it from then on.
            reason: FIX's code of the reason, which is kept with the event.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            OrderNotFound: There is no such order.
            OrderClosed: The order was canceled, rejected or expired, or is FILLED and stays so.
            AmbiguousId: The ``client_order_id`` or ``venue_order_id`` is another order's.
            DuplicateRequest: The ``request_id`` was used for another replace of this order.
            OrderMismatch: An order of this type has no such price.
            InvalidArgument: Nothing is to be changed.
        """
        given = {"request_id": request_id, "ts_ns": ts_ns}
        request = checked(
            Replace,
            trader=trader,
            order_id=order_id,
            quantity=quantity,
            price=price,
            stop_price=stop_price,
            revision=revision,
            text=text,
            client_order_id=client_order_id,
            original_client_order_id=original_client_order_id,
            venue_order_id=venue_order_id,
            reason=reason,
            **without_none(given),
        )
        return cast("OrderResult[OrderT]", await self._changes.call(REPLACE, request, durability))

    async def delete(self, trader: str, order_id: str, *, durability: Durability | str | None = None) -> None:
        """Remove a terminal order before it expires; nothing happens when it is gone already. One round trip.

        Its fills stay in the position. What is remembered of its changes goes with it: a change of it that is still on
        its way, because a reply was lost, comes again as one of an order that is unknown, and a ``place`` as a new one.

        Raises:
            OrderClosed: The order is open; cancel it first.
        """
        await self._changes.call(DELETE, Deletion(trader, order_id), durability)

    async def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        await self._backend.close()

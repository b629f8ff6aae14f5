"""End orders, for asyncio: cancel, reject, expire and calculate."""

from __future__ import annotations

from typing import cast

from ....models.arguments import without_none
from ....models.order import Cancel
from ....models.record import checked
from ....models.results import FillResult, OrderResult, Outcome
from ....topology.durability import Durability
from ...changes._async import AsyncChanges
from ...changes.verb import Verb
from ..reads._async import AsyncOrderReads, OrderT
from ..verbs import CALCULATE, CANCEL, EXPIRE, REJECT, Closing, OrderRequest


class AsyncClosings(AsyncOrderReads[OrderT]):
    """The part of :class:`~slotbook.repositories.orders._async.AsyncOrderRepository` that ends orders."""

    _changes: AsyncChanges[OrderRequest, OrderResult[OrderT] | FillResult[OrderT]]

    async def cancel(
        self,
        trader: str,
        order_id: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        reason: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Cancel the open quantity of an order; one that is canceled already stays as it is. One round trip.

        Args:
            trader: The trader of the order.
            order_id: The id of the order, or another of its ids.
            request_id: The identity of the request; by default random: a lost reply is still handled, but a second call
                is another request.
            ts_ns: The time of the cancel; by default now.
            text: Free text, such as the reason (FIX Text, tag 58).
            client_order_id: The identity of the request that this answers (ClOrdID, tag 11), which finds the order from
                then on.
            venue_order_id: The venue's id of the order (OrderID, tag 37), which finds it, too.
            reason: FIX's code of the reason, which is kept with the event.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            OrderNotFound: There is no such order.
            OrderClosed: The order was filled, rejected or expired.
            AmbiguousId: The ``client_order_id`` or ``venue_order_id`` is another order's.
            DuplicateRequest: The ``request_id`` was used for another change of this order.
        """
        return await self._close(
            CANCEL, trader, order_id, request_id, ts_ns, text, client_order_id, venue_order_id, reason, durability
        )

    async def cancel_all(
        self, trader: str, *, text: str | None = None, durability: Durability | str | None = None
    ) -> list[Outcome[OrderResult[OrderT]]]:
        """Cancel every order of a trader that is open now, with one outcome for each.

        Those that go together, 24 in a call, are canceled at one moment. Halt the trader's trading first, so that
        nothing is placed in between. An order that is filled meanwhile has OrderClosed as its outcome. Over several
        traders nothing is atomic. ``text`` and ``durability`` are those of ``cancel``.
        """
        cancels = [checked(Cancel, trader=trader, order_id=one.order_id, text=text) for one in await self.open(trader)]
        outcomes = await self._changes.many(cancels, CANCEL, durability)
        return cast("list[Outcome[OrderResult[OrderT]]]", outcomes)

    async def reject(
        self,
        trader: str,
        order_id: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        reason: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that an order was not accepted; only an order without fills can be rejected. One round trip.

        Arguments and errors are those of ``cancel``.
        """
        return await self._close(
            REJECT, trader, order_id, request_id, ts_ns, text, client_order_id, venue_order_id, reason, durability
        )

    async def expire(
        self,
        trader: str,
        order_id: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        reason: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that an order's time in force has run out. One round trip.

        Arguments and errors are those of ``cancel``.
        """
        return await self._close(
            EXPIRE, trader, order_id, request_id, ts_ns, text, client_order_id, venue_order_id, reason, durability
        )

    async def calculate(
        self,
        trader: str,
        order_id: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        reason: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that an order is over, and its commission or settlement details are calculated. One round trip.

        Arguments and errors are those of ``cancel``; a FILLED order can be calculated, too.
        """
        return await self._close(
            CALCULATE, trader, order_id, request_id, ts_ns, text, client_order_id, venue_order_id, reason, durability
        )

    async def _close(
        self,
        verb: Verb[Closing, OrderResult],
        trader: str,
        order_id: str,
        request_id: str | None,
        ts_ns: int | None,
        text: str | None,
        client_order_id: str | None,
        venue_order_id: str | None,
        reason: str | None,
        durability: Durability | str | None,
    ) -> OrderResult[OrderT]:
        given = {"request_id": request_id, "ts_ns": ts_ns}
        request = checked(
            verb.request,
            trader=trader,
            order_id=order_id,
            text=text,
            client_order_id=client_order_id,
            venue_order_id=venue_order_id,
            reason=reason,
            **without_none(given),
        )
        return cast("OrderResult[OrderT]", await self._changes.call(verb, request, durability))

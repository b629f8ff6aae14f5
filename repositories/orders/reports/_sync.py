# Generated from repositories/orders/reports/_async.py by scripts/generate_sync.py: edit that one.
"""Record what a venue says of an order beside fills, and what it is asked, for threads."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from ....models.arguments import without_none
from ....models.enums import OrderStatus, Side
from ....models.order_reports import (
    Accept,
    CancelReject,
    DoneForDay,
    PendingCancel,
    PendingReplace,
    Restate,
    Stop,
    Suspend,
)
from ....models.record import checked
from ....models.results import OrderResult
from ....models.types import Quantity
from ....topology._sync.backend import Backend
from ....topology.durability import Durability
from ...changes._sync import Changes
from ...changes.fence import Fence
from ...changes.loss_detector import LossDetector
from ...changes.verb import AnyVerb
from ..reads._sync import OrderReads, OrderT
from ..verbs import (
    ACCEPT,
    CANCEL_REJECT,
    DONE_FOR_DAY,
    PENDING_CANCEL,
    PENDING_REPLACE,
    RESTATE,
    STOP,
    SUSPEND,
)


def _said(
    request_id: str | None,
    ts_ns: int | None,
    text: str | None,
    reason: str | None,
    venue_order_id: str | None,
    symbol: str | None,
    side: Side | str | None,
) -> dict[str, object]:
    """Return what every report may say, as far as it is given."""
    return without_none(
        {
            **{"request_id": request_id, "ts_ns": ts_ns, "text": text, "reason": reason},
            **{"venue_order_id": venue_order_id, "symbol": symbol, "side": side},
        }
    )


class OrderReports(OrderReads[OrderT]):
    """The reports of :class:`~slotbook.repositories.orders._sync.OrderRepository`.

    Each is one round trip, known by its ``request_id``, and raises what ``cancel`` does: docs/explanation/states.md. Of
    several statuses that hold at once an order shows the one that FIX puts first. Each takes also the ``request_id``,
    ``ts_ns``, ``text``, ``reason``, ``symbol`` and ``side`` of its request, and the ``venue_order_id`` (OrderID, tag
    37), which finds the order from then on, as a ``client_order_id`` does; another order's raises AmbiguousId.
    """

    def __init__(self, backend: Backend, loss_detector: LossDetector, fence: Fence, model: type[OrderT]) -> None:
        super().__init__(backend, loss_detector, fence, model)
        self._changes = Changes(backend, self._calls)

    def accept(
        self,
        trader: str,
        order_id: str,
        *,
        status: OrderStatus | str | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that the venue has accepted an order that was placed as PENDING_NEW."""
        said = _said(request_id, ts_ns, text, reason, venue_order_id, symbol, side)
        request = checked(Accept, trader=trader, order_id=order_id, status=status, **said)
        return self._report(ACCEPT, request, durability)

    def pending_cancel(
        self,
        trader: str,
        order_id: str,
        *,
        client_order_id: str,
        original_client_order_id: str | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that a request to cancel an order was sent; ``client_order_id`` is what its answer names."""
        request = checked(
            PendingCancel,
            trader=trader,
            order_id=order_id,
            client_order_id=client_order_id,
            original_client_order_id=original_client_order_id,
            **_said(request_id, ts_ns, text, reason, venue_order_id, symbol, side),
        )
        return self._report(PENDING_CANCEL, request, durability)

    def pending_replace(
        self,
        trader: str,
        order_id: str,
        *,
        client_order_id: str,
        original_client_order_id: str | None = None,
        quantity: Quantity | str | float | None = None,
        price: Decimal | str | int | None = None,
        stop_price: Decimal | str | int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that a request to replace an order was sent, and what it asks for."""
        request = checked(
            PendingReplace,
            trader=trader,
            order_id=order_id,
            client_order_id=client_order_id,
            original_client_order_id=original_client_order_id,
            quantity=quantity,
            price=price,
            stop_price=stop_price,
            **_said(request_id, ts_ns, text, reason, venue_order_id, symbol, side),
        )
        return self._report(PENDING_REPLACE, request, durability)

    def cancel_reject(
        self,
        trader: str,
        order_id: str,
        *,
        client_order_id: str | None = None,
        original_client_order_id: str | None = None,
        status: OrderStatus | str | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that a request to cancel or replace an order was refused: it shows again what it would be without."""
        request = checked(
            CancelReject,
            trader=trader,
            order_id=order_id,
            client_order_id=client_order_id,
            original_client_order_id=original_client_order_id,
            status=status,
            **_said(request_id, ts_ns, text, reason, venue_order_id, symbol, side),
        )
        return self._report(CANCEL_REJECT, request, durability)

    def done_for_day(
        self,
        trader: str,
        order_id: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that an order is not filled further today; nothing is open of it unless it outlives the day."""
        said = _said(request_id, ts_ns, text, reason, venue_order_id, symbol, side)
        request = checked(DoneForDay, trader=trader, order_id=order_id, **said)
        return self._report(DONE_FOR_DAY, request, durability)

    def stop(
        self,
        trader: str,
        order_id: str,
        *,
        quantity: Quantity | str | float | None = None,
        price: Decimal | str | int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that a trade of an order is guaranteed, and for how much."""
        said = _said(request_id, ts_ns, text, reason, venue_order_id, symbol, side)
        request = checked(Stop, trader=trader, order_id=order_id, quantity=quantity, price=price, **said)
        return self._report(STOP, request, durability)

    def suspend(
        self,
        trader: str,
        order_id: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that an order is not eligible for trading for now."""
        said = _said(request_id, ts_ns, text, reason, venue_order_id, symbol, side)
        request = checked(Suspend, trader=trader, order_id=order_id, **said)
        return self._report(SUSPEND, request, durability)

    def restate(
        self,
        trader: str,
        order_id: str,
        *,
        quantity: Quantity | str | float | None = None,
        price: Decimal | str | int | None = None,
        stop_price: Decimal | str | int | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        reason: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
        side: Side | str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT]:
        """Record that the venue has changed an order by itself, or has carried it into a new day."""
        request = checked(
            Restate,
            trader=trader,
            order_id=order_id,
            quantity=quantity,
            price=price,
            stop_price=stop_price,
            **_said(request_id, ts_ns, text, reason, venue_order_id, symbol, side),
        )
        return self._report(RESTATE, request, durability)

    def in_flight(self, trader: str) -> list[OrderT]:
        """Return a trader's orders that wait for an answer: those not accepted, and those with a pending request.

        ``order.pending_requests`` says who asked for what, and since when. Round trips as for ``open``.
        """
        return [order for order in self.open(trader) if order.pending or "PENDING_NEW" in (order.marks or "")]

    def _report(self, verb: AnyVerb, request: object, durability: Durability | str | None) -> OrderResult[OrderT]:
        return cast("OrderResult[OrderT]", self._changes.call(verb, request, durability))

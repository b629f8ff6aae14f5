# Generated from repositories/orders/_async.py by scripts/generate_sync.py: edit that one.
"""Orders, for threads."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Self

from ...models.arguments import identities, several
from ...models.enums import OrderStatus
from ...models.fill import Fill
from ...models.order import Order, Replace
from ...models.record import checked
from ...models.results import FillResult, OrderResult, Outcome
from ...models.stored import ORDERS
from ...topology._sync.backend import Backend, open_backend
from ...topology.durability import Durability
from ...topology.settings import Settings
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.verb import Verb
from ..search._sync.find import Find, Search
from .calls import OrderCalls
from .verbs import CANCEL, EXPIRE, FILL, PLACE, REJECT, REPLACE, Closing, OrderRequest


class OrderRepository:
    """The orders of a desk: every change is one atomic round trip that moves the order, its indexes, its position and
    the trader's event stream together, and may be sent again without being applied twice.

    Verbs raise a :class:`~slotbook.models.errors.SlotbookError`; those that end in ``_many`` answer per item instead.
    Every change takes a ``durability``, by default the book's (:class:`~slotbook.topology.durability.Durability`). It
    raises UnderReplicated when it was applied, but too few replicas have it, and StateLost when the server has lost
    earlier changes. Those of a lock's holder (``held.orders``) raise FenceRefused when they come too
    late.
    """

    def __init__(self, backend: Backend, loss_detector: LossDetector | None = None, fence: Fence = NO_FENCE) -> None:
        self._backend = backend
        self._calls = OrderCalls(backend.settings, loss_detector or LossDetector(), fence)
        self._search = Search(backend, ORDERS)

    @classmethod
    def from_url(cls, url: str | Settings | None = None) -> Self:
        """A repository with servers of its own; see :func:`slotbook.connect` for the URL. Close it when done."""
        return cls(open_backend(url))

    def place(self, order: Order, *, durability: Durability | str | None = None) -> OrderResult:
        """Put a new order in the book; the same order again changes nothing and answers it as it now is.

        One round trip. Raises DuplicateOrder when the id is taken by an order with other content, as first placed;
        ``ts_ns`` and ``text`` do not count.
        """
        return self._backend.run(self._calls.call(PLACE, order), self._durability(durability))

    def place_many(
        self, orders: Sequence[Order], *, durability: Durability | str | None = None
    ) -> list[Outcome[OrderResult]]:
        """Place many orders: one round trip per node, one outcome each, in the order given."""
        pending_calls = self._calls.place_many(several("orders", orders))
        return self._backend.run_many(pending_calls, self._durability(durability))

    def get(self, trader: str, order_id: str) -> Order | None:
        """The order as it is, or None. One round trip. Raises CorruptRecord for a hash that cannot be read."""
        return self._backend.run(self._calls.get(trader, order_id))

    def get_many(self, ids: Sequence[tuple[str, str]]) -> list[Outcome[Order | None]]:
        """Many orders by ``(trader, order_id)``: one round trip per node, one outcome each, in the order given."""
        return self._backend.read_many(self._calls.get_many(identities("ids", ids)))

    def fill(self, fill: Fill, *, durability: Durability | str | None = None) -> FillResult:
        """Apply one execution to its order and its position, exactly once per ``exec_id``.

        One round trip. A repeat returns the first result with ``applied`` False. A fill of an order that was canceled,
        rejected or expired is a fact all the same: the position moves, the status stays, and the result is ``late``.
        Raises OrderNotFound, Overfill (past the order's quantity), DuplicateRequest (the exec_id was used with another
        quantity or price), AmountOverflow.
        """
        return self._backend.run(self._calls.call(FILL, fill), self._durability(durability))

    def fill_many(
        self, fills: Sequence[Fill], *, durability: Durability | str | None = None
    ) -> list[Outcome[FillResult]]:
        """Apply many executions: one round trip per node, one outcome each; those of one order in the order given."""
        pending_calls = self._calls.fill_many(several("fills", fills))
        return self._backend.run_many(pending_calls, self._durability(durability))

    def replace(
        self,
        trader: str,
        order_id: str,
        *,
        quantity: int | None = None,
        price: Decimal | str | int | None = None,
        stop_price: Decimal | str | int | None = None,
        request_id: str | None = None,
        revision: int | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult:
        """Change an open order's total quantity or prices, once per ``request_id``; what is None stays.

        One round trip. Without a ``request_id`` one is made up, which makes this call safe to retry by itself, but
        not by you. A ``revision`` not above the last one applied is out of date and changes nothing. An order
        replaced down to what is filled becomes FILLED. Raises OrderNotFound, OrderClosed, Overfill (less than is
        filled), DuplicateRequest.
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
            **{name: value for name, value in given.items() if value is not None},
        )
        return self._backend.run(self._calls.call(REPLACE, request), self._durability(durability))

    def cancel(
        self,
        trader: str,
        order_id: str,
        *,
        ts_ns: int | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult:
        """Cancel what is open of an order; one that is canceled already stays as it is.

        One round trip. Raises OrderNotFound, or OrderClosed for one that was filled, rejected or expired.
        """
        return self._close(CANCEL, trader, order_id, ts_ns, text, durability)

    def reject(
        self,
        trader: str,
        order_id: str,
        *,
        ts_ns: int | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult:
        """Record that an order without fills was not accepted. One round trip. Raises like ``cancel``."""
        return self._close(REJECT, trader, order_id, ts_ns, text, durability)

    def expire(
        self,
        trader: str,
        order_id: str,
        *,
        ts_ns: int | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> OrderResult:
        """Record that an order's time in force has run out. One round trip. Raises like ``cancel``."""
        return self._close(EXPIRE, trader, order_id, ts_ns, text, durability)

    def apply(self, request: OrderRequest, *, durability: Durability | str | None = None) -> OrderResult | FillResult:
        """Whatever the request asks for: an Order is placed, a Fill, Replace, Cancel, Reject or Expire applied.

        One round trip. Raises as the verb of the same name.
        """
        return self._backend.run(self._calls.change(request), self._durability(durability))

    def apply_many(
        self, requests: Sequence[OrderRequest], *, durability: Durability | str | None = None
    ) -> list[Outcome[OrderResult | FillResult]]:
        """Apply a journal: any mix of requests, one outcome each; those of one order are applied in the order given.

        One round trip per node as long as no order comes twice; then one more for each time it does.
        """
        pending_calls = self._calls.change_many(several("requests", requests))
        return self._backend.run_many(pending_calls, self._durability(durability))

    def open(self, trader: str) -> list[Order]:
        """A trader's open orders. One round trip up to 1,000 orders, then one more per 1,000."""
        return self._backend.drive(self._calls.open(trader))

    def by_status(self, trader: str, status: OrderStatus | str) -> list[Order]:
        """A trader's orders with a status. Round trips as ``open``. Raises InvalidArgument for an unknown status."""
        return self._backend.drive(self._calls.by_status(trader, status))

    def by_symbol(self, trader: str, symbol: str) -> list[Order]:
        """A trader's orders in a symbol, whatever their status. Round trips as ``open``."""
        return self._backend.drive(self._calls.by_symbol(trader, symbol))

    def count(self, trader: str, *, status: OrderStatus | str | None = None, symbol: str | None = None) -> int:
        """How many orders a trader has, in all, with a status, or in a symbol. One round trip.

        Raises InvalidArgument when both a status and a symbol are given: no index knows both.
        """
        return self._backend.run(self._calls.count(trader, status, symbol))

    def find(self, *conditions: object) -> Find[Order]:
        """Search the orders of all traders, on servers with search: what all ``conditions`` ask, or everything.

        A condition compares fields of :data:`slotbook.models.hashes.OrderHash`, exactly, as redis-om writes it; see
        docs/redis-om.md. Nothing is sent before ``all``, ``page``, ``first`` or ``count``. Raises InvalidArgument.
        """
        return self._search.find(conditions)

    def delete(self, trader: str, order_id: str) -> None:
        """Remove a terminal order before it expires; one that is not there is as good as removed.

        One round trip. Raises OrderClosed for an open order: cancel it first. Its fills stay in the position.
        """
        self._backend.run(self._calls.delete(trader, order_id))

    def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        self._backend.close()

    def _close(
        self,
        verb: Verb[Closing, OrderResult],
        trader: str,
        order_id: str,
        ts_ns: int | None,
        text: str | None,
        durability: Durability | str | None,
    ) -> OrderResult:
        given = {} if ts_ns is None else {"ts_ns": ts_ns}
        request = checked(verb.request, trader=trader, order_id=order_id, text=text, **given)
        return self._backend.run(self._calls.call(verb, request), self._durability(durability))

    def _durability(self, wanted: Durability | str | None) -> Durability:
        return self._backend.settings.durability if wanted is None else Durability.parse(wanted)

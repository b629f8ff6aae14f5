"""What each verb of orders sends, and what its answer means. No I/O and no colour."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias, cast

from ...models.arguments import must_be
from ...models.enums import OrderStatus
from ...models.errors import InvalidArgument, OrderClosed
from ...models.fill import Fill
from ...models.keys import Keys, TraderKeys
from ...models.order import Cancel, Expire, Order, Reject, Replace
from ...models.results import FillResult, OrderResult
from ...models.types import check_name, plain
from ...models.wire import text, words
from ...topology.call import Argument, Call, CallBuilder, PendingCall, Reply, command, evaluate, pack, slot_of_tag
from ...topology.reads import Reads
from ...topology.settings import Settings
from ...topology.steps import Steps, ask, ask_many
from ..changes.event_policy import events_policy
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.scripts import load
from ..replies import record_of, refusal, rows
from .replies import changed, filled, found, placed, replaced

OrderRequest: TypeAlias = Order | Replace | Cancel | Reject | Expire | Fill
"""Anything that changes an order: an Order is placed, the others say what they are."""

PAGE = 1_000
"""Orders that one script brings along; a script that took longer would hold up the server."""

_PACKAGE = "slotbook.repositories.orders"
PLACE = load(_PACKAGE, "place")
FILL = load(_PACKAGE, "fill")
REPLACE = load(_PACKAGE, "replace")
CLOSE = load(_PACKAGE, "close")
DELETE = load(_PACKAGE, "delete")
SELECT = load(_PACKAGE, "select")
COUNT = load(_PACKAGE, "count")

_REQUESTS = (Order, Replace, Cancel, Reject, Expire, Fill)
_CLOSED_AS: dict[type[Cancel] | type[Reject] | type[Expire], OrderStatus] = {
    Cancel: OrderStatus.CANCELED,
    Reject: OrderStatus.REJECTED,
    Expire: OrderStatus.EXPIRED,
}


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else str(max(1, round(seconds * 1000)))


class OrderCalls:
    """The calls of one book, with its prefix and lifetimes."""

    def __init__(self, settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE) -> None:
        self.keys = Keys(settings.prefix)
        self._loss_detector = loss_detector
        self._fence = fence
        self._open_ttl = _milliseconds(settings.open_order_ttl)
        self._closed_ttl = _milliseconds(settings.order_ttl)
        self._events_policy = events_policy(settings)

    def place_many(self, orders: Sequence[Order]) -> list[PendingCall[OrderResult]]:
        """New orders. Raises InvalidArgument if one of them is not new."""
        return cast("list[PendingCall[OrderResult]]", [self._pending(order, Order) for order in orders])

    def fill_many(self, fills: Sequence[Fill]) -> list[PendingCall[FillResult]]:
        """Executions."""
        return cast("list[PendingCall[FillResult]]", [self._pending(fill, Fill) for fill in fills])

    def change_many(self, requests: Sequence[OrderRequest]) -> list[PendingCall[OrderResult | FillResult]]:
        """Whatever each request asks for. Raises InvalidArgument if one cannot be asked for."""
        return [self._pending(request, *_REQUESTS) for request in requests]

    def _pending(self, request: OrderRequest, *kinds: type) -> PendingCall[OrderResult | FillResult]:
        """What will be ``change`` of the request, which is checked now."""
        must_be(request, *kinds)
        if isinstance(request, Order):
            _must_be_new(request)
        trader = request.trader
        self._fence.of(trader)
        builder = cast("CallBuilder[object]", self)
        return PendingCall(self.keys.of(trader).order(request.order_id), slot_of_tag(trader), builder, request)

    def change(self, request: OrderRequest) -> Call[OrderResult | FillResult]:
        """Whatever the request asks for."""
        match request:
            case Order():
                return self.place(request)
            case Fill():
                return self.fill(request)
            case Replace():
                return self.replace(request)
            case _:
                must_be(request, *_REQUESTS)
                return self.close(request)

    def place(self, order: Order) -> Call[OrderResult]:
        """A new order. Raises InvalidArgument for one that is not new."""
        must_be(order, Order)
        _must_be_new(order)
        keys = self.keys.of(order.trader)
        name = f"place {order.trader}/{order.order_id}"
        key = keys.order(order.order_id)

        indexes = (keys.new, keys.symbol(order.symbol))
        lock, number = self._fence.of(order.trader)
        return evaluate(
            name,
            PLACE,
            (key, *indexes, keys.events, *lock),
            (
                self._open_ttl,
                self._events_policy,
                self._loss_detector.told(order.trader),
                *words(order, version=1),
                *number,
            ),
            decode=self._loss_detector.watch(order.trader, placed, name, key, order),
            builder=self,
            request=order,
        )

    def fill(self, fill: Fill) -> Call[FillResult]:
        """One execution."""
        must_be(fill, Fill)
        keys = self.keys.of(fill.trader)
        name = f"fill {fill.exec_id} of {fill.trader}/{fill.order_id}"
        key = keys.order(fill.order_id)

        lock, number = self._fence.of(fill.trader)
        return evaluate(
            name,
            FILL,
            (key, keys.applied(fill.order_id), keys.events, keys.positions, *lock),
            (
                *self._base(keys),
                fill.trader,
                fill.exec_id,
                fill.quantity,
                plain(fill.price),
                plain(fill.notional),
                fill.ts_ns,
                *number,
            ),
            decode=self._loss_detector.watch(fill.trader, filled, name, keys.base, fill),
            builder=self,
            request=fill,
        )

    def replace(self, request: Replace) -> Call[OrderResult]:
        """New terms for an open order."""
        keys = self.keys.of(request.trader)
        name = f"replace {request.request_id} of {request.trader}/{request.order_id}"

        key = keys.order(request.order_id)
        wanted = (request.quantity, request.price, request.stop_price, request.revision)
        lock, number = self._fence.of(request.trader)
        return evaluate(
            name,
            REPLACE,
            (key, keys.applied(request.order_id), keys.events, *lock),
            (
                *self._base(keys),
                request.request_id,
                *map(_optional, wanted),
                request.ts_ns,
                request.text or "",
                *number,
            ),
            decode=self._loss_detector.watch(request.trader, replaced, name, key, request),
            builder=self,
            request=request,
        )

    def close(self, request: Cancel | Reject | Expire) -> Call[OrderResult]:
        """The end of an open order."""
        keys = self.keys.of(request.trader)
        status = _CLOSED_AS[type(request)]
        name = f"{type(request).__name__.lower()} {request.trader}/{request.order_id}"
        key = keys.order(request.order_id)
        lock, number = self._fence.of(request.trader)
        return evaluate(
            name,
            CLOSE,
            (key, keys.applied(request.order_id), keys.events, *lock),
            (*self._base(keys), status, request.ts_ns, request.text or "", *number),
            decode=self._loss_detector.watch(request.trader, changed, name, key, request),
            builder=cast("CallBuilder[object]", self),  # mypy finds no common ground of the three
            request=request,
        )

    def delete(self, trader: str, order_id: str) -> Call[None]:
        """The removal of a terminal order."""
        keys = self.keys.of(trader)
        name = f"delete {trader}/{check_name('order_id', order_id)}"

        def read(reply: Reply) -> None:
            match rows(reply):
                case ["applied"]:
                    return
                case ["open", str(status)]:
                    raise OrderClosed(f"{name}: the order is {status}; cancel it first")
                case other:
                    raise refusal(name, other)

        lock, number = self._fence.of(trader)
        order = (keys.order(order_id), keys.applied(order_id))
        return evaluate(name, DELETE, (*order, *lock), (keys.base, *number), decode=read)

    def get(self, trader: str, order_id: str) -> Call[Order | None]:
        """One order."""
        key = self.keys.of(trader).order(check_name("order_id", order_id))
        return command(
            f"get {trader}/{order_id}",
            "HGETALL",
            key,
            decode=partial(found, key),
            tag=trader,
        )

    def get_many(self, ids: Sequence[tuple[str, str]]) -> Reads[Order | None]:
        """Many orders."""
        keys = [self.keys.of(trader).order(check_name("order_id", order_id)) for trader, order_id in ids]
        return Reads(
            [slot_of_tag(trader) for trader, _ in ids],
            [pack(("HGETALL", key)) for key in keys],
            lambda number, reply: found(keys[number], reply),
            lambda number: self.get(*ids[number]),
        )

    def count(self, trader: str, status: OrderStatus | str | None, symbol: str | None) -> Call[int]:
        """How many live orders a trader has: in all, with a status, or in a symbol."""
        keys = self.keys.of(trader)
        if status is not None and symbol is not None:
            raise InvalidArgument("count takes a status or a symbol, not both: no index knows both")
        if symbol is not None:
            indexes = [keys.symbol(check_name("symbol", symbol))]
        else:
            indexes = [keys.statuses[_status(status)]] if status is not None else list(keys.statuses.values())
        return evaluate(
            f"count orders of {trader}",
            COUNT,
            indexes,
            (),
            decode=lambda reply: sum(int(str(number)) for number in rows(reply)),
            readonly=True,
        )

    def open(self, trader: str) -> Steps[list[Order]]:
        """The open orders."""
        statuses = self.keys.of(trader).statuses
        return self._select(trader, [statuses[status] for status in OrderStatus if status.is_open])

    def by_status(self, trader: str, status: OrderStatus | str) -> Steps[list[Order]]:
        """The orders with a status."""
        return self._select(trader, [self.keys.of(trader).statuses[_status(status)]])

    def by_symbol(self, trader: str, symbol: str) -> Steps[list[Order]]:
        """The orders in a symbol."""
        return self._select(trader, [self.keys.of(trader).symbol(check_name("symbol", symbol))])

    def _select(self, trader: str, indexes: Sequence[str]) -> Steps[list[Order]]:
        """The live orders of some indexes: the first page in one call, the others by their ids."""
        keys = self.keys.of(trader)
        base = f"{keys.base}order:"
        first = yield from ask(
            evaluate(f"orders of {trader}", SELECT, indexes, (base, PAGE), decode=rows, readonly=True)
        )
        *found, left = first
        orders = [record_of(Order, base, "order_id", flat) for flat in found]
        ids = cast("list[str]", left)
        for start in range(0, len(ids), PAGE):
            outcomes = yield from ask_many([self.get(trader, order_id) for order_id in ids[start : start + PAGE]])
            page = [outcome.result() for outcome in outcomes]
            orders.extend(order for order in page if order is not None and self._is_in(order, indexes))
        return orders

    def _is_in(self, order: Order, indexes: Sequence[str]) -> bool:
        keys = self.keys.of(order.trader)
        return keys.statuses[order.status] in indexes or keys.symbol(order.symbol) in indexes

    def _base(self, keys: TraderKeys) -> tuple[Argument, ...]:
        return keys.base, self._open_ttl, self._closed_ttl, self._events_policy, self._loss_detector.told(keys.trader)


def _must_be_new(order: Order) -> None:
    if order.status is not OrderStatus.NEW or order.filled_quantity or order.version or order.placed_quantity:
        raise InvalidArgument(
            f"place {order.trader}/{order.order_id}: the order is not new (status {order.status}, filled "
            f"{order.filled_quantity}, version {order.version}); place what was ordered, then apply what happened"
        )


def _status(value: OrderStatus | str) -> OrderStatus:
    try:
        return OrderStatus[value]
    except (KeyError, TypeError):
        raise InvalidArgument(f"there is no status {value!r}; there are {', '.join(OrderStatus)}") from None


def _optional(value: object) -> str:
    return "" if value is None else text(value)

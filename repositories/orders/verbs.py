"""List the verbs that change an order, with one row for each.

From the rows derive the calls (:class:`~slotbook.repositories.orders.calls.OrderCalls`), the checks of what callers
pass, and the lists of verbs in the tests. A new verb needs a request in ``models/order.py``, a script in ``lua/``, a
row here, and a method of the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...models.enums import EventType, OrderStatus
from ...models.errors import InvalidArgument
from ...models.fill import Fill
from ...models.keys import TraderKeys
from ...models.order import Cancel, Expire, Order, Reject, Replace
from ...models.results import OrderResult
from ...models.types import plain
from ...models.wire import text, words
from ...topology.scripts import Script, Value
from ..changes.recorded import RECORDED_FILL, RECORDED_REPLACE
from ..changes.scripts import load
from ..changes.verb import AnyVerb, ChangePolicy, Verb
from .replies import changed, filled, placed, replaced

OrderRequest: TypeAlias = Order | Replace | Cancel | Reject | Expire | Fill
"""Any request that changes an order: the requests of ORDER_VERBS, written out for type checkers."""
Closing: TypeAlias = Cancel | Reject | Expire
"""A request that ends an order."""

_PACKAGE = "slotbook.repositories.orders"
_PLACE = load(_PACKAGE, "place")
_FILL = load(_PACKAGE, "fill")
_REPLACE = load(_PACKAGE, "replace")
_CLOSE = load(_PACKAGE, "close")


def _named(name: str) -> Callable[[OrderRequest], str]:
    """Return a function that describes a request by the verb and the order."""
    return lambda request: f"{name} {request.trader}/{request.order_id}"


def _order_keys(script: Script) -> Callable[[TraderKeys, OrderRequest, str | None], tuple[str, ...]]:
    """Return a function that returns the keys of a script which changes a stored order."""

    def script_keys(keys: TraderKeys, request: OrderRequest, lock: str | None) -> tuple[str, ...]:
        order_id = request.order_id
        return script.keys(order=keys.order(order_id), applied=keys.applied(order_id), events=keys.events, lock=lock)

    return script_keys


def _optional(value: object) -> str:
    return "" if value is None else text(value)


def _check_new(order: Order) -> None:
    if order.status is not OrderStatus.NEW or order.filled_quantity or order.version or order.placed_quantity:
        raise InvalidArgument(
            f"place {order.trader}/{order.order_id}: the order is not new (status {order.status}, filled "
            f"{order.filled_quantity}, version {order.version}); place what was ordered, then apply what happened"
        )


def _place_keys(keys: TraderKeys, order: Order, lock: str | None) -> tuple[str, ...]:
    return _PLACE.keys(
        order=keys.order(order.order_id),
        new_orders=keys.new,
        symbol_orders=keys.symbol(order.symbol),
        events=keys.events,
        lock=lock,
    )


def _place_arguments(
    policy: ChangePolicy, keys: TraderKeys, order: Order, acknowledged: str, fence: int | str
) -> tuple[Value, ...]:
    return _PLACE.arguments(
        open_ttl=policy.open_ttl,
        events_policy=policy.events,
        acknowledged=acknowledged,
        fence=fence,
        fields=words(order, version=1),
    )


def _fill_keys(keys: TraderKeys, fill: Fill, lock: str | None) -> tuple[str, ...]:
    return _FILL.keys(
        order=keys.order(fill.order_id),
        applied=keys.applied(fill.order_id),
        events=keys.events,
        positions=keys.positions,
        lock=lock,
    )


def _fill_arguments(
    policy: ChangePolicy, keys: TraderKeys, fill: Fill, acknowledged: str, fence: int | str
) -> tuple[Value, ...]:
    return _FILL.arguments(
        base=keys.base,
        open_ttl=policy.open_ttl,
        closed_ttl=policy.closed_ttl,
        events_policy=policy.events,
        acknowledged=acknowledged,
        fence=fence,
        trader=fill.trader,
        exec_id=fill.exec_id,
        quantity=fill.quantity,
        price=plain(fill.price),
        notional=plain(fill.notional),
        ts_ns=fill.ts_ns,
    )


def _replace_arguments(
    policy: ChangePolicy, keys: TraderKeys, request: Replace, acknowledged: str, fence: int | str
) -> tuple[Value, ...]:
    return _REPLACE.arguments(
        base=keys.base,
        open_ttl=policy.open_ttl,
        closed_ttl=policy.closed_ttl,
        events_policy=policy.events,
        acknowledged=acknowledged,
        fence=fence,
        request_id=request.request_id,
        quantity=_optional(request.quantity),
        price=_optional(request.price),
        stop_price=_optional(request.stop_price),
        revision=_optional(request.revision),
        ts_ns=request.ts_ns,
        text=request.text or "",
    )


def _closing(name: str, request: type[Closing], event: EventType) -> Verb[Closing, OrderResult]:
    """Return the row of a verb that ends an order, with the status of the same name as its event."""

    def arguments(
        policy: ChangePolicy, keys: TraderKeys, request: Closing, acknowledged: str, fence: int | str
    ) -> tuple[Value, ...]:
        return _CLOSE.arguments(
            base=keys.base,
            open_ttl=policy.open_ttl,
            closed_ttl=policy.closed_ttl,
            events_policy=policy.events,
            acknowledged=acknowledged,
            fence=fence,
            status=event.value,
            ts_ns=request.ts_ns,
            text=request.text or "",
        )

    return Verb(
        name=name,
        request=request,
        event=event,
        script=_CLOSE,
        keys=_order_keys(_CLOSE),
        arguments=arguments,
        read_reply=changed,
        describe=_named(name),
    )


PLACE = Verb(
    name="place",
    request=Order,
    event=EventType.NEW,
    script=_PLACE,
    keys=_place_keys,
    arguments=_place_arguments,
    read_reply=placed,
    describe=_named("place"),
    check=_check_new,
)
REPLACE = Verb(
    name="replace",
    request=Replace,
    event=EventType.REPLACED,
    script=_REPLACE,
    keys=_order_keys(_REPLACE),
    arguments=_replace_arguments,
    read_reply=replaced,
    describe=lambda request: f"replace {request.request_id} of {request.trader}/{request.order_id}",
    recording=RECORDED_REPLACE,
)
CANCEL = _closing("cancel", Cancel, EventType.CANCELED)
REJECT = _closing("reject", Reject, EventType.REJECTED)
EXPIRE = _closing("expire", Expire, EventType.EXPIRED)
FILL = Verb(
    name="fill",
    request=Fill,
    event=EventType.TRADE,
    script=_FILL,
    keys=_fill_keys,
    arguments=_fill_arguments,
    read_reply=filled,
    describe=lambda fill: f"fill {fill.exec_id} of {fill.trader}/{fill.order_id}",
    recording=RECORDED_FILL,
)

ORDER_VERBS: tuple[AnyVerb, ...] = (PLACE, REPLACE, CANCEL, REJECT, EXPIRE, FILL)
"""Every verb that changes an order."""

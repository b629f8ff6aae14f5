"""Read the engine's answers to changes of an order: return the result, or raise the refusal."""

from __future__ import annotations

from typing import cast

from ...models.errors import DuplicateOrder, DuplicateRequest, InvalidArgument, OrderClosed, Overfill
from ...models.fill import Fill
from ...models.keys import TraderKeys
from ...models.order import Order, Replace
from ...models.position import Position
from ...models.results import FillResult, OrderResult
from ...models.types import plain
from ...models.wire import decode, pairs
from ...topology.call import Reply
from ..changes.recorded import order_then, position_then
from ..replies import fields_of, record, refusal, state


def placed(name: str, keys: TraderKeys, order: Order, answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to ``place``. Raises DuplicateOrder."""
    match answer:
        case ["applied", str(sequence)]:
            return OrderResult(order.model_copy(update={"version": 1}), applied=True, sequence=int(sequence))
        case ["repeat", stored]:
            return OrderResult(state(Order, keys.order(order.order_id), stored), applied=False, sequence=0)
        case ["duplicate", stored]:
            other = state(Order, keys.order(order.order_id), stored)
            raise DuplicateOrder(f"{name}: the id is taken by an order that was placed as {_content(other)}")
        case other:
            raise refusal(name, other)


def filled(name: str, keys: TraderKeys, fill: Fill, answer: list[Reply]) -> FillResult:
    """Return the result in an answer to ``fill``. Raises Overfill or DuplicateRequest, and what any change may."""
    order_key = keys.order(fill.order_id)
    match answer:
        case ["applied", str(sequence), str(late), order, position]:
            fields = fields_of(order_key, position)
            return FillResult(
                state(Order, order_key, order),
                decode(Position, keys.position(fields.get("symbol", "?")), fields),
                applied=True,
                late=late == "1",
                sequence=int(sequence),
            )
        case ["repeat", str(sequence), str(late), order, position, str(rare), list(event)]:
            then, fields = pairs(cast("list[str]", event)), fields_of(order_key, position)
            return FillResult(
                decode(Order, order_key, order_then(fields_of(order_key, order), rare, then)),
                decode(Position, keys.position(fields.get("symbol", "?")), position_then(fields, then)),
                applied=False,
                late=late == "1",
                sequence=int(sequence),
            )
        case ["duplicate", str(quantity), str(price)]:
            raise DuplicateRequest(f"{name}: the exec_id was used for {quantity} at {price}")
        case ["overfill", str(quantity), str(status)]:
            raise Overfill(f"{name}: {fill.quantity} is more than the {quantity} left of the order ({status})")
        case other:
            raise refusal(name, other)


def replaced(name: str, keys: TraderKeys, request: Replace, answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to ``replace``. Raises Overfill or InvalidArgument, and what any change may."""
    match answer:
        case ["overfill", str(quantity)]:
            raise Overfill(f"{name}: {quantity} is already filled, more than the new quantity {request.quantity}")
        case ["type", str(kind), str(field)]:
            raise InvalidArgument(f"{name}: a {kind} order takes no {field}")
        case other:
            return _changed(name, keys.order(request.order_id), other)


def changed(name: str, keys: TraderKeys, request: object, answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to any other change of an order. Raises OrderNotFound or OrderClosed."""
    return _changed(name, keys.order(cast("Replace", request).order_id), answer)


def deleted(name: str, keys: TraderKeys, request: object, answer: list[Reply]) -> None:
    """Return None for an order that is gone. Raises OrderClosed for an open one."""
    match answer:
        case ["deleted"]:
            return
        case ["open", str(status)]:
            raise OrderClosed(f"{name}: the order is {status}; cancel it first")
        case other:
            raise refusal(name, other)


def found(key: str, reply: Reply) -> Order | None:
    """Return the order of a reply to ``get``, None when there is none."""
    return record(Order, key, reply) if reply else None


def _changed(name: str, key: str, answer: list[Reply]) -> OrderResult:
    match answer:
        case ["applied", str(sequence), order]:
            return OrderResult(state(Order, key, order), applied=True, sequence=int(sequence))
        case ["repeat", str(sequence), order, str(rare), list(event)]:
            fields = order_then(fields_of(key, order), rare, pairs(cast("list[str]", event)))
            return OrderResult(decode(Order, key, fields), applied=False, sequence=int(sequence))
        case ["outdated", order]:
            return OrderResult(state(Order, key, order), applied=False, sequence=0)
        case ["duplicate"]:
            raise DuplicateRequest(f"{name}: the request_id was used for another change of this order")
        case other:
            raise refusal(name, other)


def _content(order: Order) -> str:
    quantity, price = order.quantity, order.price
    if order.placed_quantity is not None:
        quantity, price = order.placed_quantity, order.placed_price
    return f"{order.side} {quantity} {order.symbol} {order.type}{'' if price is None else f' at {plain(price)}'}"

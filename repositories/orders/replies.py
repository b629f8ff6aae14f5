"""Read the replies to changes of an order: return the result, or raise the refusal."""

from __future__ import annotations

from ...models.errors import DuplicateOrder, DuplicateRequest, InvalidArgument, Overfill
from ...models.fill import Fill
from ...models.order import Order, Replace
from ...models.position import Position
from ...models.results import FillResult, OrderResult
from ...models.types import plain
from ...topology.call import Reply
from ..replies import record, record_of, refusal


def placed(name: str, key: str, order: Order, reply: list[Reply]) -> OrderResult:
    """Return the result in a reply to ``place``. Raises DuplicateOrder."""
    match reply:
        case ["applied", str(sequence)]:
            return OrderResult(order.model_copy(update={"version": 1}), applied=True, sequence=int(sequence))
        case ["repeat", flat]:
            return OrderResult(record(Order, key, flat), applied=False, sequence=0)
        case ["duplicate", flat]:
            stored = record(Order, key, flat)
            raise DuplicateOrder(f"{name}: the id is taken by an order that was placed as {_content(stored)}")
        case other:
            raise refusal(name, other)


def filled(name: str, key: str, fill: Fill, reply: list[Reply]) -> FillResult:
    """Return the result in a reply to ``fill``. Raises OrderNotFound, Overfill, DuplicateRequest or AmountOverflow."""
    match reply:
        case [("applied" | "repeat") as state, str(sequence), str(late), list(order), list(position)]:
            return FillResult(
                record(Order, key, order),
                record_of(Position, f"{key.removesuffix(f'order:{fill.order_id}')}position:", "symbol", position),
                state == "applied",
                late == "1",
                int(sequence),
            )
        case ["duplicate", str(quantity), str(price)]:
            raise DuplicateRequest(f"{name}: the exec_id was used for {quantity} at {price}")
        case ["overfill", str(quantity), str(status)]:
            raise Overfill(f"{name}: {fill.quantity} is more than the {quantity} left of the order ({status})")
        case other:
            raise refusal(name, other)


def replaced(name: str, key: str, request: Replace, reply: list[Reply]) -> OrderResult:
    """Return the result in a reply to ``replace``. Raises OrderNotFound, OrderClosed, Overfill or DuplicateRequest."""
    match reply:
        case ["duplicate"]:
            raise DuplicateRequest(f"{name}: the request_id was used for another replace of this order")
        case ["overfill", str(quantity)]:
            raise Overfill(f"{name}: {quantity} is already filled, more than the new quantity {request.quantity}")
        case ["type", str(kind), str(field)]:
            raise InvalidArgument(f"{name}: a {kind} order takes no {field}")
        case other:
            return changed(name, key, request, other)


def changed(name: str, key: str, request: object, reply: list[Reply]) -> OrderResult:
    """Return the result in a reply to any other change of an order. Raises OrderNotFound or OrderClosed."""
    match reply:
        case [("applied" | "repeat") as state, str(sequence), list(order)]:
            return OrderResult(record(Order, key, order), state == "applied", int(sequence))
        case other:
            raise refusal(name, other)


def found(key: str, reply: Reply) -> Order | None:
    """Return the order of a reply to ``get``, None when there is none."""
    return record(Order, key, reply) if reply else None


def _content(order: Order) -> str:
    quantity, price = order.quantity, order.price
    if order.placed_quantity is not None:
        quantity, price = order.placed_quantity, order.placed_price
    return f"{order.side} {quantity} {order.symbol} {order.type}{'' if price is None else f' at {plain(price)}'}"

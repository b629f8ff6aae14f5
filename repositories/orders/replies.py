"""Read the engine's answers to changes of an order: return the result, or raise the refusal."""

from __future__ import annotations

from typing import Any, cast

from ...models.errors import DuplicateOrder, DuplicateRequest, OrderClosed, OrderMismatch, Overfill
from ...models.fill import Fill
from ...models.order import Cancel, Order, Replace
from ...models.position import Position
from ...models.record import copied
from ...models.results import FillResult, OrderResult
from ...models.types import plain
from ...models.wire import decode, pairs
from ...topology.call import Reply
from ..changes.recorded import order_then, position_then
from ..changes.verb import Step
from ..replies import fields_of, record, refusal, state


def placed(step: Step[Order], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to ``place``. Raises DuplicateOrder."""
    order = step.request
    match answer:
        case ["applied", str(sequence)]:
            return OrderResult(copied(order, version=1), applied=True, sequence=int(sequence))
        case ["repeat", stored]:
            return OrderResult(state(Order, step.keys.order(order.order_id), stored), applied=False, sequence=0)
        case ["duplicate", stored]:
            other = state(Order, step.keys.order(order.order_id), stored)
            raise DuplicateOrder(f"{step.name}: the id is taken by an order that was placed as {_content(other)}")
        case other:
            raise refusal(step.name, other)


def filled(step: Step[Fill], answer: list[Reply]) -> FillResult:
    """Return the result in an answer to ``fill``. Raises Overfill, OrderMismatch or DuplicateRequest."""
    fill, keys = step.request, step.keys
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
            position_key = keys.position(fields.get("symbol", "?"))
            return FillResult(
                decode(Order, order_key, order_then(order_key, fields_of(order_key, order), rare, then)),
                decode(Position, position_key, position_then(position_key, fields, then)),
                applied=False,
                late=late == "1",
                sequence=int(sequence),
            )
        case ["mismatch", str(side), str(symbol)]:
            raise _mismatch(step, side, symbol)
        case ["duplicate", str(quantity), str(price)]:
            raise DuplicateRequest(f"{step.name}: the exec_id was used for {quantity} at {price}")
        case ["overfill", str(quantity), str(status)]:
            raise Overfill(f"{step.name}: {fill.quantity} is more than the {quantity} left of the order ({status})")
        case other:
            raise refusal(step.name, other)


def replaced(step: Step[Replace], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to ``replace``. Raises Overfill or OrderMismatch, and what any change may."""
    match answer:
        case ["overfill", str(quantity)]:
            raise Overfill(f"{step.name}: {quantity} is already filled, more than the new {step.request.quantity}")
        case ["type", str(kind), str(field)]:
            raise OrderMismatch(f"{step.name}: a {kind} order takes no {field}")
        case other:
            return changed(step, other)


def deleted(step: Step[Any], answer: list[Reply]) -> None:
    """Return None for an order that is gone. Raises OrderClosed for an open one."""
    match answer:
        case ["deleted"]:
            return
        case ["open", str(status)]:
            raise OrderClosed(f"{step.name}: the order is {status}; cancel it first")
        case other:
            raise refusal(step.name, other)


def found(key: str, reply: Reply) -> Order | None:
    """Return the order of a reply to ``get``, None when there is none."""
    return record(Order, key, reply) if reply else None


def changed(step: Step[Any], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to any other change of an order. Raises OrderMismatch or DuplicateRequest."""
    key = step.keys.order(cast("str", step.request.order_id))
    match answer:
        case ["applied", str(sequence), order]:
            return OrderResult(state(Order, key, order), applied=True, sequence=int(sequence))
        case ["repeat", str(sequence), order, str(rare), list(event)]:
            fields = order_then(key, fields_of(key, order), rare, pairs(cast("list[str]", event)))
            return OrderResult(decode(Order, key, fields), applied=False, sequence=int(sequence))
        case ["outdated", order]:
            return OrderResult(state(Order, key, order), applied=False, sequence=0)
        case ["mismatch", str(side), str(symbol)]:
            raise _mismatch(step, side, symbol)
        case ["duplicate"]:
            raise DuplicateRequest(f"{step.name}: the request_id was used for another change of this order")
        case other:
            raise refusal(step.name, other)


def _mismatch(step: Step[Any], side: str, symbol: str) -> OrderMismatch:
    request = cast("Fill | Replace | Cancel", step.request)
    said = " ".join(str(value) for value in (request.side, request.symbol) if value is not None)
    return OrderMismatch(f"{step.name}: it says {said}, but the order is {side} {symbol}")


def _content(order: Order) -> str:
    quantity, price = order.quantity, order.price
    if order.placed_quantity is not None:
        quantity, price = order.placed_quantity, order.placed_price
    return f"{order.side} {quantity} {order.symbol} {order.type}{'' if price is None else f' at {plain(price)}'}"

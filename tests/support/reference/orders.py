"""Place, replace and close orders in a book in plain Python."""

from __future__ import annotations

import json

from slotbook.models import (
    Cancel,
    EventType,
    Expire,
    Order,
    OrderStatus,
    Reject,
    Replace,
)
from slotbook.models.errors import (
    DuplicateOrder,
    OrderClosed,
    OrderMismatch,
)

from .state import OPEN, Answer, Entry, State, again

ENDS = {Cancel: OrderStatus.CANCELED, Reject: OrderStatus.REJECTED, Expire: OrderStatus.EXPIRED}


def place(book: State, order: Order) -> Answer:
    entry = book.orders.get((order.trader, order.order_id))
    if entry is not None:
        if content_of(entry.first) != content_of(order):
            raise DuplicateOrder
        return Answer(applied=False, sequence=0, order=entry.now)
    now = order.model_copy(update={"version": 1})
    book.orders[order.trader, order.order_id] = Entry(order, now, {}, {})
    sequence = book.append_event(EventType.NEW, now, order.ts_ns, text=order.text, terms=terms_of(order))
    return Answer(applied=True, sequence=sequence, order=now)


def terms_of(order: Order) -> str | None:
    values = {
        "account": order.account,
        "display_quantity": order.display_quantity,
        "execution_instructions": order.execution_instructions,
        "expire_at": order.expire_at,
        "currency": order.currency,
    }
    given = {name: json.dumps(str(one), ensure_ascii=False) for name, one in values.items() if one is not None}
    parts = [f'"{name}":{one}' for name, one in given.items()]
    return "{" + ",".join(parts) + "}" if parts else None


LATER_PRICES = ("MARKET_TO_LIMIT", "TRAILING_STOP_LIMIT", "PEGGED")
LATER_STOP_PRICES = ("TRAILING_STOP", "TRAILING_STOP_LIMIT")
"""The types of orders that a replace may give such a price first."""


def replace_order(book: State, request: Replace, entry: Entry) -> Answer:
    content = (request.quantity, request.price, request.stop_price, request.revision)
    if request.request_id in entry.requests:
        return again(entry.requests[request.request_id], content)
    order = entry.now
    if request.revision is not None and request.revision <= entry.revision:
        return Answer(applied=False, sequence=0, order=order)
    if order.status not in (*OPEN, OrderStatus.FILLED):
        raise OrderClosed
    if (request.price is not None and order.price is None and order.type not in LATER_PRICES) or (
        request.stop_price is not None and order.stop_price is None and order.type not in LATER_STOP_PRICES
    ):
        raise OrderMismatch
    asked = order.quantity if request.quantity is None else request.quantity
    if order.status is OrderStatus.FILLED and asked <= order.filled_quantity:
        raise OrderClosed
    quantity = max(asked, order.filled_quantity)
    status = OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.NEW
    if request.revision is not None:
        entry.revision = request.revision
    entry.now = order.model_copy(
        update={
            "quantity": quantity,
            "price": order.price if request.price is None else request.price,
            "stop_price": order.stop_price if request.stop_price is None else request.stop_price,
            "status": OrderStatus.FILLED if quantity == order.filled_quantity else status,
            "text": request.text,
            "placed_quantity": entry.first.quantity,
            "placed_price": entry.first.price,
            "placed_stop_price": entry.first.stop_price,
            "revision": None if entry.revision < 0 else entry.revision,
            "version": order.version + 1,
            "updated_ns": request.ts_ns,
        }
    )
    sequence = book.append_event(
        EventType.REPLACED,
        entry.now,
        request.ts_ns,
        request_id=request.request_id,
        text=request.text,
        requested_quantity=None if quantity == asked else asked,
    )
    answer = Answer(applied=True, sequence=sequence, order=entry.now)
    entry.requests[request.request_id] = content, answer
    return answer


def close(book: State, request: Cancel | Reject | Expire, entry: Entry) -> Answer:
    order, status = entry.now, ENDS[type(request)]
    if request.request_id in entry.requests:
        return again(entry.requests[request.request_id], status)
    if order.status is status:
        return Answer(applied=False, sequence=0, order=order)
    if order.status not in OPEN or (status is OrderStatus.REJECTED and order.filled_quantity):
        raise OrderClosed
    entry.now = order.model_copy(
        update={"status": status, "text": request.text, "version": order.version + 1, "updated_ns": request.ts_ns}
    )
    sequence = book.append_event(
        EventType(status.value), entry.now, request.ts_ns, request_id=request.request_id, text=request.text
    )
    answer = Answer(applied=True, sequence=sequence, order=entry.now)
    entry.requests[request.request_id] = status, answer
    return answer


def content_of(order: Order) -> object:
    return (
        *(order.symbol, order.side, order.type, order.time_in_force),
        *(order.quantity, order.price, order.stop_price, terms_of(order)),
    )

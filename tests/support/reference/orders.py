"""Place, replace and close orders in a book in plain Python."""

from __future__ import annotations

import json

from slotbook.models import (
    Calculate,
    Cancel,
    EventType,
    Expire,
    Order,
    OrderStatus,
    Reject,
    Replace,
    Restate,
)
from slotbook.models.errors import (
    DuplicateOrder,
    OrderClosed,
    OrderMismatch,
    Refused,
)

from .limits import check
from .multipliers import note_first
from .state import OPEN, Answer, Entry, State, again, shown_status

ENDS = {
    Cancel: OrderStatus.CANCELED,
    Reject: OrderStatus.REJECTED,
    Expire: OrderStatus.EXPIRED,
    Calculate: OrderStatus.CALCULATED,
}


def place(book: State, order: Order) -> Answer:
    entry = book.find(order.trader, order.order_id)
    if entry is not None:
        if entry.now.order_id != order.order_id or content_of(entry.first) != content_of(order):
            raise DuplicateOrder
        return Answer(applied=False, sequence=0, order=entry.now)
    multipliers = dict(book.multipliers)
    note_first(book, order.trader, order.symbol, order.multiplier)
    try:
        check(book, order)
    except Refused:
        book.multipliers = multipliers
        raise
    entry = Entry(order, order, {}, {}, marks=("PENDING_NEW",) if order.status is OrderStatus.PENDING_NEW else ())
    now = entry.now = order.model_copy(update={"version": 1, **entry.written()})
    book.orders[order.trader, order.order_id] = entry
    return Answer(
        applied=True,
        sequence=book.append_event(
            EventType(order.status.value), now, order.ts_ns, text=order.text, terms=terms_of(order)
        ),
        order=now,
    )


def terms_of(order: Order) -> str | None:
    values = {
        "account": order.account,
        "display_quantity": order.display_quantity,
        "execution_instructions": order.execution_instructions,
        "expire_at": order.expire_at,
        "currency": order.currency,
        "multiplier": order.multiplier and f"{order.multiplier.normalize():f}",
    }
    given = {name: json.dumps(str(one), ensure_ascii=False) for name, one in values.items() if one is not None}
    parts = [f'"{name}":{one}' for name, one in given.items()]
    return "{" + ",".join(parts) + "}" if parts else None


LATER_PRICES = ("MARKET_TO_LIMIT", "TRAILING_STOP_LIMIT", "PEGGED")
LATER_STOP_PRICES = ("TRAILING_STOP", "TRAILING_STOP_LIMIT")
"""The types of orders that a replace may give such a price first."""


def replace_order(book: State, request: Replace | Restate, entry: Entry) -> Answer:
    restates = isinstance(request, Restate)
    revision = None if restates else request.revision
    client_order_id = None if restates else request.client_order_id
    original = None if restates else request.original_client_order_id
    content = (
        *(type(request), request.quantity, request.price, request.stop_price, revision),
        *(client_order_id, original, request.reason, request.venue_order_id),
    )
    if request.request_id in entry.requests:
        return again(entry.requests[request.request_id], content)
    order = entry.now
    if revision is not None and revision <= entry.revision:
        return Answer(applied=False, sequence=0, order=order)
    if order.status not in (*OPEN, OrderStatus.FILLED, *([OrderStatus.CALCULATED] if restates else [])):
        raise OrderClosed
    if (request.price is not None and order.price is None and order.type not in LATER_PRICES) or (
        request.stop_price is not None and order.stop_price is None and order.type not in LATER_STOP_PRICES
    ):
        raise OrderMismatch
    asked = order.quantity if request.quantity is None else request.quantity
    if order.status is OrderStatus.FILLED and asked <= order.filled_quantity:
        raise OrderClosed
    quantity = max(asked, order.filled_quantity)
    book.check_names(request, entry)
    marks = [mark for mark in entry.marks if restates or mark != "PENDING_NEW"]
    pending = list(entry.pending)
    if restates:
        marks = [mark for mark in marks if mark not in ("DONE_FOR_DAY", "SUSPENDED")]
    else:
        asked_for = [one for one in pending if one[0] == "PENDING_REPLACE" and client_order_id in (None, one[1])]
        if len(asked_for) > 1:
            raise OrderMismatch
        pending = [one for one in pending if one not in asked_for]
    status = shown_status(order.model_copy(update={"quantity": quantity}), marks, pending)
    if not restates:
        price = order.price if request.price is None else request.price
        stop_price = order.stop_price if request.stop_price is None else request.stop_price
        changed = {"quantity": quantity, "price": price, "stop_price": stop_price, "status": status}
        check(book, order.model_copy(update={**changed, "marks": " ".join(marks)}), order)
    entry.keep(marks, pending)
    if revision is not None:
        entry.revision = revision
    entry.now = order.model_copy(
        update={
            "quantity": quantity,
            "price": order.price if request.price is None else request.price,
            "stop_price": order.stop_price if request.stop_price is None else request.stop_price,
            "status": status,
            "client_order_id": client_order_id or order.client_order_id,
            **entry.written(),
            "text": request.text,
            "placed_quantity": entry.first.quantity,
            "placed_price": entry.first.price,
            "placed_stop_price": entry.first.stop_price,
            "revision": None if entry.revision < 0 else entry.revision,
            "version": order.version + 1,
            "updated_ns": request.ts_ns,
        }
    )
    book.take_names(request, entry)
    sequence = book.append_event(
        EventType.RESTATED if restates else EventType.REPLACED,
        entry.now,
        request.ts_ns,
        request_id=request.request_id,
        text=request.text,
        requested_quantity=None if quantity == asked else asked,
        client_order_id=client_order_id,
        original_client_order_id=original,
        venue_order_id=request.venue_order_id,
        reason=request.reason,
    )
    answer = Answer(applied=True, sequence=sequence, order=entry.now)
    entry.requests[request.request_id] = content, answer
    return answer


def close(book: State, request: Cancel | Reject | Expire | Calculate, entry: Entry) -> Answer:
    order, status = entry.now, ENDS[type(request)]
    content = (status, request.client_order_id, request.reason, request.venue_order_id)
    if request.request_id in entry.requests:
        return again(entry.requests[request.request_id], content)
    if order.status is status:
        return Answer(applied=False, sequence=0, order=order)
    calculates = status is OrderStatus.CALCULATED
    is_full = order.filled_quantity >= order.quantity
    if not calculates and is_full:
        raise OrderClosed
    if order.status not in (*OPEN, *([OrderStatus.FILLED] if calculates else [])) or (
        status is OrderStatus.REJECTED and order.filled_quantity
    ):
        raise OrderClosed
    book.check_names(request, entry)
    entry.keep([], [])
    entry.now = order.model_copy(
        update={
            **entry.written(),
            "status": status,
            "text": request.text,
            "version": order.version + 1,
            "updated_ns": request.ts_ns,
        }
    )
    book.take_names(request, entry)
    sequence = book.append_event(
        EventType(status.value),
        entry.now,
        request.ts_ns,
        request_id=request.request_id,
        text=request.text,
        client_order_id=request.client_order_id,
        venue_order_id=request.venue_order_id,
        reason=request.reason,
    )
    answer = Answer(applied=True, sequence=sequence, order=entry.now)
    entry.requests[request.request_id] = content, answer
    return answer


def content_of(order: Order) -> object:
    return (
        *(order.symbol, order.side, order.type, order.time_in_force),
        *(order.quantity, order.price, order.stop_price, terms_of(order)),
    )

"""Reports on orders in a book in plain Python: what is pending, refused, accepted, stopped and the like."""

from __future__ import annotations

from slotbook.models import (
    Accept,
    CancelReject,
    DoneForDay,
    EventType,
    OrderStatus,
    PendingCancel,
    PendingReplace,
    Stop,
    Suspend,
)
from slotbook.models.errors import DuplicateRequest, OrderClosed, OrderMismatch

from .orders import LATER_PRICES, LATER_STOP_PRICES
from .state import ENDED, Answer, Entry, State, again, shown_status

Report = Accept | PendingCancel | PendingReplace | CancelReject | DoneForDay | Stop | Suspend
EVENTS = {
    Accept: EventType.NEW,
    PendingCancel: EventType.PENDING_CANCEL,
    PendingReplace: EventType.PENDING_REPLACE,
    CancelReject: EventType.CANCEL_REJECTED,
    DoneForDay: EventType.DONE_FOR_DAY,
    Stop: EventType.STOPPED,
    Suspend: EventType.SUSPENDED,
}


def report(book: State, request: Report, entry: Entry) -> Answer:
    content = request.model_dump(exclude={"order_id", "ts_ns", "text", "request_id", "symbol", "side"}), type(request)
    if request.request_id in entry.requests:
        return again(entry.requests[request.request_id], content)
    order, kind = entry.now, EVENTS[type(request)]
    marks, pending = set(entry.marks), list(entry.pending)
    said: OrderStatus | None = None
    is_full = order.filled_quantity >= order.quantity
    if isinstance(request, CancelReject):
        fitting = [one for one in pending if request.client_order_id in (None, one[1])]
        if len(fitting) > 1:
            raise OrderMismatch
        pending = [one for one in pending if one not in fitting]
        said = request.status
    elif order.status in ENDED:
        raise OrderClosed
    elif isinstance(request, PendingCancel):
        terms = [None, None, None]
        if isinstance(request, PendingReplace):
            terms = [request.quantity, request.price, request.stop_price]
        for one in pending:
            if one[1] == request.client_order_id:
                differ = [asked for asked, was in zip(terms, one[3:6], strict=True) if differs(asked, was)]
                if one[0] != kind.value or differ:
                    raise DuplicateRequest
                return Answer(applied=False, sequence=0, order=order)
        if book.names.get((order.trader, request.client_order_id)) == order.order_id:
            return Answer(applied=False, sequence=0, order=order)  # it was answered, for it gave the order this id
        if (terms[1] is not None and order.price is None and order.type not in LATER_PRICES) or (
            terms[2] is not None and order.stop_price is None and order.type not in LATER_STOP_PRICES
        ):
            raise OrderMismatch
        written = ["" if one is None else format_number(one) for one in terms]
        pending.append([kind.value, request.client_order_id, str(request.ts_ns), *written, request.text or ""])
    elif is_full:
        raise OrderClosed
    elif isinstance(request, Accept):
        if "PENDING_NEW" not in marks and request.venue_order_id in (None, order.venue_order_id):
            return Answer(applied=False, sequence=0, order=order)
        marks.discard("PENDING_NEW")
        said = request.status
        if said not in (None, shown_status(order, marks, pending), shown_status(order, marks, [])):
            raise OrderMismatch
    else:
        if kind.value in marks and kind is not EventType.STOPPED:
            return Answer(applied=False, sequence=0, order=order)
        marks = (marks - {"PENDING_NEW"}) | {kind.value}
    book.check_names(request, entry)
    status = order.status if order.status in ENDED else shown_status(order, marks, pending)
    if isinstance(request, Accept) and said is not None:
        status = said
    entry.keep(marks, pending)
    entry.now = order.model_copy(
        update={
            "status": status,
            "text": request.text,
            "version": order.version + 1,
            "updated_ns": request.ts_ns,
            **entry.written(),
        }
    )
    book.take_names(request, entry)
    given = request.model_dump()
    sequence = book.append_event(
        kind,
        entry.now,
        request.ts_ns,
        request_id=request.request_id,
        text=request.text,
        client_order_id=given.get("client_order_id"),
        original_client_order_id=given.get("original_client_order_id"),
        venue_order_id=request.venue_order_id,
        reason=request.reason,
        requested_quantity=given.get("quantity"),
        requested_price=given.get("price"),
        requested_stop_price=given.get("stop_price"),
        reported_status=None if said is status else said,
    )
    answer = Answer(applied=True, sequence=sequence, order=entry.now)
    entry.requests[request.request_id] = content, answer
    return answer


def differs(asked: object, was: str) -> bool:
    return asked is not None and format_number(asked) != was


def format_number(value: object) -> str:
    text = f"{value:f}" if not isinstance(value, int) else str(value)
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text

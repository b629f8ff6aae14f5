"""Reports on an order beside fills: that a request is pending or refused, that it is accepted, stopped and the like."""

from __future__ import annotations

import json
import re
import time
from typing import Annotated, NamedTuple, Self, cast

from pydantic import AfterValidator, Field, StrictStr, model_validator

from .enums import OrderStatus, Side
from .fix_messages import FixMessage, record_of, reject_values
from .json_schemas import same_form
from .names import derived_id
from .record import Record
from .types import Name, Nanoseconds, Price, Quantity, Text, new_id

MARKS = ("PENDING_NEW", "DONE_FOR_DAY", "STOPPED", "SUSPENDED")
"""The statuses that may hold beside the one that an order shows, but for those of its pending requests."""
PENDING = ("PENDING_CANCEL", "PENDING_REPLACE")
"""The statuses of pending requests."""
_DIGITS = re.compile(r"[0-9]+").fullmatch
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
_NO_REQUESTS = "pending is a JSON list of requests, each a list of seven texts, and each with an id of its own"


class PendingRequest(NamedTuple):
    """A request to cancel or replace an order that the venue has not answered yet."""

    status: OrderStatus
    """PENDING_CANCEL or PENDING_REPLACE."""
    client_order_id: str
    """Identity of the request (FIX ClOrdID, tag 11)."""
    ts_ns: int
    """Time of the request, in nanoseconds since the epoch."""
    quantity: str | None
    """Total quantity that is asked for, in its written form; None for none."""
    price: str | None
    """Limit price that is asked for."""
    stop_price: str | None
    """Trigger price that is asked for."""
    text: str | None


def pending_requests(written: str | None) -> list[PendingRequest]:
    """Return the requests that an order's field ``pending`` has. Raises ValueError for what was never written.

    >>> pending_requests('[["PENDING_CANCEL","Y","7","","","",""]]')[0].client_order_id
    'Y'
    """
    if written is None:
        return []
    try:
        found = [_request_of(one) for one in cast("list[object]", json.loads(written))]
    except (ValueError, TypeError, RecursionError):
        raise ValueError(_NO_REQUESTS) from None
    if not found or len({one.client_order_id for one in found}) < len(found):
        raise ValueError(_NO_REQUESTS)
    return found


def _request_of(written: object) -> PendingRequest:
    parts = cast("list[object]", written)
    if not isinstance(written, list) or len(parts) != len(PendingRequest._fields):
        raise ValueError(_NO_REQUESTS)
    status, client_order_id, ts_ns, *terms = (str(part) if isinstance(part, str) else "\0" for part in parts)
    is_written = all(not one or _NUMBER(one) for one in terms[:-1]) and "\0" not in (client_order_id, *terms)
    if status not in PENDING or not client_order_id or not _DIGITS(ts_ns) or not is_written:
        raise ValueError(_NO_REQUESTS)
    quantity, price, stop_price, text = (one or None for one in terms)
    return PendingRequest(OrderStatus[status], client_order_id, int(ts_ns), quantity, price, stop_price, text)


def _checked_pending(written: str) -> str:
    pending_requests(written)
    return written


def _checked_marks(written: str) -> str:
    marks = written.split(" ")
    if not set(marks) <= set(MARKS) or len(set(marks)) < len(marks):
        raise ValueError(f"marks are some of {', '.join(MARKS)}, each once, with a blank between")
    return written


Marks = Annotated[
    StrictStr,
    AfterValidator(_checked_marks),
    same_form({"type": "string", "pattern": f"^({'|'.join(MARKS)})( ({'|'.join(MARKS)}))*$"}),
]
"""Statuses that hold beside the one that an order shows: some of MARKS, each once, with a blank between."""
Pending = Annotated[StrictStr, AfterValidator(_checked_pending)]
"""Requests that are not answered yet, in JSON, as ``pending_requests`` reads them."""


class _Report(Record):
    trader: Name
    order_id: Name
    request_id: Name = Field(default_factory=new_id)
    """Identity of the change; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch (TransactTime, tag 60); by default the caller's time now."""
    text: Text | None = None
    """Free text (Text, tag 58), which becomes the order's."""
    venue_order_id: Name | None = None
    """The venue's id of the order (OrderID, tag 37), which is one of the order's from then on."""
    reason: Name | None = None
    """FIX's code of the reason, such as CxlRejReason (tag 102); it is kept with the event."""
    symbol: Name | None = None
    """The symbol that the report names; when given, it must be the order's (Symbol, tag 55)."""
    side: Side | None = None
    """The side that the report names; when given, it must be the order's (Side, tag 54)."""


class Accept(_Report):
    """A report that the venue has accepted an order that was placed as PENDING_NEW (FIX ExecType 150=0).

    ::

        book.orders.apply(Accept(trader="T001", order_id="A1"))
    """

    status: OrderStatus | None = None
    """The status that the venue says. The one below a pending request is shown until the next change, as in FIX's order
    state change B.1.d; by default the precedence decides."""


class PendingCancel(_Report):
    """A request to cancel an order was sent, and is not answered yet (FIX ExecType 150=6).

    ::

        book.orders.apply(PendingCancel(trader="T001", order_id="A1", client_order_id="C2"))
    """

    client_order_id: Name
    """Identity of the request (ClOrdID, tag 11), by which its answer is known."""
    original_client_order_id: Name | None = None
    """The id that the request names the order by (OrigClOrdID, tag 41)."""


class PendingReplace(PendingCancel):
    """A request to replace an order was sent, and is not answered yet (FIX ExecType 150=E).

    ::

        book.orders.apply(PendingReplace(trader="T001", order_id="A1", client_order_id="C2", quantity=150))
    """

    quantity: Quantity | None = None
    """Total quantity that is asked for (OrderQty, tag 38)."""
    price: Price | None = None
    """Limit price that is asked for (Price, tag 44)."""
    stop_price: Price | None = None
    """Trigger price that is asked for (StopPx, tag 99)."""


class CancelReject(_Report):
    """A report that a request to cancel or replace an order was refused (FIX OrderCancelReject, MsgType 9).

    Its ``request_id`` is by default that of the refused request: a request is refused once, so the same report again
    is a repeat. Without a ``client_order_id`` it is random.

    ::

        book.orders.apply(CancelReject(trader="T001", order_id="A1", client_order_id="C2", reason="0"))
    """

    status: OrderStatus | None = None
    """The status that the venue says (OrdStatus, tag 39); where the book has another, the event says both."""
    client_order_id: Name | None = None
    """Identity of the request that is refused; needed where several are pending."""
    original_client_order_id: Name | None = None
    """The id that the request named the order by (OrigClOrdID, tag 41)."""

    @classmethod
    def from_fix(cls, message: FixMessage, *, trader: str, order_id: str | None = None, **fields: object) -> Self:
        """Return the refusal that a FIX message is (MsgType 9), of FIX 4.2, 4.4 or 5.0.

        ::

            book.orders.apply(CancelReject.from_fix(simplefix_message.pairs, trader="T001"))

        Args:
            message: The tags and their values: a mapping, or pairs such as ``message.pairs`` of simplefix, or a text.
            trader: The trader of the order; no tag says it.
            order_id: The id of the order; by default OrigClOrdID (41), else ClOrdID (11), else OrderID (37).
            fields: Fields by their names, which win over the message, such as ``symbol="AAPL"``.

        Raises:
            InvalidArgument: A tag is missing, contradicts another, or has no value that is known; the message names it.
        """
        return record_of(cls, reject_values(message, order_id, {"trader": trader, **fields}))

    @model_validator(mode="after")
    def _is_known_by_its_request(self) -> Self:
        if self.client_order_id is not None and "request_id" not in self.model_fields_set:
            object.__setattr__(self, "request_id", rejection_of(self.client_order_id))
        return self


def rejection_of(client_order_id: str) -> str:
    """Return the identity of the refusal of a request.

    >>> CancelReject(trader="T001", order_id="A1", client_order_id="C2").request_id == rejection_of("C2")
    True
    """
    return derived_id("refused", client_order_id)


class DoneForDay(_Report):
    """A report that an order is not filled further today (FIX ExecType 150=3); a Restate opens it again.

    ::

        book.orders.apply(DoneForDay(trader="T001", order_id="A1"))
    """


class Stop(_Report):
    """A report that a trade of the order is guaranteed, but has not happened yet (FIX ExecType 150=7).

    ::

        book.orders.apply(Stop(trader="T001", order_id="A1", quantity=100, price="187.23"))
    """

    quantity: Quantity | None = None
    """Guaranteed quantity, which is kept with the event."""
    price: Price | None = None
    """Guaranteed price, which is kept with the event."""


class Suspend(_Report):
    """A report that an order is not eligible for trading for now (FIX ExecType 150=9); a Restate ends that.

    ::

        book.orders.apply(Suspend(trader="T001", order_id="A1"))
    """


class Restate(_Report):
    """A report that the venue has changed an order by itself, or has carried it into a new day (FIX ExecType 150=D).

    An order that is done for the day, suspended or calculated goes on; a quantity or price of None stays as it is.

    ::

        book.orders.apply(Restate(trader="T001", order_id="A1", quantity=90, reason="5"))
    """

    quantity: Quantity | None = None
    """New total quantity (OrderQty, tag 38); one below what is filled cancels the rest."""
    price: Price | None = None
    """New limit price (Price, tag 44)."""
    stop_price: Price | None = None
    """New trigger price (StopPx, tag 99)."""


Reporting = Accept | PendingCancel | PendingReplace | CancelReject | DoneForDay | Stop | Suspend
"""A report that the engine's step of that name records."""

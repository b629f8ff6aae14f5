"""An order event: one change of a book, as its stream keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from .enums import EventType, OrderStatus, Side
from .errors import CorruptRecord
from .record import Record
from .types import Boolean, Count, Name, Nanoseconds, Price, Quantity, SignedQuantity, Text, TotalQuantity


class OrderEvent(Record):
    """One change of one trader's book, with a sequence number that has no gaps (FIX ExecutionReport, MsgType 8)."""

    trader: Name
    sequence: Count
    """1 for the first change of the book, then one more each; also the entry's place in the stream."""
    type: EventType
    ts_ns: Nanoseconds
    """When it happened, by the clock of the exchange or of the caller."""
    symbol: Name
    order_id: Name | None = None
    """None for a change of a position that came without an order."""
    side: Side | None = None
    status: OrderStatus | None = None
    """The order's status after the change."""
    quantity: Quantity | None = None
    """The order's quantity after the change."""
    price: Price | None = None
    """The order's limit price after the change."""
    filled_quantity: TotalQuantity | None = None
    """The order's filled quantity after the change."""
    exec_id: Name | None = None
    last_quantity: Quantity | None = None
    """What this fill executed (LastQty, tag 32)."""
    last_price: Price | None = None
    """At which price (LastPx, tag 31)."""
    late: Boolean | None = None
    """True for a fill that arrived after its order had been canceled, rejected or expired."""
    request_id: Name | None = None
    """Of a replace, or of a change of a position."""
    position_quantity: SignedQuantity | None = None
    """The position after the change, where it moved."""
    text: Text | None = None
    writer: Name | None = None
    """The mark of the book object that wrote it: a random name for the life of one program's book."""


class DeadLetter(Record):
    """An event that no consumer of a group could handle."""

    event: OrderEvent
    group: Name
    consumer: str
    """Who had it last."""
    deliveries: Count
    """How often it had been delivered."""
    error: str
    """Why it was given up."""


def document(fields: Mapping[str, str]) -> str:
    """The JSON document of an event from its written fields: what is published, and what its stream entry holds.

    Every value is a string, as in the stream, so that a reader in any language gets decimals and nanoseconds exactly.
    """
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def fields_of_document(channel: str, text: str) -> dict[str, str]:
    """The written fields of an event's document. Raises CorruptRecord."""
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    fields = cast("dict[str, object]", found) if isinstance(found, dict) else {"": None}
    if not all(isinstance(value, str) for value in fields.values()):
        raise CorruptRecord(channel, "message", f"{text[:80]!r} is not the document of an event")
    return cast("dict[str, str]", fields)

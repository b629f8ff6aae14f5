"""Check that an event has the fields that events of its type have, and no others. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping

from ...models.enums import EventType
from ...models.errors import CorruptRecord
from ...models.event import INTERNAL_FIELDS, OrderEvent
from ...models.wire import codec
from .findings import Fields

_ALWAYS = ("type", "ts_ns", "writer", "count")
_OWN = ("kind", "key", "version")
_OF_ORDERS = ("symbol", "order_id", "side", "status", "quantity")
_OF_REQUESTS = (*_OF_ORDERS, "filled_quantity", "request_id", "totals")
_OF_REVISIONS = (
    *_OF_ORDERS,
    *(
        "exec_id",
        "exec_ref_id",
        "reversed_quantity",
        "reversed_price",
        "filled_quantity",
        "position_quantity",
        "totals",
    ),
)
_OF_POSITIONS = ("symbol", "request_id", "position_quantity", "position_change", "totals")
_OF_ACCOUNTS = ("account", "account_quantity", "account_totals")
_REQUIRED: Mapping[EventType, tuple[str, ...]] = {
    EventType.POSITION: _OF_POSITIONS,
    EventType.SPLIT: _OF_POSITIONS,
    EventType.ROLL: (*_OF_POSITIONS, "period"),
    EventType.INSERT: (*_OWN, "changed"),
    EventType.PUT: (*_OWN, "request_id", "changed"),
    EventType.UPDATE: (*_OWN, "request_id", "changed"),
    EventType.DELETE: (*_OWN, "request_id"),
    EventType.LIMITS: ("request_id", "limits"),
    EventType.TRADING: ("request_id", "trading"),
    EventType.LIMIT_REFUSED: ("symbol", "order_id", "side", "quantity", "refused"),
    EventType.NEW: _OF_ORDERS,
    EventType.TRADE_CANCEL: _OF_REVISIONS,
    EventType.TRADE_CORRECT: (*_OF_REVISIONS, "last_quantity", "last_price"),
    EventType.PENDING_NEW: _OF_ORDERS,
    EventType.TRADE_DETAILS: (*_OF_ORDERS, "exec_id", "details", "filled_quantity", "totals"),
    EventType.TRADE: (
        *_OF_ORDERS,
        *("exec_id", "last_quantity", "last_price", "filled_quantity", "position_quantity", "totals"),
    ),
}
"""The fields without which an event cannot be used, beside those of all; requests have no row of their own."""
_OPTIONAL: Mapping[EventType, tuple[str, ...]] = {
    EventType.POSITION: ("position_cost", "multiplier", "account_cost", "position_cost_change", *_OF_ACCOUNTS),
    EventType.SPLIT: ("multiplier", "accounts"),
    EventType.ROLL: ("multiplier", "accounts"),
    EventType.INSERT: (),
    EventType.PUT: (),
    EventType.UPDATE: (),
    EventType.DELETE: (),
    EventType.LIMITS: ("symbol",),
    EventType.TRADING: ("text",),
    EventType.LIMIT_REFUSED: (
        *("price", "request_id", "text", "reason", "client_order_id", "original_client_order_id"),
    ),
    EventType.TRADE: (
        *("price", "late", "own", "venue_order_id", "open_quantity", "details", "multiplier", "overfilled"),
        *_OF_ACCOUNTS,
    ),
    EventType.TRADE_CANCEL: (
        *("account_cost_basis", *_OF_ACCOUNTS),
        *("price", "text", "venue_order_id", "open_quantity", "reversed_details", "multiplier", "cost_basis"),
    ),
    EventType.TRADE_CORRECT: (
        *("account_cost_basis", *_OF_ACCOUNTS),
        *("price", "text", "venue_order_id", "open_quantity", "reversed_details", "details", "multiplier"),
        "cost_basis",
    ),
    EventType.TRADE_DETAILS: ("price", "open_quantity", "position_quantity", "multiplier", *_OF_ACCOUNTS),
    EventType.PENDING_NEW: ("price", "text", "own", "terms"),
}
_OPTIONAL_ELSE = (
    *("price", "text", "requested_quantity", "requested_price", "requested_stop_price", "client_order_id"),
    *("original_client_order_id", "venue_order_id", "reason", "reported_status", "open_quantity"),
)
_OPTIONAL_IF_NEW = ("own", "terms", "filled_quantity", "request_id", "totals")
"""Beside those: a NEW event places an order, or says that it is accepted."""


def check_fields(key: str, kind: EventType, fields: Fields) -> None:
    """Raise CorruptRecord, which names ``key``, for a field that an event of a type lacks, or that it cannot have."""
    required = (*_REQUIRED.get(kind, _OF_REQUESTS), *_ALWAYS)
    for name in required:
        if name not in fields:
            raise CorruptRecord(key, name, "is missing")
    known = codec(OrderEvent).names | INTERNAL_FIELDS
    new = _OPTIONAL_IF_NEW if kind is EventType.NEW else ()
    for name in sorted(fields.keys() - {*required, *new, *_OPTIONAL.get(kind, _OPTIONAL_ELSE)}):
        what = f"is not a field of an event of type {kind}" if name in known else "is not a field of an event"
        raise CorruptRecord(key, name, what)

"""Read what is remembered of the changes of an order, and what the first result of a change was.

A remembered change is one field of the hash ``{trader}:applied:<order_id>``, or that of an order's first change one of
the order itself, where it is short: its name is ``fill:`` and the exec_id, or ``request:`` and the request_id; its
value the number of its event, what was asked for, and behind a bar the fields that few orders have. All else of a first
result is in the event, as long as that is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from ...models.enums import EventType
from ...models.errors import CorruptRecord, never_written
from ...models.fill import Fill
from ...models.order import Order
from ...models.wire import decode
from .event_totals import whole_totals
from .scripts import RARE_FIELDS

_ORDER_TOTALS = ("version", "filled_notional")
_POSITION_TOTALS = (
    "bought_quantity",
    "sold_quantity",
    "bought_notional",
    "sold_notional",
    "version",
    "open_cost",
    "realized_profit",
)


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One change as it is remembered with its order."""

    type: EventType
    identity: str
    sequence: int
    quantity: Decimal | int = 0
    """The executed quantity of a fill."""
    price: Decimal = Decimal(0)
    """The price of a fill."""


_REQUESTS = {
    kind.value: kind
    for kind in (
        *(EventType.NEW, EventType.REPLACED, EventType.CANCELED, EventType.REJECTED, EventType.EXPIRED),
        *(EventType.PENDING_CANCEL, EventType.PENDING_REPLACE, EventType.CANCEL_REJECTED, EventType.RESTATED),
        *(EventType.DONE_FOR_DAY, EventType.STOPPED, EventType.SUSPENDED, EventType.CALCULATED),
    )
}

LINKS = ("root:", "now:")
"""The beginnings of the names of fields that say which execution a report has revised, and what counts of it."""

ALIAS = "alias:"
"""The beginning of the names of fields that say which event has given an order another id."""

_IN_ORDER = ("fill:", "request:")
"""The beginnings of the names of fields of an order that remember its first change."""

_IS_REST = re.compile(r"(late)? ?(over)? ?(\+[\w-]{11})?", re.ASCII).fullmatch
"""The words behind quantity and price of a fill: late, past the order's quantity, and the digest of its own fields."""

RECORDED_EVENTS = frozenset((*(kind for kind in EventType if kind.is_execution), *_REQUESTS.values()))
"""The events whose changes are remembered with their order."""


def is_placing(event: Mapping[str, str]) -> bool:
    """Return True for the fields of an event that placed an order; one that says that it is accepted is NEW, too."""
    return event["type"] in (EventType.NEW, EventType.PENDING_NEW) and "request_id" not in event


def recorded_name(event: EventType, identity: str | None) -> str:
    """Return the name of the field that remembers a change.

    >>> recorded_name(EventType.TRADE, "X1"), recorded_name(EventType.CANCELED, "C1")
    ('fill:X1', 'request:C1')
    """
    if event is EventType.TRADE_DETAILS:
        return f"details:{identity}"
    return f"{'fill' if event.is_execution else 'request'}:{identity}"


def is_recorded(name: str) -> bool:
    """Return True for the name of a field of an order that remembers its first change.

    >>> is_recorded("fill:X1"), is_recorded("filled_quantity")
    (True, False)
    """
    return name.startswith(_IN_ORDER)


def read_recorded(key: str, order: Order, name: str, value: str) -> RecordedChange:
    """Return the change that one field of the hash ``key`` remembers of an order. Raises CorruptRecord."""
    prefix, _, identity = name.partition(":")
    content, bar, rare = value.partition("|")
    try:
        if not bar or (rare and not _is_rare(rare)):
            raise ValueError(value)
        match [prefix, *content.split(" ")]:
            case ["fill", sequence, "0", "0", "bust"]:
                return RecordedChange(EventType.TRADE_CANCEL, identity, _number(sequence))
            case ["fill", sequence, quantity, price, *rest] if rest == ["correct"] or _IS_REST(" ".join(rest)):
                given = {"trader": order.trader, "order_id": order.order_id, "exec_id": identity}
                fill = decode(Fill, key, {**given, "quantity": quantity, "price": price, "ts_ns": "0"})
                kind = EventType.TRADE_CORRECT if rest == ["correct"] else EventType.TRADE
                return RecordedChange(kind, identity, _number(sequence), fill.quantity, fill.price)
            case ["request", sequence, kind, *_] if kind in _REQUESTS:
                return RecordedChange(_REQUESTS[kind], identity, _number(sequence))
            case _:
                raise ValueError(value)
    except (ValueError, TypeError, RecursionError, CorruptRecord):
        raise never_written(key, name, value) from None


def order_then(key: str, now: Mapping[str, str], rare: str, event: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of an order as a change left them; as they are now when the change's event is no longer kept.

    Raises CorruptRecord when what is remembered, or the event, cannot be read.

    Args:
        key: The key of the order.
        now: The fields of the order now.
        rare: The fields that few orders have, as they are remembered with the change.
        event: The fields of the change's event, none when it is no longer kept.
    """
    if "totals" not in event:
        return dict(now)
    try:
        return _order_then(now, rare, event)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CorruptRecord(key, "applied", "what is remembered of a change cannot be read") from None


def _order_then(now: Mapping[str, str], rare: str, event: Mapping[str, str]) -> dict[str, str]:
    then = {**now, **{name: event[name] for name in ("status", "quantity", "filled_quantity") if name in event}}
    then |= dict(zip(_ORDER_TOTALS, (whole_totals(event) or "").split(" "), strict=False))
    then["updated_ns"] = event["ts_ns"]
    _put(then, "price", event.get("price"))
    if rare:
        if not _is_rare(rare):
            raise ValueError(rare)
        for name, value in zip(RARE_FIELDS, cast("list[str]", json.loads(rare)), strict=True):
            _put(then, name, value)
        return then
    if "placed_quantity" in now:
        _put(then, "stop_price", now.get("placed_stop_price"))
    for name in RARE_FIELDS[1:]:
        then.pop(name, None)
    return then


def position_then(key: str, now: Mapping[str, str], event: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a position as a change left them; as they are now when its event is no longer kept.

    Raises CorruptRecord, which names the position's key, when the event cannot be read.
    """
    if "totals" not in event or "position_quantity" not in event:
        return dict(now)
    words = (whole_totals(event) or "").split(" ")
    fees = {"fees": words.pop()} if words[-1].startswith("{") else {}
    totals = words[-len(_POSITION_TOTALS) :]
    quantity, updated_ns = event.get("position_quantity", ""), event.get("ts_ns", "")
    if len(totals) < len(_POSITION_TOTALS):
        raise CorruptRecord(key, "totals", "the event of a change cannot be read")
    kept = {name: value for name, value in now.items() if name not in ("fees", "multiplier")} | fees
    if multiplier := event.get("multiplier"):
        kept["multiplier"] = multiplier
    return {**kept, **dict(zip(_POSITION_TOTALS, totals, strict=True)), "quantity": quantity, "updated_ns": updated_ns}


def _put(fields: dict[str, str], name: str, value: str | None) -> None:
    if value:
        fields[name] = value
    else:
        fields.pop(name, None)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _is_rare(text: str) -> bool:
    values = cast("object", json.loads(text))
    if not isinstance(values, list) or len(cast("list[object]", values)) != len(RARE_FIELDS):
        return False
    return all(isinstance(value, str) for value in cast("list[object]", values))

"""Read the changes that are recorded with their order, so that a repeat gets the first result again.

A recorded change is one field of the hash ``{trader}:applied:<order_id>``. Its name is a prefix and the change's own
identity (``fill:X1``), its value a JSON list of texts, which the script of the verb writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, cast

from ...models.enums import EventType
from ...models.errors import CorruptRecord
from ...models.fill import Fill
from ...models.order import Order
from ...models.position import Position
from ...models.wire import decode
from ...topology.call import Reply
from .scripts import POSITION_SNAPSHOT


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One change as it is recorded with its order."""

    type: EventType
    identity: str
    sequence: int
    quantity: int = 0
    """The executed quantity of a fill."""
    price: Decimal = Decimal(0)
    """The price of a fill."""
    position: Position | None = None
    """The position after a fill."""


_Read: TypeAlias = Callable[[str, Order, str, Reply], RecordedChange | None]


@dataclass(frozen=True, slots=True)
class Recording:
    """The form in which one kind of change is recorded."""

    prefix: str
    """The beginning of the names of its fields, before a colon."""
    event: EventType
    """The type of the event that the same change writes."""
    read: _Read
    """Return the change, given the hash's key, the order, the identity and the parsed value; None for another form."""


def _read_fill(key: str, order: Order, identity: str, parts: Reply) -> RecordedChange | None:
    match parts:
        case [str(quantity), str(price), str(sequence), "0" | "1", list(), list(held)]:
            given = {"trader": order.trader, "order_id": order.order_id, "exec_id": identity}
            fill = decode(Fill, key, {**given, "quantity": quantity, "price": price, "ts_ns": "0"})
            kept = zip(POSITION_SNAPSHOT, cast("list[str]", held), strict=True)
            fields = {"trader": order.trader, "symbol": order.symbol, **{name: value for name, value in kept if value}}
            position = decode(Position, key, fields)
            return RecordedChange(EventType.TRADE, identity, int(sequence), fill.quantity, fill.price, position)
        case _:
            return None


def _read_replace(key: str, order: Order, identity: str, parts: Reply) -> RecordedChange | None:
    match parts:
        case [str(), str(sequence), list()]:
            return RecordedChange(EventType.REPLACED, identity, int(sequence))
        case _:
            return None


RECORDED_FILL = Recording("fill", EventType.TRADE, _read_fill)
RECORDED_REPLACE = Recording("replace", EventType.REPLACED, _read_replace)
_BY_PREFIX = {recording.prefix: recording for recording in (RECORDED_FILL, RECORDED_REPLACE)}
_BY_EVENT = {recording.event: recording for recording in _BY_PREFIX.values()}

RECORDED_EVENTS = frozenset(_BY_EVENT)
"""The events whose changes are recorded with their order."""


def recorded_name(event: EventType, identity: str | None) -> str:
    """Return the name of the field that records a change.

    >>> recorded_name(EventType.TRADE, "X1")
    'fill:X1'
    """
    return f"{_BY_EVENT[event].prefix}:{identity}"


def read_recorded(key: str, order: Order, name: str, value: str) -> RecordedChange:
    """Return the change that one field of the hash ``key`` records of an order. Raises CorruptRecord."""
    prefix, _, identity = name.partition(":")
    try:
        parts = cast(Reply, json.loads(value))
        recording = _BY_PREFIX.get(prefix)
        change = None if recording is None else recording.read(key, order, identity, parts)
    except (ValueError, TypeError, RecursionError, CorruptRecord):
        change = None
    if change is None:
        raise CorruptRecord(key, name, f"{value[:80]!r} is not a value that was ever written")
    return change

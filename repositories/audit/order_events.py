"""Read events as the changes of orders, and compare each with itself and with the one before. Nothing here does I/O."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NamedTuple, cast

from ...models.enums import EventType, OrderStatus, Side
from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from ...models.fill_details import FillDetails
from ...models.numbers import EXACT, multiplied, times
from ...models.wire import decode, text
from .event_fields import check_fields
from .findings import Fields
from .order_said import NOTHING_SAID, Said, said_in
from .totals import Stated

_ENDED = (OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED)
_IS_LATE = frozenset((*_ENDED, OrderStatus.CALCULATED))
_TERMS = (EventType.REPLACED, EventType.RESTATED)
"""The types of events that change an order's quantity or prices."""
_AFTER_TRADES = (EventType.TRADE_CANCEL, EventType.TRADE_CORRECT, EventType.TRADE_DETAILS)
"""The types of events of an execution that has happened before."""
KEEP_TEXT = (EventType.TRADE, EventType.TRADE_DETAILS)
"""The types of events of an order that leave its text as it was."""
_ENDS = (EventType.CANCELED, EventType.REJECTED, EventType.EXPIRED, EventType.CALCULATED)
_ON_FILLED = (*_TERMS, EventType.PENDING_CANCEL, EventType.PENDING_REPLACE, EventType.CALCULATED)


class Change(NamedTuple):
    """The part of one event of an order that is compared.

    An OrderEvent for each event of a long stream would take several times the memory.
    """

    sequence: int
    type: EventType
    symbol: str
    identity: str | None
    """The exec_id of a TRADE, the request_id of any other change but NEW."""
    side: Side | None
    status: OrderStatus | None
    quantity: Decimal | int
    price: Decimal | None
    filled_quantity: Decimal | int
    filled_notional: Decimal
    last_quantity: Decimal | int
    last_price: Decimal
    late: bool
    text: str | None
    ts_ns: int
    version: int | None
    """The order's version after the change."""
    own: str | None = None
    """The own fields of the order that was placed, or of the fill, in JSON."""
    requested_quantity: Decimal | int | None = None
    """The quantity that was asked for, where the order got another."""
    exec_ref_id: str | None = None
    """The execution that was busted or corrected."""
    reversed_quantity: Decimal | int = 0
    """The quantity that counted of it until then."""
    reversed_price: Decimal = Decimal(0)
    terms: str | None = None
    """The fields of the order that was placed that few orders have, in JSON."""
    stated_open: Decimal | int | None = None
    """The open quantity after the change, where it is not what status and quantities say."""
    details: str | None = None
    """The details of an execution that the event states, in JSON."""
    reversed_details: str | None = None
    """The details of what counted until it was busted or corrected."""
    said: Said = NOTHING_SAID
    """The part of the event that repeats what its request says beside."""
    multiplier: Decimal | None = None
    """The multiplier of the execution; None for 1, and for any other change."""
    client_order_id: str | None = None
    venue_order_id: str | None = None

    @property
    def ids(self) -> set[str]:
        """The ids that the event names its order by, beside the order's own."""
        given = () if self.type is EventType.LIMIT_REFUSED else (self.client_order_id, self.venue_order_id)
        return {one for one in given if one is not None}

    overfilled: bool = False
    """True for a fill that is flagged as one past the quantity of its order."""

    @property
    def is_placing(self) -> bool:
        """True for the change that placed the order."""
        return self.type in (EventType.NEW, EventType.PENDING_NEW) and self.identity is None

    @property
    def is_open(self) -> bool:
        """True when the change has left the order open, also with nothing to be filled today."""
        return self.status is not None and self.status.is_open

    @property
    def excess(self) -> Decimal:
        """The filled quantity of the order after the change, less its quantity."""
        return EXACT.subtract(self.filled_quantity, self.quantity)

    @property
    def open_quantity(self) -> Decimal:
        """The open quantity of the order after the change."""
        if self.stated_open is not None:
            return Decimal(self.stated_open)
        return EXACT.subtract(self.quantity, self.filled_quantity) if self.is_open else Decimal(0)


class Contradiction(NamedTuple):
    """A field of an event of which something else says another value."""

    field: str
    stored: str | None
    expected: str | None
    by: str
    """The name of what says the other value."""


def read_event(key: str, trader: str, event_id: str, fields: Fields) -> OrderEvent:
    """Return the event that an entry of the stream describes. Raises CorruptRecord, which names ``key``."""
    sequence, _, rest = event_id.partition("-")
    if rest != "0":
        raise CorruptRecord(key, "id", f"{event_id!r} is not an id that a book gives")
    event = decode(OrderEvent, key, {**fields, "trader": trader, "sequence": sequence})
    check_fields(key, event.type, fields)
    if event.period is not None and not _is_own_text(event.period):
        raise CorruptRecord(key, "period", f"{event.period[:80]!r} is not a JSON object of texts")
    if event.own is not None and not _is_own_text(event.own):
        raise CorruptRecord(key, "own", f"{event.own[:80]!r} is not a JSON object of texts")
    if event.terms is not None and not _is_own_text(event.terms):
        raise CorruptRecord(key, "terms", f"{event.terms[:80]!r} is not a JSON object of texts")
    for written in (event.details, event.reversed_details):
        FillDetails.read(written, key)
    if not fields["count"].isdecimal():
        raise CorruptRecord(key, "count", f"{fields['count'][:80]!r} is not a count")
    return event


def change_of(event: OrderEvent, symbol: str, stated: Stated) -> Change:
    """Return the part of an order's event that is compared."""
    return Change(
        event.sequence,
        event.type,
        symbol,
        event.exec_id or event.request_id,
        event.side,
        event.status,
        event.quantity or 0,
        event.price,
        event.filled_quantity or 0,
        stated.order_notional,
        event.last_quantity or 0,
        event.last_price or Decimal(0),
        event.late is True,
        event.text,
        event.ts_ns,
        stated.order_version,
        event.own,
        event.requested_quantity if event.type in _TERMS else None,
        event.exec_ref_id,
        event.reversed_quantity or 0,
        event.reversed_price or Decimal(0),
        event.terms,
        event.open_quantity,
        event.details,
        event.reversed_details,
        said_in(event),
        event.multiplier,
        event.client_order_id,
        event.venue_order_id,
        overfilled=event.overfilled is True,
    )


def compare_with_itself(change: Change) -> list[Contradiction]:
    """Return what one event says that cannot be true together."""
    expected = _status_by_type(change)
    found: list[Contradiction] = []
    if change.status is not expected and not _may_show(change, expected):
        found.append(Contradiction("status", written(change.status), written(expected), "its type and quantities"))
    if change.overfilled != (change.filled_quantity > change.quantity) and change.type is EventType.TRADE:
        quantity, filled = text(change.quantity), text(change.filled_quantity)
        found.append(Contradiction("filled_quantity", filled, quantity, "its quantity"))
    if change.stated_open:
        found.append(Contradiction("open_quantity", text(change.stated_open), "0", "that it is stated"))
    asked = change.requested_quantity
    if asked is not None and (asked >= change.filled_quantity or change.quantity != change.filled_quantity):
        found.append(Contradiction("requested_quantity", text(asked), None, "its quantities"))
    return found


def compare_with_last(before: Change, change: Change) -> list[Contradiction]:
    """Return what an event says of its order that does not go on from the event before."""
    if change.is_placing:
        is_over = before.status is not None and not before.is_open
        return [] if is_over else [Contradiction("type", change.type, None, "an order that is open")]
    expected: dict[str, object] = {
        "symbol": before.symbol,
        "side": before.side,
        "version": (before.version or 0) + 1,
        "filled_quantity": EXACT.subtract(
            EXACT.add(before.filled_quantity, change.last_quantity), change.reversed_quantity
        ),
        "filled_notional": EXACT.add(before.filled_notional, _amount_of(change)),
    }
    if change.type not in _TERMS:
        expected |= {"quantity": before.quantity, "price": before.price}
    if change.type is not EventType.TRADE and change.excess > max(before.excess, Decimal(0)):
        expected["filled_quantity"] = change.quantity
    is_revision = change.type in _AFTER_TRADES
    if change.late or (is_revision and before.status in _IS_LATE):
        expected["status"] = before.status
    elif is_revision:
        by_fills = _status_by_fills(change)
        expected["status"] = change.status if _may_show(change, by_fills) else by_fills
    elif not before.is_open and not change.overfilled and not _may_follow(before.status, change.type):
        return [Contradiction("status", written(change.status), written(before.status), f"event {before.sequence:,}")]
    return [
        Contradiction(name, written(getattr(change, name)), written(value), f"event {before.sequence:,}")
        for name, value in expected.items()
        if getattr(change, name) != value
    ]


def _status_by_type(change: Change) -> OrderStatus | None:
    """Return the status that a change of a type leaves, given its quantities."""
    match change.type:
        case EventType.NEW | EventType.PENDING_NEW if change.is_placing:
            return OrderStatus[change.type.value]
        case kind if kind in _AFTER_TRADES and change.status in _IS_LATE:
            return change.status
        case EventType.TRADE if change.late:
            return change.status if change.status in _IS_LATE else None
        case other if other not in _ENDS:
            return _status_by_fills(change)
        case other:
            return OrderStatus[other.name]


def _status_by_fills(change: Change) -> OrderStatus:
    """Return the status of an order that has not ended, given its quantities after a change."""
    if change.filled_quantity >= change.quantity:
        return OrderStatus.FILLED
    return OrderStatus.PARTIALLY_FILLED if change.filled_quantity else OrderStatus.NEW


def _amount_of(change: Change) -> Decimal:
    """Return the amount that a change adds to what is filled, less what it takes back."""
    amount = EXACT.subtract(
        times(change.last_quantity, change.last_price), times(change.reversed_quantity, change.reversed_price)
    )
    return multiplied(amount, change.multiplier)


def _may_show(change: Change, expected: OrderStatus | None) -> bool:
    """Return True for a status that may be shown in place of the one that type and quantities say.

    Others may hold beside that, which only the order knows; the one of the highest precedence is shown.
    """
    shown = change.status
    if shown is None or change.is_placing or change.type in _ENDS or change.late:
        return False
    if shown in _IS_LATE:
        return change.type is EventType.CANCEL_REJECTED
    is_above = expected is None or shown.precedence > expected.precedence or shown is OrderStatus.PENDING_NEW
    return is_above and shown is not OrderStatus.FILLED and shown is not OrderStatus.PARTIALLY_FILLED


def _may_follow(before: OrderStatus | None, kind: EventType) -> bool:
    """Return True for a type of change that an order may have after it has ended."""
    if kind is EventType.CANCEL_REJECTED:
        return True
    if before is OrderStatus.FILLED:
        return kind in _ON_FILLED
    return before is OrderStatus.CALCULATED and kind is EventType.RESTATED


def _is_own_text(text: str) -> bool:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and all(isinstance(one, str) for one in cast("dict[str, object]", found).values())


def written(value: object) -> str | None:
    """Return a value in its written form; None for none."""
    return None if value is None else text(value)

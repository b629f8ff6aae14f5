"""The state of a book in plain Python, and what a request is answered with."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias

from slotbook.models import (
    EventType,
    Order,
    OrderEvent,
    OrderStatus,
    Position,
)
from slotbook.models.errors import (
    AmbiguousId,
    DuplicateRequest,
)
from slotbook.models.record import Record

from .paths import Leg

MOST = 10**18
"""What no position reaches."""
MOST_MONEY = 10**36
MOST_TRADED = 10**36
MOST_PLACES = 36
"""Decimal places of an amount."""
ENDED = (OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CALCULATED)
OPEN = tuple(status for status in OrderStatus if status not in (*ENDED, OrderStatus.FILLED))
Key: TypeAlias = tuple[str, str]
Details: TypeAlias = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """The result of a request; fields that do not apply to it keep their defaults."""

    applied: bool
    sequence: int
    order: Order | None = None
    position: Position | None = None
    account_position: Position | None = None
    late: bool = False
    accepted: bool = True
    overfilled: bool = False
    is_unmoved: bool = field(default=False, compare=False)
    """True for a change that completes an execution which does not count any more: the position has stayed."""
    cost_basis: str | None = None


@dataclass
class Entry:
    """An order, as it was first placed, as it is, and what was applied to it."""

    first: Order
    now: Order
    fills: dict[str, tuple[object, Answer]]
    requests: dict[str, tuple[object, Answer]]
    """The replaces and closings."""
    revision: int = -1
    live: dict[str, tuple[Decimal | int, Decimal]] = field(default_factory=dict[str, "tuple[Decimal | int, Decimal]"])
    """What counts of each fill: 0 of one that was busted."""
    roots: dict[str, str] = field(default_factory=dict[str, str])
    """The fill that each bust and each correction has revised."""
    details: dict[str, list[tuple[Details, Answer]]] = field(default_factory=dict[str, "list[tuple[Details, Answer]]"])
    """By the exec_id of a report, its details as it gave them, and after each change that has added some."""
    reports: dict[str, str] = field(default_factory=dict[str, str])
    """The report that has busted or last corrected each fill."""
    marks: tuple[str, ...] = ()
    pending: tuple[list[str], ...] = ()

    def keep(self, marks: Collection[str], pending: Sequence[list[str]]) -> None:
        """Keep what holds now, the marks in the order in which they came."""
        old = [mark for mark in self.marks if mark in marks]
        self.marks, self.pending = (*old, *(mark for mark in marks if mark not in old)), tuple(pending)

    def written(self) -> dict[str, object]:
        """Return the fields of the order for both."""
        pending = json.dumps(self.pending, separators=(",", ":")).replace("/", "\\/") if self.pending else None
        return {"marks": " ".join(self.marks) or None, "pending": pending}


def shown_status(order: Order, marks: Collection[str], pending: Sequence[list[str]]) -> OrderStatus:
    """Return the first that holds, in FIX's order."""
    asked = [one[0] for one in pending]
    filled, quantity = order.filled_quantity, order.quantity
    for holds, status in (
        ("PENDING_CANCEL" in asked, OrderStatus.PENDING_CANCEL),
        ("PENDING_REPLACE" in asked, OrderStatus.PENDING_REPLACE),
        ("DONE_FOR_DAY" in marks, OrderStatus.DONE_FOR_DAY),
        (filled >= quantity, OrderStatus.FILLED),
        ("STOPPED" in marks, OrderStatus.STOPPED),
        ("SUSPENDED" in marks, OrderStatus.SUSPENDED),
        (filled > 0, OrderStatus.PARTIALLY_FILLED),
        ("PENDING_NEW" in marks, OrderStatus.PENDING_NEW),
    ):
        if holds:
            return status
    return OrderStatus.NEW


class State:
    """Every trader's orders, positions and events, and what is remembered of changes of positions."""

    def __init__(self) -> None:
        self.orders: dict[Key, Entry] = {}
        self.positions: dict[Key, Position] = {}
        self.events: dict[str, list[OrderEvent]] = defaultdict(list)
        self.requests: dict[Key, tuple[object, Answer]] = {}
        self.paths: dict[Key, list[Leg]] = defaultdict(list)
        """The changes of each position."""
        self.accounts: dict[tuple[str, str, str], Position] = {}
        """The positions of accounts, by trader, symbol and account."""
        self.account_paths: dict[tuple[str, str, str], list[Leg]] = defaultdict(list)
        self.multipliers: dict[Key, Decimal] = {}
        """By trader and symbol what the first order or change has said."""
        self.limits: dict[tuple[str, str | None], Mapping[str, Decimal | int | None]] = {}
        """By trader and symbol; under None those of the trader."""
        self.trading: dict[str, str] = {}
        """Where each trader's switch is."""
        self.names: dict[Key, str] = {}
        """The order that each id beside the orders' own names."""
        self.multipliers: dict[Key, Decimal] = {}
        """By trader and symbol what the first order or change has said."""

    def find(self, trader: str, name: str) -> Entry | None:
        """Return the order that an id finds; its own wins."""
        entry = self.orders.get((trader, name))
        return entry or self.orders.get((trader, self.names.get((trader, name), "")))

    def check_names(self, request: Record, entry: Entry) -> None:
        """Refuse ids that are another order's."""
        order = entry.now
        for name in names_in(request):
            holder = name if (order.trader, name) in self.orders else self.names.get((order.trader, name))
            if holder not in (None, order.order_id):
                raise AmbiguousId

    def take_names(self, request: Record, entry: Entry) -> None:
        """Let the ids of a request name its order from now on."""
        order = entry.now
        changed: dict[str, object] = {}
        for name in names_in(request):
            if name != order.order_id and self.names.get((order.trader, name)) is None:
                self.names[order.trader, name] = order.order_id
                changed["aliases"] = sum(
                    named == order.order_id for (whose, _), named in self.names.items() if whose == order.trader
                )
        if (venue_order_id := getattr(request, "venue_order_id", None)) is not None:
            changed["venue_order_id"] = venue_order_id
        entry.now = order.model_copy(update=changed)

    def append_event(self, kind: EventType, order: Order, ts_ns: int, **more: object) -> int:
        events = self.events[order.trader]
        is_over = "DONE_FOR_DAY" in (order.marks or "") and order.time_in_force not in ("GTC", "GTD")
        is_over = is_over and order.filled_quantity < order.quantity
        is_over = order.status in OPEN and (is_over or order.filled_quantity > order.quantity)
        fields = {
            "trader": order.trader,
            "sequence": len(events) + 1,
            "type": kind,
            "ts_ns": ts_ns,
            "symbol": order.symbol,
            "order_id": order.order_id,
            "side": order.side,
            "status": order.status,
            "quantity": order.quantity,
            "price": order.price,
            "filled_quantity": None if order.version == 1 else order.filled_quantity,
            "open_quantity": 0 if is_over else None,
            **more,
        }
        events.append(OrderEvent.model_validate(fields))
        return len(events)


def names_in(request: Record) -> list[str]:
    given = [getattr(request, name, None) for name in ("client_order_id", "venue_order_id")]
    return [name for name in given if name is not None]


def again(known: tuple[object, Answer], content: object) -> Answer:
    first, answer = known
    if first != content:
        raise DuplicateRequest
    return replace(answer, applied=False)

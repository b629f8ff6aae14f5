"""The state of a book in plain Python, and what a request is answered with."""

from __future__ import annotations

from collections import defaultdict
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
    DuplicateRequest,
)

MOST = 2**53 - 1
MOST_MONEY = Decimal(10) ** 30
MOST_TRADED = 10**20
OPEN = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """The result of a request; fields that do not apply to it keep their defaults."""

    applied: bool
    sequence: int
    order: Order | None = None
    position: Position | None = None
    late: bool = False
    accepted: bool = True


@dataclass
class Entry:
    """An order, as it was first placed, as it is, and what was applied to it."""

    first: Order
    now: Order
    fills: dict[str, tuple[object, Answer]]
    requests: dict[str, tuple[object, Answer]]
    """The replaces and closings."""
    revision: int = -1
    live: dict[str, tuple[int, Decimal]] = field(default_factory=dict[str, "tuple[int, Decimal]"])
    """What counts of each fill: 0 of one that was busted."""
    roots: dict[str, str] = field(default_factory=dict[str, str])
    """The fill that each bust and each correction has revised."""


class State:
    """Every trader's orders, positions and events, and what is remembered of changes of positions."""

    def __init__(self) -> None:
        self.orders: dict[Key, Entry] = {}
        self.positions: dict[Key, Position] = {}
        self.events: dict[str, list[OrderEvent]] = defaultdict(list)
        self.requests: dict[Key, tuple[object, Answer]] = {}

    def append_event(self, kind: EventType, order: Order, ts_ns: int, **more: object) -> int:
        events = self.events[order.trader]
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
            "filled_quantity": None if kind is EventType.NEW else order.filled_quantity,
            **more,
        }
        events.append(OrderEvent.model_validate(fields))
        return len(events)


def again(known: tuple[object, Answer], content: object) -> Answer:
    first, answer = known
    if first != content:
        raise DuplicateRequest
    return replace(answer, applied=False)

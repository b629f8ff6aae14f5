"""A blotter: orders, positions and the last events, kept up to date from events; nothing here reads or draws."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar

from ..models.enums import EventType
from ..models.errors import CorruptRecord, printable
from ..models.event import OrderEvent
from ..models.event_accounts import account_quantities
from ..models.numbers import plain
from ..models.order import Order
from ..models.position import Position

T = TypeVar("T")
K = TypeVar("K")
PositionKey: TypeAlias = tuple[str, str, str | None]
"""A trader, a symbol, and the account of a part of that position, None for the whole."""

MAX_EVENTS = 200
"""The number of events that are kept, the latest ones: more than the rows of any screen."""
MAX_KEPT = 10_000
"""The number of orders and of positions that are kept, the latest ones."""
SPAN = 5.0
"""The seconds over which the rate of events is counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """The state of one order."""

    trader: str
    order_id: str
    symbol: str
    side: str
    status: str
    quantity: Decimal | int
    price: str
    filled: Decimal | int


@dataclass(frozen=True, slots=True)
class Holding:
    """A position: its quantity as the last event says it, and what was read of it since."""

    quantity: Decimal | int
    read: Position | None = None
    """The position with its cost and profit; None until it is read again after a change."""


class Blotter:
    """Orders, positions and the last events, as they change.

    Args:
        marks: The prices that value positions by symbol; by default, and for other symbols, that of the last fill.
    """

    def __init__(self, marks: Mapping[str, Decimal] | None = None) -> None:
        self.events = 0
        self.problems: deque[str] = deque(maxlen=3)
        self.orders: OrderedDict[tuple[str, str], Line] = OrderedDict()
        """By trader and id, the last one that changed at the end."""
        self.positions: OrderedDict[PositionKey, Holding] = OrderedDict()
        """The positions of traders and of their accounts, the last one that changed at the end."""
        self.last: deque[OrderEvent] = deque(maxlen=MAX_EVENTS)
        self.given_marks = dict(marks or {})
        self._fill_prices: dict[str, Decimal] = {}
        self._times: deque[float] = deque(maxlen=100_000)

    def begin(self, orders: Iterable[Order], positions: Iterable[Position], events: Iterable[OrderEvent] = ()) -> None:
        """Start from the orders and positions that the book holds, and with the prices of events that were before."""
        for order in orders:
            price = "" if order.price is None else plain(order.price)
            identity = (order.trader, order.order_id, order.symbol, order.side, order.status)
            _keep(self.orders, identity[:2], Line(*identity, order.quantity, price, order.filled_quantity))
        for held in positions:
            self.take_position(held)
        for event in events:
            self._take_price(event)

    def take(self, event: OrderEvent) -> None:
        """Apply an event."""
        self.events += 1
        self._times.append(time.monotonic())
        self.last.append(event)
        self._take_price(event)
        if event.symbol and event.order_id and event.status and event.side and event.quantity is not None:
            price = "" if event.price is None else plain(event.price)
            identity = (event.trader, event.order_id, event.symbol, event.side, event.status)
            _keep(self.orders, identity[:2], Line(*identity, event.quantity, price, event.filled_quantity or 0))
        if event.symbol:
            for account, quantity in self._quantities(event).items():
                _keep(self.positions, (event.trader, event.symbol, account), Holding(quantity))

    def take_position(self, held: Position) -> None:
        """Keep a position as it was read; one that is kept already stays in its place."""
        key = (held.trader, held.symbol, held.account)
        if key in self.positions:
            self.positions[key] = Holding(held.quantity, held)
        else:
            _keep(self.positions, key, Holding(held.quantity, held))

    def forget(self, trader: str) -> None:
        """Forget the orders, positions and events of a trader whose book has lost changes."""
        for line in [line for line in self.orders if line[0] == trader]:
            del self.orders[line]
        for held in [held for held in self.positions if held[0] == trader]:
            del self.positions[held]
        self.last = deque((event for event in self.last if event.trader != trader), self.last.maxlen)

    def unread(self, count: int) -> list[PositionKey]:
        """Return which of the last ``count`` positions have changed since they were read."""
        latest = list(self.positions)[-count:] if count else []
        return [key for key in latest if self.positions[key].read is None]

    def mark(self, symbol: str) -> Decimal | None:
        """Return the price that values positions in a symbol; None when neither a mark nor a fill is known."""
        given = self.given_marks.get(symbol)
        return self._fill_prices.get(symbol) if given is None else given

    def rate(self) -> float:
        """Return the events per second over the last few seconds."""
        since = time.monotonic() - SPAN
        while self._times and self._times[0] < since:
            self._times.popleft()
        return len(self._times) / SPAN

    def _quantities(self, event: OrderEvent) -> dict[str | None, Decimal | int]:
        """Return the positions after an event by account, that of the trader last."""
        found: dict[str | None, Decimal | int] = {}
        try:
            found.update(account_quantities(event))
        except CorruptRecord as error:
            self.problems.append(str(error))
        if event.position_quantity is not None:
            found[None] = event.position_quantity
        return found

    def _take_price(self, event: OrderEvent) -> None:
        if event.type is EventType.TRADE and event.symbol and event.last_price is not None:
            self._fill_prices[event.symbol] = event.last_price


def _keep(kept: OrderedDict[K, T], key: K, value: T) -> None:
    """Put a value at the end, as the latest; the first one goes when there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > MAX_KEPT:
        kept.popitem(last=False)


def in_iso(ts_ns: int) -> str:
    """Return a time in nanoseconds as people read it, in UTC."""
    return f"{datetime.fromtimestamp(ts_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{ts_ns % 10**9:09d}Z"


def one_line(event: OrderEvent) -> str:
    """Return an event as one line: time, trader and number, the change, and the state after it."""
    parts = [in_iso(event.ts_ns), event.trader, str(event.sequence), event.type]
    parts += [word for word in (event.symbol, event.order_id, event.side, event.kind, event.key) if word]
    if event.last_quantity is not None and event.last_price is not None:
        parts.append(f"{plain(event.last_quantity)} at {plain(event.last_price)}")
    if event.quantity is not None:
        price = "" if event.price is None else f" at {plain(event.price)}"
        state = event.refused or f"{event.status}"
        parts.append(f"{plain(event.filled_quantity or 0)}/{plain(event.quantity)}{price} {state}")
    if event.position_quantity is not None:
        parts.append(f"position {plain(event.position_quantity)}")
    if event.account is not None and event.account_quantity is not None:
        parts.append(f"of account {event.account} {plain(event.account_quantity)}")
    if event.version is not None:
        parts.append(f"version {event.version}")
    parts += [text for text in (event.changed, event.own) if text is not None]
    return printable("  ".join(parts))

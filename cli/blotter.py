"""A blotter: orders and positions, kept up to date from events and rendered for a terminal."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Group
from rich.text import Text

from ..models.errors import printable
from ..models.event import OrderEvent
from ..models.numbers import plain
from ..models.order import Order
from ..models.position import Position
from .fitted import Fitted, table

ROWS = 12
"""The number of orders, positions and events that are shown."""
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


class Blotter:
    """Orders, positions and the last events, as they change."""

    def __init__(self) -> None:
        self.events = 0
        self.problems: deque[str] = deque(maxlen=3)
        self._orders: OrderedDict[tuple[str, str], Line] = OrderedDict()
        self._positions: OrderedDict[tuple[str, str], Decimal | int] = OrderedDict()
        self._last: deque[OrderEvent] = deque(maxlen=ROWS)
        self._times: deque[float] = deque(maxlen=100_000)

    def begin(self, orders: Iterable[Order], positions: Iterable[Position]) -> None:
        """Start from the orders and positions that the book holds."""
        for order in orders:
            price = "" if order.price is None else plain(order.price)
            line = Line(
                order.trader,
                order.order_id,
                order.symbol,
                order.side,
                order.status,
                order.quantity,
                price,
                order.filled_quantity,
            )
            self._keep_order(line)
        for held in positions:
            self._keep_position(held.trader, held.symbol, held.quantity)

    def take(self, event: OrderEvent) -> None:
        """Apply an event."""
        self.events += 1
        self._times.append(time.monotonic())
        self._last.append(event)
        if event.symbol and event.order_id and event.status and event.side and event.quantity is not None:
            price = "" if event.price is None else plain(event.price)
            filled = event.filled_quantity or 0
            identity = (event.trader, event.order_id, event.symbol, event.side, event.status)
            self._keep_order(Line(*identity, event.quantity, price, filled))
        if event.symbol and event.position_quantity is not None:
            self._keep_position(event.trader, event.symbol, event.position_quantity)

    def rate(self) -> float:
        """Return the events per second over the last few seconds."""
        since = time.monotonic() - SPAN
        while self._times and self._times[0] < since:
            self._times.popleft()
        return len(self._times) / SPAN

    def render(self, waiting: int, connected: bool) -> Group:
        """Return everything that the terminal shows.

        Args:
            waiting: The number of events that have arrived and were not yet applied.
            connected: False while the follower has lost its connection.
        """
        state = Text("live" if connected else "reconnecting", style="bold green" if connected else "bold red")
        head = Text.assemble(state, f"   {self.events:,} events   {self.rate():,.0f}/s   lag {waiting:,} events")
        problems = [Text(printable(problem), style="yellow") for problem in self.problems]
        return Group(head, *problems, self._orders_table(), self._positions_table(), self._events_table())

    def _orders_table(self) -> Fitted:
        lines = list(self._orders.values())[-ROWS:]
        return table(
            ("trader", "order", "symbol", "side", "status"),
            ("quantity", "price", "filled"),
            (
                (
                    line.trader,
                    line.order_id,
                    line.symbol,
                    line.side,
                    line.status,
                    line.quantity,
                    line.price,
                    line.filled,
                )
                for line in reversed(lines)
            ),
        )

    def _positions_table(self) -> Fitted:
        held = list(self._positions.items())[-ROWS:]
        return table(("trader", "symbol"), ("position",), ((*key, quantity) for key, quantity in reversed(held)))

    def _events_table(self) -> Fitted:
        return table((), (), ((one_line(event),) for event in reversed(self._last)), prose=("last events",))

    def _keep_order(self, line: Line) -> None:
        key = (line.trader, line.order_id)
        self._orders.pop(key, None)
        self._orders[key] = line
        if len(self._orders) > MAX_KEPT:
            self._orders.popitem(last=False)

    def _keep_position(self, trader: str, symbol: str, quantity: Decimal | int) -> None:
        self._positions.pop((trader, symbol), None)
        self._positions[trader, symbol] = quantity
        if len(self._positions) > MAX_KEPT:
            self._positions.popitem(last=False)


def one_line(event: OrderEvent) -> str:
    """Return an event as one line: time, trader and number, the change, and the state after it."""
    at = datetime.fromtimestamp(event.ts_ns // 10**9, UTC)
    parts = [f"{at:%Y-%m-%dT%H:%M:%S}.{event.ts_ns % 10**9:09d}Z", event.trader, str(event.sequence), event.type]
    parts += [word for word in (event.symbol, event.order_id, event.side, event.kind, event.key) if word]
    if event.last_quantity is not None and event.last_price is not None:
        parts.append(f"{plain(event.last_quantity)} at {plain(event.last_price)}")
    if event.quantity is not None:
        price = "" if event.price is None else f" at {plain(event.price)}"
        state = event.refused or f"{event.status}"
        parts.append(f"{plain(event.filled_quantity or 0)}/{plain(event.quantity)}{price} {state}")
    if event.position_quantity is not None:
        parts.append(f"position {plain(event.position_quantity)}")
    if event.version is not None:
        parts.append(f"version {event.version}")
    parts += [text for text in (event.changed, event.own) if text is not None]
    return printable("  ".join(parts))

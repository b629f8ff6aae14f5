"""The open quantities of a trader's orders, by symbol and side, at the moment of any event. Nothing here does I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ...models.enums import Side
from ...models.numbers import EXACT, plain
from .findings import Fields
from .history import History

FIELD_OF = {side: "open_buy_quantity" if side.is_buy else "open_sell_quantity" for side in Side}
"""For each side, the field of a position that says what is open of the trader's orders in its symbol."""
FIELDS = tuple(dict.fromkeys(FIELD_OF.values()))
"""These fields."""


class OpenOrder(NamedTuple):
    """The open quantity of one order when it was read."""

    as_of: int
    """The number of the book's last event then."""
    symbols: frozenset[str]
    """The symbols in which it is counted: its own, or all in which it may be when that cannot be read."""
    maybe_in: frozenset[str]
    """Other symbols in which it belongs by what other records say."""
    side: Side | None
    quantity: Decimal | int
    is_readable: bool
    is_sound: bool
    """False when other records contradict it, or say that it should be there."""


@dataclass(frozen=True, slots=True)
class OpenQuantity:
    """The open quantities of a trader's orders in one symbol, at the moment of an event."""

    fields: Fields
    """The fields of the position, in their written form; none when it is not known."""
    by_events: Fields
    """The same fields, with the orders that are not sound as their events left them."""
    has_orders: bool
    """True when there is or was an order in the symbol."""
    unknown: str | None = None
    """The reason for which it is not known."""
    obstacle: str | None = None
    """The reason for which it is no evidence for a repair."""


class OpenQuantities:
    """The open quantities of all orders of one trader.

    Orders are read page by page, and a position later. What was open of an order when the position was read follows
    from its last event before that, or is what was read when no event came in between.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._orders: dict[str, OpenOrder] = {}
        self._by_symbol: dict[str, set[str]] = {}
        """The orders that were counted in a symbol when they were read."""
        self._since: dict[str, int] = {}
        """By symbol, the number of the last event before the orders in it were listed."""
        self._anywhere: set[str] = set()
        """Orders that cannot be read, and may be in any symbol."""

    def begin(self, symbol: str) -> None:
        """Note that the orders in a symbol are about to be listed."""
        self._since[symbol] = self._history.last

    def add(self, order_id: str, order: OpenOrder) -> None:
        """Add an order that was read, or read again."""
        self._orders[order_id] = order
        for symbol in order.symbols | order.maybe_in:
            self._by_symbol.setdefault(symbol, set()).add(order_id)
        if order.is_readable or order.symbols:
            self._anywhere.discard(order_id)
        else:
            self._anywhere.add(order_id)

    def orders_in(self, symbol: str) -> set[str]:
        """Return every order that is, was or may be in a symbol."""
        return self._by_symbol.get(symbol, set()) | self._history.orders_by_symbol.get(symbol, set())

    def of(self, symbol: str, as_of: int) -> OpenQuantity | None:
        """Return what was open in a symbol at the moment of an event; None when the orders have to be read again."""
        ids = self.orders_in(symbol)
        read = [self._orders[order_id] for order_id in ids if order_id in self._orders]
        moments = [as_of, self._since.get(symbol, as_of), *(order.as_of for order in read)]
        if not self._history.is_complete_since(min(moments), max(moments)):
            return None
        unreadable = sorted({order_id for order_id in ids if self._is_unreadable(order_id)} | self._anywhere)
        if unreadable:
            what = f"order {unreadable[0]} cannot be read, so what is open of the orders was not compared"
            return OpenQuantity({}, {}, has_orders=bool(ids), unknown=what)
        totals, by_events = dict.fromkeys(FIELDS, Decimal(0)), dict.fromkeys(FIELDS, Decimal(0))
        has_orders = False
        for order_id in ids:
            order, change = self._orders.get(order_id), self._history.last_change_of(order_id, as_of)
            is_later = change is not None and (order is None or change.sequence > order.as_of)
            if change is not None and change.symbol == symbol and change.side is not None:
                if is_later:
                    _add(totals, change.side, change.open_quantity)
                if is_later or (order is not None and not order.is_sound):
                    _add(by_events, change.side, change.open_quantity)
            if is_later:
                has_orders = True
            elif order is not None:
                latest = self._history.last_change_of(order_id, order.as_of)
                if latest is not None and latest.sequence > as_of:
                    return None  # the order was read by a server that is ahead
                has_orders = True
                if order.side is not None and symbol in order.symbols:
                    _add(totals, order.side, order.quantity)
                    if order.is_sound or change is None:
                        _add(by_events, order.side, order.quantity)
        unsound = sorted(
            order_id for order_id in ids if order_id in self._orders and not self._orders[order_id].is_sound
        )
        return OpenQuantity(
            {name: plain(quantity) for name, quantity in totals.items()},
            {name: plain(quantity) for name, quantity in by_events.items()},
            has_orders=has_orders,
            obstacle=f"other records contradict order {unsound[0]}" if unsound else None,
        )

    def _is_unreadable(self, order_id: str) -> bool:
        return order_id in self._orders and not self._orders[order_id].is_readable


def _add(totals: dict[str, Decimal], side: Side, quantity: Decimal | int) -> None:
    field = FIELD_OF[side]
    totals[field] = EXACT.add(totals[field], quantity)

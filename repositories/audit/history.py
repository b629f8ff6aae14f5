"""What a book's events say: its changes in order, where they are missing, and what they make of each position."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ...models.enums import EventType, OrderStatus, Side
from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from ...models.keys import TraderKeys
from ...models.position import Position
from ...models.types import EXACT, times
from ...models.wire import decode, encode, text
from .findings import Differences, EventPage, Fields, FindingKind

_NEEDED = {
    EventType.TRADE: ("order_id", "side", "exec_id", "last_quantity", "last_price", "position_quantity"),
    EventType.POSITION: ("position_quantity",),
}
_MOVES = tuple(_NEEDED)


class Change(NamedTuple):
    """What matters of one event; an OrderEvent for each of a long stream would take several times the memory."""

    sequence: int
    type: EventType
    ts_ns: int
    symbol: str
    identity: str | None
    """The exec_id of a TRADE, the request_id of a REPLACED."""
    side: Side | None
    status: OrderStatus | None
    quantity: int | None
    price: Decimal | None
    last_quantity: int
    last_price: Decimal
    position_quantity: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A position as its events make it."""

    fields: Fields
    """The fields that are known, in their written form."""
    is_whole: bool
    """Whether that is all of them; else what came before ``since`` is not known, and with it all but the quantity."""
    changes: int
    """How many changes the position has had, when whole."""
    since: int
    """The event that the fold begins with."""


class History:
    """The events of one book, page by page, as far back as they reach."""

    def __init__(self, keys: TraderKeys) -> None:
        self._keys = keys
        self.differences = Differences(keys.trader)
        self.cursor = "0-0"
        self.first = 0
        """The oldest event from which on the stream was kept; 0 without any."""
        self.last = 0
        """The last event that was read, or is known to be missing."""
        self.beyond = 0
        """The highest event number that a recorded fill carries, if the stream ended before it."""
        self.by_order: dict[str, list[Change]] = {}
        self.by_symbol: dict[str, list[Change]] = {}
        self.symbols: set[str] = set()
        """Every symbol that an event names."""
        self.doubtful: set[str] = set()
        """Symbols with events that the recorded fills contradict."""
        self._missing: list[tuple[int, int]] = []
        self._recorded: set[int] = set()
        self._held: dict[str, dict[int, Position]] = {}

    def read(self, page: EventPage) -> None:
        """Take the next page."""
        for event_id, fields in page.entries:
            self.cursor = event_id
            sequence = int(event_id.partition("-")[0])
            if sequence > self.last + 1:
                # Trimming goes on while we read: what is missing before the oldest entry was not removed by hand.
                self._miss(sequence - 1, trimmed=event_id == page.first)
            if self.first == 0 or event_id == page.first:
                self.first = sequence
            self.last = max(self.last, sequence)
            self._take(event_id, sequence, fields)

    def close(self, last: int) -> None:
        """Take word that the stream goes up to ``last`` though no more entries came."""
        if last > self.last:
            self._miss(last, trimmed=False)
            self.last = last

    def record(self, sequence: int, symbol: str, held: Position | None) -> None:
        """Take word from an order of a change that was applied to it, and of the position after it."""
        self._recorded.add(sequence)
        if held is not None:
            self._held.setdefault(symbol, {})[sequence] = held

    def is_missing(self, sequence: int) -> bool:
        """Whether the event is not kept."""
        position = bisect_right(self._missing, (sequence, 1 << 63))
        return position > 0 and self._missing[position - 1][1] >= sequence

    def is_whole_since(self, sequence: int, moment: int) -> bool:
        """Whether the stream has every event after one, up to a moment."""
        return all(high <= sequence or low > moment for low, high in self._missing)

    def changes_of(self, order_id: str, moment: int) -> list[Change]:
        """An order's changes up to a moment, from when its id was last placed."""
        changes = [change for change in self.by_order.get(order_id, ()) if change.sequence <= moment]
        placed = [index for index, change in enumerate(changes) if change.type is EventType.NEW]
        return changes[placed[-1] :] if placed else changes

    def position(self, symbol: str, moment: int) -> Expected | None:
        """What the events up to a moment make of a position; None when nothing that is kept tells."""
        if self.first == 0 or self.beyond > moment:
            return None
        held = self._held.get(symbol, {})
        gap = max(
            [self._last_unknown(moment), *(known for known in held if known <= moment and self.is_missing(known))]
        )
        changes = [change for change in self.by_symbol.get(symbol, ()) if gap < change.sequence <= moment]
        if gap == 0:
            return _whole(Position.flat(self._keys.trader, symbol), changes, 1)
        base = min((known for known in held if gap <= known <= moment), default=None)
        if base is not None:
            return _whole(held[base], [change for change in changes if change.sequence > base], base)
        if not changes:
            return None
        quantity = changes[0].position_quantity
        for change in changes[1:]:
            quantity = _moved(quantity, change)
        return Expected({"quantity": text(quantity)}, False, 0, changes[0].sequence)

    def _last_unknown(self, moment: int) -> int:
        """The last event up to a moment that neither the stream nor an order has kept; 0 when all are known."""
        for low, high in reversed(self._missing):
            sequence = min(high, moment)
            while sequence >= low and sequence in self._recorded:
                sequence -= 1
            if sequence >= low:
                return sequence
        return 0

    def _miss(self, upto: int, *, trimmed: bool) -> None:
        low = self.last + 1
        self._missing.append((low, upto))
        if not trimmed:
            several = f"events {low:,} to {upto:,} are" if upto > low else f"event {low:,} is"
            entry = str(low) if upto == low else f"{low}-{upto}"
            self.differences.add(FindingKind.EVENTS, self._keys.events, entry, f"{several} missing from the stream")

    def _take(self, event_id: str, sequence: int, fields: Fields) -> None:
        try:
            change, order_id = self._change(event_id, fields)
        except CorruptRecord as error:
            self._missing.append((sequence, sequence))
            entry = f"{event_id} {error.field}"
            stored = fields.get(error.field)
            self.differences.add(FindingKind.CORRUPT, error.key, entry, f"event {error}", stored=stored)
            return
        self.symbols.add(change.symbol)
        if order_id is not None:
            self.by_order.setdefault(order_id, []).append(change)
        if change.type in _MOVES:
            self.by_symbol.setdefault(change.symbol, []).append(change)

    def _change(self, event_id: str, fields: Fields) -> tuple[Change, str | None]:
        sequence, _, rest = event_id.partition("-")
        key = self._keys.events
        if rest != "0":
            raise CorruptRecord(key, "id", f"{event_id!r} is not an id that a book gives")
        given = {**fields, "trader": self._keys.trader, "sequence": sequence}
        event = decode(OrderEvent, key, given)
        for name in _NEEDED.get(event.type, ()):
            if getattr(event, name) is None:
                raise CorruptRecord(key, name, "is missing")
        change = Change(
            event.sequence,
            event.type,
            event.ts_ns,
            event.symbol,
            event.exec_id or event.request_id,
            event.side,
            event.status,
            event.quantity,
            event.price,
            event.last_quantity or 0,
            event.last_price or Decimal(0),
            event.position_quantity or 0,
        )
        return change, event.order_id


def _moved(quantity: int, change: Change) -> int:
    """The quantity after a change: a trade moves it, any other change says what it became."""
    if change.type is not EventType.TRADE:
        return change.position_quantity
    return quantity + change.last_quantity if change.side is Side.BUY else quantity - change.last_quantity


def _whole(base: Position, changes: Iterable[Change], since: int) -> Expected:
    quantity, version, updated_ns = base.quantity, base.version, base.updated_ns
    traded = {Side.BUY: base.bought_quantity, Side.SELL: base.sold_quantity}
    notional = {Side.BUY: base.bought_notional, Side.SELL: base.sold_notional}
    for change in changes:
        quantity = _moved(quantity, change)
        if change.type is EventType.TRADE and change.side is not None:
            traded[change.side] += change.last_quantity
            paid = times(change.last_quantity, change.last_price)
            notional[change.side] = EXACT.add(notional[change.side], paid)
        version, updated_ns = version + 1, change.ts_ns
    fields = {
        **encode(base),
        "quantity": text(quantity),
        "bought_quantity": text(traded[Side.BUY]),
        "sold_quantity": text(traded[Side.SELL]),
        "bought_notional": text(notional[Side.BUY]),
        "sold_notional": text(notional[Side.SELL]),
        "version": text(version),
    }
    if updated_ns is not None:
        fields["updated_ns"] = text(updated_ns)
    return Expected(fields, True, version, since)

"""The history of a book by its events: changes in order, gaps, and the positions that follow from them."""

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
from .findings import EventPage, Fields, FindingKind, Report

_REQUIRED_FIELDS = {
    EventType.TRADE: ("order_id", "side", "exec_id", "last_quantity", "last_price", "position_quantity"),
    EventType.POSITION: ("position_quantity",),
}
"""The fields without which an event that changes a position cannot be used."""


class Change(NamedTuple):
    """The part of one event that is compared.

    An OrderEvent for each event of a long stream would take several times the memory.
    """

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
class ExpectedPosition:
    """A position as it follows from its events."""

    fields: Fields
    """The fields that are known, in their written form."""
    is_complete: bool
    """True when all fields are known. Otherwise only the quantity is, for what came before ``since`` is not known."""
    changes: int
    """The number of changes that the position has had; 0 when it is not complete."""
    since: int
    """The number of the event that the fold begins with."""


class History:
    """The events of one book, read page by page, as far back as they reach."""

    def __init__(self, keys: TraderKeys) -> None:
        self._keys = keys
        self.report = Report(keys.trader)
        """Missing and unreadable events."""
        self.cursor = "0-0"
        """The id after which the next page begins."""
        self.first = 0
        """The number of the oldest event that was kept when it was read; 0 without any."""
        self.last = 0
        """The number of the last event that was read, or is known to be missing."""
        self.lost_end = 0
        """The highest event number beyond the end of the stream that a recorded fill or replace carries; 0 for none."""
        self.changes_by_order: dict[str, list[Change]] = {}
        self.position_changes: dict[str, list[Change]] = {}
        """The changes of each position, by symbol."""
        self.symbols: set[str] = set()
        """Every symbol that an event names."""
        self.contradicted: set[str] = set()
        """Symbols whose events contradict the fills and replaces that are recorded with orders."""
        self._missing: list[tuple[int, int]] = []
        """Gaps in the events read, each by its first and last number, in order."""
        self._recorded: set[int] = set()
        """The numbers of events that an order has recorded, so that they are known even if the stream lost them."""
        self._recorded_positions: dict[str, dict[int, Position]] = {}
        """By symbol and event number, the position after a fill, as it is recorded with the fill's order."""

    def add_page(self, page: EventPage) -> None:
        """Add the next page of events."""
        for event_id, fields in page.entries:
            self.cursor = event_id
            sequence = int(event_id.partition("-")[0])
            if sequence > self.last + 1:
                # Trimming goes on while we read: what is missing before the oldest entry was not removed by hand.
                self._add_gap(sequence - 1, trimmed=event_id == page.first_id)
            if self.first == 0 or event_id == page.first_id:
                self.first = sequence
            self.last = max(self.last, sequence)
            self._add_event(event_id, sequence, fields)

    def end_at(self, last: int) -> None:
        """Count events up to ``last`` as missing: they were appended, but no entries came for them."""
        if last > self.last:
            self._add_gap(last, trimmed=False)
            self.last = last

    def add_recorded(self, sequence: int, symbol: str, position: Position | None) -> None:
        """Add a change that is recorded with its order, and the position after it."""
        self._recorded.add(sequence)
        if position is not None:
            self._recorded_positions.setdefault(symbol, {})[sequence] = position

    def is_missing(self, sequence: int) -> bool:
        """Return True when the stream does not have the event."""
        gaps_before = bisect_right(self._missing, (sequence, 1 << 63))
        return gaps_before > 0 and self._missing[gaps_before - 1][1] >= sequence

    def is_complete_since(self, sequence: int, as_of: int) -> bool:
        """Return True when the stream has every event after ``sequence``, up to ``as_of``."""
        return all(high <= sequence or low > as_of for low, high in self._missing)

    def changes_of(self, order_id: str, as_of: int) -> list[Change]:
        """Return an order's changes up to event ``as_of``, from when its id was last placed."""
        changes = [change for change in self.changes_by_order.get(order_id, ()) if change.sequence <= as_of]
        placed = [index for index, change in enumerate(changes) if change.type is EventType.NEW]
        return changes[placed[-1] :] if placed else changes

    def expected_position(self, symbol: str, as_of: int) -> ExpectedPosition | None:
        """Return the position that follows from the events up to ``as_of``; None when no evidence is kept."""
        if self.first == 0 or self.lost_end > as_of:
            return None
        recorded = self._recorded_positions.get(symbol, {})
        gap = max(
            [
                self._last_unknown_event(as_of),
                *(known for known in recorded if known <= as_of and self.is_missing(known)),
            ]
        )
        changes = [change for change in self.position_changes.get(symbol, ()) if gap < change.sequence <= as_of]
        if gap == 0:
            return _fold(Position.flat(self._keys.trader, symbol), changes, 1)
        base = min((known for known in recorded if gap <= known <= as_of), default=None)
        if base is not None:
            return _fold(recorded[base], [change for change in changes if change.sequence > base], base)
        if not changes:
            return None
        quantity = changes[0].position_quantity
        for change in changes[1:]:
            quantity = _quantity_after(quantity, change)
        fields = {"quantity": text(quantity)}
        return ExpectedPosition(fields, is_complete=False, changes=0, since=changes[0].sequence)

    def _last_unknown_event(self, as_of: int) -> int:
        """Return the last event up to ``as_of`` that neither the stream nor an order has kept; 0 when all are known."""
        for low, high in reversed(self._missing):
            sequence = min(high, as_of)
            while sequence >= low and sequence in self._recorded:
                sequence -= 1
            if sequence >= low:
                return sequence
        return 0

    def _add_gap(self, upto: int, *, trimmed: bool) -> None:
        low = self.last + 1
        self._missing.append((low, upto))
        if not trimmed:
            events_are = f"events {low:,} to {upto:,} are" if upto > low else f"event {low:,} is"
            entry = str(low) if upto == low else f"{low}-{upto}"
            self.report.add(FindingKind.EVENTS, self._keys.events, entry, f"{events_are} missing from the stream")

    def _add_event(self, event_id: str, sequence: int, fields: Fields) -> None:
        try:
            change, order_id = self._read_change(event_id, fields)
        except CorruptRecord as error:
            self._missing.append((sequence, sequence))
            entry = f"{event_id} {error.field}"
            stored = fields.get(error.field)
            self.report.add(FindingKind.CORRUPT, error.key, entry, f"event {error}", stored=stored)
            return
        self.symbols.add(change.symbol)
        if order_id is not None:
            self.changes_by_order.setdefault(order_id, []).append(change)
        if change.type in _REQUIRED_FIELDS:
            self.position_changes.setdefault(change.symbol, []).append(change)

    def _read_change(self, event_id: str, fields: Fields) -> tuple[Change, str | None]:
        """Return the change that an entry of the stream describes, and the id of its order. Raises CorruptRecord."""
        sequence, _, rest = event_id.partition("-")
        key = self._keys.events
        if rest != "0":
            raise CorruptRecord(key, "id", f"{event_id!r} is not an id that a book gives")
        given = {**fields, "trader": self._keys.trader, "sequence": sequence}
        event = decode(OrderEvent, key, given)
        for name in _REQUIRED_FIELDS.get(event.type, ()):
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


def _quantity_after(quantity: int, change: Change) -> int:
    """Return a position's quantity after a change: a trade moves it, any other change states what it became."""
    if change.type is not EventType.TRADE:
        return change.position_quantity
    return quantity + change.last_quantity if change.side is Side.BUY else quantity - change.last_quantity


def _fold(base: Position, changes: Iterable[Change], since: int) -> ExpectedPosition:
    """Return the position that changes make of an earlier one."""
    quantity, version, updated_ns = base.quantity, base.version, base.updated_ns
    traded = {Side.BUY: base.bought_quantity, Side.SELL: base.sold_quantity}
    notional = {Side.BUY: base.bought_notional, Side.SELL: base.sold_notional}
    for change in changes:
        quantity = _quantity_after(quantity, change)
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
    return ExpectedPosition(fields, is_complete=True, changes=version, since=since)

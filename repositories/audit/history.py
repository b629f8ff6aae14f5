"""The history of a book by its events: changes in order, gaps, and the positions that follow from them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ...models.enums import EventType, OrderStatus, Side
from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from ...models.keys import TraderKeys
from ...models.wire import decode
from .findings import EventPage, Fields, FindingKind, Report
from .totals import Held, Stated, read_totals

_OF_ORDERS = ("order_id", "side", "status", "quantity")
_REQUIRED_FIELDS = {
    EventType.POSITION: ("position_quantity",),
    EventType.NEW: _OF_ORDERS,
    EventType.TRADE: (
        *_OF_ORDERS,
        *("exec_id", "last_quantity", "last_price", "filled_quantity", "position_quantity"),
    ),
}
"""The fields without which an event cannot be used."""
_REQUIRED_OF_REQUESTS = (*_OF_ORDERS, "filled_quantity", "request_id")
"""The fields of that kind of events that have no row of their own."""


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
    quantity: int
    price: Decimal | None
    filled_quantity: int
    last_quantity: int
    last_price: Decimal
    version: int | None
    """The order's version after the change."""

    @property
    def open_quantity(self) -> int:
        """The open quantity of the order after the change."""
        return self.quantity - self.filled_quantity if self.status is not None and self.status.is_open else 0


@dataclass(frozen=True, slots=True)
class ExpectedPosition:
    """A position as it follows from its events."""

    fields: Fields
    """Its fields, in their written form."""
    changes: int
    """The number of changes that the position has had."""


class History:
    """The events of one book, read page by page, as far back as they reach."""

    def __init__(self, keys: TraderKeys) -> None:
        self._keys = keys
        self.report = Report(keys.trader)
        """Missing, unreadable and contradictory events."""
        self.cursor = "0-0"
        """The id after which the next page begins."""
        self.header: Fields = {}
        """The header of the book when the last page was read."""
        self.header_end = 0
        """The number of the last event that was ever appended, at that same moment."""
        self.first = 0
        """The number of the oldest event that was kept when it was read; 0 without any."""
        self.last = 0
        """The number of the last event that was read, or is known to be missing."""
        self.lost_end = 0
        """The highest event number beyond the end of the stream that a recorded fill or request carries; 0 for none."""
        self.changes_by_order: dict[str, list[Change]] = {}
        self.orders_by_symbol: dict[str, set[str]] = {}
        """The orders that events name, by the symbol of the event."""
        self.symbols: set[str] = set()
        """Every symbol that an event names."""
        self.contradicted: set[str] = set()
        """Symbols whose events contradict each other, or the fills and requests that are recorded with orders."""
        self._held: dict[str, list[Held]] = {}
        """By symbol, the position after each of its changes, counted from the first one after a gap."""
        self._stated: dict[str, Held] = {}
        """By symbol, the position that its last change states."""
        self._missing: list[tuple[int, int]] = []
        """Gaps in the events read, each by its first and last number, in order."""
        self._recorded: dict[int, str | None] = {}
        """By the number of an event that an order has recorded, so that it is known even if the stream lost it, the
        symbol whose position it changed; None for one that changed no position."""

    def add_page(self, page: EventPage) -> None:
        """Add the next page of events."""
        self.header, self.header_end = page.header, page.last_sequence
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

    def add_recorded(self, sequence: int, symbol: str | None) -> None:
        """Add a change that is recorded with its order; the symbol of a fill, None for a request."""
        self._recorded[sequence] = symbol

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

    def last_change_of(self, order_id: str, as_of: int) -> Change | None:
        """Return an order's last change up to event ``as_of``; None when no event is kept of any."""
        changes = self.changes_by_order.get(order_id, ())
        return next((change for change in reversed(changes) if change.sequence <= as_of), None)

    def expected_position(self, symbol: str, as_of: int) -> ExpectedPosition | None:
        """Return the position that follows from the events up to ``as_of``; None when no evidence is kept.

        The first event that is kept of a position, or the first after a gap, states all that came before it.
        """
        if self.first == 0 or self.lost_end > as_of:
            return None
        held = next((held for held in reversed(self._held.get(symbol, ())) if held.sequence <= as_of), None)
        gap = self._last_unknown_event(symbol, as_of)
        if held is None and gap == 0:
            held = Held(0, None)
        if held is None or held.sequence < gap:
            return None
        return ExpectedPosition(held.fields(self._keys.trader, symbol), held.version)

    def _last_unknown_event(self, symbol: str, as_of: int) -> int:
        """Return the last missing event up to ``as_of`` that may have changed a position; 0 when there is none."""
        for low, high in reversed(self._missing):
            sequence = min(high, as_of)
            while sequence >= low and self._recorded.get(sequence, symbol) != symbol:
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
            event = self._read_event(event_id, fields)
            stated = read_totals(self._keys.events, event, fields.get("totals"))
        except CorruptRecord as error:
            self._missing.append((sequence, sequence))
            entry = f"{event_id} {error.field}"
            stored = fields.get(error.field)
            self.report.add(FindingKind.CORRUPT, error.key, entry, f"event {error}", stored=stored)
            return
        self.symbols.add(event.symbol)
        if event.order_id is not None:
            self.orders_by_symbol.setdefault(event.symbol, set()).add(event.order_id)
            self.changes_by_order.setdefault(event.order_id, []).append(_change_of(event, stated))
        if stated.position is not None:
            self._add_position(event, stated.position)

    def _add_position(self, event: OrderEvent, stated: Held) -> None:
        """Add the position after an event, and check that its totals go on from those of the event before."""
        held = self._held.setdefault(event.symbol, [])
        before = self._stated.get(event.symbol, Held(0, None))
        self._stated[event.symbol] = stated
        if self._missing and self._missing[-1][1] > before.sequence:
            held.append(stated)
            return
        held.append((held[-1] if held else before).after(event))
        expected = before.after(event).totals
        if stated.totals != expected:
            self.contradicted.add(event.symbol)
            what = (
                f"event {event.sequence:,} says of the position in {event.symbol} {stated.totals!r}, which the events "
                f"before it make {expected!r}: bought, sold, their notionals, and the number of changes"
            )
            key, entry = self._keys.events, str(event.sequence)
            self.report.add(FindingKind.EVENTS, key, entry, what, stored=stated.totals, expected=expected)

    def _read_event(self, event_id: str, fields: Fields) -> OrderEvent:
        """Return the event that an entry of the stream describes. Raises CorruptRecord."""
        sequence, _, rest = event_id.partition("-")
        key = self._keys.events
        if rest != "0":
            raise CorruptRecord(key, "id", f"{event_id!r} is not an id that a book gives")
        event = decode(OrderEvent, key, {**fields, "trader": self._keys.trader, "sequence": sequence})
        for name in _REQUIRED_FIELDS.get(event.type, _REQUIRED_OF_REQUESTS):
            if getattr(event, name) is None:
                raise CorruptRecord(key, name, "is missing")
        return event


def _change_of(event: OrderEvent, stated: Stated) -> Change:
    return Change(
        event.sequence,
        event.type,
        event.symbol,
        event.exec_id or event.request_id,
        event.side,
        event.status,
        event.quantity or 0,
        event.price,
        event.filled_quantity or 0,
        event.last_quantity or 0,
        event.last_price or Decimal(0),
        stated.order_version,
    )

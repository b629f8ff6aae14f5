"""Keep the history of a book by its events: changes in order, gaps, and the positions that follow from them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ...models.enums import EventType
from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from ...models.keys import TraderKeys
from ..changes.event_totals import whole_totals
from .account_events import changes_of_accounts
from .findings import EventPage, Fields, FindingKind, Report
from .limits import LimitsHistory
from .multipliers import Multipliers, StatedMultiplier
from .order_events import Change, Contradiction, change_of, compare_with_itself, compare_with_last, read_event
from .own_history import KnownRecord, OwnChange, OwnHistory, own_change_of
from .position_chain import Link, PositionChain
from .totals import Held, read_totals


class FillRecord(NamedTuple):
    """The quantity and price of a fill, as they are remembered with its order."""

    symbol: str
    quantity: Decimal | int
    price: Decimal


class PositionEvent(NamedTuple):
    """The part of an event of a position without an order that a remembered request is compared with."""

    symbol: str
    request_id: str | None
    quantity: Decimal | int
    change: Decimal | int


@dataclass(frozen=True, slots=True)
class ExpectedPosition:
    """A position as it follows from its events."""

    fields: Fields
    """Its fields, in their written form."""
    changes: int
    """The number of changes that the position has had."""
    link: Link | None
    """Its last event; None when it has had none."""
    is_recorded: bool
    """True when the fill of its last event is remembered with its order, too."""


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
        self.deleted = 0
        """The highest number of an event that was deleted by hand; 0 for none."""
        self.tail: tuple[int, Fields] = (0, {})
        """The number and the fields of the last event that was read."""
        self.first = 0
        """The number of the oldest event that was kept when it was read; 0 without any."""
        self.last = 0
        """The number of the last event that was read, or is known to be missing."""
        self.latest_ns = 0
        """The latest time of the events that were read."""
        self.lost_end = 0
        """The highest event number beyond the end of the stream that a recorded fill or request carries; 0 for none."""
        self.changes_by_order: dict[str, list[Change]] = {}
        self.orders_by_symbol: dict[str, set[str]] = {}
        """The orders that events name, by the symbol of the event."""
        self.symbols: set[str] = set()
        """Every symbol that an event names."""
        self.contradicted: set[str] = set()
        """Symbols whose events contradict each other, or the fills and requests that are recorded with orders."""
        self.doubtful_orders: set[str] = set()
        """Orders whose events contradict each other."""
        self.disputed_orders: set[str] = set()
        """Orders whose sums are not what their events and what was applied to them make."""
        self.position_events: dict[int, PositionEvent] = {}
        """The events of positions without an order, by their numbers."""
        self.own_events: dict[int, str | None] = {}
        """The requests of changes of records of the desk's own, by the numbers of their events."""
        self.own = OwnHistory()
        """The changes of records of the desk's own."""
        self.limits = LimitsHistory()
        """The changes of limits and of the switch of trading."""
        self.multipliers = Multipliers()
        """The multiplier of each position, as events say it."""
        self.accounts: set[tuple[str, str]] = set()
        """Every symbol with an account that has a position in it by what events say."""
        self._chains: dict[tuple[str, str], PositionChain] = {}
        """The events of each position, by its symbol and account, "" for the trader's."""
        self._missing: list[tuple[int, int]] = []
        """Gaps in the events read, each by its first and last number, in order."""
        self._recorded: dict[int, FillRecord | None] = {}
        """By the number of an event that an order remembers, so that it is known even if the stream lost it, the fill;
        None for one that changed no position."""

    def add_page(self, page: EventPage) -> None:
        """Add the next page of events."""
        self.header, self.header_end, self.deleted = page.header, page.last_sequence, page.deleted
        for event_id, fields in page.entries:
            self.cursor = event_id
            sequence = int(event_id.partition("-")[0])
            if sequence > self.last + 1:
                # Trimming goes on while we read: what is missing before the oldest entry was not removed by hand.
                self._add_gap(sequence - 1, trimmed=event_id == page.first_id)
            if self.first == 0 or event_id == page.first_id:
                self.first = sequence
            self.last = max(self.last, sequence)
            if event_id.endswith("-0"):
                self.tail = sequence, fields
            self._add_event(event_id, sequence, fields)

    def end_at(self, last: int) -> None:
        """Count events up to ``last`` as missing: they were appended, but no entries came for them."""
        if last > self.last:
            self._add_gap(last, trimmed=False)
            self.last = last

    def add_recorded(self, sequence: int, fill: FillRecord | None) -> None:
        """Add a change that is remembered with its order: a fill, or None for a request."""
        self._recorded[sequence] = fill

    def is_missing(self, sequence: int) -> bool:
        """Return True when the stream does not have the event."""
        gaps_before = bisect_right(self._missing, (sequence, 1 << 63))
        return gaps_before > 0 and self._missing[gaps_before - 1][1] >= sequence

    def is_complete_since(self, sequence: int, as_of: int) -> bool:
        """Return True when the stream has every event after ``sequence``, up to ``as_of``."""
        return all(high <= sequence or low > as_of for low, high in self._missing)

    def known_since(self, as_of: int) -> int:
        """Return the last number up to ``as_of`` of an event that is missing, 0 when none is."""
        return max((min(high, as_of) for low, high in self._missing if low <= as_of), default=0)

    def is_whole(self, as_of: int) -> bool:
        """Return True when every event up to ``as_of`` is kept, from the very first."""
        return self.last > 0 and self.is_complete_since(0, as_of)

    def changes_of(self, order_id: str, as_of: int) -> list[Change]:
        """Return an order's changes up to event ``as_of``, from when its id was last placed."""
        changes = [change for change in self.changes_by_order.get(order_id, ()) if change.sequence <= as_of]
        placed = [index for index, change in enumerate(changes) if change.is_placing]
        return changes[placed[-1] :] if placed else changes

    def last_change_of(self, order_id: str, as_of: int) -> Change | None:
        """Return an order's last change up to event ``as_of``; None when no event is kept of any."""
        changes = self.changes_by_order.get(order_id, ())
        return next((change for change in reversed(changes) if change.sequence <= as_of), None)

    def expected_position(self, symbol: str, as_of: int, account: str = "") -> ExpectedPosition | None:
        """Return the position that follows from the events up to ``as_of``; None when no evidence is kept.

        The first event that is kept of a position, or the first after a gap, states all that came before it.
        """
        if self.first == 0 or self.lost_end > as_of:
            return None
        chain = self._chains.get((symbol, account))
        link = chain.at(as_of) if chain else None
        held = link.held if link else Held(0, None)
        gap = self._last_unknown_event(symbol, as_of)
        if held.sequence < gap:
            return None
        fields = held.fields(self._keys.trader, symbol)
        if account:
            fields["account"] = account
        if link is not None and (link.approximated or link.is_whole):
            fields["approximated"] = str(link.approximated or "")
        is_recorded = self._recorded.get(held.sequence) is not None
        is_disputed = link is not None and link.order_id in self.disputed_orders | self.doubtful_orders
        return ExpectedPosition(fields, held.version, link, is_recorded=is_recorded and not is_disputed)

    def multiplier_of(self, symbol: str, as_of: int, account: str = "") -> StatedMultiplier | None:
        """Return what the last event up to ``as_of`` says of a position's multiplier; None when it is not known."""
        found = self.multipliers.last(symbol, as_of, account)
        return found if found and self.is_complete_since(found.sequence, as_of) else None

    def known_record(self, kind: str, key: str, as_of: int) -> KnownRecord | None:
        """Return a record of the desk's own as it follows from the events up to ``as_of``; None without evidence."""
        last = self.own.last(kind, key, as_of)
        since = last.sequence if last else 0
        if self.first == 0 or self.lost_end > as_of or not self.is_complete_since(since, as_of):
            return None
        if (kind, key) in self.own.doubtful:
            return None
        found = self.own.content(kind, key, as_of)
        is_known = found is not None and self.is_complete_since(found[0], as_of)
        return KnownRecord(last, found[1] if found and is_known else None)

    def last_request_in(self, symbol: str, account: str = "") -> str | None:
        """Return the request_id of a position's last change, None when that was a fill, or is not known."""
        chain = self._chains.get((symbol, account))
        link = chain.at(self.last) if chain else None
        return link.request_id if link else None

    def last_order_in(self, symbol: str, account: str = "") -> str | None:
        """Return the order whose fill was a position's last change, None when that was no fill, or is not known."""
        chain = self._chains.get((symbol, account))
        link = chain.at(self.last) if chain else None
        return link.order_id if link else None

    def is_by_account(self, symbol: str, sequence: int) -> bool:
        """Return True when what an event adds leads from an account's quantity before to that which it states."""
        chains = (chain for (one, account), chain in self._chains.items() if account and one == symbol)
        links = [link for chain in chains if (link := chain.at(sequence)) and link.stated.sequence == sequence]
        return any(link.carried is not None and link.carried.quantity == link.stated.quantity for link in links)

    def _last_unknown_event(self, symbol: str, as_of: int) -> int:
        """Return the last missing event up to ``as_of`` that may have changed a position; 0 when there is none."""
        for low, high in reversed(self._missing):
            sequence = min(high, as_of)
            while sequence >= low and not self._may_concern(sequence, symbol):
                sequence -= 1
            if sequence >= low:
                return sequence
        return 0

    def _may_concern(self, sequence: int, symbol: str) -> bool:
        if sequence not in self._recorded:
            return True
        fill = self._recorded[sequence]
        return fill is not None and fill.symbol == symbol

    def _add_gap(self, upto: int, *, trimmed: bool) -> None:
        low = self.last + 1
        self._missing.append((low, upto))
        if not trimmed:
            events_are = f"events {low:,} to {upto:,} are" if upto > low else f"event {low:,} is"
            entry = str(low) if upto == low else f"{low}-{upto}"
            self.report.add(FindingKind.EVENTS, self._keys.events, entry, f"{events_are} missing from the stream")

    def _add_event(self, event_id: str, sequence: int, fields: Fields) -> None:
        key = self._keys.events
        try:
            event = read_event(key, self._keys.trader, event_id, fields)
            if event.type.is_of_limits:
                self.limits.add(key, event)
                self.latest_ns = max(self.latest_ns, event.ts_ns)
                return
            if event.type is EventType.LIMIT_REFUSED:  # it has changed nothing
                self.latest_ns = max(self.latest_ns, event.ts_ns)
                return
            stated = read_totals(key, event, whole_totals(fields)) if event.symbol is not None else None
            own = own_change_of(key, event) if stated is None else None
            accounts = changes_of_accounts(key, event, fields)
        except CorruptRecord as error:
            self._missing.append((sequence, sequence))
            entry = f"{event_id} {error.field}"
            stored = fields.get(error.field)
            self.report.add(FindingKind.CORRUPT, error.key, entry, f"event {error}", stored=stored)
            return
        self.latest_ns = max(self.latest_ns, event.ts_ns)
        if own is not None:
            self.own_events[sequence] = event.request_id
            self._add_own(event, own)
            return
        if event.symbol is None or stated is None:
            return  # every event that is not of an own record has a symbol
        self.symbols.add(event.symbol)
        self.multipliers.add(event.symbol, event)
        if event.order_id is not None:
            self.orders_by_symbol.setdefault(event.symbol, set()).add(event.order_id)
            self._add_change(event.order_id, change_of(event, event.symbol, stated))
        elif event.position_quantity is not None and event.position_change is not None:
            self.position_events[sequence] = PositionEvent(
                event.symbol,
                event.request_id,
                event.position_quantity if event.account_quantity is None else event.account_quantity,
                event.position_change,
            )
        if stated.position is not None:
            self._add_position(event, event.symbol, stated.position)
        for one in accounts:
            self.accounts.add((event.symbol, one.account))
            if one.stated is not None:
                self.multipliers.add(event.symbol, one.event, one.account)
                self._add_position(one.event, event.symbol, one.stated, one.account)

    def _add_change(self, order_id: str, change: Change) -> None:
        """Add a change of an order, and compare it with itself and with the one before."""
        changes = self.changes_by_order.setdefault(order_id, [])
        found = compare_with_itself(change)
        if changes and self.is_complete_since(changes[-1].sequence, change.sequence):
            found += compare_with_last(changes[-1], change)
        elif not changes and not change.is_placing and not self._missing:
            found.append(Contradiction("type", change.type, EventType.NEW, "that nothing came before it"))
        changes.append(change)
        if found:
            self.doubtful_orders.add(order_id)
            self._report_contradictions(change.sequence, f"order {order_id}", found)

    def _add_own(self, event: OrderEvent, change: OwnChange) -> None:
        """Add a change of a record of the desk's own, and compare it with the one before."""
        kind, key = event.kind or "", event.key or ""
        before = self.own.last(kind, key, change.sequence)
        is_whole = not self._missing
        is_linked = before is not None and self.is_complete_since(before.sequence, change.sequence)
        found = self.own.add(event, change, is_whole=is_whole, is_linked=is_linked)
        self._report_contradictions(change.sequence, f"{kind} {key}", found)

    def _add_position(self, event: OrderEvent, symbol: str, stated: Held, account: str = "") -> None:
        """Add the position after an event, and check that it goes on from that of the event before."""
        chain = self._chains.setdefault((symbol, account), PositionChain())
        after_gap = bool(self._missing) and self._missing[-1][1] > chain.last_number
        found = chain.add(event, stated, after_gap=after_gap)
        if any(one.field == "totals" for one in found):
            self.contradicted.add(symbol)
        whose = f" of account {account}" if account else ""
        self._report_contradictions(event.sequence, f"the position in {symbol}{whose}", found)

    def _report_contradictions(self, sequence: int, subject: str, found: Iterable[Contradiction]) -> None:
        for one in found:
            says = f"event {sequence:,} says of {subject} that {one.field} is {one.stored}"
            what = f"{says}, {one.by} make it {one.expected}"
            self.report.add(
                FindingKind.EVENTS,
                self._keys.events,
                f"{sequence} {one.field}",
                what,
                stored=one.stored,
                expected=one.expected,
                says={f"event {sequence}": one.stored, one.by: one.expected},
            )

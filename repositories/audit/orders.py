"""Compare one order with its fills, its events and its indexes. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ...models.enums import EventType
from ...models.errors import CorruptRecord
from ...models.keys import TraderKeys
from ...models.order import Order
from ...models.types import EXACT, times
from ...models.wire import decode, text
from ..changes.recorded import RECORDED_EVENTS, RecordedChange, read_recorded, recorded_name
from .findings import Fields, Finding, FindingKind, OrderState, Report, is_valid_name
from .history import Change, History
from .open_quantities import OpenOrder

_CONTRADICTED = frozenset((FindingKind.ORDER, FindingKind.FILL, FindingKind.CORRUPT))
"""Kinds of findings about an order whose fields are no evidence."""


class OrderCheck:
    """The comparison of one order with its evidence.

    The constructor reads the order. It can be compared once the changes that are recorded with all orders of its page
    are in the history.
    """

    def __init__(self, keys: TraderKeys, state: OrderState) -> None:
        self.state = state
        self.order: Order | None = None
        """The order, unless it is gone or cannot be read."""
        self.recorded: list[RecordedChange] = []
        """The recorded fills and requests that can be read."""
        self._keys = keys
        self._key = keys.order(state.order_id)
        self._recorded_key = keys.applied(state.order_id)
        self._report = Report(keys.trader)
        if state.fields:
            self._read()

    def add_to_history(self, history: History) -> None:
        """Add the recorded fills and requests to the history."""
        if self.order is not None:
            for recorded in self.recorded:
                is_fill = recorded.type is EventType.TRADE
                history.add_recorded(recorded.sequence, self.order.symbol if is_fill else None)

    def compare(self, history: History) -> list[Finding]:
        """Return everything that is wrong with the order."""
        if not self.state.fields:
            self._compare_indexes(frozenset())
            self._compare_existence(history)
            if self.state.recorded:
                self._report.add(
                    FindingKind.EXPIRY,
                    self._recorded_key,
                    None,
                    f"order {self.state.order_id} is not there, but what was applied to it is",
                )
        elif self.order is not None:
            symbol = self._keys.symbol(self.order.symbol)
            self._compare_indexes(frozenset((self._keys.statuses[self.order.status], symbol)))
            self._compare_expiries(self.order)
            changes = history.changes_of(self.order.order_id, self.state.as_of)
            self._compare_totals(self._compare_fills(self.order, changes, history))
            self._compare_last_change(self.order, changes, history)
        return self._report.findings

    def open_order(self, history: History, seen_in: Iterable[str]) -> OpenOrder:
        """Return what is open of the order, once it was compared.

        Args:
            history: The events.
            seen_in: The symbols in whose index it was seen.
        """
        state, order = self.state, self.order
        is_sound = all(finding.kind not in _CONTRADICTED for finding in self._report.findings)
        if order is not None:
            quantity = order.quantity - order.filled_quantity if order.status.is_open else 0
            symbols = frozenset((order.symbol,))
            return OpenOrder(state.as_of, symbols, order.side, quantity, is_readable=True, is_sound=is_sound)
        last = history.last_change_of(state.order_id, state.as_of)
        possible = {last.symbol} if last else set[str]()
        if state.fields:
            possible |= {*seen_in, *filter(is_valid_name, (state.fields.get("symbol", ""),))}
        return OpenOrder(state.as_of, frozenset(possible), None, 0, is_readable=not state.fields, is_sound=is_sound)

    def _read(self) -> None:
        state = self.state
        try:
            order = decode(Order, self._key, state.fields)
            for name, expected in (("trader", self._keys.trader), ("order_id", state.order_id)):
                if state.fields[name] != expected:
                    raise CorruptRecord(self._key, name, f"{state.fields[name]!r} is not the one in the key")
        except CorruptRecord as error:
            self._add_corrupt(error, state.fields)
            return
        self.order = order
        for name, value in state.recorded.items():
            try:
                self.recorded.append(read_recorded(self._recorded_key, order, name, value))
            except CorruptRecord as error:
                self._add_corrupt(error, state.recorded)

    def _add_corrupt(self, error: CorruptRecord, fields: Fields) -> None:
        stored = fields.get(error.field)
        self._report.add(FindingKind.CORRUPT, error.key, error.field, str(error), stored=stored)

    def _compare_existence(self, history: History) -> None:
        """Check that an order that is not there was ended: an open one never expires, and cannot be deleted."""
        last = history.last_change_of(self.state.order_id, self.state.as_of)
        if last is not None and last.open_quantity and history.is_complete_since(last.sequence, self.state.as_of):
            what = f"order {self.state.order_id} is not there, but event {last.sequence:,} left it {last.status}"
            self._report.add(FindingKind.ORDER, self._key, None, what, expected=last.status)

    def _compare_indexes(self, belongs_in: frozenset[str]) -> None:
        state = self.state
        if 0 <= state.expiry <= state.now_ms:
            return  # it has expired, though the server still has it: its entries may go a moment before it does
        expected_score = "inf" if state.expiry == -1 else str(state.expiry)
        for index in sorted(belongs_in | state.scores.keys()):
            stored = state.scores.get(index)
            expected = expected_score if index in belongs_in else None
            if stored == expected:
                continue
            # An entry that has expired is ignored, and is removed when the index is next written.
            if expected is None and stored is not None and float(stored) <= state.now_ms:
                continue
            name = index.removeprefix(self._keys.base)
            if expected is None:
                what = f"lists order {state.order_id}, which {'is not in it' if state.fields else 'is not there'}"
            elif stored is None:
                what = f"does not list order {state.order_id}"
            else:
                what = f"lists order {state.order_id} until {stored}, but it lives until {expected}"
            self._report.add(
                FindingKind.INDEX,
                index,
                state.order_id,
                f"{name} {what}",
                stored=stored,
                expected=expected,
                repairable=True,
            )

    def _compare_expiries(self, order: Order) -> None:
        state = self.state
        if not order.status.is_open and state.expiry == -1:
            what = f"order {order.order_id} is {order.status}, but never expires"
            self._report.add(FindingKind.EXPIRY, self._key, None, what, stored="-1")
        if state.recorded and state.recorded_expiry != state.expiry:
            what = f"what was applied to order {order.order_id} expires at another time than the order"
            stored, expected = str(state.recorded_expiry), str(state.expiry)
            self._report.add(FindingKind.EXPIRY, self._recorded_key, None, what, stored=stored, expected=expected)

    def _compare_fills(self, order: Order, changes: Sequence[Change], history: History) -> list[tuple[int, Decimal]]:
        """Compare what is recorded with the events; return quantity and price of every fill that either has."""
        before = len(self._report.findings)
        events = self._fill_events(changes, history)
        for recorded in self.recorded:
            event = events.pop((recorded.type, recorded.identity), None)
            if event is None:
                self._compare_without_event(recorded, history)
            elif (event.sequence, event.last_quantity, event.last_price) != (
                recorded.sequence,
                recorded.quantity,
                recorded.price,
            ):
                expected, stored = f"in event {event.sequence}", f"in event {recorded.sequence}"
                if event.type is EventType.TRADE:
                    expected = f"{event.last_quantity} at {text(event.last_price)} {expected}"
                    stored = f"{recorded.quantity} at {text(recorded.price)} {stored}"
                what = f"is recorded as {stored}, and was {expected}"
                self._add_fill(recorded.type, recorded.identity, what, stored=stored, expected=expected)
        # Before a missing event, the id may have been another order's.
        unrecorded = {
            key: event for key, event in events.items() if history.is_complete_since(event.sequence, self.state.as_of)
        }
        unreadable = self.state.recorded.keys() - {
            recorded_name(recorded.type, recorded.identity) for recorded in self.recorded
        }
        for (kind, identity), event in unrecorded.items():
            if recorded_name(kind, identity) not in unreadable:
                what = f"is event {event.sequence:,}, but not recorded with the order"
                self._add_fill(kind, identity, what, expected=str(event.sequence))
        if len(self._report.findings) > before:
            history.contradicted.add(order.symbol)
        fills = [(recorded.quantity, recorded.price) for recorded in self.recorded if recorded.type is EventType.TRADE]
        fills += [
            (event.last_quantity, event.last_price) for event in unrecorded.values() if event.type is EventType.TRADE
        ]
        return fills

    def _fill_events(self, changes: Sequence[Change], history: History) -> dict[tuple[EventType, str | None], Change]:
        """Return the events of fills and requests by their identities; one that occurs twice is a difference."""
        events: dict[tuple[EventType, str | None], Change] = {}
        for change in changes:
            if change.type not in RECORDED_EVENTS:
                continue
            first = events.get((change.type, change.identity))
            if first is not None and history.is_complete_since(first.sequence, change.sequence):
                what = f"is in the events twice, as {first.sequence:,} and {change.sequence:,}"
                self._add_fill(change.type, change.identity, what, stored=str(change.sequence))
            else:
                events[change.type, change.identity] = change
        return events

    def _compare_without_event(self, recorded: RecordedChange, history: History) -> None:
        """Check that the event of a recorded change is missing, and that its number is not another event's."""
        if recorded.sequence > self.state.as_of:
            history.lost_end = max(history.lost_end, recorded.sequence)
        elif not history.is_missing(recorded.sequence):
            what = f"is recorded as event {recorded.sequence:,}, which is another"
            self._add_fill(recorded.type, recorded.identity, what, stored=str(recorded.sequence))

    def _add_fill(
        self,
        kind: EventType,
        identity: str | None,
        what: str,
        *,
        stored: str | None = None,
        expected: str | None = None,
    ) -> None:
        what = f"{recorded_name(kind, identity).replace(':', ' ', 1)} of order {self.state.order_id} {what}"
        self._report.add(
            FindingKind.FILL, self._recorded_key, recorded_name(kind, identity), what, stored=stored, expected=expected
        )

    def _compare_totals(self, fills: Sequence[tuple[int, Decimal]]) -> None:
        if len(self.recorded) < len(self.state.recorded):
            return  # one that cannot be read may be a fill whose event is no longer kept
        notional = Decimal(0)
        for quantity, price in fills:
            notional = EXACT.add(notional, times(quantity, price))
        self._compare_field("filled_quantity", sum(quantity for quantity, _ in fills), "its fills make")
        self._compare_field("filled_notional", notional, "its fills make")

    def _compare_last_change(self, order: Order, changes: Sequence[Change], history: History) -> None:
        if changes and history.is_complete_since(changes[-1].sequence, self.state.as_of):
            for name in ("symbol", "side", "status", "quantity", "price", "version"):
                self._compare_field(name, getattr(changes[-1], name), f"event {changes[-1].sequence:,} left")

    def _compare_field(self, name: str, expected: Decimal | int | str | None, evidence: str) -> None:
        stored = self.state.fields.get(name)
        expected_text = None if expected is None else text(expected)
        if stored != expected_text:
            what = f"order {self.state.order_id}: {name} is {stored}, {evidence} {expected_text}"
            self._report.add(FindingKind.ORDER, self._key, name, what, stored=stored, expected=expected_text)

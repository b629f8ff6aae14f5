"""One order against its fills, its events and its indexes. No I/O and no colour."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...models.enums import EventType, OrderStatus
from ...models.errors import CorruptRecord
from ...models.keys import TraderKeys
from ...models.order import Order
from ...models.types import EXACT, times
from ...models.wire import decode, text
from ..changes.recorded import RECORDED_EVENTS, RecordedChange, read_recorded, recorded_name
from .findings import Differences, Fields, Finding, FindingKind, SeenOrder
from .history import Change, History


class OrderCheck:
    """One order, read; then compared, once the history knows what all orders have recorded."""

    def __init__(self, keys: TraderKeys, seen: SeenOrder) -> None:
        self.seen = seen
        self.order: Order | None = None
        self.applied: list[RecordedChange] = []
        self._keys = keys
        self._key = keys.order(seen.order_id)
        self._applied_key = keys.applied(seen.order_id)
        self._differences = Differences(keys.trader)
        if seen.fields:
            self._read()

    def testify(self, history: History) -> None:
        """Tell the history what was applied to this order, and when."""
        if self.order is not None:
            for one in self.applied:
                history.record(one.sequence, self.order.symbol, one.held)

    def compare(self, history: History) -> list[Finding]:
        """Everything that is wrong with the order."""
        if not self.seen.fields:
            self._compare_indexes(frozenset())
            if self.seen.applied:
                self._differences.add(
                    FindingKind.EXPIRY,
                    self._applied_key,
                    None,
                    f"order {self.seen.order_id} is not there, but what was applied to it is",
                )
        elif self.order is not None:
            symbol = self._keys.symbol(self.order.symbol)
            self._compare_indexes(frozenset((self._keys.statuses[self.order.status], symbol)))
            self._compare_expiries(self.order)
            changes = history.changes_of(self.order.order_id, self.seen.moment)
            self._compare_totals(self._compare_fills(self.order, changes, history))
            self._compare_last_change(self.order, changes, history)
        return self._differences.found

    def _read(self) -> None:
        seen = self.seen
        try:
            order = decode(Order, self._key, seen.fields)
            for name, expected in (("trader", self._keys.trader), ("order_id", seen.order_id)):
                if seen.fields[name] != expected:
                    raise CorruptRecord(self._key, name, f"{seen.fields[name]!r} is not the one in the key")
        except CorruptRecord as error:
            self._corrupt(error, seen.fields)
            return
        self.order = order
        for name, value in seen.applied.items():
            try:
                self.applied.append(read_recorded(self._applied_key, order, name, value))
            except CorruptRecord as error:
                self._corrupt(error, seen.applied)

    def _corrupt(self, error: CorruptRecord, fields: Fields) -> None:
        stored = fields.get(error.field)
        self._differences.add(FindingKind.CORRUPT, error.key, error.field, str(error), stored=stored)

    def _compare_indexes(self, right: frozenset[str]) -> None:
        seen = self.seen
        if 0 <= seen.expiry <= seen.now:
            return  # its time has come: its entries may go a moment before it does
        should = "inf" if seen.expiry == -1 else str(seen.expiry)
        for index in sorted(right | seen.scores.keys()):
            stored = seen.scores.get(index)
            expected = should if index in right else None
            if stored == expected:
                continue
            # An entry whose time has come counts for nothing, and goes when the index is next written.
            if expected is None and stored is not None and float(stored) <= seen.now:
                continue
            name = index.removeprefix(self._keys.base)
            if expected is None:
                what = f"lists order {seen.order_id}, which {'is not in it' if seen.fields else 'is not there'}"
            elif stored is None:
                what = f"does not list order {seen.order_id}"
            else:
                what = f"lists order {seen.order_id} until {stored}, but it lives until {expected}"
            self._differences.add(
                FindingKind.INDEX,
                index,
                seen.order_id,
                f"{name} {what}",
                stored=stored,
                expected=expected,
                repairable=True,
            )

    def _compare_expiries(self, order: Order) -> None:
        seen = self.seen
        if not order.status.is_open and seen.expiry == -1:
            what = f"order {order.order_id} is {order.status}, but never expires"
            self._differences.add(FindingKind.EXPIRY, self._key, None, what, stored="-1")
        if seen.applied and seen.applied_expiry != seen.expiry:
            what = f"what was applied to order {order.order_id} expires at another time than the order"
            stored, expected = str(seen.applied_expiry), str(seen.expiry)
            self._differences.add(FindingKind.EXPIRY, self._applied_key, None, what, stored=stored, expected=expected)

    def _compare_fills(self, order: Order, changes: Sequence[Change], history: History) -> list[tuple[int, Decimal]]:
        """Compare what is recorded with the events; returns quantity and price of every fill that either knows."""
        before = len(self._differences.found)
        told = self._told(changes, history)
        for one in self.applied:
            event = told.pop((one.type, one.identity), None)
            if event is None:
                self._compare_untold(one, history)
            elif (event.sequence, event.last_quantity, event.last_price) != (one.sequence, one.quantity, one.price):
                expected = f"{event.last_quantity} at {text(event.last_price)} in event {event.sequence}"
                stored = f"{one.quantity} at {text(one.price)} in event {one.sequence}"
                what = f"is recorded as {stored}, and was {expected}"
                self._fill(one.type, one.identity, what, stored=stored, expected=expected)
        # Before a missing event, the id may have been another order's.
        told = {key: event for key, event in told.items() if history.is_whole_since(event.sequence, self.seen.moment)}
        unreadable = self.seen.applied.keys() - {recorded_name(one.type, one.identity) for one in self.applied}
        for (kind, identity), event in told.items():
            if recorded_name(kind, identity) not in unreadable:
                what = f"is event {event.sequence:,}, but not recorded with the order"
                self._fill(kind, identity, what, expected=str(event.sequence))
        if len(self._differences.found) > before:
            history.doubtful.add(order.symbol)
        fills = [(one.quantity, one.price) for one in self.applied if one.type is EventType.TRADE]
        fills += [(event.last_quantity, event.last_price) for event in told.values() if event.type is EventType.TRADE]
        return fills

    def _told(self, changes: Sequence[Change], history: History) -> dict[tuple[EventType, str | None], Change]:
        """The fills and replaces that the events tell of; one that is told twice is a difference."""
        told: dict[tuple[EventType, str | None], Change] = {}
        for change in changes:
            if change.type not in RECORDED_EVENTS:
                continue
            first = told.get((change.type, change.identity))
            if first is not None and history.is_whole_since(first.sequence, change.sequence):
                what = f"is in the events twice, as {first.sequence:,} and {change.sequence:,}"
                self._fill(change.type, change.identity, what, stored=str(change.sequence))
            else:
                told[change.type, change.identity] = change
        return told

    def _compare_untold(self, one: RecordedChange, history: History) -> None:
        if one.sequence > self.seen.moment:
            history.beyond = max(history.beyond, one.sequence)
        elif not history.is_missing(one.sequence):
            what = f"is recorded as event {one.sequence:,}, which is another"
            self._fill(one.type, one.identity, what, stored=str(one.sequence))

    def _fill(
        self,
        kind: EventType,
        identity: str | None,
        what: str,
        *,
        stored: str | None = None,
        expected: str | None = None,
    ) -> None:
        what = f"{recorded_name(kind, identity).replace(':', ' ', 1)} of order {self.seen.order_id} {what}"
        self._differences.add(
            FindingKind.FILL, self._applied_key, recorded_name(kind, identity), what, stored=stored, expected=expected
        )

    def _compare_totals(self, fills: Sequence[tuple[int, Decimal]]) -> None:
        if len(self.applied) < len(self.seen.applied):
            return  # one that cannot be read may be a fill that no event tells of any more
        notional = Decimal(0)
        for quantity, price in fills:
            notional = EXACT.add(notional, times(quantity, price))
        self._compare_field("filled_quantity", sum(quantity for quantity, _ in fills), "its fills make")
        self._compare_field("filled_notional", notional, "its fills make")

    def _compare_last_change(self, order: Order, changes: Sequence[Change], history: History) -> None:
        if changes and history.is_whole_since(changes[-1].sequence, self.seen.moment):
            for name in ("status", "quantity", "price"):
                self._compare_field(name, getattr(changes[-1], name), f"event {changes[-1].sequence:,} left")

    def _compare_field(self, name: str, expected: Decimal | int | OrderStatus | None, evidence: str) -> None:
        stored = self.seen.fields.get(name)
        should = None if expected is None else text(expected)
        if stored != should:
            what = f"order {self.seen.order_id}: {name} is {stored}, {evidence} {should}"
            self._differences.add(FindingKind.ORDER, self._key, name, what, stored=stored, expected=should)

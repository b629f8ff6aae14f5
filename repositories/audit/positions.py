"""Compare one position with its events and with its orders. Nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...models.errors import CorruptRecord
from ...models.keys import TraderKeys
from ...models.numbers import PLACES, TOTAL_DIGITS
from ...models.position import Position
from ...models.wire import codec, decode
from ..changes.stored_limits import BESIDE
from . import multipliers
from .findings import Fields, Finding, FindingKind, PositionState, Report, is_valid_name
from .history import History
from .limits import limits_beside
from .open_quantities import FIELDS, OpenQuantity
from .position_proof import PositionProof

_WHOLE = f"[1-9][0-9]{{0,{TOTAL_DIGITS - 1}}}"
_OPEN_QUANTITY = re.compile(rf"0|{_WHOLE}|(?:0|{_WHOLE})\.[0-9]{{0,{PLACES - 1}}}[1-9]", re.ASCII).fullmatch
_KNOWN = codec(Position).names | {"approximated"}


class PositionCheck:
    """The comparison of one position with what follows from its events, and from the orders in its symbol.

    ``orders`` is what is open of the orders; None when they changed each time that they were read. Of an account's
    position, which does not have that, it says whether there are orders.
    """

    def __init__(self, keys: TraderKeys, state: PositionState, history: History, orders: OpenQuantity | None) -> None:
        self.state = state
        self._keys, self._history = keys, history
        self._key, self._listing = keys.position(state.symbol), keys.positions
        self._name, self._label = state.symbol, state.symbol
        self._open_fields = FIELDS
        """The fields that say what is open of orders."""
        if state.listed_as:
            self._listing, self._name, self._open_fields = keys.account_positions, state.listed_as, ()
            self._key = f"{keys.base}account_position:{state.listed_as}"
            self._label = f"{state.symbol} of account {state.account}"
        self._is_named = is_valid_name(state.symbol)
        self.expected = history.expected_position(state.symbol, state.as_of, state.account) if self._is_named else None
        """The position that follows from the events, None without evidence."""
        self._orders = orders or OpenQuantity(
            {},
            {},
            has_orders=False,
            unknown="its orders changed each time they were read, so what is open was not compared",
        )
        is_known = self._orders.has_orders or self._orders.unknown is not None
        is_named = all(state.fields.get(name) == value for name, value in self._names().items())
        is_known |= self.expected.changes > 0 if self.expected else (state.is_listed and is_named)
        self._stranger = None if is_known else "no event and no order made it"
        """The reason for which nothing is repaired of a position that should not be there at all."""
        self._proof = PositionProof(state, self.expected, history)
        self._multiplier = None
        if self.expected is not None:
            self._multiplier = history.multiplier_of(state.symbol, state.as_of, state.account)
        self._report = Report(keys.trader)

    def changes(self) -> Fields:
        """Return the fields that a repair writes; an empty value clears the field."""
        if self._stranger:
            return {}
        events = self._fields_by_events()
        written = {name: value for name, value in events.items() if not self._obstacle(name, events)}
        if not self._has_right_limits(Report(self._keys.trader)):
            written[BESIDE] = ""
        return written if self._orders.obstacle else {**written, **self._orders.fields}

    def compare(self) -> list[Finding]:
        """Return everything that is wrong with the position."""
        state, expected = self.state, self.expected
        if not self._is_named:
            if state.is_listed:
                what = f"{self._name!r} is listed, but no book takes it for a symbol"
                self._add_listing(what, stored=self._name, expected=None, repairable=not state.fields)
        elif state.fields:
            differing = self._compare_events() | self._compare_orders()
            self._compare_form(differing)
            self._has_right_limits(self._report)
            if not state.is_listed:
                what = f"{self._label} has a position, but is not listed"
                is_proven = self._orders.has_orders or (expected is not None and expected.changes > 0)
                self._add_listing(what, stored=None, expected=self._name, repairable=is_proven)
            self._add_unchecked()
        elif expected is not None and not expected.changes and not self._orders.has_orders:
            if state.is_listed:
                what = f"{self._label} is listed, but has no position and never had one"
                self._add_listing(what, stored=self._name, expected=None, repairable=not self._orders.unknown)
        elif state.is_listed or expected is not None or self._orders.has_orders:
            self._add_missing()
        return self._report.findings

    def _has_right_limits(self, report: Report) -> bool:
        """Return True when the limits of the symbol that lie beside the position are right; else add a finding."""
        stored, as_of = self.state.fields.get(BESIDE), self.state.as_of
        if stored is None or self.state.listed_as:
            return True
        span = self._history.known_since(as_of), as_of
        return limits_beside(self._key, stored, self.state.symbol, self._history.limits, span, report)

    def _names(self) -> Fields:
        """Return the fields that the key of the position says, too."""
        names = {"trader": self._keys.trader, "symbol": self.state.symbol}
        return {**names, "account": self.state.account} if self.state.account else names

    def _fields_by_events(self) -> Fields:
        """Return the fields as the events make them; an empty value for one that should not be there."""
        if self.expected is None:
            return self._names() if self.state.fields else {}
        fields = self.expected.fields
        if "approximated" not in self.state.fields and not fields.get("approximated"):
            fields = {name: value for name, value in fields.items() if name != "approximated"}
        cleared = (codec(Position).names - fields.keys() - {"multiplier"}) & self.state.fields.keys()
        found = {**dict.fromkeys(sorted(cleared), ""), **fields}
        if self._multiplier is not None and multipliers.differing(self.state.fields, self._multiplier):
            found["multiplier"] = self._multiplier.value
        return found

    def _obstacle(self, name: str, events: Fields) -> str | None:
        """Return why a field cannot be repaired; None when it can be."""
        if name == "multiplier" and self._multiplier is not None:
            return multipliers.obstacle(self.state.fields, self._multiplier)
        return self._proof.obstacle(name, events)

    def _compare_events(self) -> set[str]:
        """Compare the fields that events make; return the names of those that differ."""
        events, stored_fields = self._fields_by_events(), self.state.fields
        differing = {name for name in events if stored_fields.get(name) != (events[name] or None)}
        for name in sorted(differing):
            stored, expected = stored_fields.get(name), events[name] or None
            what = f"{self._label}: {name} is {stored}, its events make it {expected}"
            says = self._proof.says(name, stored, expected)
            if name == "multiplier" and self._multiplier is not None:
                says = {"position": stored, f"event {self._multiplier.sequence}": expected}
            self._add_position(name, what, stored, expected, self._obstacle(name, events), says)
        return differing

    def _compare_orders(self) -> set[str]:
        """Compare what is open of the orders; return the names of the fields that differ."""
        orders, differing = self._orders, set[str]()
        for name in sorted(orders.fields):
            stored, expected = self.state.fields.get(name), orders.fields[name]
            if stored == expected or (orders.obstacle and stored == orders.by_events[name]):
                continue
            differing.add(name)
            what = f"{self._label}: {name} is {stored}, its orders make it {expected}"
            says = {"position": stored, "orders": expected, "events": orders.by_events[name]}
            self._add_position(name, what, stored, expected, orders.obstacle, says)
        return differing

    def _compare_form(self, differing: set[str]) -> None:
        """Check that fields for which there is no evidence can at least be read, and that there are no others."""
        known = {**self._fields_by_events(), **self._orders.fields}
        corrected = {name: value for name, value in self.state.fields.items() if name not in differing}
        corrected |= {name: value for name, value in known.items() if name in differing and value}
        try:
            decode(Position, self._key, corrected)
            for name in self._open_fields:
                if name not in corrected:
                    raise CorruptRecord(self._key, name, "is missing")
                if not _OPEN_QUANTITY(corrected[name]):
                    raise CorruptRecord(self._key, name, f"{corrected[name][:80]!r} is not a quantity")
            beside = set[str]() if self.state.listed_as else {BESIDE}
            for name in sorted(corrected.keys() - _KNOWN - {*self._open_fields} - beside):
                raise CorruptRecord(self._key, name, "is not a field of a position")
        except CorruptRecord as error:
            stored = self.state.fields.get(error.field)
            self._report.add(FindingKind.CORRUPT, error.key, error.field, str(error), stored=stored)

    def _add_missing(self) -> None:
        symbol, expected, unknown = self._label, self.expected, self._orders.unknown
        if expected is not None:
            quantity, events = expected.fields["quantity"], self._fields_by_events()
            what = f"{symbol}: there is no position, its events make it {quantity}"
            obstacles = [self._obstacle(name, events) for name in events]
            obstacle = next(filter(None, obstacles), None) or self._orders.obstacle or unknown
            self._add_position(None, what, None, quantity, obstacle, self._proof.says("quantity", None, quantity))
            return
        what = f"{symbol}: there is no position, and its events do not reach back far enough to make it again"
        self._report.add(FindingKind.POSITION, self._key, None, what, says={"position": None})

    def _add_position(
        self,
        entry: str | None,
        what: str,
        stored: str | None,
        expected: str | None,
        obstacle: str | None,
        says: Mapping[str, str | None],
    ) -> None:
        self._report.add(
            FindingKind.POSITION,
            self._key,
            entry,
            what if (obstacle := self._stranger or obstacle) is None else f"{what}; not to be repaired: {obstacle}",
            stored=stored,
            expected=expected,
            repairable=obstacle is None,
            says=says,
        )

    def _add_listing(self, what: str, *, stored: str | None, expected: str | None, repairable: bool) -> None:
        self._report.add(
            FindingKind.LISTING,
            self._listing,
            self._name,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
            says={"positions": stored, "position": "is there" if self.state.fields else None},
        )

    def _add_unchecked(self) -> None:
        symbol = self._label
        if self.expected is None:
            what = f"{symbol}: no event that is kept proves its position, which was not compared"
            self._report.add(FindingKind.UNCHECKED, self._key, None, what)
        elif self.expected.link is not None and self.expected.link.unproven:
            number = self.expected.link.unproven
            what = (
                f"{symbol}: the events that event {number:,} has folded its cost from are no longer kept, so what it "
            )
            self._report.add(FindingKind.UNCHECKED, self._key, None, what + "states of the cost was not compared")
        if self._orders.unknown:
            self._report.add(FindingKind.UNCHECKED, self._key, None, f"{symbol}: {self._orders.unknown}")


def unchecked_past(keys: TraderKeys, history: History, *, gone: int, own_gone: int, is_empty: bool) -> list[Finding]:
    """Return what could not be compared because the events or records of a book are no longer kept.

    ``gone`` is the number of orders that have events but are no longer stored, ``own_gone`` that of such records of the
    desk's own; ``is_empty`` means that nothing is stored of the trader.
    """
    report = Report(keys.trader)
    if is_empty:
        report.add(FindingKind.UNCHECKED, keys.base, None, "nothing is stored of this trader")
    if history.first > 1:
        what = f"events before {history.first:,} are no longer kept: what happened before was not compared"
        report.add(FindingKind.UNCHECKED, keys.events, None, what)
    if gone:
        what = (
            f"{gone:,} order{'s' if gone > 1 else ''} that the events name expired or {'were' if gone > 1 else 'was'} "
            "deleted: what was recorded of the fills is gone with them"
        )
        report.add(FindingKind.UNCHECKED, keys.base + "order", None, what)
    if own_gone:
        what = f"{own_gone:,} own record{'s' if own_gone > 1 else ''} that the events name expired or "
        what += f"{'were' if own_gone > 1 else 'was'} deleted by hand: nothing else says which"
        report.add(FindingKind.UNCHECKED, keys.base, None, what)
    return report.findings

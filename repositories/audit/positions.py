"""Compare one position with the fold of its events. Nothing here does I/O."""

from __future__ import annotations

import re

from ...models.errors import CorruptRecord
from ...models.keys import TraderKeys
from ...models.position import Position
from ...models.wire import codec, decode
from .findings import Fields, Finding, FindingKind, PositionState, Report, is_valid_name
from .history import History

_COUNT = re.compile(r"[0-9]{1,16}", re.ASCII).fullmatch


class PositionCheck:
    """The comparison of one position with what follows from its events."""

    def __init__(self, keys: TraderKeys, state: PositionState, history: History) -> None:
        self.state = state
        self.expected = history.expected_position(state.symbol, state.as_of) if is_valid_name(state.symbol) else None
        """The position that follows from the events, None without evidence."""
        self._keys = keys
        self._key = keys.position(state.symbol)
        self._obstacle = self._find_obstacle(history)
        """The reason for which the position cannot be repaired; None when it can."""
        self._report = Report(keys.trader)

    def changes(self) -> Fields:
        """Return the fields that a repair writes; an empty value clears the field."""
        expected = self.expected
        if expected is None:
            return {}
        cleared = codec(Position).names - expected.fields.keys() if expected.is_complete else frozenset[str]()
        return {**dict.fromkeys(sorted(cleared & self.state.fields.keys()), ""), **expected.fields}

    def compare(self) -> list[Finding]:
        """Return everything that is wrong with the position."""
        state, expected = self.state, self.expected
        if not is_valid_name(state.symbol):
            if state.is_listed:
                what = f"{state.symbol!r} is listed, but no book takes it for a symbol"
                self._add_listing(what, stored=state.symbol, expected=None, repairable=not state.fields)
        elif state.fields:
            differing = self._compare_fields()
            self._compare_form(differing)
            if not state.is_listed:
                what = f"{state.symbol} has a position, but is not listed"
                self._add_listing(what, stored=None, expected=state.symbol, repairable=True)
            if expected is None or not expected.is_complete:
                self._add_unchecked()
        elif expected is not None and expected.is_complete and not expected.changes:
            if state.is_listed:
                what = f"{state.symbol} is listed, but has no position and never had one"
                self._add_listing(what, stored=state.symbol, expected=None, repairable=True)
        elif state.is_listed or expected is not None:
            self._add_missing()
        return self._report.findings

    def _find_obstacle(self, history: History) -> str | None:
        """Return why the events cannot be trusted more than what is stored; None when they can."""
        state, expected = self.state, self.expected
        if state.symbol in history.contradicted:
            return "its events and the fills of its orders contradict each other"
        version = state.fields.get("version", "")
        if expected is not None and expected.is_complete and _COUNT(version) and int(version) > expected.changes:
            return f"it has had {int(version):,} changes and the events show {expected.changes:,}, so some were lost"
        return None

    def _compare_fields(self) -> set[str]:
        """Compare the fields that follow from events; return the names of those that differ."""
        differing: set[str] = set()
        changes = self.changes()
        for name in sorted(changes):
            stored, expected = self.state.fields.get(name), changes[name] or None
            if stored != expected:
                differing.add(name)
                what = f"{self.state.symbol}: {name} is {stored}, its events make it {expected}"
                self._add_position(name, what, stored, expected)
        return differing

    def _compare_form(self, differing: set[str]) -> None:
        """Check that fields for which there is no evidence can at least be read."""
        corrected = {name: value for name, value in self.state.fields.items() if name not in differing}
        corrected |= {name: value for name, value in self.changes().items() if name in differing and value}
        try:
            decode(Position, self._key, corrected)
        except CorruptRecord as error:
            stored = self.state.fields.get(error.field)
            self._report.add(FindingKind.CORRUPT, error.key, error.field, str(error), stored=stored)

    def _add_missing(self) -> None:
        symbol, expected = self.state.symbol, self.expected
        if expected is not None and expected.is_complete:
            quantity = expected.fields["quantity"]
            self._add_position(None, f"{symbol}: there is no position, its events make it {quantity}", None, quantity)
            return
        self._report.add(
            FindingKind.POSITION,
            self._key,
            None,
            f"{symbol}: there is no position, and its events do not reach back far enough to make it again",
            expected=None if expected is None else expected.fields["quantity"],
        )

    def _add_position(self, entry: str | None, what: str, stored: str | None, expected: str | None) -> None:
        self._report.add(
            FindingKind.POSITION,
            self._key,
            entry,
            what if self._obstacle is None else f"{what}; not to be repaired: {self._obstacle}",
            stored=stored,
            expected=expected,
            repairable=self._obstacle is None,
        )

    def _add_listing(self, what: str, *, stored: str | None, expected: str | None, repairable: bool) -> None:
        self._report.add(
            FindingKind.LISTING,
            self._keys.positions,
            self.state.symbol,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
        )

    def _add_unchecked(self) -> None:
        expected, symbol = self.expected, self.state.symbol
        if expected is None:
            what = f"{symbol}: no event that is kept is about its position, which was not compared"
        else:
            what = (
                f"{symbol}: events before {expected.since:,} are trimmed or missing, so what was bought and sold then "
                "could not be checked; only the quantity was"
            )
        self._report.add(FindingKind.UNCHECKED, self._key, None, what)


def unchecked_past(keys: TraderKeys, history: History, *, gone: int, is_empty: bool) -> list[Finding]:
    """Return what could not be compared because the events or orders of a book are no longer kept.

    ``gone`` is the number of orders that have events but are no longer stored; ``is_empty`` means that nothing is
    stored of the trader.
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
    return report.findings

"""One position against the fold of its events. No I/O and no colour."""

from __future__ import annotations

import re

from ...models.errors import CorruptRecord
from ...models.keys import TraderKeys
from ...models.position import Position
from ...models.wire import codec, decode
from .findings import Differences, Fields, Finding, FindingKind, SeenPosition, is_name
from .history import History

_COUNT = re.compile(r"[0-9]{1,16}", re.ASCII).fullmatch


class PositionCheck:
    """One position and what its events make of it."""

    def __init__(self, keys: TraderKeys, seen: SeenPosition, history: History) -> None:
        self.seen = seen
        self.expected = history.position(seen.symbol, seen.moment) if is_name(seen.symbol) else None
        self._keys = keys
        self._key = keys.position(seen.symbol)
        self._why_not = self._reason_against_repair(history)
        self._differences = Differences(keys.trader)

    def wanted(self) -> Fields:
        """The fields that a repair writes, '' for one to clear."""
        expected = self.expected
        if expected is None:
            return {}
        cleared = codec(Position).names - expected.fields.keys() if expected.is_whole else frozenset[str]()
        return {**dict.fromkeys(sorted(cleared & self.seen.fields.keys()), ""), **expected.fields}

    def compare(self) -> list[Finding]:
        """Everything that is wrong with the position."""
        seen, expected = self.seen, self.expected
        if not is_name(seen.symbol):
            if seen.listed:
                what = f"{seen.symbol!r} is listed, but no book takes it for a symbol"
                self._listing(what, stored=seen.symbol, expected=None, repairable=not seen.fields)
        elif seen.fields:
            differing = self._compare_fields()
            self._compare_form(differing)
            if not seen.listed:
                what = f"{seen.symbol} has a position, but is not listed"
                self._listing(what, stored=None, expected=seen.symbol, repairable=True)
            if expected is None or not expected.is_whole:
                self._unchecked()
        elif expected is not None and expected.is_whole and not expected.changes:
            if seen.listed:
                what = f"{seen.symbol} is listed, but has no position and never had one"
                self._listing(what, stored=seen.symbol, expected=None, repairable=True)
        elif seen.listed or expected is not None:
            self._missing()
        return self._differences.found

    def _reason_against_repair(self, history: History) -> str | None:
        """Why the events cannot be trusted more than what is stored."""
        seen, expected = self.seen, self.expected
        if seen.symbol in history.doubtful:
            return "its events and the fills of its orders contradict each other"
        version = seen.fields.get("version", "")
        if expected is not None and expected.is_whole and _COUNT(version) and int(version) > expected.changes:
            return f"it has had {int(version):,} changes and the events tell of {expected.changes:,}, so some were lost"
        return None

    def _compare_fields(self) -> set[str]:
        differing: set[str] = set()
        wanted = self.wanted()
        for name in sorted(wanted):
            stored, should = self.seen.fields.get(name), wanted[name] or None
            if stored != should:
                differing.add(name)
                what = f"{self.seen.symbol}: {name} is {stored}, its events make it {should}"
                self._position(name, what, stored, should)
        return differing

    def _compare_form(self, differing: set[str]) -> None:
        """A field that no event tells of must at least be readable."""
        told = {name: value for name, value in self.seen.fields.items() if name not in differing}
        told |= {name: value for name, value in self.wanted().items() if name in differing and value}
        try:
            decode(Position, self._key, told)
        except CorruptRecord as error:
            stored = self.seen.fields.get(error.field)
            self._differences.add(FindingKind.CORRUPT, error.key, error.field, str(error), stored=stored)

    def _missing(self) -> None:
        symbol, expected = self.seen.symbol, self.expected
        if expected is not None and expected.is_whole:
            quantity = expected.fields["quantity"]
            self._position(None, f"{symbol}: there is no position, its events make it {quantity}", None, quantity)
            return
        self._differences.add(
            FindingKind.POSITION,
            self._key,
            None,
            f"{symbol}: there is no position, and its events do not reach back far enough to make it again",
            expected=None if expected is None else expected.fields["quantity"],
        )

    def _position(self, entry: str | None, what: str, stored: str | None, expected: str | None) -> None:
        self._differences.add(
            FindingKind.POSITION,
            self._key,
            entry,
            what if self._why_not is None else f"{what}; not to be repaired: {self._why_not}",
            stored=stored,
            expected=expected,
            repairable=self._why_not is None,
        )

    def _listing(self, what: str, *, stored: str | None, expected: str | None, repairable: bool) -> None:
        self._differences.add(
            FindingKind.LISTING,
            self._keys.positions,
            self.seen.symbol,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
        )

    def _unchecked(self) -> None:
        expected, symbol = self.expected, self.seen.symbol
        if expected is None:
            what = f"{symbol}: no event that is kept tells of its position, which was not compared"
        else:
            what = (
                f"{symbol}: events before {expected.since:,} are trimmed or missing, so what was bought and sold then "
                "could not be checked; only the quantity was"
            )
        self._differences.add(FindingKind.UNCHECKED, self._key, None, what)


def unkept(keys: TraderKeys, history: History, gone: int, is_empty: bool) -> list[Finding]:
    """What the events and orders of a book no longer tell."""
    notes = Differences(keys.trader)
    if is_empty:
        notes.add(FindingKind.UNCHECKED, keys.base, None, "nothing is stored of this trader")
    if history.first > 1:
        what = f"events before {history.first:,} are no longer kept: what happened before was not compared"
        notes.add(FindingKind.UNCHECKED, keys.events, None, what)
    if gone:
        what = (
            f"{gone:,} order{'s' if gone > 1 else ''} that the events name expired or {'were' if gone > 1 else 'was'} "
            "deleted: what was recorded of the fills is gone with them"
        )
        notes.add(FindingKind.UNCHECKED, keys.base + "order", None, what)
    return notes.found

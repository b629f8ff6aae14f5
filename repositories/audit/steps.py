"""The audit of one trader's book, step by step. Nothing here does I/O.

Every page is read by a script that sees one moment and returns the number of the last event then; the page is compared
with the events up to just that one. So changes that come meanwhile are not reported as differences.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from ...models.errors import WrongType
from ...topology.steps import Steps, ask
from ..changes.scripts import FORMAT
from .calls import EVENTS_AT_ONCE, INDEXES_AT_ONCE, ORDERS_AT_ONCE, POSITIONS_AT_ONCE, AuditCalls
from .findings import Fields, Finding, FindingKind, OrderState, Repair, RepairOutcome, Report, is_valid_name
from .history import History
from .open_quantities import OpenQuantities
from .orders import OrderCheck
from .positions import PositionCheck, unchecked_past

TRIES = 5
"""The largest number of times that a record is compared because it changes meanwhile."""


class _RepairUnit(NamedTuple):
    """One thing that is repaired at a time: an order's entries, a position with its listing, or an index's expiry."""

    kind: FindingKind
    """INDEX, POSITION or EXPIRY."""
    subject: str
    """The order's id, the position's symbol, or the index's key."""


class Audit:
    """The audit of one trader's book; use each for one ``verify`` or ``repair``."""

    def __init__(self, calls: AuditCalls, trader: str) -> None:
        self._calls = calls
        self._keys = calls.keys.of(trader)
        self._history = History(self._keys)
        self._seen_in: dict[str, set[str]] = {}
        """Every order id that was found, with the symbols in whose index it was."""
        self._symbols: set[str] = set()
        """Every symbol whose index was read."""
        self._symbol_of: dict[str, str] = {}
        """The symbol of every order that was compared."""
        self._orders: dict[str, list[Finding]] = {}
        """The findings about every order that was compared."""
        self._gone: set[str] = set()
        """Orders that have events but are no longer stored."""
        self._open = OpenQuantities(self._history)
        """The open quantity of every order that was compared."""
        self._positions: dict[str, list[Finding]] = {}
        """The findings about every position that was compared."""
        self._report = Report(trader)
        """The findings about everything else."""

    def verify(self) -> Steps[list[Finding]]:
        """Compare everything; return the differences, then what could not be compared."""
        try:
            yield from self._compare_all()
        except WrongType as error:
            what = f"{error}; what would have been compared after it was not"
            self._report.add(FindingKind.CORRUPT, self._keys.base, None, what)
        findings = [*self._history.report.findings]
        for found in (*self._orders.values(), *self._positions.values()):
            findings += found
        findings += self._report.findings
        is_empty = not (findings or self._history.last or self._orders or self._symbols)
        return findings + unchecked_past(self._keys, self._history, gone=len(self._gone), is_empty=is_empty)

    def repair(self) -> Steps[list[Repair]]:
        """Compare everything, then repair what can be, one thing after the other, each compared anew."""
        findings = yield from self.verify()
        outcomes: dict[_RepairUnit, RepairOutcome] = {}
        repairs: list[Repair] = []
        for finding in findings:
            outcome = RepairOutcome.LEFT
            if finding.repairable:
                unit = self._unit_of(finding)
                if unit not in outcomes:
                    outcomes[unit] = yield from self._repair(unit)
                outcome = outcomes[unit]
            repairs.append(Repair(finding, outcome))
        return repairs

    def _compare_all(self) -> Steps[None]:
        keys = self._keys
        for index in keys.statuses.values():
            for order_id in (yield from self._members(index)):
                self._seen_in.setdefault(order_id, set())
        yield from self._read_events()
        for order_id in self._history.changes_by_order:
            self._seen_in.setdefault(order_id, set())
        symbols = self._history.symbols | (yield from self._members(keys.positions))
        while True:
            symbols -= self._symbols
            waiting = self._seen_in.keys() - self._orders.keys()
            if not symbols and not waiting:
                break
            for symbol in sorted(symbols):
                waiting |= yield from self._read_index(symbol)
            symbols = yield from self._check_orders(waiting)
        yield from self._check_positions(sorted(self._symbols))
        yield from self._check_indexes()
        self._compare_ends()

    def _members(self, key: str) -> Steps[set[str]]:
        """Return all members of an index, or of the set of the trader's symbols."""
        members: set[str] = set()
        cursor = ""
        while cursor != "0":
            cursor, page = yield from ask(self._calls.members(self._keys, key, cursor or "0"))
            members.update(page)
        return members

    def _read_index(self, symbol: str) -> Steps[set[str]]:
        """Return the orders in a symbol's index that are not compared yet, or were compared as another symbol's."""
        self._symbols.add(symbol)
        self._open.begin(symbol)
        if not is_valid_name(symbol):
            return set()
        members = yield from self._members(self._keys.symbol(symbol))
        for order_id in members:
            self._seen_in.setdefault(order_id, set()).add(symbol)
        return {order_id for order_id in members if self._symbol_of.get(order_id) != symbol}

    def _check_orders(self, ids: Iterable[str]) -> Steps[set[str]]:
        """Read orders and compare them; return their symbols."""
        symbols: set[str] = set()
        waiting = {order_id: self._seen_in[order_id] for order_id in sorted(ids)}
        while waiting:
            page = dict(islice(waiting.items(), ORDERS_AT_ONCE))
            found = yield from ask(self._calls.orders(self._keys, page))
            yield from self._compare_orders(found)
            for state in found:
                del waiting[state.order_id]
                symbol = self._symbol_of[state.order_id] = state.fields.get("symbol", "")
                if is_valid_name(symbol):
                    symbols.add(symbol)
        return symbols

    def _compare_orders(self, found: list[OrderState]) -> Steps[None]:
        yield from self._read_events(max(state.as_of for state in found))
        checks = [OrderCheck(self._keys, state) for state in found]
        for check in checks:
            check.add_to_history(self._history)
        for check in checks:
            order_id = check.state.order_id
            self._orders[order_id] = check.compare(self._history)
            self._open.add(order_id, check.open_order(self._history, self._seen_in.get(order_id, ())))
            if not check.state.fields and order_id in self._history.changes_by_order:
                self._gone.add(order_id)

    def _check_positions(self, symbols: list[str]) -> Steps[list[PositionCheck]]:
        """Read positions and compare them."""
        checks: list[PositionCheck] = []
        for begin in range(0, len(symbols), POSITIONS_AT_ONCE):
            waiting = symbols[begin : begin + POSITIONS_AT_ONCE]
            for attempt in range(TRIES):
                found = yield from ask(self._calls.positions(self._keys, waiting))
                yield from self._read_events(found[0].as_of)
                changed: list[str] = []
                for state in found:
                    orders = self._open.of(state.symbol, state.as_of)
                    if orders is None and attempt + 1 < TRIES:
                        changed.append(state.symbol)
                        continue
                    check = PositionCheck(self._keys, state, self._history, orders)
                    self._positions[state.symbol] = check.compare()
                    checks.append(check)
                if not changed:
                    break
                yield from self._read_orders_again(changed)
                waiting = changed
        return checks

    def _read_orders_again(self, symbols: Iterable[str]) -> Steps[None]:
        """Read the orders in some symbols anew: not all events since they were read are known."""
        ids: set[str] = set()
        for symbol in symbols:
            ids |= yield from self._read_index(symbol)
            ids |= self._open.orders_in(symbol)
        for order_id in ids:
            self._seen_in.setdefault(order_id, set())
        yield from self._check_orders(ids)

    def _check_indexes(self) -> Steps[None]:
        """Compare when indexes expire with when they should."""
        damaged = {
            finding.key for found in self._orders.values() for finding in found if finding.kind is FindingKind.INDEX
        }
        named = [self._keys.symbol(symbol) for symbol in sorted(self._symbols) if is_valid_name(symbol)]
        # The repair of an entry puts the expiry of its index right as well, so those indexes are left out.
        indexes = [index for index in (*self._keys.statuses.values(), *named) if index not in damaged]
        for begin in range(0, len(indexes), INDEXES_AT_ONCE):
            page = indexes[begin : begin + INDEXES_AT_ONCE]
            for state in (yield from ask(self._calls.indexes(self._keys, page))):
                stored = "inf" if state.expiry == -1 else str(state.expiry)
                if state.highest_score and stored != state.highest_score:
                    name = state.index.removeprefix(self._keys.base)
                    what = f"{name} expires at {stored}, its longest-lived entry at {state.highest_score}"
                    self._report.add(
                        FindingKind.EXPIRY,
                        state.index,
                        None,
                        what,
                        stored=stored,
                        expected=state.highest_score,
                        repairable=True,
                    )

    def _read_events(self, upto: int | None = None) -> Steps[None]:
        """Read the events that are not read yet, up to one, or to the end."""
        history = self._history
        while upto is None or history.last < upto:
            page = yield from ask(self._calls.events(self._keys, history.cursor))
            history.add_page(page)
            if len(page.entries) < EVENTS_AT_ONCE:
                history.end_at(max(page.last_sequence, upto or 0))
                return

    def _compare_ends(self) -> None:
        """Check that the stream reaches as far as orders, positions and the header do."""
        history, key = self._history, self._keys.events
        if history.last == 0 and (len(self._gone) < len(self._orders) or self._symbols):
            self._report.add(FindingKind.EVENTS, key, None, "there are orders or positions, but no events")
        elif history.lost_end:
            what = (
                f"the stream ends with event {history.last:,}, but a change is recorded as event {history.lost_end:,}"
            )
            self._report.add(
                FindingKind.EVENTS, key, None, what, stored=str(history.last), expected=str(history.lost_end)
            )
        if history.last:
            self._compare_header(history.header, history.header_end)

    def _compare_header(self, header: Fields, last: int) -> None:
        """Compare the header with the number of the last event at the same moment."""
        key = self._keys.book
        form, sequence = header.get("format"), header.get("sequence")
        if not header:
            what = f"there is no header, but events up to {last:,}"
            self._report.add(FindingKind.EVENTS, key, None, what, expected=str(last))
        elif form != FORMAT:
            what = f"the book has the format {form}, and this program knows {FORMAT}"
            self._report.add(FindingKind.CORRUPT, key, "format", what, stored=form, expected=FORMAT)
        elif sequence != str(last):
            what = f"the header says that the last event is {sequence}, the stream that it is {last}"
            self._report.add(FindingKind.EVENTS, key, "sequence", what, stored=sequence, expected=str(last))

    def _unit_of(self, finding: Finding) -> _RepairUnit:
        match finding.kind:
            case FindingKind.INDEX | FindingKind.LISTING:
                subject = finding.entry or ""
            case FindingKind.POSITION:
                subject = finding.key.removeprefix(self._keys.position(""))
            case _:
                subject = finding.key
        kind = FindingKind.POSITION if finding.kind is FindingKind.LISTING else finding.kind
        return _RepairUnit(kind, subject)

    def _repair(self, unit: _RepairUnit) -> Steps[RepairOutcome]:
        if unit.kind is FindingKind.EXPIRY:
            renewed = yield from ask(self._calls.repair_expiry(unit.subject))
            return RepairOutcome.REPAIRED if renewed else RepairOutcome.IN_ORDER
        written = False
        for _ in range(TRIES):
            repair_once = self._repair_order if unit.kind is FindingKind.INDEX else self._repair_position
            applied = yield from repair_once(unit.subject)
            if applied is None:
                return RepairOutcome.REPAIRED if written else RepairOutcome.IN_ORDER
            written |= applied
        return RepairOutcome.CHANGING

    def _repair_order(self, order_id: str) -> Steps[bool | None]:
        """Compare an order anew and repair its index entries; None when there was nothing to repair."""
        yield from self._check_orders((order_id,))
        findings = [finding for finding in self._orders[order_id] if finding.repairable]
        applied = False
        for finding in findings:
            applied |= yield from ask(self._calls.repair_entry(self._keys, finding))
        return applied if findings else None

    def _repair_position(self, symbol: str) -> Steps[bool | None]:
        """Compare a position anew and repair it; None when there was nothing to repair."""
        (check,) = yield from self._check_positions([symbol])
        findings = [finding for finding in self._positions[symbol] if finding.repairable]
        if not findings:
            return None
        if any(finding.kind is FindingKind.POSITION for finding in findings):
            return (yield from ask(self._calls.repair_position(self._keys, check.state, check.changes())))
        listed = findings[0].expected is not None
        return (yield from ask(self._calls.repair_listing(self._keys, symbol, listed=listed)))

"""The audit of one trader's book, call by call. No I/O and no colour.

Every page is read by a script that sees one moment and says after which event that was; it is compared with the events
up to just that one. So a book that is written to meanwhile is not taken for a broken one, however busy it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TypeAlias

from ...models.errors import WrongType
from ...topology.steps import Steps, ask
from .calls import EVENTS_AT_ONCE, INDEXES_AT_ONCE, ORDERS_AT_ONCE, POSITIONS_AT_ONCE, AuditCalls
from .findings import Differences, Finding, FindingKind, Repair, RepairOutcome, SeenOrder, is_name
from .history import History
from .orders import OrderCheck
from .positions import PositionCheck, unkept

TRIES = 5
"""Looks at one thing that is to be repaired and changes every time."""

_Item: TypeAlias = tuple[FindingKind, str]
"""What is repaired in one go: an order's entries, a position with its listing, an index's expiry."""


class Audit:
    """One book under examination."""

    def __init__(self, calls: AuditCalls, trader: str) -> None:
        self._calls = calls
        self._keys = calls.keys.of(trader)
        self._history = History(self._keys)
        self._seen_in: dict[str, set[str]] = {}
        """Every order id that was met, with the symbols in whose index it was."""
        self._symbols: set[str] = set()
        self._symbol_of: dict[str, str] = {}
        self._orders: dict[str, list[Finding]] = {}
        self._gone: set[str] = set()
        self._positions: dict[str, list[Finding]] = {}
        self._others = Differences(trader)

    def verify(self) -> Steps[list[Finding]]:
        """Compare everything, and say what could not be compared."""
        try:
            yield from self._examine()
        except WrongType as error:
            what = f"{error}; what would have been compared after it was not"
            self._others.add(FindingKind.CORRUPT, self._keys.base, None, what)
        findings = [*self._history.differences.found]
        for found in (*self._orders.values(), *self._positions.values()):
            findings += found
        findings += self._others.found
        is_empty = not (findings or self._history.last or self._orders or self._symbols)
        return findings + unkept(self._keys, self._history, len(self._gone), is_empty)

    def repair(self) -> Steps[list[Repair]]:
        """Compare everything, then repair what can be, item by item, each from a fresh look."""
        findings = yield from self.verify()
        settled: dict[_Item, RepairOutcome] = {}
        repairs: list[Repair] = []
        for finding in findings:
            outcome = RepairOutcome.LEFT
            if finding.repairable:
                item = self._item(finding)
                if item not in settled:
                    settled[item] = yield from self._repair(*item)
                outcome = settled[item]
            repairs.append(Repair(finding, outcome))
        return repairs

    def _examine(self) -> Steps[None]:
        keys = self._keys
        for index in keys.statuses.values():
            for order_id in (yield from self._members(index)):
                self._seen_in.setdefault(order_id, set())
        yield from self._catch_up()
        for order_id in self._history.by_order:
            self._seen_in.setdefault(order_id, set())
        symbols = self._history.symbols | (yield from self._members(keys.positions))
        while True:
            symbols -= self._symbols
            waiting = self._seen_in.keys() - self._orders.keys()
            if not symbols and not waiting:
                break
            for symbol in sorted(symbols):
                waiting |= yield from self._read_index(symbol)
            symbols = yield from self._examine_orders(waiting)
        yield from self._examine_positions(sorted(self._symbols))
        yield from self._examine_indexes()
        self._compare_ends()

    def _members(self, key: str) -> Steps[set[str]]:
        members: set[str] = set()
        cursor = ""
        while cursor != "0":
            cursor, page = yield from ask(self._calls.members(self._keys, key, cursor or "0"))
            members.update(page)
        return members

    def _read_index(self, symbol: str) -> Steps[set[str]]:
        """The orders in a symbol's index that are to be looked at, again if they were seen as another symbol's."""
        self._symbols.add(symbol)
        if not is_name(symbol):
            return set()
        members = yield from self._members(self._keys.symbol(symbol))
        for order_id in members:
            self._seen_in.setdefault(order_id, set()).add(symbol)
        return {order_id for order_id in members if self._symbol_of.get(order_id) != symbol}

    def _examine_orders(self, ids: Iterable[str]) -> Steps[set[str]]:
        """Compare orders; returns their symbols."""
        symbols: set[str] = set()
        waiting = {order_id: self._seen_in[order_id] for order_id in sorted(ids)}
        while waiting:
            page = dict(islice(waiting.items(), ORDERS_AT_ONCE))
            found = yield from ask(self._calls.orders(self._keys, page))
            yield from self._compare_orders(found)
            for seen in found:
                del waiting[seen.order_id]
                symbol = self._symbol_of[seen.order_id] = seen.fields.get("symbol", "")
                if is_name(symbol):
                    symbols.add(symbol)
        return symbols

    def _compare_orders(self, found: list[SeenOrder]) -> Steps[None]:
        yield from self._catch_up(max(seen.moment for seen in found))
        checks = [OrderCheck(self._keys, seen) for seen in found]
        for check in checks:
            check.testify(self._history)
        for check in checks:
            self._orders[check.seen.order_id] = check.compare(self._history)
            if not check.seen.fields and check.seen.order_id in self._history.by_order:
                self._gone.add(check.seen.order_id)

    def _examine_positions(self, symbols: list[str]) -> Steps[list[PositionCheck]]:
        checks: list[PositionCheck] = []
        for begin in range(0, len(symbols), POSITIONS_AT_ONCE):
            page = symbols[begin : begin + POSITIONS_AT_ONCE]
            found = yield from ask(self._calls.positions(self._keys, page))
            yield from self._catch_up(found[0].moment)
            for seen in found:
                check = PositionCheck(self._keys, seen, self._history)
                self._positions[seen.symbol] = check.compare()
                checks.append(check)
        return checks

    def _examine_indexes(self) -> Steps[None]:
        damaged = {
            finding.key for found in self._orders.values() for finding in found if finding.kind is FindingKind.INDEX
        }
        named = [self._keys.symbol(symbol) for symbol in sorted(self._symbols) if is_name(symbol)]
        # The repair of an entry puts the expiry of its index right as well.
        indexes = [index for index in (*self._keys.statuses.values(), *named) if index not in damaged]
        for begin in range(0, len(indexes), INDEXES_AT_ONCE):
            page = indexes[begin : begin + INDEXES_AT_ONCE]
            for seen in (yield from ask(self._calls.indexes(self._keys, page))):
                stored = "inf" if seen.expiry == -1 else str(seen.expiry)
                if seen.highest and stored != seen.highest:
                    name = seen.index.removeprefix(self._keys.base)
                    what = f"{name} expires at {stored}, its longest-lived entry at {seen.highest}"
                    self._others.add(
                        FindingKind.EXPIRY,
                        seen.index,
                        None,
                        what,
                        stored=stored,
                        expected=seen.highest,
                        repairable=True,
                    )

    def _catch_up(self, moment: int | None = None) -> Steps[None]:
        """Read the events up to a moment, or to the end."""
        history = self._history
        while moment is None or history.last < moment:
            page = yield from ask(self._calls.events(self._keys, history.cursor))
            history.read(page)
            if len(page.entries) < EVENTS_AT_ONCE:
                history.close(max(page.last, moment or 0))
                return

    def _compare_ends(self) -> None:
        history, key = self._history, self._keys.events
        if history.last == 0 and (len(self._gone) < len(self._orders) or self._symbols):
            self._others.add(FindingKind.EVENTS, key, None, "there are orders or positions, but no events")
        elif history.beyond:
            what = f"the stream ends with event {history.last:,}, but a fill is recorded as event {history.beyond:,}"
            self._others.add(
                FindingKind.EVENTS, key, None, what, stored=str(history.last), expected=str(history.beyond)
            )

    def _item(self, finding: Finding) -> _Item:
        match finding.kind:
            case FindingKind.INDEX | FindingKind.LISTING:
                subject = finding.entry or ""
            case FindingKind.POSITION:
                subject = finding.key.removeprefix(self._keys.position(""))
            case _:
                subject = finding.key
        return (FindingKind.POSITION if finding.kind is FindingKind.LISTING else finding.kind), subject

    def _repair(self, kind: FindingKind, subject: str) -> Steps[RepairOutcome]:
        if kind is FindingKind.EXPIRY:
            renewed = yield from ask(self._calls.repair_expiry(subject))
            return RepairOutcome.REPAIRED if renewed else RepairOutcome.IN_ORDER
        written = False
        for _ in range(TRIES):
            look = self._repair_order if kind is FindingKind.INDEX else self._repair_position
            applied = yield from look(subject)
            if applied is None:
                return RepairOutcome.REPAIRED if written else RepairOutcome.IN_ORDER
            written |= applied
        return RepairOutcome.CHANGING

    def _repair_order(self, order_id: str) -> Steps[bool | None]:
        """Look at an order again and repair its entries; None when there was nothing to repair."""
        yield from self._examine_orders((order_id,))
        findings = [finding for finding in self._orders[order_id] if finding.repairable]
        applied = False
        for finding in findings:
            applied |= yield from ask(self._calls.repair_entry(self._keys, finding))
        return applied if findings else None

    def _repair_position(self, symbol: str) -> Steps[bool | None]:
        """Look at a position again and repair it; None when there was nothing to repair."""
        (check,) = yield from self._examine_positions([symbol])
        findings = [finding for finding in self._positions[symbol] if finding.repairable]
        if not findings:
            return None
        if any(finding.kind is FindingKind.POSITION for finding in findings):
            return (yield from ask(self._calls.repair_position(self._keys, check.seen, check.wanted())))
        listed = findings[0].expected is not None
        return (yield from ask(self._calls.repair_listing(self._keys, symbol, listed)))

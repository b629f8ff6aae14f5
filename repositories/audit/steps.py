"""Compare one trader's book, step by step. Nothing here does I/O.

Every page is read by a script that sees one moment and returns the number of the last event then; the page is compared
with the events up to just that one. So changes that come meanwhile are not reported as differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from ...models.errors import WrongType
from ...topology.steps import Steps, ask
from .account_steps import AccountAudit
from .aliases import compare_stray
from .calls import EVENTS_AT_ONCE, INDEXES_AT_ONCE, KEYS_AT_ONCE, ORDERS_AT_ONCE, POSITIONS_AT_ONCE, AuditCalls
from .findings import Finding, FindingKind, OrderState, Report, is_valid_name
from .header import compare_header
from .history import History
from .keys_found import KeysFound
from .lifetimes import NEVER, expiry_of
from .limits import LimitsCheck, limits_call
from .open_quantities import OpenQuantities
from .orders import OrderCheck
from .own_states import entry_of
from .own_steps import OwnAudit
from .positions import PositionCheck, unchecked_past
from .requests import compare_request

TRIES = 5
"""The largest number of times that a record is compared because it changes meanwhile."""


class Audit:
    """The comparison of one trader's book; use each once.

    Args:
        calls: The calls of the audit.
        trader: The owner of the book.
        found: All keys that carry the trader's tag, by which what no index lists is found.
    """

    def __init__(self, calls: AuditCalls, trader: str, found: Iterable[str] = ()) -> None:
        self.orders: dict[str, list[Finding]] = {}
        """The findings about every order that was compared."""
        self.positions: dict[str, list[Finding]] = {}
        """The findings about every position that was compared."""
        self.aliases: dict[str, list[Finding]] = {}
        """The findings about every other id of an order that no order has recorded."""
        self.order_states: dict[str, OrderState] = {}
        """Every order with findings, as it was read."""
        self._calls = calls
        self._keys = calls.keys.of(trader)
        self._found = KeysFound(self._keys, found)
        self._history = History(self._keys)
        self._seen_in: dict[str, set[str]] = {}
        """Every order id that was found, with the symbols in whose index it was."""
        self._seen_by_own: dict[str, set[str]] = {}
        """The ids of the orders in indexes of own fields, with these indexes."""
        self._symbols: set[str] = set()
        """Every symbol whose index was read."""
        self._symbol_of: dict[str, str] = {}
        """The symbol of every order that was compared."""
        self._gone: set[str] = set()
        """Orders that have events but are no longer stored."""
        self._open = OpenQuantities(self._history)
        """The open quantity of every order that was compared."""
        self._report = Report(self._keys.trader)
        """The findings about everything else."""
        self.own = OwnAudit(calls, self._keys, self._history, self._found, self._read_events)
        """The comparison of the records of the desk's own."""
        named = self._found.account_positions
        self.accounts = AccountAudit(calls, self._keys, self._history, named, self._read_events)
        """The comparison of the positions of accounts."""

    def verify(self) -> Steps[list[Finding]]:
        """Compare everything; return the differences, then what could not be compared."""
        try:
            yield from self._compare_all()
        except WrongType as error:
            what = f"{error}; what would have been compared after it was not"
            self._report.add(FindingKind.CORRUPT, self._keys.base, None, what)
        findings = [*self._history.report.findings]
        for found in (
            *self.orders.values(),
            *self.aliases.values(),
            *self.positions.values(),
            *self.accounts.findings.values(),
            *self.own.findings.values(),
        ):
            findings += found
        findings += self._report.findings + self.own.report.findings
        is_empty = not (findings or self._history.last or self.orders or self._symbols)
        gone, own_gone = len(self._gone), len(self.own.gone)
        return findings + unchecked_past(self._keys, self._history, gone=gone, own_gone=own_gone, is_empty=is_empty)

    def _compare_all(self) -> Steps[None]:
        keys = self._keys
        for index in keys.statuses.values():
            for order_id in (yield from self._members(index)):
                self._seen_in.setdefault(order_id, set())
        yield from self._read_events()
        yield from self._check_limits()
        yield from self._check_requests()
        for key in (*self._found.own_indexes, *self._found.own_beside):
            for order_id in (yield from self._members(key)):
                self._seen_by_own.setdefault(order_id, set()).add(self._found.own_beside.get(key, key))
        found = self._found.order_ids | self._seen_by_own.keys()
        for order_id in self._history.changes_by_order.keys() | found:
            self._seen_in.setdefault(order_id, set())
        symbols = self._history.symbols | self._found.symbols | (yield from self._members(keys.positions))
        while True:
            symbols -= self._symbols
            waiting = self._seen_in.keys() - self.orders.keys()
            if not symbols and not waiting:
                break
            for symbol in sorted(symbols):
                waiting |= yield from self._read_index(symbol)
            symbols = yield from self.check_orders(waiting)
        yield from self.check_aliases(self._found.aliases)
        yield from self.check_positions(sorted(self._symbols))
        yield from self.accounts.compare((yield from self._members(keys.account_positions)))
        yield from self.own.compare()
        yield from self._check_indexes()
        yield from self._check_expiries()
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

    def check_orders(self, ids: Iterable[str]) -> Steps[set[str]]:
        """Read orders and compare them; return their symbols."""
        symbols: set[str] = set()
        waiting = {order_id: self._seen_in[order_id] for order_id in sorted(ids)}
        while waiting:
            page = {one: self._indexes_of(one, symbols) for one, symbols in islice(waiting.items(), ORDERS_AT_ONCE)}
            found = yield from ask(self._calls.orders(self._keys, page))
            yield from self._compare_orders(found)
            for state in found:
                del waiting[state.order_id]
                symbol = self._symbol_of[state.order_id] = state.fields.get("symbol", "")
                if is_valid_name(symbol):
                    symbols.add(symbol)
        return symbols

    def _indexes_of(self, order_id: str, symbols: Iterable[str]) -> list[str]:
        """Return the indexes, beside those of statuses, in which an order was seen."""
        return [*map(self._keys.symbol, symbols), *sorted(self._seen_by_own.get(order_id, ()))]

    def _compare_orders(self, found: list[OrderState]) -> Steps[None]:
        yield from self._read_events(max(state.as_of for state in found))
        checks = [OrderCheck(self._keys, state) for state in found]
        for check in checks:
            check.add_to_history(self._history)
        for check in checks:
            order_id = check.state.order_id
            self.orders[order_id] = check.compare(self._history)
            if self.orders[order_id]:
                self.order_states[order_id] = check.state
            self.accounts.add_order(order_id, check.state.fields, self.orders[order_id])
            self._open.add(order_id, check.open_order(self._history, self._seen_in.get(order_id, ())))
            if not check.state.fields and order_id in self._history.changes_by_order:
                self._gone.add(order_id)

    def check_aliases(self, names: Sequence[str]) -> Steps[None]:
        """Read other ids of orders, and compare those that no order has recorded."""
        compared = {one.key for found in self.orders.values() for one in found if one.kind is FindingKind.ALIAS}
        for begin in range(0, len(names), KEYS_AT_ONCE):
            page = names[begin : begin + KEYS_AT_ONCE]
            as_of, found = yield from ask(self._calls.aliases(self._keys, page))
            yield from self._read_events(as_of)
            for name, alias in zip(page, found, strict=True):
                report, changes = Report(self._keys.trader), self._history.changes_of(alias.order_id, as_of)
                is_stored = bool(self._symbol_of.get(alias.order_id))
                left = self.orders.get(alias.order_id, [])
                is_doubtful = any(not one.repairable for one in left)
                is_doubtful |= is_stored and not (changes and changes[0].is_placing)  # an event that is gone may say it
                is_given = is_stored and any(name in one.ids for one in changes)
                if self._keys.alias(name) not in compared:
                    compare_stray(self._keys, name, alias, report, is_given=is_given, is_doubtful=is_doubtful)
                self.aliases[name] = report.findings

    def check_positions(self, symbols: list[str]) -> Steps[list[PositionCheck]]:
        """Read positions and compare them."""
        checks: list[PositionCheck] = []
        for begin in range(0, len(symbols), POSITIONS_AT_ONCE):
            waiting = symbols[begin : begin + POSITIONS_AT_ONCE]
            for attempt in range(TRIES):
                requests = {symbol: self._history.last_request_in(symbol) for symbol in waiting}
                found = yield from ask(self._calls.positions(self._keys, requests))
                yield from self._read_events(found[0].as_of)
                changed: list[str] = []
                for state in found:
                    orders = self._open.of(state.symbol, state.as_of)
                    if orders is None and attempt + 1 < TRIES:
                        changed.append(state.symbol)
                        continue
                    check = PositionCheck(self._keys, state, self._history, orders)
                    self.positions[state.symbol] = check.compare()
                    checks.append(check)
                if not changed:
                    break
                yield from self._read_orders_again(changed)
                waiting = changed
        return checks

    def read_last_order(self, symbol: str, account_position: str = "") -> Steps[None]:
        """Read the order whose fill was the last change of a position anew: what it remembers proves the change."""
        yield from self._read_events()
        order_id = self._history.last_order_in(symbol)
        if account_position:
            order_id = self.accounts.last_order_in(account_position)
        if order_id is not None:
            self._seen_in.setdefault(order_id, set())
            yield from self.check_orders((order_id,))

    def _read_orders_again(self, symbols: Iterable[str]) -> Steps[None]:
        """Read the orders in some symbols anew: not all events since they were read are known."""
        ids: set[str] = set()
        for symbol in symbols:
            ids |= yield from self._read_index(symbol)
            ids |= self._open.orders_in(symbol)
        for order_id in ids:
            self._seen_in.setdefault(order_id, set())
        yield from self.check_orders(ids)

    def _check_indexes(self) -> Steps[None]:
        """Compare when indexes expire with when they should."""
        compared = (*self.orders.values(), *self.own.findings.values())
        damaged = {finding.key for found in compared for finding in found if finding.kind is FindingKind.INDEX}
        named = [self._keys.symbol(symbol) for symbol in sorted(self._symbols) if is_valid_name(symbol)]
        doubtful = {index for state in self.order_states.values() for index in state.scores}
        doubtful |= {
            self._keys.base + entry_of(index, state.kind, state.key)[0]
            for state in self.own.states.values()
            for index in state.scores
        }
        # The repair of an entry puts the expiry of its index right as well, so those indexes are left out.
        doubtful |= {self.own.indexes.get(index, index) for index in doubtful}
        damaged |= {self.own.indexes.get(index, index) for index in damaged}
        own = (*self.own.indexes, *self.own.beside)
        every = (*self._keys.statuses.values(), *named, *own)
        indexes = [index for index in every if index not in damaged]
        for begin in range(0, len(indexes), INDEXES_AT_ONCE):
            page = indexes[begin : begin + INDEXES_AT_ONCE]
            beside = [self.own.sets_of(index) for index in page]
            for state in (yield from ask(self._calls.indexes(self._keys, page, beside))):
                stored = expiry_of(state.expiry, [state.highest_score or None])
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
                        repairable=state.index not in doubtful,
                        says={"index": stored, "entries": state.highest_score},
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

    def _check_limits(self) -> Steps[None]:
        """Compare limits and the switch of trading with their events."""
        state = yield from ask(limits_call(self._keys))
        yield from self._read_events(state.as_of)
        history = self._history
        LimitsCheck(self._keys, state, history.limits, self._report).compare(history.known_since(state.as_of))

    def _check_requests(self) -> Steps[None]:
        """Compare what is remembered of changes of positions with their events."""
        for begin in range(0, len(self._found.request_ids), KEYS_AT_ONCE):
            page = self._found.request_ids[begin : begin + KEYS_AT_ONCE]
            found = yield from ask(self._calls.requests(self._keys, page))
            yield from self._read_events(found[0].as_of)
            for state in found:
                compare_request(self._keys, state, self._history, self._report)

    def _check_expiries(self) -> Steps[None]:
        """Check that what has to last never expires: the header, the events, the positions and their set."""
        keys = self._keys
        lasting = [keys.book, keys.events, keys.positions, keys.limits, keys.account_positions, *self.accounts.keys]
        lasting += [keys.position(symbol) for symbol in sorted(self._symbols) if is_valid_name(symbol)]
        for begin in range(0, len(lasting), KEYS_AT_ONCE):
            page = yield from ask(self._calls.expiries(keys, lasting[begin : begin + KEYS_AT_ONCE]))
            for key, expiry in page.items():
                if expiry >= 0:
                    what = f"{key.removeprefix(keys.base)} expires at {expiry}, and should never expire"
                    self._report.add(
                        FindingKind.EXPIRY, key, None, what, stored=str(expiry), expected=NEVER, repairable=True
                    )

    def _compare_ends(self) -> None:
        """Check that the stream reaches as far as the rest of the book, and name keys of no known kind."""
        history, key = self._history, self._keys.events
        if history.last == 0 and (len(self._gone) < len(self.orders) or self._symbols or self.own.compared):
            self._report.add(FindingKind.EVENTS, key, None, "there are orders, positions or records, but no events")
        elif history.lost_end:
            what = (
                f"the stream ends with event {history.last:,}, but a change is recorded as event {history.lost_end:,}"
            )
            self._report.add(
                FindingKind.EVENTS, key, None, what, stored=str(history.last), expected=str(history.lost_end)
            )
        if history.deleted and history.deleted == history.first - 1:
            # A gap between two events is a finding already; one before the first would look like a trimmed stream.
            what = f"event {history.deleted:,} was deleted by hand, with all before it that are not kept"
            self._report.add(FindingKind.EVENTS, key, str(history.deleted), what)
        if history.last:
            compare_header(self._keys, history, self._report)

"""Compare the positions of one trader's accounts, step by step. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...models.keys import TraderKeys, account_and_symbol, escaped
from ...topology.steps import Steps, ask
from .calls import POSITIONS_AT_ONCE, AuditCalls
from .findings import Fields, Finding, PositionState, is_valid_name
from .history import History
from .open_quantities import OpenQuantity
from .positions import PositionCheck


class AccountAudit:
    """The comparison of the positions of one trader's accounts.

    Args:
        calls: The calls of the audit.
        keys: The keys of the trader.
        history: The events, with which the positions are compared.
        found: The positions that there are.
        read_events: Reads the events up to one.
    """

    def __init__(
        self,
        calls: AuditCalls,
        keys: TraderKeys,
        history: History,
        found: Iterable[str],
        read_events: Callable[[int], Steps[None]],
    ) -> None:
        self.findings: dict[str, list[Finding]] = {}
        """The findings about every position that was compared, by the name that lists it."""
        self._calls = calls
        self._keys = keys
        self._history = history
        self._found = set(found)
        self._read_events = read_events
        self._of_orders: set[str] = set()
        """The positions that orders have."""
        self._doubted: set[str] = set()
        """The orders of which other records say another account, or another symbol."""

    def add_order(self, order_id: str, fields: Fields, findings: Iterable[Finding]) -> None:
        """Note the account that a stored order names, unless other records say another, or another symbol."""
        account, symbol = fields.get("account", ""), fields.get("symbol", "")
        is_doubtful = any(one.entry in ("account", "symbol") for one in findings)
        if is_doubtful:
            self._doubted.add(order_id)
        if is_valid_name(account) and is_valid_name(symbol) and not is_doubtful:
            self._of_orders.add(f"{escaped(account)}:{symbol}")

    def compare(self, listed: Iterable[str]) -> Steps[None]:
        """Compare every position, given the members of the set that lists them."""
        by_events = {f"{escaped(account)}:{symbol}" for symbol, account in self._history.accounts}
        yield from self.check(sorted({*listed, *self._found, *self._of_orders, *by_events}))

    def check(self, names: list[str]) -> Steps[list[PositionCheck]]:
        """Read positions and compare them."""
        checks: list[PositionCheck] = []
        for begin in range(0, len(names), POSITIONS_AT_ONCE):
            requests: dict[str, str | None] = {}
            for name in names[begin : begin + POSITIONS_AT_ONCE]:
                account, symbol = account_and_symbol(name) or ("", "")
                requests[name] = self._history.last_request_in(symbol, account) if account else None
            found = yield from ask(self._calls.account_positions(self._keys, requests))
            yield from self._read_events(found[0].as_of)
            for state in found:
                has_orders = state.listed_as in self._of_orders
                has_orders |= (state.symbol, state.account) in self._history.accounts
                orders = OpenQuantity({}, {}, has_orders=has_orders, obstacle=self._obstacle(state))
                check = PositionCheck(self._keys, state, self._history, orders)
                self.findings[state.listed_as] = check.compare()
                checks.append(check)
        return checks

    def _obstacle(self, state: PositionState) -> str | None:
        """Return why a position that is not there is not made: no order has it that others do not contradict."""
        if state.listed_as in self._of_orders:
            return None
        doubtful = self._history.doubtful_orders | self._doubted
        contradicted = sorted(self._history.orders_by_symbol.get(state.symbol, set()) & doubtful)
        return f"other records contradict order {contradicted[0]}" if contradicted else None

    def last_order_in(self, name: str) -> str | None:
        """Return the order whose fill was the last change of a position, None when that is not known."""
        account, symbol = account_and_symbol(name) or ("", "")
        return self._history.last_order_in(symbol, account) if account else None

    @property
    def keys(self) -> list[str]:
        """The keys of the positions that were compared."""
        return [f"{self._keys.base}account_position:{name}" for name in self.findings if account_and_symbol(name)]

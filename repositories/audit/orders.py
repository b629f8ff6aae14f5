"""Compare one order with its events, with what was applied to it, its digest and its indexes. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...models.enums import OrderStatus
from ...models.errors import CorruptRecord
from ...models.keys import TraderKeys
from ...models.order import Order
from ...models.order_reports import MARKS, PENDING
from ...models.own_fields import OWN_NAMES, SIGN
from ...models.wire import codec, decode
from .aliases import compare_aliases
from .findings import Finding, FindingKind, OrderState, Report, is_valid_name
from .history import History
from .open_quantities import OpenOrder
from .order_events import Change
from .order_fields import REPAIRABLE_FIELDS, statements_of
from .order_places import OrderPlaces
from .remembered import AppliedCheck
from .statements import Statement, agreed

_CONTRADICTED = frozenset((FindingKind.ORDER, FindingKind.FILL, FindingKind.CORRUPT))
"""Kinds of findings about an order whose fields are no evidence."""
_DECISIVE = frozenset({"trader", "order_id", "symbol", "status", "quantity", "filled_quantity", "version", "digest"})
"""The fields without which it is not known where an order belongs."""
_IN_KEY = ("trader", "order_id")
_KNOWN = codec(Order).names | {"digest", OWN_NAMES}


class OrderCheck:
    """The comparison of one order with its evidence.

    The constructor reads the order. It can be compared once the changes that are remembered with all orders of its page
    are in the history.
    """

    def __init__(self, keys: TraderKeys, state: OrderState) -> None:
        self.state = state
        self.order: Order | None = None
        """The order, unless it is gone or cannot be read."""
        self._keys = keys
        self._key = keys.order(state.order_id)
        self._report = Report(keys.trader)
        self._places = OrderPlaces(keys, state, self._report)
        self._unreadable: CorruptRecord | None = None
        self._is_sound = True
        self._said_in: frozenset[str] = frozenset()
        """The symbols of the order, by all records."""
        if state.fields:
            try:
                self.order = decode(Order, self._key, state.fields)
            except CorruptRecord as error:
                self._unreadable = error
        self._applied = AppliedCheck(keys, state, self._report)

    def add_to_history(self, history: History) -> None:
        """Add the remembered fills and requests to the history."""
        if self.order is not None:
            self._applied.add_to_history(history, self.order.symbol)

    def compare(self, history: History) -> list[Finding]:
        """Return everything that is wrong with the order."""
        state = self.state
        changes = history.changes_of(state.order_id, state.as_of)
        last = changes[-1] if changes and history.is_complete_since(changes[-1].sequence, state.as_of) else None
        if not state.fields:
            self._compare_gone(history, last)
        elif self._unreadable is not None:
            self._compare_unreadable(self._unreadable, history, changes, last)
        elif self.order is not None and (last is not None or not self._places.is_expired):
            self._compare_kept(self.order, history, changes, last)
        self._is_sound = state.order_id not in history.doubtful_orders and not any(
            finding.kind in _CONTRADICTED or (finding.kind is FindingKind.INDEX and not finding.repairable)
            for finding in self._report.findings
        )
        return self._report.findings

    def open_order(self, history: History, seen_in: Iterable[str]) -> OpenOrder:
        """Return what is open of the order, once it was compared.

        Args:
            history: The events.
            seen_in: The symbols in whose index it was seen.
        """
        state, order = self.state, self.order
        if order is not None:
            symbols = frozenset((order.symbol,))
            others = self._said_in - symbols if not self._is_sound else frozenset[str]()
            return OpenOrder(
                state.as_of, symbols, others, order.side, order.open_quantity, is_readable=True, is_sound=self._is_sound
            )
        last = history.last_change_of(state.order_id, state.as_of)
        possible = {last.symbol} if last else set[str]()
        listed = any(float(score) > state.now_ms for score in state.scores.values())
        if state.fields or listed:
            possible |= {*seen_in, *filter(is_valid_name, (state.fields.get("symbol", ""),))}
        is_stray = not listed or all(one.repairable for one in self._report.findings)
        is_somewhere = bool(possible) or is_stray
        return OpenOrder(
            state.as_of,
            frozenset(possible),
            self._said_in,
            None,
            0,
            is_readable=not state.fields and is_somewhere,
            is_sound=self._is_sound and is_stray,
        )

    def _compare_gone(self, history: History, last: Change | None) -> None:
        """Check that an order that is not there was ended, and that nothing is left of it.

        An open one never expires, and cannot be deleted.
        """
        state = self.state
        says: dict[str, str | None] = {"order": None}
        if state.scores:
            says["index"] = "listed"
        if state.recorded:
            says["applied"] = f"{len(state.recorded)} changes"
        if last is not None and last.is_open:
            what = f"order {state.order_id} is not there, but event {last.sequence:,} left it {last.status}"
            says[f"event {last.sequence}"] = last.status
            self._report.add(FindingKind.ORDER, self._key, None, what, expected=last.status, says=says)
        if state.recorded:
            key = self._keys.applied(state.order_id)
            what = f"order {state.order_id} is not there, but what was applied to it is"
            self._report.add(FindingKind.EXPIRY, key, None, what, says=says)
        never_was = last is None and history.is_whole(state.as_of)
        was_ended = last is not None and not last.is_open and len(state.scores) == 1
        self._places.compare_gone(is_proven=not state.recorded and (never_was or was_ended))

    def _compare_kept(self, order: Order, history: History, changes: Sequence[Change], last: Change | None) -> None:
        """Compare an order that is stored."""
        state = self.state
        says = statements_of(self._keys, state, changes, last, self._applied)
        is_doubtful = state.order_id in history.doubtful_orders
        self._said_in = _valid_names(one.value for one in says.get("symbol", ()))
        own = [name for name in state.fields if name.startswith(SIGN)] if OWN_NAMES in state.fields else []
        for name in sorted(state.fields.keys() - _KNOWN.union(own) - state.recorded.keys()):
            what = f"{self._key}: {name} is not a field of an order"
            self._report.add(FindingKind.CORRUPT, self._key, name, what, stored=state.fields[name])
        is_unknown = not changes and history.is_whole(state.as_of)
        if is_unknown:
            what = f"order {order.order_id} is stored, but no event placed it"
            self._report.add(FindingKind.ORDER, self._key, None, what, says={"order": order.status, "events": None})
        if not self._applied.compare(changes, history):
            history.contradicted.add(order.symbol)
        disputed = {name for name in sorted(says) if self._compare_field(name, says[name], is_doubtful=is_doubtful)}
        history.disputed_orders.discard(order.order_id)
        if disputed & {"version", "filled_quantity", "filled_notional"}:
            history.disputed_orders.add(order.order_id)
        proven = not is_doubtful and not is_unknown and not disputed & _DECISIVE and self._is_seen_elsewhere(says)
        proven &= (last is not None or bool(state.scores)) and not _hides_more(state)
        self._places.compare(order, disputed=frozenset(disputed), is_proven=proven)
        if not self._places.is_expired:
            is_agreed = proven and "aliases" not in disputed and not self._applied.is_contradicted
            compare_aliases(self._keys, state, self._report, is_proven=is_agreed)

    def _is_seen_elsewhere(self, says: dict[str, list[Statement]]) -> bool:
        """Return True when not only indexes say the same of status and symbol."""
        return all(any(one.record != "index" for one in says.get(name, ())) for name in ("status", "symbol"))

    def _compare_field(self, name: str, statements: Sequence[Statement], *, is_doubtful: bool) -> bool:
        """Compare one field with what other records say; return True when one of them says something else."""
        stored = self.state.fields.get(name)
        is_indexed = name in ("status", "symbol") or name.startswith(SIGN)
        if is_indexed and all(one.value == stored for one in statements if one.record != "index"):
            return False  # if the index says something else, it is the index that is wrong
        other = [one for one in statements if one.value != stored]
        if self._applied.is_contradicted and all(one.record == "applied" for one in other):
            return False  # it is named already, as something that the events say otherwise
        if not other:
            return False
        first = max(other, key=lambda one: one.weight)
        kind = FindingKind.CORRUPT if name in _IN_KEY else FindingKind.ORDER
        what = f"order {self.state.order_id}: {name} is {stored}, by {first.record} it is {first.value}"
        is_known = name in REPAIRABLE_FIELDS or (name.startswith(SIGN) and first.value != "")  # "" would clear it
        is_usable = not (stored is None and self._needs(name))
        repairable = not is_doubtful and is_known and agreed(statements, is_usable=is_usable)
        self._add_field(kind, name, what, stored, first.value, statements, repairable=repairable)
        return True

    def _needs(self, name: str) -> bool:
        """Return True for marks, or pending requests, that the status of the order shows."""
        shown = self.state.fields.get("status")
        return (name == "marks" and shown in MARKS) or (name == "pending" and shown in PENDING)

    def _compare_unreadable(
        self, error: CorruptRecord, history: History, changes: Sequence[Change], last: Change | None
    ) -> None:
        """Report the field because of which an order cannot be read, and what other records say of it."""
        name, stored = error.field, self.state.fields.get(error.field)
        says = statements_of(self._keys, self.state, changes, last, self._applied)
        statements, self._said_in = says.get(name, []), _valid_names(one.value for one in says.get("symbol", ()))
        expected = statements[0].value if agreed(statements, is_usable=False) else None
        is_known = name in REPAIRABLE_FIELDS and self.state.order_id not in history.doubtful_orders
        repairable = is_known and expected not in (None, stored)
        self._add_field(FindingKind.CORRUPT, name, str(error), stored, expected, statements, repairable=repairable)

    def _add_field(
        self,
        kind: FindingKind,
        name: str,
        what: str,
        stored: str | None,
        expected: str | None,
        statements: Sequence[Statement],
        *,
        repairable: bool,
    ) -> None:
        self._report.add(
            kind,
            self._key,
            name,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
            says={"order": stored, **{one.record: one.value for one in statements}},
        )


def _hides_more(state: OrderState) -> bool:
    """Return True for a status that an order never shows while it has a mark or a pending request, as it has."""
    is_plain = state.fields.get("status") in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
    return is_plain and any(state.fields.get(name) for name in ("marks", "pending"))


def _valid_names(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(value for value in values if value and is_valid_name(value))

"""Compare the indexes of one order with its status and symbol, and when all that belongs to it expires. No I/O here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ...models.keys import TraderKeys
from ...models.order import Order
from ...models.own_fields import OWN_NAMES, SIGN
from .findings import FindingKind, OrderState, Report
from .lifetimes import NEVER, expiry_of
from .order_own import field_of_index, marked_names, own_indexes

_ENOUGH = 3
"""The number of other records that have to expire at one time, so that another is corrected; all of fewer."""


class OrderPlaces:
    """The indexes and expiries of one order.

    Four records say when a terminal order expires: its hash, what was applied to it, and its entries in two indexes.
    An open one never expires.
    """

    def __init__(self, keys: TraderKeys, state: OrderState, report: Report) -> None:
        self._keys = keys
        self._state = state
        self._report = report
        self.is_expired = 0 <= state.expiry <= state.now_ms
        """True when the order has expired, though the server still has it: its entries may go a moment before."""

    def compare(self, order: Order, *, disputed: frozenset[str], is_proven: bool) -> None:
        """Compare the places of an order that can be read.

        Args:
            order: The order.
            disputed: The fields of the order of which other records say something else.
            is_proven: True when events or other records say the same of its status and symbol.
        """
        if self.is_expired:
            return
        belongs_in: dict[str, str] = {}
        if "status" not in disputed:
            belongs_in[self._keys.statuses[order.status]] = "status"
        if "symbol" not in disputed:
            belongs_in[self._keys.symbol(order.symbol)] = "symbol"
        own = own_indexes(self._keys, self._state.fields)
        belongs_in |= {index: field for index, field in own.items() if field not in disputed}
        is_open = order.status.is_open and "status" not in disputed
        expiries = self._expiries(belongs_in)
        expected, is_known = (NEVER, is_proven) if is_open else _agreed(expiries, self._state.now_ms)
        if "status" not in disputed:
            self._compare_keys(order, expiries, expected, is_known=is_known)
        for index in sorted(belongs_in.keys() | self._state.scores.keys()):
            if index in belongs_in:
                self._compare_entry(index, expiries, expected, is_known=is_known and is_proven)
            elif self._is_unmarked(index):
                self._add_unmarked(index)
            elif self._kind_of(index) not in disputed:
                self._compare_stray(index, is_proven=is_proven)

    def compare_gone(self, *, is_proven: bool) -> None:
        """Compare the entries of an order that is not there; ``is_proven``: nothing else says it should be."""
        for index in sorted(self._state.scores):
            self._compare_stray(index, is_proven=is_proven)

    def _is_unmarked(self, index: str) -> bool:
        """Return True for an index of a value that the order has in an own field, which ``@own`` does not name."""
        field = field_of_index(self._keys, index)
        text = None if field is None else self._state.fields.get(field)
        if field is None or text is None or field.removeprefix(SIGN) in marked_names(self._state.fields):
            return False
        return index == self._keys.own_order_index(field.removeprefix(SIGN), text)

    def _add_unmarked(self, index: str) -> None:
        """Report that the order does not say that it is in an index in which it is: no other record says so."""
        stored, key = self._state.fields.get(OWN_NAMES), self._keys.order(self._state.order_id)
        name = index.removeprefix(self._keys.base)
        what = f"order {self._state.order_id}: {OWN_NAMES} is {stored!r}, and {name} lists it"
        says = {"order": stored, "index": "listed"}
        self._report.add(FindingKind.ORDER, key, OWN_NAMES, what, stored=stored, says=says)

    def _kind_of(self, index: str) -> str:
        if (field := field_of_index(self._keys, index)) is not None:
            return field
        return "symbol" if index.startswith(self._keys.symbol("")) else "status"

    def _expiries(self, belongs_in: Mapping[str, str]) -> dict[str, str | None]:
        """Return when each record of the order expires: ``inf`` for never, None for an entry that is missing."""
        state = self._state
        entries = {index: state.scores.get(index) for index in belongs_in}
        found: dict[str, str | None] = {"order": expiry_of(state.expiry, entries.values())}
        if state.recorded_expiry != -2:  # it is there
            found["applied"] = expiry_of(state.recorded_expiry, (found["order"], *entries.values()))
        return found | entries

    def _compare_keys(
        self, order: Order, expiries: Mapping[str, str | None], expected: str | None, *, is_known: bool
    ) -> None:
        """Compare when the order and what was applied to it expire."""
        for name, key in (
            ("order", self._keys.order(order.order_id)),
            ("applied", self._keys.applied(order.order_id)),
        ):
            stored = expiries.get(name)
            if stored is None or stored == expected or (expected is None and name == "order"):
                continue
            if expected is None and stored == expiries["order"]:
                continue
            what = f"{'' if name == 'order' else 'what was applied to '}order {order.order_id} ({order.status})"
            wanted = expected or expiries["order"] or ""
            what = f"{what} expires at {stored}, and other records say {wanted}"
            self._add_expiry(key, what, stored, wanted, expiries, repairable=is_known)
        if not order.status.is_open and (expected or expiries["order"]) == NEVER:
            what = f"order {order.order_id} is {order.status}, but never expires"
            self._add_expiry(self._keys.order(order.order_id), what, NEVER, None, expiries, repairable=False)

    def _compare_entry(
        self, index: str, expiries: Mapping[str, str | None], expected: str | None, *, is_known: bool
    ) -> None:
        """Compare the entry of an index in which the order belongs."""
        stored, wanted = expiries[index], expected or expiries["order"]
        if stored == wanted:
            return
        name, order_id = index.removeprefix(self._keys.base), self._state.order_id
        if stored is None:
            what = f"{name} does not list order {order_id}"
        else:
            what = f"{name} lists order {order_id} until {stored}, and other records say {wanted}"
        # The entry is written with the expiry of the order, so that has to be right.
        repairable = is_known and expiries["order"] == wanted
        self._add_entry(index, what, stored, wanted, self._named(expiries), repairable=repairable)

    def _compare_stray(self, index: str, *, is_proven: bool) -> None:
        """Report an entry of an index in which the order does not belong, unless it has expired."""
        state, stored = self._state, self._state.scores[index]
        if float(stored) <= state.now_ms:
            return  # it is ignored, and is removed when the index is next written
        is_there = "is not in it" if state.fields else "is not there"
        what = f"{index.removeprefix(self._keys.base)} lists order {state.order_id}, which {is_there}"
        says = {"index": "listed", "order": state.fields.get(self._kind_of(index))}
        self._add_entry(index, what, stored, None, says, repairable=is_proven)

    def _named(self, expiries: Mapping[str, str | None]) -> dict[str, str | None]:
        return {name.removeprefix(self._keys.base): value for name, value in expiries.items()}

    def _add_entry(
        self,
        index: str,
        what: str,
        stored: str | None,
        expected: str | None,
        says: Mapping[str, str | None],
        *,
        repairable: bool,
    ) -> None:
        self._report.add(
            FindingKind.INDEX,
            index,
            self._state.order_id,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
            says=says,
        )

    def _add_expiry(
        self,
        key: str,
        what: str,
        stored: str,
        expected: str | None,
        expiries: Mapping[str, str | None],
        *,
        repairable: bool,
    ) -> None:
        self._report.add(
            FindingKind.EXPIRY,
            key,
            None,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
            says=self._named(expiries),
        )


def _agreed(expiries: Mapping[str, str | None], now_ms: int) -> tuple[str | None, bool]:
    """Return when most records of a terminal order expire, None without a majority; and if enough say so."""
    ((value, count), *others) = Counter(one for one in expiries.values() if one is not None).most_common()
    if others and count <= len(expiries) / 2:
        return None, False
    return value, count >= min(_ENOUGH, len(expiries) - 1) and value != NEVER and float(value) > now_ms

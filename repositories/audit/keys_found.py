"""Sort the keys that carry a trader's tag by what they are, so that what no index lists is compared, too."""

from __future__ import annotations

from collections.abc import Iterable

from ...models.keys import TraderKeys, account_and_symbol
from ...models.own_fields import SIGN
from .own_states import beside, beside_which

_ELSEWHERE = frozenset({"session", "sessions", "lock", "limit", "permit", "swapped", "value"})
"""Kinds of keys that carry the tag, and are no part of what an audit compares."""


class KeysFound:
    """The keys of one trader."""

    def __init__(self, keys: TraderKeys, found: Iterable[str]) -> None:
        found = set(found)
        self.order_ids: set[str] = set()
        """The orders of which there is a hash, or something that was applied to them."""
        self.symbols: set[str] = set()
        """The symbols of which there is a position, or an index of orders."""
        of_own = {key for key in found if key.startswith(f"{keys.base}orders_by_{SIGN}")}
        indexes = {key: keys.base + beside_which(key.removeprefix(keys.base)) for key in sorted(of_own)}
        self.own_indexes = {index: keys.base + beside(index.removeprefix(keys.base)) for index in indexes.values()}
        """The indexes of own fields of orders, each with the key of the set beside it."""
        self.own_beside = {key: index for key, index in indexes.items() if key != index}
        """The sets beside them that there are, each with the key of the index."""
        self.account_positions: list[str] = []
        """The names of the positions of accounts: the account and the symbol of each."""
        self.request_ids: list[str] = []
        """The remembered requests for changes of positions."""
        self.aliases: list[str] = []
        """The ids that name orders beside their own."""
        self.others: list[str] = []
        """All other keys: those of the desk's own records, and of no known kind."""
        by_name = {"request": self.request_ids, "alias": self.aliases, "account_position": self.account_positions}
        lists = {keys.book, keys.events, keys.limits, keys.positions, keys.account_positions, keys.dead_events}
        lists |= {*keys.statuses.values()}
        for key in sorted(found - lists - of_own):
            kind, separator, name = key.removeprefix(keys.base).partition(":")
            if kind in ("order", "applied") and separator:
                self.order_ids.add(name)
            elif kind in ("position", "orders_by_symbol") and separator:
                self.symbols.add(name)
            elif kind in by_name and separator:
                by_name[kind].append(name)
            elif kind not in _ELSEWHERE:
                self.others.append(key)
        strange = [name for name in self.account_positions if account_and_symbol(name) is None]
        self.others += [f"{keys.base}account_position:{name}" for name in strange]
        self.account_positions = [name for name in self.account_positions if name not in strange]

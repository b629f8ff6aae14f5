"""Sort the keys that carry a trader's tag by what they are, so that what no index lists is compared, too."""

from __future__ import annotations

from collections.abc import Iterable

from ...models.keys import TraderKeys
from ...models.own_fields import SIGN

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
        self.own_indexes = sorted(key for key in found if key.startswith(f"{keys.base}orders_by_{SIGN}"))
        """The indexes of own fields of orders."""
        self.request_ids: list[str] = []
        """The remembered requests for changes of positions."""
        self.others: list[str] = []
        """All other keys: those of the desk's own records, and of no known kind."""
        lists = {keys.book, keys.events, keys.positions, keys.dead_events, *keys.statuses.values()}
        for key in sorted(found - lists - set(self.own_indexes)):
            kind, separator, name = key.removeprefix(keys.base).partition(":")
            if kind in ("order", "applied") and separator:
                self.order_ids.add(name)
            elif kind in ("position", "orders_by_symbol") and separator:
                self.symbols.add(name)
            elif kind == "request" and separator:
                self.request_ids.append(name)
            elif kind not in _ELSEWHERE:
                self.others.append(key)

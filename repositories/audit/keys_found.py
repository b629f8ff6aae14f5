"""Sort the keys that carry a trader's tag by what they are, so that what no index lists is compared, too."""

from __future__ import annotations

from collections.abc import Iterable

from ...models.keys import TraderKeys

_ELSEWHERE = frozenset({"session", "sessions", "lock", "limit", "permit", "swapped", "value"})
"""Kinds of keys that carry the tag, and are no part of what an audit compares."""


class KeysFound:
    """The keys of one trader."""

    def __init__(self, keys: TraderKeys, found: Iterable[str]) -> None:
        self.order_ids: set[str] = set()
        """The orders of which there is a hash, or something that was applied to them."""
        self.symbols: set[str] = set()
        """The symbols of which there is a position, or an index of orders."""
        self.request_ids: list[str] = []
        """The remembered requests for changes of positions."""
        self.unknown: list[str] = []
        """Keys of no known kind."""
        lists = {keys.book, keys.events, keys.positions, keys.dead_events, *keys.statuses.values()}
        for key in sorted(set(found) - lists):
            kind, separator, name = key.removeprefix(keys.base).partition(":")
            if kind in ("order", "applied") and separator:
                self.order_ids.add(name)
            elif kind in ("position", "orders_by_symbol") and separator:
                self.symbols.add(name)
            elif kind == "request" and separator:
                self.request_ids.append(name)
            elif kind not in _ELSEWHERE:
                self.unknown.append(key)

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
        self.unknown: list[str] = []
        """Keys of no known kind."""
        lists = {keys.book, keys.events, keys.positions, keys.dead_events, *keys.statuses.values()}
        own = _own_kinds(keys, found)
        for key in sorted(found - lists - set(self.own_indexes)):
            kind, separator, name = key.removeprefix(keys.base).partition(":")
            if kind in ("order", "applied") and separator:
                self.order_ids.add(name)
            elif kind in ("position", "orders_by_symbol") and separator:
                self.symbols.add(name)
            elif kind == "request" and separator:
                self.request_ids.append(name)
            elif kind not in _ELSEWHERE and not _is_own(kind, own):
                self.unknown.append(key)


def _own_kinds(keys: TraderKeys, found: Iterable[str]) -> set[str]:
    """Return the kinds of the desk's own records among some keys: by an index of all, or what a kind remembers."""
    heads = (key.removeprefix(keys.base).partition(":") for key in found)
    ends = {"": ("_keys",), ":": ("_deleted", "_migrating")}
    return {kind.rpartition("_")[0] for kind, colon, _ in heads if kind.endswith(ends[colon])}


def _is_own(kind: str, own: set[str]) -> bool:
    """Return True for the first part of a key of an own record, or of an index or unique value of one."""
    return kind in own or any(
        kind.startswith((f"{one}_by_", f"{one}_unique_"))
        or kind in (f"{one}_keys", f"{one}_deleted", f"{one}_migrating")
        for one in own
    )

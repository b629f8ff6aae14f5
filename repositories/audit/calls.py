"""What an audit asks of the servers, and what it writes to repair. No I/O and no colour."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from ...models.errors import UnexpectedReply
from ...models.keys import Keys, TraderKeys
from ...models.wire import pairs
from ...topology.call import Argument, Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..replies import rows
from .findings import EventPage, Fields, Finding, SeenIndex, SeenOrder, SeenPosition, is_name

EVENTS_AT_ONCE = 1_000
ORDERS_AT_ONCE = 200
FIELDS_AT_ONCE = 5_000
POSITIONS_AT_ONCE = 200
INDEXES_AT_ONCE = 200

_PACKAGE = "slotbook.repositories.audit"
EVENTS = load(_PACKAGE, "events")
ORDERS = load(_PACKAGE, "orders")
POSITIONS = load(_PACKAGE, "positions")
INDEXES = load(_PACKAGE, "indexes")
REPAIR_ENTRY = load(_PACKAGE, "repair_entry")
REPAIR_EXPIRY = load(_PACKAGE, "repair_expiry")
REPAIR_POSITION = load(_PACKAGE, "repair_position")
REPAIR_LISTING = load(_PACKAGE, "repair_listing")


class AuditCalls:
    """The calls of one audit: reads that are each a picture of one moment, and writes that apply only to what was
    compared.
    """

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.prefix)
        tag = self.keys.traders_pattern.removesuffix("positions")
        self.patterns = tuple(tag + kind for kind in ("events", "positions", "orders_by_status:*"))
        """The SCAN patterns of keys that every book has one or another of."""
        self._of_trader = re.compile(
            re.escape(settings.prefix) + r"\{([^{}]+)\}:(?:events|positions|orders_by_status:[A-Z_]+)"
        )

    def trader_of(self, key: str) -> str | None:
        """The trader of a key that matches one of the patterns, None for a key that is not a book's."""
        match = self._of_trader.fullmatch(key)
        return match[1] if match and is_name(match[1]) else None

    def events(self, keys: TraderKeys, after: str) -> Call[EventPage]:
        """The events after an id."""

        def read(reply: Reply) -> EventPage:
            first, last, *entries = rows(reply)
            page = [(str(rows(entry)[0]), _fields(rows(entry)[1])) for entry in entries]
            return EventPage(str(first), int(str(last)), page)

        name = f"verify events of {keys.trader}"
        return evaluate(name, EVENTS, (keys.events,), (after, EVENTS_AT_ONCE), decode=read, readonly=True)

    def members(self, keys: TraderKeys, key: str, cursor: str) -> Call[tuple[str, list[str]]]:
        """Some members of an index, or of the set of positions, and the cursor of the next; "0" after the last."""
        of_set = key == keys.positions

        def read(reply: Reply) -> tuple[str, list[str]]:
            following, page = rows(reply)
            return str(following), cast("list[str]", page)[:: 1 if of_set else 2]

        verb = "SSCAN" if of_set else "ZSCAN"
        return command(f"verify {key}", verb, key, cursor, "COUNT", 1_000, decode=read)

    def orders(self, keys: TraderKeys, ids: Mapping[str, Collection[str]]) -> Call[list[SeenOrder]]:
        """Orders, each with the symbols in whose index it was seen; of large ones not all, but at least the first."""
        arguments: list[Argument] = [keys.base, FIELDS_AT_ONCE]
        for order_id, symbols in ids.items():
            arguments += [_raw(order_id), len(symbols), *map(_raw, symbols)]

        def read(reply: Reply) -> list[SeenOrder]:
            moment, now, *found = rows(reply)
            return [_seen_order(int(str(moment)), int(str(now)), rows(one)) for one in found]

        return evaluate(
            f"verify orders of {keys.trader}", ORDERS, (keys.events,), arguments, decode=read, readonly=True
        )

    def positions(self, keys: TraderKeys, symbols: Sequence[str]) -> Call[list[SeenPosition]]:
        """Positions."""

        def read(reply: Reply) -> list[SeenPosition]:
            moment, *found = rows(reply)
            return [
                SeenPosition(str(symbol), int(str(moment)), _fields(flat), listed == 1)
                for symbol, listed, flat in map(rows, found)
            ]

        return evaluate(
            f"verify positions of {keys.trader}",
            POSITIONS,
            (keys.events, keys.positions),
            (keys.base, *map(_raw, symbols)),
            decode=read,
            readonly=True,
        )

    def indexes(self, keys: TraderKeys, indexes: Sequence[str]) -> Call[list[SeenIndex]]:
        """When indexes expire."""

        def read(reply: Reply) -> list[SeenIndex]:
            answers = zip(indexes, map(rows, rows(reply)), strict=True)
            return [SeenIndex(index, int(str(expiry)), str(highest)) for index, (expiry, highest) in answers]

        return evaluate(f"verify indexes of {keys.trader}", INDEXES, indexes, (), decode=read, readonly=True)

    def repair_entry(self, keys: TraderKeys, finding: Finding) -> Call[bool]:
        """Put an index entry right, unless the entry or its order is not what was compared."""
        order_id = finding.entry or ""
        return evaluate(
            f"repair {finding.key}",
            REPAIR_ENTRY,
            (finding.key,),
            (keys.base, _raw(order_id), finding.stored or "", finding.expected or ""),
            decode=_applied,
        )

    def repair_expiry(self, index: str) -> Call[bool]:
        """Give an index the expiry of its longest-lived entry."""
        return evaluate(f"repair {index}", REPAIR_EXPIRY, (index,), (), decode=_applied)

    def repair_position(self, keys: TraderKeys, seen: SeenPosition, wanted: Fields) -> Call[bool]:
        """Write fields of a position and list it, unless the position is not what was compared."""
        key = keys.position(seen.symbol)
        stored = [part for name, value in seen.fields.items() for part in (_raw(name), _raw(value))]
        written = [part for pair in wanted.items() for part in pair]
        return evaluate(
            f"repair {key}",
            REPAIR_POSITION,
            (key, keys.positions),
            (seen.symbol, len(seen.fields), *stored, *written),
            decode=_applied,
        )

    def repair_listing(self, keys: TraderKeys, symbol: str, listed: bool) -> Call[bool]:
        """List a symbol, or strike it, unless its position came or went meanwhile."""
        arguments = (keys.base, _raw(symbol), int(listed))
        return evaluate(f"repair {keys.positions}", REPAIR_LISTING, (keys.positions,), arguments, decode=_applied)


def _applied(reply: Reply) -> bool:
    if reply in ("applied", "repeat", "changed"):
        return reply == "applied"
    raise UnexpectedReply(f"repair: the script answered {reply!r}")


def _raw(name: str) -> bytes:
    """What a server answered, as it was: names that others wrote may not be text."""
    return name.encode("utf-8", "surrogateescape")


def _fields(flat: Reply) -> Fields:
    return pairs(cast("list[str]", flat))


def _seen_order(moment: int, now: int, one: list[Reply]) -> SeenOrder:
    order_id, expiry, fields, applied_expiry, applied, scores = one
    return SeenOrder(
        str(order_id),
        moment,
        now,
        _fields(fields),
        int(str(expiry)),
        _fields(applied),
        int(str(applied_expiry)),
        _fields(scores),
    )

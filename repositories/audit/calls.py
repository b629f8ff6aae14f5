"""The calls of an audit: what it reads from the servers, and what it writes to repair. Nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, cast

from ...models.errors import UnexpectedReply
from ...models.keys import Keys, TraderKeys
from ...models.wire import pairs
from ...topology.call import Argument, Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..replies import rows
from .findings import EventPage, Fields, Finding, IndexState, OrderState, PositionState, is_valid_name

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


class MemberPage(NamedTuple):
    """Some members of an index or set, and the cursor of the next; "0" after the last."""

    cursor: str
    members: list[str]


class AuditCalls:
    """The calls of one audit.

    Each read shows the state of one moment, and each write applies only to what was compared.
    """

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.prefix)
        header = self.keys.traders_pattern
        tag = header.removesuffix("book")
        self.patterns = (header, *(tag + kind for kind in ("events", "positions", "orders_by_status:*")))
        """SCAN patterns of keys; every trader has a key that matches at least one of them."""
        self._of_trader = re.compile(
            re.escape(settings.prefix) + r"\{([^{}]+)\}:(?:book|events|positions|orders_by_status:[A-Z_]+)"
        )

    def trader_of(self, key: str) -> str | None:
        """Return the trader of a key that matches one of the patterns, None for a key that is not a book's."""
        match = self._of_trader.fullmatch(key)
        return match[1] if match and is_valid_name(match[1]) else None

    def events(self, keys: TraderKeys, after: str) -> Call[EventPage]:
        """Read the events after an id, at most ``EVENTS_AT_ONCE``."""

        def read(reply: Reply) -> EventPage:
            first, last, header, *entries = rows(reply)
            page = [(str(rows(entry)[0]), _fields(rows(entry)[1])) for entry in entries]
            return EventPage(str(first), int(str(last)), _fields(header), page)

        return evaluate(
            f"verify events of {keys.trader}",
            EVENTS,
            EVENTS.keys(book=keys.book, events=keys.events),
            EVENTS.arguments(after=after, count=EVENTS_AT_ONCE),
            decode=read,
            readonly=True,
        )

    def members(self, keys: TraderKeys, key: str, cursor: str) -> Call[MemberPage]:
        """Read some members of an index, or of the set of the trader's symbols."""
        is_set = key == keys.positions

        def read(reply: Reply) -> MemberPage:
            following, page = rows(reply)
            return MemberPage(str(following), cast("list[str]", page)[:: 1 if is_set else 2])

        scan = "SSCAN" if is_set else "ZSCAN"
        return command(f"verify {key}", scan, key, cursor, "COUNT", 1_000, decode=read)

    def orders(self, keys: TraderKeys, ids: Mapping[str, Collection[str]]) -> Call[list[OrderState]]:
        """Read orders, given the symbols in whose index each was seen: not all if they are large, but at least one."""
        ids_and_symbols: list[Argument] = []
        for order_id, symbols in ids.items():
            ids_and_symbols += [_raw(order_id), len(symbols), *map(_raw, symbols)]

        def read(reply: Reply) -> list[OrderState]:
            as_of, now_ms, *found = rows(reply)
            return [_order_state(int(str(as_of)), int(str(now_ms)), rows(one)) for one in found]

        return evaluate(
            f"verify orders of {keys.trader}",
            ORDERS,
            ORDERS.keys(events=keys.events),
            ORDERS.arguments(base=keys.base, enough_fields=FIELDS_AT_ONCE, ids_and_symbols=ids_and_symbols),
            decode=read,
            readonly=True,
        )

    def positions(self, keys: TraderKeys, symbols: Sequence[str]) -> Call[list[PositionState]]:
        """Read the positions in some symbols."""

        def read(reply: Reply) -> list[PositionState]:
            as_of, *found = rows(reply)
            return [
                PositionState(str(symbol), int(str(as_of)), _fields(flat), listed == 1)
                for symbol, listed, flat in map(rows, found)
            ]

        return evaluate(
            f"verify positions of {keys.trader}",
            POSITIONS,
            POSITIONS.keys(events=keys.events, positions=keys.positions),
            POSITIONS.arguments(base=keys.base, symbols=[_raw(symbol) for symbol in symbols]),
            decode=read,
            readonly=True,
        )

    def indexes(self, keys: TraderKeys, indexes: Sequence[str]) -> Call[list[IndexState]]:
        """Read when indexes expire, and when they should."""

        def read(reply: Reply) -> list[IndexState]:
            answers = zip(indexes, map(rows, rows(reply)), strict=True)
            return [IndexState(index, int(str(expiry)), str(highest)) for index, (expiry, highest) in answers]

        return evaluate(
            f"verify indexes of {keys.trader}",
            INDEXES,
            INDEXES.keys(indexes=indexes),
            INDEXES.arguments(),
            decode=read,
            readonly=True,
        )

    def repair_entry(self, keys: TraderKeys, finding: Finding) -> Call[bool]:
        """Put an index entry right, unless the entry or its order is not what was compared."""
        return evaluate(
            f"repair {finding.key}",
            REPAIR_ENTRY,
            REPAIR_ENTRY.keys(index=finding.key),
            REPAIR_ENTRY.arguments(
                base=keys.base,
                order_id=_raw(finding.entry or ""),
                stored=finding.stored or "",
                expected=finding.expected or "",
            ),
            decode=_is_applied,
        )

    def repair_expiry(self, index: str) -> Call[bool]:
        """Give an index the expiry of its longest-lived entry."""
        return evaluate(
            f"repair {index}",
            REPAIR_EXPIRY,
            REPAIR_EXPIRY.keys(index=index),
            REPAIR_EXPIRY.arguments(),
            decode=_is_applied,
        )

    def repair_position(self, keys: TraderKeys, state: PositionState, changes: Fields) -> Call[bool]:
        """Write fields of a position and list it, unless the position is not what was compared."""
        key = keys.position(state.symbol)
        stored = [part for name, value in state.fields.items() for part in (_raw(name), _raw(value))]
        written = [part for pair in changes.items() for part in pair]
        return evaluate(
            f"repair {key}",
            REPAIR_POSITION,
            REPAIR_POSITION.keys(position=key, positions=keys.positions),
            REPAIR_POSITION.arguments(symbol=state.symbol, stored_size=len(state.fields), fields=[*stored, *written]),
            decode=_is_applied,
        )

    def repair_listing(self, keys: TraderKeys, symbol: str, *, listed: bool) -> Call[bool]:
        """List a symbol, or remove it from the list, unless its position came or went meanwhile."""
        return evaluate(
            f"repair {keys.positions}",
            REPAIR_LISTING,
            REPAIR_LISTING.keys(positions=keys.positions),
            REPAIR_LISTING.arguments(base=keys.base, symbol=_raw(symbol), listed=int(listed)),
            decode=_is_applied,
        )


def _is_applied(reply: Reply) -> bool:
    """Return True when a repair wrote something. Raises UnexpectedReply."""
    if reply in ("applied", "repeat", "changed"):
        return reply == "applied"
    raise UnexpectedReply(f"repair: the script answered {reply!r}")


def _raw(name: str) -> bytes:
    """Return a name as the bytes that the server sent; a name that another program wrote may not be UTF-8."""
    return name.encode("utf-8", "surrogateescape")


def _fields(flat: Reply) -> Fields:
    return pairs(cast("list[str]", flat))


def _order_state(as_of: int, now_ms: int, one: list[Reply]) -> OrderState:
    order_id, expiry, fields, recorded_expiry, recorded, scores = one
    return OrderState(
        str(order_id),
        as_of,
        now_ms,
        _fields(fields),
        int(str(expiry)),
        _fields(recorded),
        int(str(recorded_expiry)),
        _fields(scores),
    )

"""Build the calls by which an audit reads a book. Nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ...models.keys import Keys, TraderKeys, account_and_symbol, glob_escaped
from ...topology.call import Argument, Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.recorded import is_recorded
from ..changes.scripts import load
from ..replies import entry_id, fields, flag, integer, rows, text
from .findings import AliasState, EventPage, IndexState, OrderState, PositionState, RequestState, is_valid_name

EVENTS_AT_ONCE = 1_000
ORDERS_AT_ONCE = 200
FIELDS_AT_ONCE = 5_000
POSITIONS_AT_ONCE = 200
INDEXES_AT_ONCE = 200
KEYS_AT_ONCE = 1_000

_PACKAGE = "slotbook.repositories.audit"
EVENTS = load(_PACKAGE, "events")
ORDERS = load(_PACKAGE, "orders")
POSITIONS = load(_PACKAGE, "positions")
INDEXES = load(_PACKAGE, "indexes")
EXPIRIES = load(_PACKAGE, "expiries")
REQUESTS = load(_PACKAGE, "requests")
ALIASES = load(_PACKAGE, "aliases")


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
            first, last, deleted, header, *entries = rows(reply)
            page = [(entry_id(number), fields(flat)) for number, flat in map(rows, entries)]
            return EventPage(text(first), integer(last), integer(deleted), fields(header), page)

        return evaluate(
            f"verify events of {keys.trader}",
            EVENTS,
            EVENTS.keys(book=keys.book, events=keys.events),
            EVENTS.arguments(after=str(after), count=str(EVENTS_AT_ONCE)),
            decode=read,
            readonly=True,
        )

    def members(self, keys: TraderKeys, key: str, cursor: str) -> Call[MemberPage]:
        """Read some members of an index, or of the set of the trader's symbols."""
        is_set = key in (keys.positions, keys.account_positions)

        def read(reply: Reply) -> MemberPage:
            following, page = rows(reply)
            return MemberPage(str(integer(following)), list(map(text, rows(page)[:: 1 if is_set else 2])))

        scan = "SSCAN" if is_set else "ZSCAN"
        return command(f"verify {key}", scan, key, cursor, "COUNT", "1000", decode=read)

    def orders(self, keys: TraderKeys, ids: Mapping[str, Collection[str]]) -> Call[list[OrderState]]:
        """Read orders, given the indexes in which each was seen: not all if they are large, but at least one."""
        ids_and_indexes: list[Argument] = []
        for order_id, indexes in ids.items():
            ids_and_indexes += [raw(order_id), str(len(indexes)), *map(raw, indexes)]

        def read(reply: Reply) -> list[OrderState]:
            as_of, now_ms, *found = rows(reply)
            return [_order_state(integer(as_of), integer(now_ms), rows(one)) for one in found]

        return evaluate(
            f"verify orders of {keys.trader}",
            ORDERS,
            ORDERS.keys(events=keys.events),
            ORDERS.arguments(base=keys.base, enough_fields=str(FIELDS_AT_ONCE), ids_and_indexes=ids_and_indexes),
            decode=read,
            readonly=True,
        )

    def positions(self, keys: TraderKeys, requests: Mapping[str, str | None]) -> Call[list[PositionState]]:
        """Read the positions in some symbols, each with what is remembered of a request, by its request_id."""

        def read(reply: Reply) -> list[PositionState]:
            as_of, *found = rows(reply)
            return [
                PositionState(text(symbol), integer(as_of), fields(flat), flag(listed), text(request))
                for symbol, listed, flat, request in map(rows, found)
            ]

        return evaluate(
            f"verify positions of {keys.trader}",
            POSITIONS,
            POSITIONS.keys(events=keys.events, positions=keys.positions),
            POSITIONS.arguments(base=keys.position(""), requests=keys.request(""), names_and_requests=_words(requests)),
            decode=read,
            readonly=True,
        )

    def account_positions(self, keys: TraderKeys, requests: Mapping[str, str | None]) -> Call[list[PositionState]]:
        """Read positions of accounts, by the members of the set that list them, likewise."""

        def read(reply: Reply) -> list[PositionState]:
            as_of, *found = rows(reply)
            states: list[PositionState] = []
            for name, listed, flat, request in map(rows, found):
                account, symbol = account_and_symbol(text(name)) or ("", "")
                states.append(
                    PositionState(
                        *(symbol, integer(as_of), fields(flat), flag(listed), text(request)), account, text(name)
                    )
                )
            return states

        return evaluate(
            f"verify positions by account of {keys.trader}",
            POSITIONS,
            POSITIONS.keys(events=keys.events, positions=keys.account_positions),
            POSITIONS.arguments(
                base=f"{keys.base}account_position:",
                requests=keys.request(""),
                names_and_requests=_words(requests),
            ),
            decode=read,
            readonly=True,
        )

    def indexes(
        self, keys: TraderKeys, indexes: Sequence[str], sets: Sequence[tuple[str, str]]
    ) -> Call[list[IndexState]]:
        """Read when indexes expire, and when they should.

        ``sets`` has for each the index that is counted, and the set beside it.
        """

        def read(reply: Reply) -> list[IndexState]:
            answers = zip(indexes, map(rows, rows(reply)), strict=True)
            return [IndexState(index, integer(expiry), text(highest)) for index, (expiry, highest) in answers]

        return evaluate(
            f"verify indexes of {keys.trader}",
            INDEXES,
            INDEXES.keys(indexes=indexes),
            INDEXES.arguments(sets=[key for pair in sets for key in pair]),
            decode=read,
            readonly=True,
        )

    def expiries(self, keys: TraderKeys, some: Sequence[str]) -> Call[dict[str, int]]:
        """Read when keys expire, in milliseconds since the epoch: -1 for never, -2 when there is no such key."""
        return evaluate(
            f"verify expiries of {keys.trader}",
            EXPIRIES,
            EXPIRIES.keys(keys=some),
            EXPIRIES.arguments(),
            decode=lambda reply: {key: integer(expiry) for key, expiry in zip(some, rows(reply), strict=True)},
            readonly=True,
        )

    def requests(self, keys: TraderKeys, request_ids: Sequence[str]) -> Call[list[RequestState]]:
        """Read what is remembered of requests for changes of positions."""

        def read(reply: Reply) -> list[RequestState]:
            as_of, *found = rows(reply)
            return [
                RequestState(request_id, integer(as_of), text(value), integer(expiry))
                for request_id, (value, expiry) in zip(request_ids, map(rows, found), strict=True)
            ]

        return evaluate(
            f"verify requests of {keys.trader}",
            REQUESTS,
            REQUESTS.keys(events=keys.events, requests=[keys.request(request_id) for request_id in request_ids]),
            REQUESTS.arguments(),
            decode=read,
            readonly=True,
        )

    def aliases(self, keys: TraderKeys, ids: Sequence[str]) -> Call[tuple[int, list[AliasState]]]:
        """Read other ids of orders; return the number of the book's last event then, and what is stored of each."""

        def read(reply: Reply) -> tuple[int, list[AliasState]]:
            as_of, *found = rows(reply)
            return integer(as_of), [_alias_state(one) for one in found]

        return evaluate(
            f"verify ids of orders of {keys.trader}",
            ALIASES,
            ALIASES.keys(events=keys.events),
            ALIASES.arguments(base=keys.base, ids=list(map(raw, ids))),
            decode=read,
            readonly=True,
        )

    def pattern_of(self, trader: str) -> str:
        """Return the SCAN pattern of all keys of a trader."""
        keys = self.keys.of(trader)
        tag = self.keys.traders_pattern.removesuffix("{*}:book")
        return f"{tag}{{{glob_escaped(keys.trader)}}}:*"


def raw(name: str) -> bytes:
    """Return a name as the bytes that the server sent; a name that another program wrote may not be UTF-8."""
    return name.encode("utf-8", "surrogateescape")


def _words(requests: Mapping[str, str | None]) -> list[bytes]:
    return [raw(word or "") for pair in requests.items() for word in pair]


def _order_state(as_of: int, now_ms: int, one: list[Reply]) -> OrderState:
    order_id, expiry, flat, recorded_expiry, recorded, scores, aliases = one
    words = rows(aliases)
    found = fields(flat)
    return OrderState(
        text(order_id),
        as_of,
        now_ms,
        found,
        integer(expiry),
        fields(recorded) | {name: value for name, value in found.items() if is_recorded(name)},
        integer(recorded_expiry),
        fields(scores),
        {text(name): _alias_state(found) for name, found in zip(words[::2], words[1::2], strict=True)},
    )


def _alias_state(reply: Reply) -> AliasState:
    order_id, expiry, is_recorded, is_order = rows(reply)
    return AliasState(text(order_id), integer(expiry), is_recorded=flag(is_recorded), is_order=flag(is_order))

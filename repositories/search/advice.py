"""Errors for servers that cannot search: what is needed, and which call answers the question without search."""

from __future__ import annotations

import re

from ...models.errors import SearchUnavailable, SlotbookError, UnexpectedReply
from ...models.record import Record
from ...models.stored import Stored
from .condition import Node, required_values

NEEDED = "it needs the search module (Redis 8, Redis Stack, or Redis 7 with RediSearch 2.10)"
_MISSING_INDEX = ("no such index", "unknown index", "index not found")
"""Parts of the error for a missing index, as servers of different versions word it."""


_MISSING_FIELD = re.compile("property `(.*?)` not loaded nor in", re.IGNORECASE).search
"""Finds the field in the error for one that is not in an index."""


def no_search_error(stored: Stored[Record], node: Node) -> SearchUnavailable:
    """Return the error for servers without search."""
    return SearchUnavailable(f"find: the server has no search: {NEEDED}; without it, use {_alternative(stored, node)}")


def no_index_error(stored: Stored[Record], error: SlotbookError) -> SlotbookError:
    """Return the error for a server without an index, or with one that lacks a field; any other as it is."""
    if is_missing_index(error):
        return SearchUnavailable(
            f"find: a server has no index of {stored.records} yet, or the slot of its name has moved: "
            f"run slotbook index create{stored.create_option}"
        )
    if isinstance(error, UnexpectedReply) and (field := _MISSING_FIELD(str(error))):
        return SearchUnavailable(
            f"find: the index of {stored.records} is of another version of the model, which has no {field[1]}: "
            f"run slotbook index create{stored.create_option}"
        )
    return error


def is_missing_index(error: SlotbookError | None) -> bool:
    """Return True for a server's error that there is no such index."""
    return isinstance(error, UnexpectedReply) and any(words in str(error).lower() for words in _MISSING_INDEX)


def _alternative(stored: Stored[Record], node: Node) -> str:
    """Return the call of a repository that comes nearest to a query, and the index that it reads."""
    required = required_values(node)
    trader, symbol, order_id = (required.get(name) for name in ("trader", "symbol", "order_id"))
    if own := stored.call_without_search(required):
        return own
    calls = {
        "symbol": (
            (symbol, f"symbols.get({symbol!r})"),
            (True, "a database behind symbols, which can be searched"),
        ),
        "position": (
            (trader and symbol, f"positions.get({trader!r}, {symbol!r})"),
            (trader, f"positions.all({trader!r}), which reads {{{trader}}}:positions"),
            (symbol, f"positions.net({symbol!r})"),
            (True, "positions.totals()"),
        ),
        "order": (
            (trader and order_id, f"orders.get({trader!r}, {order_id!r})"),
            ("status" in required, _list_call("by_status", trader, required.get("status"), "orders_by_status")),
            (symbol, _list_call("by_symbol", trader, symbol, "orders_by_symbol")),
            (True, "orders.open, by_status or by_symbol, which read {trader}:orders_by_status and orders_by_symbol"),
        ),
    }
    return next(call for answers, call in calls[stored.kind] if answers)


def _list_call(method: str, trader: str | None, value: str | None, index: str) -> str:
    who, tag = (repr(trader), trader) if trader else ("trader", "trader")
    return f"orders.{method}({who}, {value!r}), which reads {{{tag}}}:{index}:{value}"

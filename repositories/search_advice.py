"""What to say when the servers cannot search: what is needed, and which index of our own answers the question."""

from __future__ import annotations

from ..models.errors import SearchUnavailable, SlotbookError, UnexpectedReply
from ..models.record import Record
from ..models.stored import Stored
from .search_condition import Node, pinned

NEEDED = "it needs the search module (Redis 8, Redis Stack, or Redis 7 with RediSearch 2.10)"
_MISSING = ("no such index", "unknown index", "index not found")


def no_search(stored: Stored[Record], node: Node) -> SearchUnavailable:
    """The error for servers without search."""
    return SearchUnavailable(f"find: the server has no search: {NEEDED}; without it, {_instead(stored, node)}")


def no_index(stored: Stored[Record], error: SlotbookError) -> SlotbookError:
    """The error for a server without an index; any other error is returned as it is."""
    if is_missing(error):
        return SearchUnavailable(
            f"find: a server has no index of {stored.kind}s yet, or the slot of its name has moved: "
            "run slotbook index create"
        )
    return error


def is_missing(error: SlotbookError | None) -> bool:
    """Whether a server says that there is no such index, in the words of whatever version it is."""
    return isinstance(error, UnexpectedReply) and any(words in str(error).lower() for words in _MISSING)


def _instead(stored: Stored[Record], node: Node) -> str:
    """The verb of a repository that comes nearest to a query."""
    known = pinned(node)
    trader, symbol, status = known.get("trader"), known.get("symbol"), known.get("status")
    if stored.kind == "symbol":
        return f"use symbols.get({symbol!r})" if symbol else "keep the symbols in a database, and search there"
    if stored.kind == "position":
        if trader and symbol:
            return f"use positions.get({trader!r}, {symbol!r})"
        if trader:
            return f"use positions.all({trader!r}), which reads the trader's list of positions"
        return f"use positions.net({symbol!r})" if symbol else "use positions.totals()"
    if trader and "order_id" in known:
        return f"use orders.get({trader!r}, {known['order_id']!r})"
    who = repr(trader) if trader else "trader"
    if status:
        return f"use orders.by_status({who}, {status!r}), which reads the index {{trader}}:orders_by_status"
    if symbol:
        return f"use orders.by_symbol({who}, {symbol!r}), which reads the index {{trader}}:orders_by_symbol"
    return f"use orders.open({who}), orders.by_status or orders.by_symbol, which read the trader's own indexes"

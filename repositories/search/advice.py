"""What to say when the servers cannot search: what is needed, and which index of our own answers the question."""

from __future__ import annotations

from ...models.errors import SearchUnavailable, SlotbookError, UnexpectedReply
from ...models.record import Record
from ...models.stored import Stored
from .condition import Node, pinned

NEEDED = "it needs the search module (Redis 8, Redis Stack, or Redis 7 with RediSearch 2.10)"
_MISSING = ("no such index", "unknown index", "index not found")


def no_search(stored: Stored[Record], node: Node) -> SearchUnavailable:
    """The error for servers without search."""
    return SearchUnavailable(f"find: the server has no search: {NEEDED}; without it, use {_instead(stored, node)}")


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
    """The verb of a repository that comes nearest to a query, and the index of ours that it reads."""
    known = pinned(node)
    trader, symbol, order_id = (known.get(name) for name in ("trader", "symbol", "order_id"))
    ways = {
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
            ("status" in known, _listed("by_status", trader, known.get("status"), "orders_by_status")),
            (symbol, _listed("by_symbol", trader, symbol, "orders_by_symbol")),
            (True, "orders.open, by_status or by_symbol, which read {trader}:orders_by_status and orders_by_symbol"),
        ),
    }
    return next(way for wanted, way in ways[stored.kind] if wanted)


def _listed(verb: str, trader: str | None, value: str | None, index: str) -> str:
    who, tag = (repr(trader), trader) if trader else ("trader", "trader")
    return f"orders.{verb}({who}, {value!r}), which reads {{{tag}}}:{index}:{value}"

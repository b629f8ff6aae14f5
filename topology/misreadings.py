"""Say what is wrong with a reply that cannot be one to what was asked."""

from __future__ import annotations

from typing import cast

from redis.exceptions import InvalidResponse

from ..models.errors import UnexpectedReply

MISREADINGS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""The errors of Python for a reply that has another form than the one that is read from it."""


def unexpected(name: str, reply: object, *, readonly: bool = True) -> UnexpectedReply:
    """Return the error for a reply that cannot be one to the call with this name."""
    unknown = "" if readonly else "; it may have been applied: send it again with the same identity to find out"
    return UnexpectedReply(f"{name}: the server answered {shortened(reply)}, which is no answer to that{unknown}")


def shortened(reply: object) -> str:
    """Return a reply as error texts show it.

    >>> shortened(["session", "…" * 500])[:14]
    "['session', '…"
    """
    try:
        shown = repr(reply)
    except RecursionError:
        shown = "lists in lists"
    return shown if len(shown) <= 120 else f"{shown[:120]}…"


def no_reply(address: object, error: Exception) -> InvalidResponse:
    """Return redis-py's error for what a server sent, which redis-py could not read: that is this error of Python's."""
    return InvalidResponse(f"{address} sent what is no reply ({type(error).__name__}: {error})")


def scan_page(name: str, reply: object) -> tuple[str, list[str]]:
    """Return the cursor and the keys in a reply to SCAN. Raises UnexpectedReply, which begins with ``name``."""
    parts = _list_of(reply)
    if len(parts) == 2:
        cursor, page = parts
        keys = cast("list[object]", page) if isinstance(page, list) else [None]
        if (
            isinstance(cursor, str)
            and cursor.isascii()
            and cursor.isdecimal()
            and all(isinstance(key, str) for key in keys)
        ):
            return cursor, cast("list[str]", keys)
    raise unexpected(name, reply)


def pong(reply: object) -> None:
    """Return None for the reply to PING. Raises UnexpectedReply for any other."""
    if reply != "PONG":
        raise unexpected("connect", reply)


def _list_of(reply: object) -> list[object]:
    return cast("list[object]", reply) if isinstance(reply, list) else []

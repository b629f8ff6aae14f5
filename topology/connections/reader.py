"""Read replies with hiredis: what a server sends becomes a value or an error of redis-py, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

from ..error_mapping import OutOfStep
from ..misreadings import MISREADINGS

INCOMPLETE = object()
"""Returned by a reader when the bytes that have come so far do not make a whole reply."""


class Parser(Protocol):
    """The part of a redis-py parser that is used here."""

    def parse_error(self, response: str) -> Exception:
        """Return the exception for the text of an error reply."""
        ...


def closed_after(reply: RedisError) -> RedisConnectionError:
    """Return the error of a connection that is not used any more after an error reply, such as LOADING or NOAUTH.

    What else was asked on it may be answered on another connection.
    """
    return RedisConnectionError(f"the connection was closed after the reply {str(reply)!r}")


def surplus_reply() -> OutOfStep:
    """Return the error of a connection that has more than the replies that were asked for."""
    return OutOfStep("the server sent a reply that nobody asked for")


class Reader:
    """A reader of one connection's replies."""

    __slots__ = ("feed", "has_data", "next")

    def __init__(self, parser: Parser) -> None:
        reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=_error_maker(parser.parse_error),
            encoding="utf-8",
            errors="surrogateescape",
            notEnoughData=INCOMPLETE,
        )
        self.feed = reader.feed
        self.has_data = reader.has_data
        """Return True when there are bytes that have not been read as a reply."""
        self.next = _without_pushes(cast("Callable[[], Any]", reader.gets))
        """Return the next reply, ``INCOMPLETE`` if it has not come yet. Raises InvalidResponse for what is none.

        What a server pushes of its own accord (RESP3) is no reply, and is left out.
        """


def _without_pushes(gets: Callable[[], Any]) -> Callable[[], Any]:
    push = hiredis.PushNotification

    def read() -> object:
        try:
            while type(answer := gets()) is push:
                pass
        except MISREADINGS as error:  # such as a map with a list for a key
            raise InvalidResponse(f"the server sent what is no reply: {error}") from error
        return answer

    return read


def _error_maker(parse_error: Callable[[str], Exception]) -> Callable[[str], Exception]:
    def make(text: str) -> Exception:
        try:
            return parse_error(text)
        except MISREADINGS:  # redis-py reads the address in MOVED and ASK
            return ResponseError(text)

    return make

"""One connection: opened, logged in and closed by redis-py, written to and read from directly.

What redis-py does around each command costs more than the command itself. Its socket and its parser's table of errors
are all that a call needs; hiredis reads the replies.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Mapping
from os import sched_yield
from time import perf_counter
from typing import Any, Protocol, TypeAlias, cast

import hiredis
import redis.connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..address import Address
from ..call import Reply

_WAITING = object()
_CHUNK = 1 << 16
_BY_THE_KERNEL = sys.platform == "linux"
"""Whether the kernel keeps the time limit of a socket: it saves the poll before each read and write."""
_AT_ONCE = getattr(socket, "MSG_DONTWAIT", 0)
_CONTENDED = 50e-6
"""Two looks that lie further apart than this, in seconds, had someone else between them."""


class _Parser(Protocol):
    def parse_error(self, response: str) -> Exception: ...


class _RedisConnection(Protocol):
    """What we use of a redis-py connection; the names with an underscore are pinned by a test."""

    _sock: socket.socket
    _parser: _Parser

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...


ConnectionKind: TypeAlias = "Callable[..., object]"


def connection_kind(address: Address, *, tls: bool) -> ConnectionKind:
    """redis-py's class for an address."""
    if not address.port:
        return redis.connection.UnixDomainSocketConnection
    return redis.connection.SSLConnection if tls else redis.connection.Connection


class Connection:
    """A connection that is open and logged in. Errors are redis-py's; after one the connection is of no more use."""

    __slots__ = (
        "_buffer",
        "_redis_connection",
        "_feed",
        "_gets",
        "_patience",
        "_receive",
        "_send_all",
        "_socket",
        "can_poll",
    )

    def __init__(self, kind: ConnectionKind, arguments: Mapping[str, object], patience: float) -> None:
        redis_connection = cast(_RedisConnection, kind(**arguments))  # the stubs describe redis-py 4
        redis_connection.connect()
        self._redis_connection = redis_connection
        self._patience = patience
        self._socket = redis_connection._sock  # pyright: ignore[reportPrivateUsage]
        self._send_all = self._socket.sendall
        self._receive = self._socket.recv_into
        self._buffer = bytearray(_CHUNK)
        reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=redis_connection._parser.parse_error,  # pyright: ignore[reportPrivateUsage]
            encoding="utf-8",
            errors="surrogateescape",
            notEnoughData=_WAITING,
        )
        self._gets = cast("Callable[[], Any]", reader.gets)
        self._feed = reader.feed
        self.can_poll = _BY_THE_KERNEL and not self._is_tls()
        """Whether ``poll`` works here: TLS has replies that the socket does not show."""
        self._arm()

    def send(self, payload: bytes) -> None:
        """Write. Raises ConnectionError or TimeoutError."""
        try:
            self._send_all(payload)
        except (TimeoutError, BlockingIOError) as error:
            raise RedisTimeoutError("Timeout writing to socket") from error
        except OSError as error:
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error

    def read(self) -> Reply | RedisError:
        """The next reply; one that is an error is returned. Raises ConnectionError, TimeoutError or InvalidResponse."""
        gets = self._gets
        answer = gets()
        while answer is _WAITING:
            try:
                size = self._receive(self._buffer)
            except (TimeoutError, BlockingIOError) as error:
                raise RedisTimeoutError("Timeout reading from socket") from error
            except OSError as error:
                raise RedisConnectionError(f"Error while reading from socket: {error}") from error
            if not size:
                raise RedisConnectionError("Connection closed by server.")
            self._feed(self._buffer, 0, size)  # type: ignore[arg-type]  # it takes any buffer
            answer = gets()
        return cast("Reply | RedisError", answer)

    def poll(self, seconds: float) -> bool:
        """Take what comes without going to sleep for it, within some time; whether something came. Raises nothing.

        Whoever else would use this processor, or the interpreter, goes first; where someone does, sleeping is better.
        """
        receive, buffer = self._receive, self._buffer
        looked = perf_counter()
        until = looked + seconds
        while True:
            try:
                size = receive(buffer, 0, _AT_ONCE)
            except BlockingIOError:
                now = perf_counter()
                if now >= until or now - looked > _CONTENDED:
                    return False
                looked = now
                sched_yield()
            except OSError:
                return False  # the read that follows says why
            else:
                self._feed(buffer, 0, size)  # type: ignore[arg-type]  # it takes any buffer
                return True

    def set_timeout(self, seconds: float | None) -> None:
        """Have the next read end sooner than usual; None for as usual."""
        if seconds is None:
            self._arm()
        else:
            self._socket.settimeout(seconds)

    def close(self) -> None:
        """End it."""
        self._redis_connection.disconnect()

    def _arm(self) -> None:
        """Set the usual time limit."""
        if not _BY_THE_KERNEL or self._is_tls():  # which wants to know of it itself
            self._socket.settimeout(self._patience)
            return
        limit = struct.pack("ll", *divmod(max(1, round(self._patience * 1_000_000)), 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._socket.settimeout(None)

    def _is_tls(self) -> bool:
        return hasattr(self._socket, "pending")

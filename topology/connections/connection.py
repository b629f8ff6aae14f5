"""One connection for threads: redis-py opens, authenticates and closes it; its socket is written and read directly.

What redis-py does around each command costs more than the command itself. A call needs only the socket and the parser's
table of error classes from it; hiredis parses the replies.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Mapping
from os import sched_yield
from time import monotonic, perf_counter
from typing import Any, Protocol, TypeAlias, cast

import hiredis
import redis.connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..address import Address
from ..call import Reply
from ..error_mapping import NotPrimary
from .role import ASK_ROLE, ROLE_INTERVAL, Doubt, demotion_shown, demotion_told

_INCOMPLETE = object()
"""Returned by the reader when the bytes that have come so far do not make a whole reply."""
_BUFFER_SIZE = 1 << 16
_KERNEL_TIMEOUTS = sys.platform == "linux"
"""On Linux the kernel enforces the timeout of a socket, which saves Python's poll before each read and write."""
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
_CONTENDED_SECONDS = 50e-6
"""If two polls in a row are further apart than this, another thread or process ran between them."""


class _Parser(Protocol):
    def parse_error(self, response: str) -> Exception: ...


class _RedisConnection(Protocol):
    """The part of a redis-py connection that is used here; a test checks the names with an underscore."""

    _sock: socket.socket
    _parser: _Parser

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...


ConnectionClass: TypeAlias = "Callable[..., object]"


def connection_class(address: Address, *, tls: bool) -> ConnectionClass:
    """Return redis-py's connection class for an address: a Unix socket has no port."""
    if not address.port:
        return redis.connection.UnixDomainSocketConnection
    return redis.connection.SSLConnection if tls else redis.connection.Connection


class Connection:
    """A connection that is open and authenticated. It raises redis-py's errors; after one it can only be closed.

    ``reply_timeout`` is the time in seconds that a read or a write may take unless ``set_timeout`` says otherwise.
    """

    __slots__ = (
        "_asks_role",
        "_buffer",
        "_doubt",
        "_feed",
        "_gets",
        "_name",
        "_receive",
        "_redis_connection",
        "_reply_timeout",
        "_role_asked",
        "_send_all",
        "_socket",
        "can_poll",
        "demotion",
    )

    def __init__(self, connection_class: ConnectionClass, kwargs: Mapping[str, object], reply_timeout: float) -> None:
        redis_connection = cast(_RedisConnection, connection_class(**kwargs))  # the stubs describe redis-py 4
        redis_connection.connect()
        self._redis_connection = redis_connection
        self._reply_timeout = reply_timeout
        self._name = ""
        self._doubt: Doubt | None = None
        """The doubt that all connections of the target share; None when the server may be a replica."""
        self._role_asked = -ROLE_INTERVAL
        """The monotonic time at which the server was last asked for its role."""
        self._asks_role = False
        """True when the next reply tells the role."""
        self.demotion: NotPrimary | None = None
        """The error of a server that has shown itself to be a replica; the connection is then to be closed."""
        self._socket = redis_connection._sock  # pyright: ignore[reportPrivateUsage]
        self._send_all = self._socket.sendall
        self._receive = self._socket.recv_into
        self._buffer = bytearray(_BUFFER_SIZE)
        reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=redis_connection._parser.parse_error,  # pyright: ignore[reportPrivateUsage]
            encoding="utf-8",
            errors="surrogateescape",
            notEnoughData=_INCOMPLETE,
        )
        self._gets = cast("Callable[[], Any]", reader.gets)
        self._feed = reader.feed
        self.can_poll = _KERNEL_TIMEOUTS and not self._is_tls()
        """False with TLS, where the socket does not show if a reply has come, and on systems other than Linux."""
        self._set_reply_timeout()

    def send(self, payload: bytes) -> None:
        """Write packed commands. Raises ConnectionError or TimeoutError."""
        try:
            self._send_all(payload)
        except (TimeoutError, BlockingIOError) as error:
            raise RedisTimeoutError("Timeout writing to socket") from error
        except OSError as error:
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error

    def require_primary(self, name: str, doubt: Doubt) -> None:
        """Ask the server for its role, now and on. Raises NotPrimary for a replica, and what ``read`` raises.

        Args:
            name: The server's name in error texts.
            doubt: The doubt that all connections of the target share.
        """
        self._name, self._doubt = name, doubt
        self.send(self.with_role_check(b""))
        self._read_role()
        if self.demotion is not None:
            raise self.demotion

    def with_role_check(self, payload: bytes) -> bytes:
        """Return the first commands of a call, after the question for the server's role if that is due."""
        if self._doubt is None or not self._doubt.is_due(self._role_asked):
            return payload
        self._role_asked = monotonic()
        self._asks_role = True
        return ASK_ROLE + payload

    def read(self) -> Reply | RedisError:
        """Return the next reply; an error reply is returned, not raised.

        Raises ConnectionError, TimeoutError or InvalidResponse when no reply can be read, and NotPrimary in place of a
        value of a server that has to be a primary and is none.
        """
        if self._asks_role:
            self._read_role()
        answer = self._next()
        if isinstance(answer, RedisError):
            self._note_demotion(demotion_shown(self._name, answer))
        elif self.demotion is not None:
            raise self.demotion
        return answer

    def _read_role(self) -> None:
        answer = self._next()
        self._asks_role = False
        if isinstance(answer, RedisConnectionError):
            raise answer  # such as LOADING
        self._note_demotion(demotion_told(self._name, answer))

    def _note_demotion(self, demotion: NotPrimary | None) -> None:
        if demotion is not None and self._doubt is not None:
            self.demotion = demotion
            self._doubt.rise()

    def _next(self) -> Reply | RedisError:
        gets = self._gets
        answer = gets()
        while answer is _INCOMPLETE:
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
        """Poll the socket for up to ``seconds`` without going to sleep; return True if bytes came. Raises nothing.

        The processor is yielded between two polls. If another thread or process takes it, polling ends early: then it
        is better to sleep until the reply comes.
        """
        receive, buffer = self._receive, self._buffer
        last = perf_counter()
        until = last + seconds
        while True:
            try:
                size = receive(buffer, 0, _DONT_WAIT)
            except BlockingIOError:
                now = perf_counter()
                if now >= until or now - last > _CONTENDED_SECONDS:
                    return False
                last = now
                sched_yield()
            except OSError:
                return False  # the read that follows raises it
            else:
                self._feed(buffer, 0, size)  # type: ignore[arg-type]  # it takes any buffer
                return True

    def set_timeout(self, seconds: float | None) -> None:
        """Limit the next reads and writes to ``seconds``; None restores the reply timeout."""
        if seconds is None:
            self._set_reply_timeout()
        else:
            self._socket.settimeout(seconds)

    def close(self) -> None:
        """Close the socket."""
        self._redis_connection.disconnect()

    def _set_reply_timeout(self) -> None:
        if not _KERNEL_TIMEOUTS or self._is_tls():  # OpenSSL needs Python's own timeout
            self._socket.settimeout(self._reply_timeout)
            return
        limit = struct.pack("ll", *divmod(max(1, round(self._reply_timeout * 1_000_000)), 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._socket.settimeout(None)

    def _is_tls(self) -> bool:
        return hasattr(self._socket, "pending")

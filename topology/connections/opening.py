"""Open connections with redis-py, for threads, by a time of the monotonic clock.

redis-py gives each address of a host, and each read of a login, a timeout of its own. Here the addresses share one, and
the login is left to the caller.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Protocol, TypeAlias, cast

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..address import Address

SHORTEST_TIMEOUT = 0.001
"""Seconds; 0 would mean not to wait at all."""


class _Parser(Protocol):
    def parse_error(self, response: str) -> Exception: ...


class OpenedConnection(Protocol):
    """The part of a redis-py connection that is used here; a test checks the names with an underscore."""

    _sock: socket.socket
    _parser: _Parser

    def connect(self) -> None:
        """Open the connection. Raises a RedisError."""

    def disconnect(self) -> None:
        """Close the connection."""


ConnectionClass: TypeAlias = "Callable[..., object]"
_Found: TypeAlias = "tuple[int, int, int, str, Any]"
"""An address as the system gives it: family, type, protocol, canonical name, and what connects to it."""


class _TcpConnection(Connection):
    """A connection that is open by ``ends_at``, however many addresses its host has."""

    ends_at = math.inf
    """The time of the monotonic clock by which the socket is connected, and the TLS handshake done."""

    def _connect(self) -> socket.socket:
        own = cast(Any, self)  # the stubs describe redis-py 4
        last: OSError | None = None
        ends_at = min(self.ends_at, monotonic() + own.socket_connect_timeout)
        found = _addresses(own.host, own.port, own.socket_type, ends_at)
        for number, (family, kind, protocol, _, address) in enumerate(found):
            connected = socket.socket(family, kind, protocol)
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if own.socket_keepalive:
                    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    for option, value in own.socket_keepalive_options.items():
                        connected.setsockopt(socket.IPPROTO_TCP, option, value)
                # an address that is silent leaves time for those after it
                connected.settimeout(max(SHORTEST_TIMEOUT, (ends_at - monotonic()) / (len(found) - number)))
                connected.connect(address)
                connected.settimeout(max(SHORTEST_TIMEOUT, min(own.socket_timeout, self.ends_at - monotonic())))
                return connected
            except OSError as error:
                last = error
                connected.close()
            except BaseException:
                connected.close()
                raise
        raise last or OSError(f"{own.host} has no address")


class _TlsConnection(SSLConnection, _TcpConnection):
    """The same, with TLS: redis-py wraps the socket that the other class has connected."""


def _addresses(host: str, port: int, family: int, ends_at: float) -> Sequence[_Found]:
    """Return the addresses of a host. Raises OSError, and TimeoutError when its name is not resolved in time."""
    look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
    with suppress(OSError):
        return look_up(flags=socket.AI_NUMERICHOST)
    # The system's resolver has timeouts of its own, and cannot be interrupted: so another thread waits for it.
    answers: SimpleQueue[Sequence[_Found] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(look_up())
        except Exception as error:
            answers.put(error)

    Thread(target=ask, name="slotbook-resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=max(SHORTEST_TIMEOUT, ends_at - monotonic()))
    except Empty:
        raise TimeoutError(f"the name {host} was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def connection_class(address: Address, *, tls: bool) -> ConnectionClass:
    """Return the connection class for an address: a Unix socket has no port."""
    if not address.port:
        return UnixDomainSocketConnection
    return _TlsConnection if tls else _TcpConnection


def open_connection(kind: ConnectionClass, arguments: Mapping[str, object], ends_at: float) -> OpenedConnection:
    """Return a connection that is open, with TLS if it has any, and not logged in. Raises a RedisError.

    Args:
        kind: The connection class.
        arguments: Its arguments.
        ends_at: The time of the monotonic clock by which it is open.
    """
    left = max(SHORTEST_TIMEOUT, ends_at - monotonic())
    timeout = min(cast("float", arguments["socket_connect_timeout"]), left)
    opened = kind(**{**arguments, "socket_connect_timeout": timeout, "redis_connect_func": _leave_login})
    opened = cast(Any, opened)
    opened.ends_at = ends_at
    opened.connect()
    return cast(OpenedConnection, opened)


def too_late(address: Address, *, tls: bool) -> RedisTimeoutError:
    """Return the error of a server to which a connection was not open in time: busy, or one that waits for no TLS."""
    silent = "the TLS handshake in time; does it speak TLS?" if tls else "in time"
    return RedisTimeoutError(f"{address} did not answer {silent}")


def _leave_login(_: object) -> None:
    """Do nothing, in place of redis-py's login."""

"""Describe the connections that redis-py opens for asyncio."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection

from ..address import Address
from .reader import Parser


class _Writer(Protocol):
    @property
    def transport(self) -> asyncio.Transport: ...


class RedisConnection(Protocol):
    """The part of a redis-py connection that is used here; a test checks the names with an underscore."""

    _writer: _Writer
    _parser: Parser

    async def connect(self) -> None:
        """Open the connection and authenticate."""

    async def disconnect(self, nowait: bool = False) -> None:
        """Close the connection; with ``nowait``, do not wait until it is closed."""

    async def send_packed_command(self, command: tuple[bytes, ...], check_health: bool) -> None:
        """Write packed commands."""

    async def read_response(self) -> object:
        """Return the next reply."""

    async def can_read(self) -> bool:
        """Return True if there is something to read."""
        ...


AsyncConnectionClass: TypeAlias = "Callable[..., object]"


def async_connection_class(address: Address, *, tls: bool) -> AsyncConnectionClass:
    """Return redis-py's connection class for an address: a Unix socket has no port."""
    if not address.port:
        return UnixDomainSocketConnection
    return SSLConnection if tls else Connection


def poll_of(transport: asyncio.Transport) -> Callable[[int], object]:
    """Return a function that tells, without waiting, if there is something that the event loop has not read yet."""
    found: object = transport.get_extra_info("socket")
    if found is None or not hasattr(select, "poll"):
        return lambda _: None
    poller = select.poll()
    poller.register(cast("socket.socket", found), select.POLLIN)
    return poller.poll

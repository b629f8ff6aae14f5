"""Send one administrative command to a private server, on a connection of its own."""

from __future__ import annotations

import socket
from typing import TypeAlias, cast

from redis.connection import DefaultParser
from redis.exceptions import AuthenticationError, BusyLoadingError, InvalidResponse, RedisError
from redis.exceptions import ConnectionError as NoConnection

from ...models.errors import EmbeddedError
from ..call import CommandPacker
from ..connections.reader import INCOMPLETE, Parser, Reader

Reply: TypeAlias = "str | int | list[Reply] | None"
_PARSER = cast("Parser", DefaultParser)
_pack = CommandPacker().pack


class NotAnswering(EmbeddedError):
    """The server does not answer: it is down, frozen or still loading its data."""


class NotOurs(EmbeddedError):
    """Another program answers on the server's port."""


def ask(host: str, port: int, password: str, command: tuple[str | bytes | int, ...], timeout: float) -> Reply:
    """Send one command and return the reply, within ``timeout`` seconds for each of connecting and reading.

    Raises NotAnswering, NotOurs if the password is refused or the reply is not Redis's protocol, or EmbeddedError with
    the text of an error reply.
    """
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = Reader(_PARSER)
            _exchange(connection, reader, ("AUTH", password))  # alone: another program's server is told nothing more
            return _exchange(connection, reader, command)
    except (AuthenticationError, InvalidResponse) as error:
        raise NotOurs(str(error)) from None
    except TimeoutError:
        raise NotAnswering(f"no answer within {timeout:g} s") from None
    except (BusyLoadingError, NoConnection, OSError) as error:
        raise NotAnswering(str(error)) from None
    except RedisError as error:
        raise EmbeddedError(str(error)) from None


def _exchange(connection: socket.socket, reader: Reader, command: tuple[str | bytes | int, ...]) -> Reply:
    """Send one command and return its reply. Raises what redis-py has for an error reply."""
    connection.sendall(_pack(*command)[0])
    while (reply := reader.next()) is INCOMPLETE:
        received = connection.recv(65_536)
        if not received:
            raise NoConnection("the server closed the connection")
        reader.feed(received)
    if isinstance(reply, RedisError):
        raise reply
    return cast(Reply, reply)

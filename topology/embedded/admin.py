"""Send one administrative command to a private server, on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import AuthenticationError, BusyLoadingError, InvalidResponse, RedisError
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoReply
from redis.retry import Retry

from ...models.errors import EmbeddedError
from ..call import CommandPacker

Reply: TypeAlias = "str | int | list[Reply] | None"


class NotAnswering(EmbeddedError):
    """The server does not answer: it is down, frozen or still loading its data."""


class NotOurs(EmbeddedError):
    """Another program answers on the server's port."""


class _RedisConnection(Protocol):
    def connect(self) -> None: ...
    def send_command(self, *args: str | bytes | int) -> None: ...
    def read_response(self) -> Reply: ...
    def disconnect(self) -> None: ...


# Where types-redis is installed, its stubs describe version 4 of redis-py; the cast makes its class independent of
# them.
_open = cast("Callable[..., _RedisConnection]", Connection)


def ask(host: str, port: int, password: str, command: tuple[str | bytes | int, ...], timeout: float) -> Reply:
    """Send one command and return the reply, within ``timeout`` seconds for each of connecting and reading.

    Raises NotAnswering, NotOurs if the password is refused or the reply is not Redis's protocol, or EmbeddedError with
    the text of an error reply.
    """
    connection = _open(
        host=host,
        port=port,
        password=password,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
        command_packer=CommandPacker(),
        protocol=2,
        decode_responses=True,
        encoding_errors="surrogateescape",
    )
    try:
        connection.connect()
        connection.send_command(*command)
        return connection.read_response()
    except (AuthenticationError, InvalidResponse) as error:
        raise NotOurs(str(error)) from None
    except (BusyLoadingError, NoConnection, NoReply) as error:
        raise NotAnswering(str(error)) from None
    except RedisError as error:
        raise EmbeddedError(str(error)) from None
    finally:
        connection.disconnect()

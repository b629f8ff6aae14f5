"""One administrative command on a fresh connection."""

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

Reply: TypeAlias = "str | int | list[Reply] | None"


class NotAnswering(EmbeddedError):
    """The server is down, frozen or still loading."""


class NotOurs(EmbeddedError):
    """Something else answers on the server's port."""


class _Wire(Protocol):
    def connect(self) -> None: ...
    def send_command(self, *args: str | bytes | int) -> None: ...
    def read_response(self) -> Reply: ...
    def disconnect(self) -> None: ...


# The cast gives redis-py's class a type of its own: the stubs of types-redis, where installed, describe version 4.
_open = cast("Callable[..., _Wire]", Connection)


def ask(host: str, port: int, password: str, command: tuple[str | bytes | int, ...], timeout: float) -> Reply:
    """Send one command and return the reply.

    Raises NotAnswering, NotOurs, or EmbeddedError with the text of an error reply.
    """
    wire = _open(
        host=host,
        port=port,
        password=password,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
        protocol=2,
        decode_responses=True,
        encoding_errors="surrogateescape",
    )
    try:
        wire.connect()
        wire.send_command(*command)
        return wire.read_response()
    except (AuthenticationError, InvalidResponse) as error:
        raise NotOurs(str(error)) from None
    except (BusyLoadingError, NoConnection, NoReply) as error:
        raise NotAnswering(str(error)) from None
    except RedisError as error:
        raise EmbeddedError(str(error)) from None
    finally:
        wire.disconnect()

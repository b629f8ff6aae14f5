"""The connection to one server for asyncio: a single one, which carries the calls of all tasks of an event loop.

redis-py opens it; from then on it is an :class:`.async_connection.AsyncConnection`. The number of calls in flight is
bounded by a fair semaphore.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from math import inf
from typing import TypeAlias, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply
from ..error_mapping import Failure, NotPrimary, Unsent
from ..settings import Target
from .async_connection import AsyncConnection, Exchange, RedisConnection, async_connection_class
from .async_semaphore import AsyncSemaphore
from .connection_kwargs import connection_kwargs
from .role import ASK_ROLE, Doubt, demotion_told

Answer: TypeAlias = "Reply | Failure"
OnAnswer: TypeAlias = "Callable[[Answer], object]"
"""Called with each answer, in the order of the commands."""


CALLS_PER_CONNECTION = 64
"""The calls in flight that are allowed, as a multiple of the setting ``pool_size``; asyncio uses one connection."""


_inherited: list[AsyncConnection | None] = []
"""The parent's connections, kept alive in a forked child so that they are never closed there."""


class AsyncConnectionPool:
    """One connection to one server, shared by all tasks of an event loop and opened when it is first needed.

    With ``doubt`` a connection is not used when its server says that it is a replica; see :mod:`.role`.
    ``waits_for_replicas`` is for a pool whose calls wait for replicas: their replies may take ``replication_wait``
    seconds longer. ``for_sentinel`` connects with the sentinels' user and password.
    """

    def __init__(
        self,
        target: Target,
        address: Address,
        *,
        for_sentinel: bool = False,
        doubt: Doubt | None = None,
        waits_for_replicas: bool = False,
    ) -> None:
        self.address = address
        self._settings = target.settings
        self._reply_timeout = target.settings.socket_timeout
        if waits_for_replicas:
            self._reply_timeout += target.settings.replication_wait
        self._connection_class = async_connection_class(address, tls=target.tls)
        # redis-py sets no timeout for reads: how long a reply may take is decided by each exchange.
        self._kwargs = {**connection_kwargs(target, address, for_sentinel=for_sentinel), "socket_timeout": None}
        self._doubt = doubt
        self._tls = target.tls
        self._owner = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.connection: AsyncConnection | None = None
        """The connection that is open in this loop; None before the first exchange and after ``close``."""
        self._opening: asyncio.Task[AsyncConnection] | None = None

    async def exchange(self, payload: bytes, reply_count: int, timeout: float, ends_at: float = inf) -> list[Answer]:
        """Send commands in one write and return an answer for each.

        Waiting for a connection, opening one, and waiting for the replies may take ``timeout`` seconds each, and all of
        it lasts until the monotonic time ``ends_at`` at most.
        Raises nothing for a connection that fails or a server that is silent: an ``Unsent`` or ``Unanswered`` takes the
        place of each reply that is missing.
        """
        connection = await self.acquire(timeout, ends_at)
        if isinstance(connection, Unsent):
            return [connection] * reply_count
        return await self.answers_to(self.begin(connection, payload, reply_count, timeout), timeout, ends_at)

    async def acquire(self, timeout: float, ends_at: float = inf) -> AsyncConnection | Unsent:
        """Return the open connection, with a permit for one exchange on it, or the reason why there is none."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._owner != os.getpid():
            self._bind_to(loop)
        connection = self.connection
        if connection is not None and not connection.broken and self._semaphore.try_acquire():
            return connection
        try:
            return await self._acquire_connection(timeout, ends_at)
        except (RedisError, PoolExhausted) as error:
            return Unsent(error)

    def release(self) -> None:
        """Give back the permit of ``acquire``, for which no exchange was begun."""
        self._semaphore.release()

    def begin(self, connection: AsyncConnection, payload: bytes, reply_count: int, timeout: float) -> Exchange:
        """Send commands on a connection for which a permit was acquired."""
        loop = asyncio.get_running_loop()
        exchange = Exchange(payload, reply_count, loop.create_future(), loop.time() + max(timeout, self._reply_timeout))
        connection.add(exchange)
        return exchange

    async def answers_to(self, exchange: Exchange, timeout: float, ends_at: float = inf) -> list[Answer]:
        """Return the answers of an exchange, which may take ``timeout`` seconds, until ``ends_at`` at most."""
        timeout = max(0.0, min(timeout, ends_at - time.monotonic()))
        if timeout >= self._reply_timeout:  # then the connection watches the time, for all its callers
            return await exchange.done
        too_late = RedisTimeoutError(f"{self.address} did not answer within {timeout:.3g} s")
        timer = asyncio.get_running_loop().call_later(timeout, exchange.fail, too_late)  # it ends only this exchange
        try:
            return await exchange.done
        finally:
            timer.cancel()

    def _bind_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start without a connection in another event loop or a forked child: the socket belongs to the old loop."""
        if self._owner != os.getpid():
            # The child shares its parent's epoll set: closing the inherited socket here would remove it from there, and
            # the parent would not be notified of replies any more.
            _inherited.append(self.connection)
        self._owner, self._loop, self.connection, self._opening = os.getpid(), loop, None, None
        self._semaphore = AsyncSemaphore(self._settings.pool_size * CALLS_PER_CONNECTION)

    async def _acquire_connection(self, timeout: float, ends_at: float) -> AsyncConnection:
        """Take a permit of the semaphore and return an open connection. Raises a RedisError or PoolExhausted."""
        if not await self._semaphore.acquire(
            max(0.0, min(timeout, self._settings.pool_wait, ends_at - time.monotonic()))
        ):
            raise PoolExhausted(
                f"{self._settings.pool_size * CALLS_PER_CONNECTION} calls to {self.address} stayed in flight for "
                f"{self._settings.pool_wait:g} s; raise pool_size, or start fewer tasks"
            )
        connection = self.connection
        if connection is not None and not connection.broken:
            return connection
        if self._opening is None:  # callers that come meanwhile share this attempt, and its failure
            self._opening = asyncio.create_task(self._open(timeout))
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.wait_for(asyncio.shield(self._opening), min(timeout, ends_at - time.monotonic()))
        except TimeoutError:
            self._semaphore.release()
            raise self._connect_timeout() from None
        except BaseException:
            self._semaphore.release()
            raise

    async def _open(self, timeout: float) -> AsyncConnection:
        try:
            redis_connection = await self._connect(timeout)
            if await redis_connection.can_read():
                await redis_connection.disconnect(nowait=True)
                raise RedisConnectionError("the server sent a reply that nobody asked for")
            self.connection = AsyncConnection(
                redis_connection,
                self._semaphore,
                f"{self.address}",
                self._reply_timeout,
                doubt=self._doubt,
            )
            return self.connection
        finally:
            self._opening = None

    async def _connect(self, timeout: float) -> RedisConnection:
        kwargs = {**self._kwargs, "socket_connect_timeout": min(timeout, self._settings.connect_timeout)}
        redis_connection = cast(RedisConnection, self._connection_class(**kwargs))  # the stubs describe redis-py 4
        try:
            async with asyncio.timeout(min(timeout, self._settings.connect_timeout + self._settings.socket_timeout)):
                await redis_connection.connect()
                if self._doubt is None:
                    return redis_connection
                demotion = await self._ask_role(redis_connection)
        except (TimeoutError, RedisTimeoutError):
            await redis_connection.disconnect(nowait=True)
            raise self._connect_timeout() from None
        except BaseException:
            await redis_connection.disconnect(nowait=True)
            raise
        if demotion is not None:
            await redis_connection.disconnect(nowait=True)
            raise demotion
        return redis_connection

    async def _ask_role(self, redis_connection: RedisConnection) -> NotPrimary | None:
        await redis_connection.send_packed_command((ASK_ROLE,), check_health=False)
        try:
            reply = await redis_connection.read_response()
        except ResponseError as error:
            reply = error
        return demotion_told(f"{self.address}", cast("Reply | RedisError", reply))

    def _connect_timeout(self) -> RedisTimeoutError:
        return RedisTimeoutError(f"{self.address} did not answer{' the TLS handshake' if self._tls else ''} in time")

    async def retire(self) -> None:
        """Close the connection of a server that is not used any more, unless a call still waits on it."""
        if self._opening is None and self.connection is not None and self.connection.idle:
            await self.close()

    async def close(self) -> None:
        """Close the connection; calls that wait on it are answered with ``Unsent`` or ``Unanswered``."""
        if self._opening is not None and self._loop is asyncio.get_running_loop():
            self._opening.cancel()
        if self.connection is not None and self._loop is asyncio.get_running_loop():
            await self.connection.close()
        self.connection = None

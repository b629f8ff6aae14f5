"""The way to one server for asyncio: one connection that carries all tasks of a loop.

redis-py connects and logs in; then the connection's transport gets a protocol of ours (see :mod:`.connection`). The number
of calls in flight is bounded, and who comes first is served first.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import redis.asyncio.connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply, pack
from ..error_mapping import Failure, NotPrimary, Unsent
from ..settings import Target
from .async_connection import AsyncConnection, Exchange, RedisConnection
from .async_semaphore import AsyncSemaphore
from .connection_kwargs import connection_kwargs

Answer: TypeAlias = "Reply | Failure"


@dataclass(frozen=True, slots=True)
class AsyncJob:
    """Commands for one server, and who is told what it answers."""

    pool: AsyncConnectionPool
    payload: Iterable[bytes]
    replies: int
    take: Callable[[Answer], object]


CALLS_PER_CONNECTION = 64
"""A pool of n connections for threads is n * 64 calls in flight for asyncio."""


_inherited: list[AsyncConnection | None] = []
"""A parent's connections, kept in a forked child so that they are never closed there."""


class AsyncConnectionPool:
    """One connection to one server, shared by all tasks of a loop."""

    def __init__(
        self, target: Target, address: Address, *, of_sentinel: bool = False, primary: bool = False, waits: bool = False
    ) -> None:
        self.address = address
        self._settings = target.settings
        self._patience = target.settings.socket_timeout + (target.settings.replication_wait if waits else 0.0)
        self._kind = (
            redis.asyncio.connection.UnixDomainSocketConnection
            if not address.port
            else redis.asyncio.connection.SSLConnection
            if target.tls
            else redis.asyncio.connection.Connection
        )
        # One reply may take as long as its caller allows; the connection itself never times out.
        self._arguments = {**connection_kwargs(target, address, of_sentinel=of_sentinel), "socket_timeout": None}
        self._primary = primary
        self._tls = target.tls
        self._owner = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: AsyncConnection | None = None
        self._opening: asyncio.Task[AsyncConnection] | None = None

    async def exchange(self, payload: bytes, replies: int, timeout: float) -> list[Answer]:
        """Send commands in one write and read their replies; what went wrong is an answer too, never an exception."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._owner != os.getpid():
            self._move_to(loop)
        connection = self._connection
        if connection is None or connection.broken or not self._semaphore.try_acquire():
            try:
                connection = await self._ready(timeout)
            except (RedisError, PoolExhausted) as error:
                return [Unsent(error)] * replies
        exchange = Exchange(payload, replies, loop.create_future(), loop.time() + max(timeout, self._patience))
        connection.add(exchange)
        if timeout >= self._patience:
            return (
                await exchange.done
            )  # a server that is silent for so long is given up for everyone, by the connection
        late = RedisTimeoutError(f"{self.address} did not answer within {timeout:.3g} s")
        timer = loop.call_later(timeout, exchange.give_up, late)  # a caller in a hurry only for itself
        try:
            return await exchange.done
        finally:
            timer.cancel()

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start anew in a second loop, or in a forked child: the old loop's socket is not ours to use."""
        if self._owner != os.getpid():
            # The child shares its parent's epoll: if it closed what it inherited, the parent would stop hearing of it.
            _inherited.append(self._connection)
        self._owner, self._loop, self._connection, self._opening = os.getpid(), loop, None, None
        self._semaphore = AsyncSemaphore(self._settings.pool_size * CALLS_PER_CONNECTION)

    async def _ready(self, timeout: float) -> AsyncConnection:
        """A place on an open connection."""
        if not await self._semaphore.acquire(min(timeout, self._settings.pool_wait)):
            raise PoolExhausted(
                f"{self._settings.pool_size * CALLS_PER_CONNECTION} calls to {self.address} stayed in flight for "
                f"{self._settings.pool_wait:g} s; raise pool_size, or start fewer tasks"
            )
        connection = self._connection
        if connection is not None and not connection.broken:
            return connection
        if self._opening is None:  # whoever comes meanwhile shares the attempt, and its failure
            self._opening = asyncio.create_task(self._open(timeout))
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.wait_for(asyncio.shield(self._opening), timeout)
        except TimeoutError:
            self._semaphore.release()
            raise self._late() from None
        except BaseException:
            self._semaphore.release()
            raise

    async def _open(self, timeout: float) -> AsyncConnection:
        try:
            redis_connection = await self._connect(timeout)
            if await redis_connection.can_read():
                await redis_connection.disconnect(nowait=True)
                raise RedisConnectionError("the server sent a reply that nobody asked for")
            self._connection = AsyncConnection(redis_connection, self._semaphore, f"{self.address}", self._patience)
            return self._connection
        finally:
            self._opening = None

    async def _connect(self, timeout: float) -> RedisConnection:
        arguments = {**self._arguments, "socket_connect_timeout": min(timeout, self._settings.connect_timeout)}
        redis_connection = cast(
            RedisConnection, cast("type[Any]", self._kind)(**arguments)
        )  # the stubs describe redis-py 4
        try:
            async with asyncio.timeout(min(timeout, self._settings.connect_timeout + self._settings.socket_timeout)):
                await redis_connection.connect()
                if not self._primary:
                    return redis_connection
                await redis_connection.send_packed_command((pack(("ROLE",)),), check_health=False)
                role = cast("list[Reply]", await redis_connection.read_response())[0]
        except (TimeoutError, RedisTimeoutError):
            await redis_connection.disconnect(nowait=True)
            raise self._late() from None
        except BaseException:
            await redis_connection.disconnect(nowait=True)
            raise
        if role != "master":
            await redis_connection.disconnect(nowait=True)
            raise NotPrimary(f"{self.address} is not a primary but a {role}")
        return redis_connection

    def _late(self) -> RedisTimeoutError:
        return RedisTimeoutError(f"{self.address} did not answer{' the TLS handshake' if self._tls else ''} in time")

    async def retire(self) -> None:
        """Close the connection unless someone still waits on it."""
        if self._opening is None and self._connection is not None and self._connection.idle:
            await self.close()

    async def close(self) -> None:
        """Close the connection."""
        if self._opening is not None and self._loop is asyncio.get_running_loop():
            self._opening.cancel()
        if self._connection is not None and self._loop is asyncio.get_running_loop():
            await self._connection.close()
        self._connection = None


async def exchange_all(jobs: Sequence[AsyncJob], timeout: float) -> None:
    """Exchange with several servers at once."""
    for job, answers in zip(
        jobs,
        await asyncio.gather(*(job.pool.exchange(b"".join(job.payload), job.replies, timeout) for job in jobs)),
        strict=True,
    ):
        for answer in answers:
            job.take(answer)

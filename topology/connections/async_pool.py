"""The connection to one server for asyncio: a single one, which carries the calls of all tasks of an event loop.

redis-py opens it; from then on it is an :class:`.async_connection.AsyncConnection`. The number of calls in flight is
bounded by a fair semaphore.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from math import inf
from typing import NoReturn, TypeAlias, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...models.errors import BelongsElsewhere, BookClosed, PoolExhausted
from ...models.health import PoolStats
from ..address import Address
from ..call import Reply
from ..error_mapping import Failure, NotPrimary, Unsent
from ..home import AsyncHome
from ..misreadings import MISREADINGS, no_reply
from ..observing import Notices
from ..settings import Target
from .async_connection import FORGOTTEN, AsyncConnection, Exchange
from .async_leaving import begin, disconnect
from .async_opening import RedisConnection, async_connection_class
from .async_places import AsyncPlaces
from .connection_kwargs import connection_kwargs
from .opening import too_late
from .outage import Outage
from .role import ASK_ROLE, Doubt, demotion_told

Answer: TypeAlias = "Reply | Failure"
OnAnswer: TypeAlias = "Callable[[Answer], object]"
"""Called with each answer, in the order of the commands."""


CALLS_PER_CONNECTION = 64
"""The calls in flight that are allowed, as a multiple of the setting ``pool_size``; asyncio uses one connection."""


CLOSED = "the book was closed; open another to go on"

_inherited: list[AsyncConnection | None] = []
"""The parent's connections, kept alive in a forked child so that they are never closed there."""


class AsyncConnectionPool:
    """One connection to one server, shared by all tasks of an event loop and opened when it is first needed.

    With ``doubt`` a connection is not used when its server says that it is a replica; see :mod:`.role`.
    ``waits_for_replicas`` is for a pool whose calls wait for replicas: their replies may take ``replication_wait``
    seconds longer. ``for_sentinel`` connects with the sentinels' user and password. ``home`` is the event loop of all
    pools of a book. ``notices`` are told when the connection is lost and back.
    """

    def __init__(
        self,
        target: Target,
        address: Address,
        *,
        for_sentinel: bool = False,
        doubt: Doubt | None = None,
        waits_for_replicas: bool = False,
        home: AsyncHome | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.address = address
        self._outage, self._for_replicas = Outage(address, notices), waits_for_replicas
        self._home = home or AsyncHome()
        self.closed = False
        """True when no call is sent any more, because the book was closed."""
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
        self._opened_by = 0.0
        """The monotonic time after which an attempt that has not ended never will; see ``FORGOTTEN``."""

    async def exchange(self, payload: bytes, reply_count: int, timeout: float, ends_at: float = inf) -> list[Answer]:
        """Send commands in one write and return an answer for each.

        Waiting for a connection, opening one, and waiting for the replies may take ``timeout`` seconds each, and all of
        it lasts until the monotonic time ``ends_at`` at most.
        Raises nothing for a connection that fails or a server that is silent: an ``Unsent`` or ``Unanswered`` takes the
        place of each reply that is missing.
        """
        exchange = Exchange(payload, reply_count)
        failure = await self.send(exchange, timeout, ends_at)
        return [failure] * reply_count if failure is not None else await self.answers_to(exchange, timeout, ends_at)

    async def send(
        self, exchange: Exchange, timeout: float, ends_at: float = inf, after: AsyncConnection | None = None
    ) -> Unsent | None:
        """Send the commands of an exchange on the open connection; return the reason if they are not sent.

        Waits up to ``timeout`` seconds for a place, and until ``ends_at`` at most. Commands that go ``after`` others
        are not sent on another connection than those.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._owner != os.getpid():
            try:
                self._bind_to(loop)
            except BelongsElsewhere as error:
                return Unsent(error)
        places, connection = self._places, self.connection
        try:
            places[exchange] = None
            if connection is None or connection.broken or len(places) > places.size:
                connection = await self._connection_for(exchange, timeout, ends_at)
            if after is not None and connection is not after:
                raise RedisConnectionError("the connection broke between two pieces")
            exchange.done = loop.create_future()
            exchange.deadline = loop.time() + max(timeout, self._reply_timeout)
            exchange.connection = connection
            connection.add(exchange)
        except (RedisError, PoolExhausted, BookClosed) as error:
            return Unsent(error)
        finally:
            if not exchange.added:  # else the place is the connection's to give back, with the last reply
                places.pop(exchange, None)  # first, see Places
                places.wake()
        return None

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
        """Start without a connection in a forked child, or when the loop of the old one is closed.

        Raises BelongsElsewhere while it is not.
        """
        self._home.enter()
        if self._owner != os.getpid():
            # The child shares its parent's epoll set: closing the inherited socket here would remove it from there, and
            # the parent would not be notified of replies any more.
            _inherited.append(self.connection)
        elif self.connection is not None:
            self.connection.drop()
        owner, places = os.getpid(), AsyncPlaces[Exchange](self._settings.pool_size * CALLS_PER_CONNECTION)
        self.connection, self._opening, self._places, self._owner, self._loop = None, None, places, owner, loop

    async def _connection_for(self, exchange: Exchange, timeout: float, ends_at: float) -> AsyncConnection:
        """Take a place for an exchange and return an open connection.

        Raises a RedisError, PoolExhausted or BookClosed.
        """
        exchange.ends_at = time.monotonic() + self._settings.pool_wait + timeout + 1.0
        if not await self._places.take(
            exchange, max(0.0, min(timeout, self._settings.pool_wait, ends_at - time.monotonic()))
        ):
            raise PoolExhausted(
                f"{self._settings.pool_size * CALLS_PER_CONNECTION} calls to {self.address} stayed in flight for "
                f"{self._settings.pool_wait:g} s; raise pool_size, or start fewer tasks"
            )
        if self.closed:
            raise BookClosed(CLOSED)
        connection = self.connection
        if connection is not None and not connection.broken:
            return connection
        opening = self._opening
        # Callers that come meanwhile share this attempt, and its failure.
        if opening is None or opening.done() or time.monotonic() > self._opened_by:
            # An eager task may have ended before it is noted here.
            opening = self._opening = begin(partial(self._open, timeout), asyncio.get_running_loop())
            self._opened_by = time.monotonic() + self._longest_opening(timeout) + FORGOTTEN
            opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.wait_for(asyncio.shield(opening), min(timeout, ends_at - time.monotonic()))
        except TimeoutError:
            raise too_late(self.address, tls=self._tls) from None
        except BaseException as error:
            if self.closed and (isinstance(error, RedisError) or opening.cancelled()):
                raise BookClosed(CLOSED) from error
            if opening.done() and not opening.cancelled() and opening.exception() is error:
                self._raise_shared(error)
            raise

    def _raise_shared(self, error: BaseException) -> NoReturn:
        """Raise the failure of an attempt to open a connection, in each of those that share it."""
        if isinstance(error, Exception):
            raise error
        # A signal handler has raised it, and whoever runs the event loop gets it once, from the attempt itself.
        raise RedisConnectionError("the connection was interrupted while it was opened") from error

    async def _open(self, timeout: float) -> AsyncConnection:
        try:
            redis_connection = await self._connect(timeout)
        except RedisError as error:
            if not self.closed:
                self._outage.on_failure(error)
            raise
        known = self.connection
        if known is not None and not known.broken:  # of another attempt, which an interrupt has left to itself
            await redis_connection.disconnect(nowait=True)
            return known
        if await redis_connection.can_read():
            await redis_connection.disconnect(nowait=True)
            raise RedisConnectionError("the server sent a reply that nobody asked for")
        self.connection = AsyncConnection(
            redis_connection,
            self._places,
            f"{self.address}",
            self._reply_timeout,
            doubt=self._doubt,
            on_lost=self._outage.on_failure,
        )
        self._outage.on_opened()
        return self.connection

    async def _connect(self, timeout: float) -> RedisConnection:
        kwargs = {**self._kwargs, "socket_connect_timeout": min(timeout, self._settings.connect_timeout)}
        redis_connection = cast(RedisConnection, self._connection_class(**kwargs))  # the stubs describe redis-py 4
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._longest_opening(timeout)):
                await redis_connection.connect()
                if self._doubt is None:
                    return redis_connection
                demotion = await self._ask_role(redis_connection)
        except BaseException as error:
            await disconnect(redis_connection, loop)
            if isinstance(error, TimeoutError | RedisTimeoutError):
                raise too_late(self.address, tls=self._tls) from None
            if isinstance(error, MISREADINGS):  # redis-py reads the login's replies
                raise no_reply(self.address, error) from error
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

    def _longest_opening(self, timeout: float) -> float:
        return min(timeout, self._settings.connect_timeout + self._settings.socket_timeout)

    def stats(self) -> PoolStats:
        """Return the state of the connection."""
        here = self._owner == os.getpid() and self._loop is not None and not self._loop.is_closed()
        places = self._places if here else AsyncPlaces[Exchange](1)
        waiting = max(0, len(places) - places.size)
        flying = len(places) - waiting
        is_open = here and self.connection is not None and not self.connection.broken
        in_use = int(is_open and flying > 0)
        return PoolStats(f"{self.address}", self._for_replicas, 1, in_use, int(is_open) - in_use, flying, waiting)

    async def retire(self) -> None:
        """Close the connection of a server that is not used any more, unless a call still waits on it."""
        opening = self._opening is not None and not self._opening.done()
        if not opening and self.connection is not None and self.connection.idle:
            connection, self.connection = self.connection, None
            connection.on_lost = None
            await connection.close(RedisConnectionError("the server is not used any more"))

    async def close(self) -> None:
        """Close the connection for good; a call that waits on it, or for it, ends with BookClosed as its cause."""
        self.closed = True
        opening, connection, loop = self._opening, self.connection, asyncio.get_running_loop()
        self.connection = self._opening = None
        if self._loop is None or self._owner != os.getpid():
            return
        if self._loop is not loop:
            if connection is not None:
                connection.drop()
            return
        if opening is not None and not opening.done():
            opening.cancel()
            await asyncio.wait([opening], timeout=FORGOTTEN)
        if connection is not None:
            await connection.close(BookClosed(CLOSED))
        self._places.open_for_all()

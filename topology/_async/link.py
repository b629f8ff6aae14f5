"""The way to one server for asyncio: one redis-py connection that carries all tasks of a loop.

Calls made in one turn of the loop go out in one write and are answered in order. A task that is cancelled only stops
listening: its reply is still read and dropped, so nobody else's is mistaken for it. When the connection breaks,
everyone who waits on it is told, each with whether its commands had been sent.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, cast

import redis.asyncio.connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply, pack
from ..dial import dial
from ..settings import Target
from ..verdict import NotPrimary, Trouble, Unanswered, Unsent, is_reply

Answer: TypeAlias = "Reply | Trouble"

CALLS_PER_CONNECTION = 64
"""A pool of n connections for threads is n * 64 calls in flight for asyncio."""


class Wire(Protocol):
    """What we use of a redis-py connection."""

    async def connect(self) -> None: ...

    async def disconnect(self, nowait: bool = False) -> None: ...

    async def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...

    async def read_response(self) -> object: ...


class _Exchange:
    """Commands of one caller, and the replies that came so far."""

    __slots__ = ("answers", "done", "payload", "replies", "sent")

    def __init__(self, payload: bytes, replies: int, done: asyncio.Future[list[Answer]]) -> None:
        self.payload = payload
        self.replies = replies
        self.done = done
        self.answers: list[Answer] = []
        self.sent = False

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(self.answers)

    def give_up(self, error: Exception) -> None:
        """Answer what is missing with the error; replies that come later are dropped."""
        missing = Unanswered(error) if self.sent else Unsent(error)
        if not self.done.done():
            self.done.set_result([*self.answers, *[missing] * (self.replies - len(self.answers))])


class _Session:
    """One connection, from its first write until it breaks."""

    def __init__(self, wire: Wire, room: asyncio.Semaphore) -> None:
        self._wire = wire
        self._room = room
        self._waiting: deque[_Exchange] = deque()
        self._unsent: list[_Exchange] = []
        self._writer: asyncio.Task[None] | None = None
        self._reader = asyncio.create_task(self._read())
        self._closing: asyncio.Task[None] | None = None
        self.broken = False

    @property
    def idle(self) -> bool:
        return not self._waiting

    def add(self, exchange: _Exchange) -> None:
        if self.broken:  # between the moment it opened and the moment its opener's turn came
            self._room.release()
            exchange.give_up(RedisConnectionError("the connection broke before it was used"))
            return
        self._waiting.append(exchange)
        self._unsent.append(exchange)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._unsent:
                outgoing, self._unsent = self._unsent, []
                for exchange in outgoing:
                    exchange.sent = True
                await self._wire.send_packed_command([exchange.payload for exchange in outgoing], check_health=False)
        except Exception as error:
            self.end(error)
        finally:
            self._writer = None

    async def _read(self) -> None:
        waiting = self._waiting
        try:
            while True:
                try:
                    answer = cast(Answer, await self._wire.read_response())
                except RedisError as error:
                    if not is_reply(error):
                        raise
                    answer = error
                if not waiting:
                    raise RedisConnectionError("the server sent a reply that nobody asked for")
                exchange = waiting[0]
                exchange.answers.append(answer)
                if len(exchange.answers) == exchange.replies:
                    waiting.popleft()
                    self._room.release()
                    exchange.finish()
                if isinstance(answer, RedisConnectionError):
                    raise answer  # redis-py has closed the connection after it
        except Exception as error:
            self.end(error)

    def end(self, error: Exception) -> None:
        """Close the connection and tell everyone who waits on it."""
        if self.broken:
            return
        self.broken = True
        while self._waiting:
            self._waiting.popleft().give_up(error)
            self._room.release()
        self._unsent = []
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a book that nobody closed was thrown away with its loop, and its socket goes with it
            return
        self._closing = loop.create_task(self._close())

    async def _close(self) -> None:
        for task in (self._reader, self._writer):
            if task is not None:
                task.cancel()
        await self._wire.disconnect(nowait=True)

    async def close(self) -> None:
        """Close the connection and wait until it is."""
        self.end(RedisConnectionError("the book was closed"))
        if self._closing is not None:
            await self._closing


_inherited: list[_Session | None] = []
"""A parent's connections, kept in a forked child so that they are never closed there."""


class AsyncLink:
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
        self._arguments = {**dial(target, address, of_sentinel=of_sentinel), "socket_timeout": None}
        self._primary = primary
        self._tls = target.tls
        self._owner = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: _Session | None = None
        self._opening: asyncio.Task[_Session] | None = None

    async def exchange(self, payload: bytes, replies: int, timeout: float) -> list[Answer]:
        """Send commands in one write and read their replies; what went wrong is an answer too, never an exception."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._move_to(loop)
        try:
            session = await self._ready(timeout)
        except (RedisError, PoolExhausted) as error:
            return [Unsent(error)] * replies
        exchange = _Exchange(payload, replies, loop.create_future())
        session.add(exchange)
        late = RedisTimeoutError(f"{self.address} did not answer within {timeout:.3g} s")
        # A server that is silent for so long is given up for everyone; a caller in a hurry only for itself.
        give_up = session.end if timeout >= self._patience else exchange.give_up
        timer = loop.call_later(timeout, give_up, late)
        try:
            return await exchange.done
        finally:
            timer.cancel()

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start anew in a second loop, or in a forked child: the old loop's socket is not ours to use."""
        if self._owner != os.getpid():
            # The child shares its parent's epoll: if it closed what it inherited, the parent would stop hearing of it.
            _inherited.append(self._session)
        self._owner, self._loop, self._session, self._opening = os.getpid(), loop, None, None
        self._room = asyncio.Semaphore(self._settings.pool_size * CALLS_PER_CONNECTION)

    async def _ready(self, timeout: float) -> _Session:
        """A place on an open connection."""
        if self._room.locked():
            try:
                await asyncio.wait_for(self._room.acquire(), min(timeout, self._settings.pool_wait))
            except TimeoutError:
                raise PoolExhausted(
                    f"{self._settings.pool_size * CALLS_PER_CONNECTION} calls to {self.address} stayed in flight for "
                    f"{self._settings.pool_wait:g} s; raise pool_size, or start fewer tasks"
                ) from None
        else:
            await self._room.acquire()
        session = self._session
        if session is not None and not session.broken:
            return session
        if self._opening is None:  # whoever comes meanwhile shares the attempt, and its failure
            self._opening = asyncio.create_task(self._open(timeout))
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.wait_for(asyncio.shield(self._opening), timeout)
        except TimeoutError:
            self._room.release()
            raise self._late() from None
        except BaseException:
            self._room.release()
            raise

    async def _open(self, timeout: float) -> _Session:
        try:
            self._session = _Session(await self._connect(timeout), self._room)
            return self._session
        finally:
            self._opening = None

    async def _connect(self, timeout: float) -> Wire:
        arguments = {**self._arguments, "socket_connect_timeout": min(timeout, self._settings.connect_timeout)}
        wire = cast(Wire, cast("type[Any]", self._kind)(**arguments))  # the stubs describe redis-py 4
        try:
            async with asyncio.timeout(min(timeout, self._settings.connect_timeout + self._settings.socket_timeout)):
                await wire.connect()
                if not self._primary:
                    return wire
                await wire.send_packed_command((pack(("ROLE",)),), check_health=False)
                role = cast("list[Reply]", await wire.read_response())[0]
        except (TimeoutError, RedisTimeoutError):
            await wire.disconnect(nowait=True)
            raise self._late() from None
        except BaseException:
            await wire.disconnect(nowait=True)
            raise
        if role != "master":
            await wire.disconnect(nowait=True)
            raise NotPrimary(f"{self.address} is not a primary but a {role}")
        return wire

    def _late(self) -> RedisTimeoutError:
        return RedisTimeoutError(f"{self.address} did not answer{' the TLS handshake' if self._tls else ''} in time")

    async def retire(self) -> None:
        """Close the connection unless someone still waits on it."""
        if self._opening is None and self._session is not None and self._session.idle:
            await self.close()

    async def close(self) -> None:
        """Close the connection."""
        if self._opening is not None and self._loop is asyncio.get_running_loop():
            self._opening.cancel()
        if self._session is not None and self._loop is asyncio.get_running_loop():
            await self._session.close()
        self._session = None


async def exchange_all(jobs: Sequence[tuple[AsyncLink, bytes, int]], timeout: float) -> list[list[Answer]]:
    """Exchange with several servers at once."""
    return await asyncio.gather(*(link.exchange(payload, replies, timeout) for link, payload, replies in jobs))

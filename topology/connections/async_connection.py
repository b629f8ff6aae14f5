"""One connection for asyncio, from its first write until it breaks: opened by redis-py, spoken to by a protocol.

Calls made in one turn of the loop go out in one write and are answered in order, without a task between the socket and
whoever waits. A task that is cancelled only stops listening: its reply is still read and dropped, so nobody else's is
mistaken for it. When the connection breaks, everyone who waits on it is told, each with whether its commands had been
sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, cast

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..call import Reply
from ..error_mapping import Failure, Unanswered, Unsent
from .async_semaphore import AsyncSemaphore

Answer: TypeAlias = "Reply | Failure"

_WAITING = object()


class _Parser(Protocol):
    def parse_error(self, response: str) -> Exception: ...


class _Writer(Protocol):
    @property
    def transport(self) -> asyncio.Transport: ...


class RedisConnection(Protocol):
    """What we use of a redis-py connection; the names with an underscore are pinned by a test."""

    _writer: _Writer
    _parser: _Parser

    async def connect(self) -> None: ...

    async def disconnect(self, nowait: bool = False) -> None: ...

    async def send_packed_command(self, command: tuple[bytes, ...], check_health: bool) -> None: ...

    async def read_response(self) -> object: ...

    async def can_read(self) -> bool: ...


class Exchange:
    """Commands of one caller, and the replies that came so far."""

    __slots__ = ("answers", "done", "ends_at", "payload", "replies", "sent")

    def __init__(self, payload: bytes, replies: int, done: asyncio.Future[list[Answer]], ends_at: float) -> None:
        self.payload = payload
        self.replies = replies
        self.done = done
        self.ends_at = ends_at
        """When a server that has not answered it is given up, by the loop's clock."""
        self.answers: list[Answer] = []
        self.sent = False

    def give_up(self, error: Exception) -> None:
        """Answer what is missing with the error; replies that come later are dropped."""
        missing = Unanswered(error) if self.sent else Unsent(error)
        if not self.done.done():
            self.done.set_result([*self.answers, *[missing] * (self.replies - len(self.answers))])


class AsyncConnection(asyncio.Protocol):
    """A connection that is open and logged in."""

    def __init__(
        self, redis_connection: RedisConnection, semaphore: AsyncSemaphore, name: str, patience: float
    ) -> None:
        self._redis_connection = redis_connection
        self._semaphore = semaphore
        self._name = name
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Exchange] = deque()
        self._unsent: list[Exchange] = []
        self._flushing = False
        self._paused = False
        self._watch: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self.broken = False
        reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=redis_connection._parser.parse_error,  # pyright: ignore[reportPrivateUsage]
            encoding="utf-8",
            errors="surrogateescape",
            notEnoughData=_WAITING,
        )
        self._feed = reader.feed
        self._gets = cast("Callable[[], Any]", reader.gets)
        self._transport = redis_connection._writer.transport  # pyright: ignore[reportPrivateUsage]
        self._transport.set_protocol(self)
        if self._transport.is_closing():  # nobody will be told of it any more
            self.end(RedisConnectionError("Connection closed by server."))

    @property
    def idle(self) -> bool:
        """Whether nobody waits on it."""
        return not self._waiting

    def add(self, exchange: Exchange) -> None:
        """Send an exchange's commands with those of this turn of the loop; its caller has a place in the semaphore."""
        if self.broken:  # between the moment it opened and the moment its opener's turn came
            self._semaphore.release()
            exchange.give_up(RedisConnectionError("the connection broke before it was used"))
            return
        self._waiting.append(exchange)
        self._unsent.append(exchange)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        if self._watch is None:
            self._watch = self._loop.call_at(exchange.ends_at, self._look)

    def data_received(self, data: bytes) -> None:
        """Hand replies to whoever has waited longest."""
        if self.broken:
            return
        waiting, gets, leave = self._waiting, self._gets, self._semaphore.release
        try:
            self._feed(data)
            while (answer := gets()) is not _WAITING:
                if not waiting:
                    raise RedisConnectionError("the server sent a reply that nobody asked for")
                exchange = waiting[0]
                answers = exchange.answers
                answers.append(answer)
                if len(answers) == exchange.replies:
                    waiting.popleft()
                    leave()
                    if not exchange.done.done():
                        exchange.done.set_result(answers)
                if isinstance(answer, RedisConnectionError):
                    raise answer  # a reply after which nothing good will come
        except Exception as error:
            self.end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        error = RedisConnectionError(
            f"Error while reading from socket: {exc}" if exc else "Connection closed by server."
        )
        error.__cause__ = exc
        self.end(error)

    def pause_writing(self) -> None:
        """The other side does not take more at the moment."""
        self._paused = True

    def resume_writing(self) -> None:
        """The other side takes more."""
        self._paused = False
        self._flush()

    def end(self, error: Exception) -> None:
        """Close the connection and tell everyone who waits on it."""
        if self.broken:
            return
        self.broken = True
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            self._waiting.popleft().give_up(error)
            self._semaphore.release()
        self._unsent = []
        if not self._loop.is_closed():  # else its socket went with it
            self._closing = self._loop.create_task(self._redis_connection.disconnect(nowait=True))

    async def close(self) -> None:
        """Close the connection and wait until it is."""
        self.end(RedisConnectionError("the book was closed"))
        if self._closing is not None:
            await self._closing

    def _flush(self) -> None:
        self._flushing = False
        if self._paused or not self._unsent:
            return
        outgoing, self._unsent = self._unsent, []
        for exchange in outgoing:
            exchange.sent = True
        self._transport.write(b"".join([exchange.payload for exchange in outgoing]))

    def _look(self) -> None:
        """Give the server up if it has been silent for as long as the one who has waited longest allows."""
        self._watch = None
        if not self._waiting:
            return
        oldest = self._waiting[0]
        if oldest.ends_at > self._loop.time():
            self._watch = self._loop.call_at(oldest.ends_at, self._look)
        else:
            self.end(RedisTimeoutError(f"{self._name} did not answer within {self._patience:.3g} s"))

"""One connection for asyncio: redis-py opens and authenticates it, then the protocol of this module takes it over.

Commands of calls that are made in one turn of the event loop go out in one write. Replies come in the order of the
commands, and each is handed to its caller's future without a task in between. When a caller is cancelled, its reply is
still read and dropped, so that no other caller receives it. When the connection breaks, every caller that waits on it
gets an ``Unsent`` or an ``Unanswered``, depending on whether its commands had been written.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..call import Reply
from ..error_mapping import Failure, NotPrimary, OutOfStep, Unanswered, Unsent
from .async_leaving import begin
from .async_opening import RedisConnection, poll_of
from .async_places import AsyncPlace, AsyncPlaces
from .greeting import GREETINGS, closed_in_greeting, greeting
from .reader import INCOMPLETE, Reader, closed_after, surplus_reply
from .role import ASK_ROLE, ROLE_INTERVAL, Doubt, demotion_shown, demotion_told

Answer: TypeAlias = "Reply | Failure"

_LONGEST_TURN = 0.005
"""Seconds after which the event loop is asked again to write what has been added: once too often does no harm."""


FORGOTTEN = 1.0
"""Seconds after which a task that was to end has been forgotten: a signal handler that raises in the event loop between
two tasks makes it drop the next one, which then neither goes on nor ends."""


class Exchange(AsyncPlace):
    """The commands of one caller, the place that they take, and the replies that have come so far.

    ``done`` is resolved with one answer for each of the ``reply_count`` replies.
    """

    __slots__ = ("added", "answers", "asks_role", "connection", "deadline", "done", "payload", "reply_count", "sent")

    done: asyncio.Future[list[Answer]]
    deadline: float
    """The time of the event loop's clock at which the connection is closed if it has not been answered."""

    def __init__(self, payload: bytes, reply_count: int, *, asks_role: bool = False) -> None:
        super().__init__()
        self.payload = payload
        self.asks_role = asks_role
        """True for the connection's own question for the server's role, which takes no place."""
        self.reply_count = reply_count
        self.answers: list[Answer] = []
        self.added = False
        """True when a connection has it, which will give its place back."""
        self.connection: AsyncConnection | None = None
        """The connection on which it is sent."""
        self.sent = False

    def fail(self, error: Exception) -> None:
        """Resolve the future, with the error in place of every missing reply; replies that come later are dropped."""
        missing = Unanswered(error) if self.sent else Unsent(error)
        if not self.done.done():
            self.done.set_result([*self.answers, *[missing] * (self.reply_count - len(self.answers))])


class AsyncConnection(asyncio.Protocol):
    """A connection that is open and authenticated, shared by all tasks of an event loop.

    ``name`` is the server's name in error texts. ``reply_timeout`` is the time in seconds within which the server has
    to answer; when it does not, the connection is closed for all its callers. Every exchange that is added has one of
    ``places``, which is given back when its last reply has come. With ``doubt`` the server, which has just
    been asked for its role, is asked again when that is due. ``on_lost`` is called with the error that ends it.
    """

    def __init__(
        self,
        redis_connection: RedisConnection,
        places: AsyncPlaces[Exchange],
        name: str,
        reply_timeout: float,
        *,
        doubt: Doubt | None = None,
        on_lost: Callable[[Exception], object] | None = None,
    ) -> None:
        self.on_lost = on_lost
        self._redis_connection = redis_connection
        self._places = places
        self._name = name
        self._reply_timeout = reply_timeout
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Exchange] = deque()
        """The exchanges that are written and not answered yet, in the order of their commands."""
        self._unsent: list[Exchange] = []
        self._flush_scheduled = False
        self._flush_late = 0.0
        """The time by which what is scheduled has run, if a signal handler has not made the event loop forget it."""
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._doubt = doubt
        """The doubt that all connections of the target share; None when the server may be a replica."""
        self._role_asked = time.monotonic()
        self._demotion: NotPrimary | None = None
        """The error of a server that has shown itself to be a replica."""
        self._closed = False
        self._interrupted = False
        """True when replies may not be in step with ``_waiting`` any more."""
        self.broken = False
        """True when no further exchange can be added; those that wait may still be answered."""
        reader = Reader(redis_connection._parser)  # pyright: ignore[reportPrivateUsage]
        self._feed = reader.feed
        self._gets = reader.next
        self._transport = redis_connection._writer.transport  # pyright: ignore[reportPrivateUsage]
        self._transport.set_protocol(self)
        self._poll = poll_of(self._transport)
        self._greeting = self._introduce()
        if self._transport.is_closing():  # connection_lost was called on the protocol before this one
            self.abort(RedisConnectionError("Connection closed by server."))

    @property
    def idle(self) -> bool:
        """True if no exchange waits for a reply."""
        return not self._waiting and all(exchange is self._greeting for exchange in self._unsent)

    def _introduce(self) -> Exchange:
        """Return the exchange of the commands that introduce the connection, which go out with the first call."""
        exchange = Exchange(greeting(), GREETINGS)
        exchange.done, exchange.deadline = self._loop.create_future(), self._loop.time() + self._reply_timeout
        self._unsent.append(exchange)
        return exchange

    def add(self, exchange: Exchange) -> None:
        """Send an exchange's commands, together with all that are added in this turn of the event loop.

        It must have one of the places, which it keeps when the connection turns out to be broken: it is not added then.
        """
        if self.broken:  # it broke between the moment it was opened and the turn of the task that had it opened
            exchange.fail(RedisConnectionError("the connection broke before it was used"))
            return
        if self._doubt is None:
            # The reply shows that replies are in step, which on a connection of many callers nothing else does.
            if self._role_asked < time.monotonic() - ROLE_INTERVAL:
                self._ask_role()
        elif self._doubt.is_due(self._role_asked):
            self._ask_role()
        exchange.ends_at = math.inf
        exchange.added = True  # in one step with the next line: no signal handler runs between them
        self._unsent.append(exchange)
        now = self._loop.time()
        if self._timer is None or now > self._timer.when() + FORGOTTEN:
            self._timer = self._loop.call_at(exchange.deadline, self._check_timeout)
        if not self._flush_scheduled or now > self._flush_late:
            self._loop.call_soon(self._flush)
            self._flush_scheduled, self._flush_late = True, now + _LONGEST_TURN

    def data_received(self, data: bytes) -> None:
        """Hand each reply to the exchange that has waited longest."""
        if self._closed or self._interrupted:
            return
        waiting, gets, places = self._waiting, self._gets, self._places
        given: list[list[Answer]] = []
        try:
            self._feed(data)
            while (answer := gets()) is not INCOMPLETE:
                if not waiting:
                    raise surplus_reply()
                exchange = waiting[0]
                answers = exchange.answers
                answers.append(answer)
                if len(answers) == exchange.reply_count:
                    if exchange.asks_role:
                        self._demote(demotion_told(self._name, answer))
                    elif not exchange.done.done():
                        answers = answers if self._demotion is None else self._without_values(answers)
                        exchange.done.set_result(answers)
                        given.append(answers)
                    places.pop(exchange, None)
                    waiting.popleft()
                    if len(places) >= places.size:
                        places.wake()
                if isinstance(answer, RedisError) and exchange is not self._greeting:  # the call says what it means
                    self._note_error(answer)
            if self.broken and not waiting and not self._unsent:
                self.abort(RedisConnectionError("the server is no primary any more"))
        except RedisError as error:
            self._withdraw(given, error)
            self.abort(error)
        except BaseException as error:
            self._interrupted = self.broken = True
            self.abort(RedisConnectionError(f"the connection was interrupted: {type(error).__name__}"))
            raise

    def _withdraw(self, given: list[list[Answer]], error: RedisError) -> None:
        """Take back answers that no task has seen yet, if they may be those of others."""
        if isinstance(error, OutOfStep):
            for answers in given:
                answers[:] = [Unanswered(error)] * len(answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail every exchange that waits, because the transport is closed."""
        error = RedisConnectionError(
            f"Error while reading from socket: {exc}" if exc else "Connection closed by server."
        )
        error = closed_in_greeting(self._greeting.answers) or error
        error.__cause__ = exc
        self.abort(error)

    def pause_writing(self) -> None:
        """Stop writing: the transport's buffer is full because the server does not read."""
        self._paused = True

    def resume_writing(self) -> None:
        """Write what has been added meanwhile."""
        self._paused = False
        self._flush()

    def abort(self, error: Exception) -> None:
        """Close the connection at once and fail every exchange that waits on it."""
        if self._closed:
            return
        self._closed = self.broken = True
        if self.on_lost is not None:
            self.on_lost(error)
        if self._timer is not None:
            self._timer.cancel()
        for exchange in (*self._waiting, *self._unsent):
            if isinstance(error, OutOfStep):
                exchange.answers.clear()
            exchange.fail(error)
            self._places.pop(exchange, None)
        self._waiting.clear()
        self._unsent.clear()
        self._places.wake()
        if not self._loop.is_closed():  # a closed loop has closed the socket too
            self._closing = begin(partial(self._redis_connection.disconnect, nowait=True), self._loop)

    async def close(self, cause: Exception) -> None:
        """Close the connection and wait until it is closed; an exchange that waits on it fails for this cause."""
        self.abort(cause)
        if self._closing is not None:
            await asyncio.wait([self._closing], timeout=FORGOTTEN)

    def drop(self) -> None:
        """Close the socket of a connection whose event loop does not run any more: nobody waits on it."""
        self._closed = self.broken = True
        if not self._loop.is_closed():
            self._transport.abort()
        system_socket = getattr(self._transport.get_extra_info("socket"), "_sock", None)
        if system_socket is not None:
            system_socket.close()

    def _ask_role(self) -> None:
        self._role_asked = time.monotonic()
        deadline = self._loop.time() + self._reply_timeout
        question = Exchange(ASK_ROLE, 1, asks_role=True)
        question.done, question.deadline = self._loop.create_future(), deadline
        self._unsent.append(question)

    def _note_error(self, answer: RedisError) -> None:
        """Raise an error reply after which the connection is not used any more; note one that only a replica gives."""
        if isinstance(answer, RedisConnectionError):
            raise closed_after(answer)
        self._demote(demotion_shown(self._name, answer))

    def _demote(self, demotion: NotPrimary | None) -> None:
        """Take no further exchange, if the server is no primary; the connection ends when none waits any more."""
        if demotion is not None and self._doubt is not None:
            self._demotion, self.broken = demotion, True
            self._doubt.rise()

    def _without_values(self, answers: list[Answer]) -> list[Answer]:
        """Return the answers of a replica: its values may be old, while its errors say what was not applied."""
        old = Unanswered(cast("NotPrimary", self._demotion))
        return [answer if isinstance(answer, RedisError) else old for answer in answers]

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._paused or self._closed or not self._unsent:
            return
        if not self._waiting and self._poll(0):
            # Nobody has asked for what has come: it is looked at first, in the next turn of the loop.
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)
            return
        try:
            outgoing, self._unsent = self._unsent, []
            self._waiting.extend(outgoing)
            for exchange in outgoing:
                exchange.sent = True
            self._transport.write(b"".join([exchange.payload for exchange in outgoing]))
        except BaseException as error:
            self._interrupted = self.broken = True
            self.abort(RedisConnectionError(f"the connection was interrupted: {type(error).__name__}"))
            raise

    def _check_timeout(self) -> None:
        """Close the connection if the deadline of the exchange that has waited longest is over."""
        self._timer = None
        if not self._waiting and not self._unsent:
            return
        oldest = self._waiting[0] if self._waiting else self._unsent[0]
        if oldest.deadline > self._loop.time():
            self._timer = self._loop.call_at(oldest.deadline, self._check_timeout)
        else:
            self.abort(RedisTimeoutError(f"{self._name} did not answer within {self._reply_timeout:.3g} s"))

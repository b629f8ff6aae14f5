"""The connections to one server for threads: a bounded pool from which each call takes one for itself.

redis-py opens and authenticates a connection; from then on only its socket and its parser's error table are used (see
:mod:`.connection`). A connection goes back to the pool only when every reply that it owes has been read. In all other
cases it is closed, so that no call can ever read the reply of another.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from math import inf
from os import getpid
from typing import TypeAlias

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...models.errors import BookClosed, PoolExhausted
from ...models.health import PoolStats
from ..address import Address
from ..call import Reply
from ..error_mapping import Failure, OutOfStep, Unanswered, Unsent
from ..home import Home
from ..observing import Notices
from ..settings import Target
from .busy_poll import BusyPoll
from .connection import Connection
from .connection_kwargs import connection_kwargs
from .opening import connection_class, too_late
from .outage import Outage
from .places import Place, Places
from .reader import closed_after, surplus_reply
from .role import Doubt

Answer: TypeAlias = "Reply | Failure"
OnAnswer: TypeAlias = "Callable[[Answer], object]"
"""Called with each answer, in the order of the commands."""
CLOSED = "the book was closed; open another to go on"


class Exchange(Place):
    """A call's place in a pool, and the connection that it uses."""

    __slots__ = ("connection", "failure")

    def __init__(self) -> None:
        super().__init__()
        self.connection: Connection | None = None
        """The connection on which commands were sent and will be answered."""
        self.failure: Unsent | Unanswered = _NOT_SENT
        """The reason why they will not be, when there is no connection."""

    def is_in_doubt(self) -> bool:
        """Return True if there was a reply too many: each that was read may be the one to another call."""
        return self.connection is None and isinstance(self.failure.cause, OutOfStep)


_NOT_SENT = Unsent(RedisConnectionError("nothing was sent"))


class ConnectionPool:
    """A bounded pool of connections to one server.

    With ``doubt`` a connection is not used when its server says that it is a replica; see :mod:`.role`.
    ``waits_for_replicas`` is for a pool whose calls wait for replicas: their replies may take ``replication_wait``
    seconds longer. ``for_sentinel`` connects with the sentinels' user and password. Any thread may use
    it, so ``home`` has no meaning here. ``notices`` are told when connections are lost and back.
    """

    def __init__(
        self,
        target: Target,
        address: Address,
        *,
        for_sentinel: bool = False,
        doubt: Doubt | None = None,
        waits_for_replicas: bool = False,
        home: Home | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.address = address
        self._outage, self._for_replicas = Outage(address, notices), waits_for_replicas
        self.reply_timeout = target.settings.socket_timeout
        """The seconds that a reply may take, unless a call sets a shorter timeout."""
        if waits_for_replicas:
            self.reply_timeout += target.settings.replication_wait
        self._settings = target.settings
        self._pool_wait = target.settings.pool_wait
        self._tls = target.tls
        self._connection_class = connection_class(address, tls=self._tls)
        self._kwargs = {
            **connection_kwargs(target, address, for_sentinel=for_sentinel),
            "socket_timeout": self.reply_timeout,
        }
        self._doubt = doubt
        self._busy_poll = BusyPoll(target.settings.busy_poll)
        self.closed = False
        """True when no call is sent any more, because the book was closed."""
        self._reset()

    def _reset(self) -> None:
        places, owner = Places[Exchange](self._settings.pool_size), getpid()
        self._idle: deque[Connection] = deque()
        self.places = places
        self._owner = owner  # last: a process owns no more than what is there

    def own_places(self) -> Places[Exchange]:
        """Return the places of this process; to be called before ``send``."""
        if self._owner != getpid():
            self._reset()  # a forked child must not use its parent's sockets
        return self.places

    def exchange(self, payload: bytes, reply_count: int, timeout: float, ends_at: float = inf) -> list[Answer]:
        """Send commands in one write and return an answer for each.

        Waiting for a connection, opening one, writing, and each reply may take ``timeout`` seconds each, and all of it
        lasts until the monotonic time ``ends_at`` at most; a timeout beyond the reply timeout of the pool has no
        effect. Raises nothing for a connection that fails or a server that is silent: an ``Unsent`` or ``Unanswered``
        takes the place of each reply that is missing.
        """
        answers: list[Answer] = []
        exchange, places = Exchange(), self.own_places()
        try:
            self.send(exchange, payload, timeout, ends_at)
            self.read(exchange, reply_count, timeout, answers.append, ends_at)
            if exchange.is_in_doubt():
                answers = [exchange.failure] * reply_count
            self.keep(exchange)
        finally:
            places.pop(exchange, None)  # first, see Places
            if exchange.connection is not None or len(places) >= places.size:
                self.leave(exchange)
        return answers

    def send(self, exchange: Exchange, payload: bytes, timeout: float, ends_at: float = inf) -> None:
        """Take one of ``own_places`` and a connection, and send commands on it.

        Waits up to ``timeout`` seconds, and no longer than the setting ``pool_wait``, for a place. When all is over,
        and whatever has happened, the exchange has to be taken out of ``places`` and passed to ``leave``.
        """
        places = self.places
        if not places.enter(exchange) and not places.wait(exchange, min(timeout, self._pool_wait), ends_at):
            exchange.failure = Unsent(
                PoolExhausted(
                    f"all {self._settings.pool_size} connections to {self.address} stayed busy for "
                    f"{self._pool_wait:g} s; raise pool_size, or use fewer threads"
                )
            )
            return
        try:
            if self.closed:
                raise BookClosed(CLOSED)
            connection = exchange.connection = self._take_idle()
            while connection is not None and connection.has_unread():
                connection.close()
                connection = exchange.connection = self._take_idle()
            if connection is None:
                self._connect(exchange, timeout, ends_at)
        except (RedisError, BookClosed) as error:
            exchange.failure = Unsent(error)
            return
        connection = exchange.connection
        if connection is not None:
            self.send_more(exchange, connection.with_role_check(payload), timeout, ends_at)

    def send_more(self, exchange: Exchange, payload: bytes, timeout: float, ends_at: float = inf) -> None:
        """Send further commands on the connection that ``send`` took, unless it has failed."""
        connection = exchange.connection
        if connection is None:
            return
        try:
            connection.send(payload, min(time.monotonic() + min(timeout, self.reply_timeout), ends_at))
        except RedisError as error:
            self._fail(exchange, error)

    def read(
        self,
        exchange: Exchange,
        reply_count: int,
        timeout: float,
        on_answer: OnAnswer,
        ends_at: float = inf,
        *,
        is_all: bool = True,
    ) -> None:
        """Read some replies to what was sent and call ``on_answer`` with each.

        After a failure the connection is closed, and ``on_answer`` gets the failure in place of each missing reply.
        Each reply may take ``timeout`` seconds, and all of them until the monotonic time ``ends_at``. If these replies
        are all that the connection owes, as they are unless ``is_all`` says otherwise, more than them is a failure.
        """
        connection, left = exchange.connection, reply_count
        timeout = min(timeout, self.reply_timeout)
        while left and connection is not None:
            try:
                if reply_count == 1 and connection.can_poll and self._busy_poll.begin():
                    self._poll(connection)
                answer = connection.read(timeout, ends_at)
                if left == 1 and is_all and connection.is_ahead() and connection.has_surplus():
                    raise surplus_reply()  # the first that was read may have been the one too many
            except RedisError as error:
                connection = None
                self._fail(exchange, error)
            else:
                on_answer(answer)
                left -= 1
                if isinstance(answer, RedisConnectionError):  # such as LOADING: the connection is not used any more
                    connection = None
                    self._fail(exchange, closed_after(answer))
        for _ in range(left):
            on_answer(exchange.failure)

    def keep(self, exchange: Exchange) -> None:
        """Keep a connection that owes no reply for the next call; nothing is left to do after a failure."""
        connection = exchange.connection
        if connection is None:
            return
        if connection.demotion is not None:  # the name of a server that is a replica may lead to the primary by now
            self._close_idle()
        elif not self.closed:
            exchange.connection = None
            self._idle.append(connection)

    def leave(self, exchange: Exchange) -> None:
        """Close the connection of a call that is over, if it still has one: it may owe a reply. Wake who waits."""
        connection, exchange.connection = exchange.connection, None
        if connection is not None:
            connection.close()
        self.places.wake()

    def _poll(self, connection: Connection) -> None:
        found = False
        try:
            found = connection.poll(self._busy_poll.seconds)
        finally:
            self._busy_poll.end(found)

    def stats(self) -> PoolStats:
        """Return the state of the connections."""
        places = self.own_places()
        callers = list(places)
        in_use = sum(caller.connection is not None for caller in callers)
        waiting = max(0, len(callers) - places.size)
        flying = len(callers) - waiting
        return PoolStats(
            f"{self.address}", self._for_replicas, self._settings.pool_size, in_use, len(self._idle), flying, waiting
        )

    def close(self) -> None:
        """Close every connection for good; a call that waits on one, or for one, ends with BookClosed as its cause."""
        self.closed = True
        if self._owner != getpid():
            self._reset()  # the connections are the parent's
        self._close_idle()
        for exchange in list(self.places):
            connection = exchange.connection
            if connection is not None:
                connection.shut_down()  # the thread that waits on it closes it
        self.places.open_for_all()

    def retire(self) -> None:
        """Close the connections of a server that is not used any more, except those that a call still waits on."""
        self._close_idle()

    def _close_idle(self) -> None:
        while connection := self._take_idle():
            connection.close()

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        """Close the connection of a call after an error, and the idle ones: they have most likely failed with it."""
        exchange.failure = Unanswered(BookClosed(CLOSED) if self.closed else error)
        self._outage.on_failure(exchange.failure.cause)
        connection, exchange.connection = exchange.connection, None
        if connection is not None:
            connection.close()
        self._close_idle()

    def _take_idle(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, exchange: Exchange, timeout: float, ends_at: float) -> None:
        """Open a connection for a call. Raises a RedisError or BookClosed."""
        longest = min(timeout, self._settings.connect_timeout + self.reply_timeout)
        ends_at = min(time.monotonic() + longest, ends_at)
        try:
            connection = exchange.connection = Connection(self._connection_class, self._kwargs, ends_at)
        except RedisTimeoutError as error:
            failure = too_late(self.address, tls=self._tls)
            self._outage.on_failure(failure)
            raise failure from error
        except RedisError as error:
            self._outage.on_failure(error)
            raise
        try:
            if self.closed:
                raise BookClosed(CLOSED)
            connection.log_in(self._kwargs, ends_at)
            if self._doubt is not None:
                connection.require_primary(f"{self.address}", self._doubt, ends_at)
        except (RedisError, BookClosed) as error:
            exchange.connection = None
            connection.close()
            if self.closed:
                raise BookClosed(CLOSED) from error
            self._outage.on_failure(error)
            raise
        self._outage.on_opened()

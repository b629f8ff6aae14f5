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

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply
from ..error_mapping import Failure, Unanswered, Unsent
from ..settings import Target
from .busy_poll import BusyPoll
from .connection import Connection
from .connection_kwargs import connection_kwargs
from .opening import connection_class
from .role import Doubt
from .semaphore import Semaphore

Answer: TypeAlias = "Reply | Failure"
OnAnswer: TypeAlias = "Callable[[Answer], object]"
"""Called with each answer, in the order of the commands."""
SendResult: TypeAlias = Connection | Unsent | Unanswered
"""The connection on which commands were sent and will be answered, or the reason why they will not be."""


class ConnectionPool:
    """A bounded pool of connections to one server.

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
        self.reply_timeout = target.settings.socket_timeout
        """The seconds that a reply may take, unless a call sets a shorter timeout."""
        if waits_for_replicas:
            self.reply_timeout += target.settings.replication_wait
        self._settings = target.settings
        self._pool_wait = target.settings.pool_wait
        self._connection_class = connection_class(address, tls=target.tls)
        self._kwargs = {
            **connection_kwargs(target, address, for_sentinel=for_sentinel),
            "socket_timeout": self.reply_timeout,
        }
        self._doubt = doubt
        self._busy_poll = BusyPoll(target.settings.busy_poll)
        self._reset()

    def _reset(self) -> None:
        self._owner = getpid()
        self._idle: deque[Connection] = deque()
        self._semaphore = Semaphore(self._settings.pool_size)

    def exchange(self, payload: bytes, reply_count: int, timeout: float, ends_at: float = inf) -> list[Answer]:
        """Send commands in one write and return an answer for each.

        Waiting for a connection, opening one, writing, and each reply may take ``timeout`` seconds each, and all of it
        lasts until the monotonic time ``ends_at`` at most; a timeout beyond the reply timeout of the pool has no
        effect. Raises nothing for a connection that fails or a server that is silent: an ``Unsent`` or ``Unanswered``
        takes the place of each reply that is missing.
        """
        answers: list[Answer] = []
        sent = self.send(payload, timeout, ends_at)
        self.give_back(self.read(sent, reply_count, timeout, answers.append, ends_at))
        return answers

    def send(self, payload: bytes, timeout: float, ends_at: float = inf) -> SendResult:
        """Take a connection and send commands on it; the result must be passed to ``give_back`` or ``abandon``.

        Waits up to ``timeout`` seconds, and no longer than the setting ``pool_wait``, for a connection.
        """
        if self._owner != getpid():
            self._reset()  # a forked child must not use its parent's sockets
        if not self._semaphore.acquire(max(0.0, min(timeout, self._pool_wait, ends_at - time.monotonic()))):
            busy = PoolExhausted(
                f"all {self._settings.pool_size} connections to {self.address} stayed busy for "
                f"{self._pool_wait:g} s; raise pool_size, or use fewer threads"
            )
            return Unsent(busy)
        try:
            connection = self._take_idle() or self._connect(timeout, ends_at)
        except RedisError as error:
            self._semaphore.release()
            return Unsent(error)
        except BaseException:
            self._semaphore.release()
            raise
        try:
            return self.send_more(connection, connection.with_role_check(payload), timeout, ends_at)
        except BaseException:
            self._discard(connection)
            raise

    def send_more(self, sent: SendResult, payload: bytes, timeout: float, ends_at: float = inf) -> SendResult:
        """Send further commands on the connection that ``send`` returned; after a failure, return that failure."""
        if not isinstance(sent, Connection):
            return sent
        try:
            sent.send(payload, min(time.monotonic() + min(timeout, self.reply_timeout), ends_at))
        except RedisError as error:
            self._discard(sent)
            return Unanswered(error)
        return sent

    def read(
        self, sent: SendResult, reply_count: int, timeout: float, on_answer: OnAnswer, ends_at: float = inf
    ) -> SendResult:
        """Read some replies to what was sent and call ``on_answer`` with each; return the connection, or the failure.

        After a failure the connection is closed, and ``on_answer`` gets the failure in place of each missing reply.
        Each reply may take ``timeout`` seconds, and all of them until the monotonic time ``ends_at``.
        """
        if not isinstance(sent, Connection):
            for _ in range(reply_count):
                on_answer(sent)
            return sent
        connection, left, failure = sent, reply_count, None
        timeout = min(timeout, self.reply_timeout)
        try:
            while left and failure is None:
                try:
                    if reply_count == 1 and connection.can_poll and self._busy_poll.begin():
                        self._poll(connection)
                    answer = connection.read(timeout, ends_at)
                except RedisError as error:
                    failure = error
                else:
                    # After an error reply of this class, such as LOADING, the connection is not used any more.
                    failure = answer if isinstance(answer, RedisConnectionError) else None
                    on_answer(answer)
                    left -= 1
        except BaseException:
            self._discard(connection)
            raise
        if failure is None:
            return connection
        self._discard(connection)
        lost = Unanswered(failure)
        for _ in range(left):
            on_answer(lost)
        return lost

    def give_back(self, sent: SendResult) -> None:
        """Give a connection that owes no reply back to the pool; nothing is left to do after a failure."""
        if not isinstance(sent, Connection):
            return
        if sent.demotion is not None:  # the server has become a replica; its name may lead to the primary by now
            self._discard(sent)
            return
        self._idle.append(sent)
        self._semaphore.release()

    def _poll(self, connection: Connection) -> None:
        found = False
        try:
            found = connection.poll(self._busy_poll.seconds)
        finally:
            self._busy_poll.end(found)

    def abandon(self, sent: SendResult) -> None:
        """Close the connection on which commands were sent, without reading their replies."""
        if isinstance(sent, Connection):
            self._discard(sent)

    def close(self) -> None:
        """Close every idle connection."""
        while connection := self._take_idle():
            connection.close()

    def retire(self) -> None:
        """Close the connections of a server that is not used any more, except those that a call still waits on."""
        self.close()

    def _discard(self, connection: Connection) -> None:
        """Close a connection that may still owe a reply, and the idle ones: they have most likely failed with it."""
        connection.close()
        self._semaphore.release()
        self.close()

    def _take_idle(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, timeout: float, ends_at: float) -> Connection:
        longest = min(timeout, self._settings.connect_timeout + self.reply_timeout)
        ends_at = min(time.monotonic() + longest, ends_at)
        connection = Connection(self._connection_class, self._kwargs, ends_at)
        if self._doubt is not None:
            try:
                connection.require_primary(f"{self.address}", self._doubt, ends_at)
            except BaseException:
                connection.close()
                raise
        return connection

"""The way to one server for threads: a pool of connections that are checked out and held for a call.

redis-py connects and logs in; from then on its socket and its parser's table of errors are all that is used of it
(see :mod:`.connection`). A connection goes back to the pool only when every reply that it owes has been read; after anything
else it is closed, so no caller can ever read another's reply.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from os import getpid
from typing import TypeAlias

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply, pack
from ..error_mapping import Failure, NotPrimary, Unanswered, Unsent
from ..settings import Target
from .busy_poll import BusyPoll
from .connection import Connection, connection_kind
from .connection_kwargs import connection_kwargs
from .semaphore import Semaphore

Answer: TypeAlias = "Reply | Failure"
Take: TypeAlias = "Callable[[Answer], object]"
"""Called with each answer as it comes."""
Sent: TypeAlias = Connection | Unsent | Unanswered
"""Commands on their way, or why they are not."""


@dataclass(frozen=True, slots=True)
class Job:
    """Commands for one server, and who is told what it answers."""

    pool: ConnectionPool
    payload: Iterable[bytes]
    """Piece by piece; the next is made when the one before has gone out."""
    replies: int
    take: Take


class ConnectionPool:
    """A bounded pool of connections to one server."""

    def __init__(
        self, target: Target, address: Address, *, of_sentinel: bool = False, primary: bool = False, waits: bool = False
    ) -> None:
        self.address = address
        self.patience = target.settings.socket_timeout + (target.settings.replication_wait if waits else 0.0)
        """How long a reply may take when a call does not say otherwise; in seconds."""
        self._settings = target.settings
        self._pool_wait = target.settings.pool_wait
        self._kind = connection_kind(address, tls=target.tls)
        self._arguments = {
            **connection_kwargs(target, address, of_sentinel=of_sentinel),
            "socket_timeout": self.patience,
        }
        self._primary = primary
        self._busy_poll = BusyPoll(target.settings.busy_poll)
        self._reset()

    def _reset(self) -> None:
        self._owner = getpid()
        self._idle: deque[Connection] = deque()
        self._semaphore = Semaphore(self._settings.pool_size)

    def exchange(self, payload: bytes, replies: int, timeout: float) -> list[Answer]:
        """Send commands in one write and read their replies; what went wrong is an answer too, never an exception."""
        answers: list[Answer] = []
        self.receive(self.send(payload, timeout), replies, timeout, answers.append)
        return answers

    def send(self, payload: bytes, timeout: float) -> Sent:
        """The first half of an exchange."""
        if self._owner != getpid():
            self._reset()  # a forked child leaves its parent's sockets alone
        if not self._semaphore.acquire(min(timeout, self._pool_wait)):
            busy = PoolExhausted(
                f"all {self._settings.pool_size} connections to {self.address} stayed busy for "
                f"{self._pool_wait:g} s; raise pool_size, or use fewer threads"
            )
            return Unsent(busy)
        try:
            connection = self._take_idle() or self._connect(timeout)
        except RedisError as error:
            self._semaphore.release()
            return Unsent(error)
        except BaseException:
            self._semaphore.release()
            raise
        try:
            return self.send_more(connection, payload)
        except BaseException:
            self._discard(connection)
            raise

    def send_more(self, sent: Sent, payload: bytes) -> Sent:
        """More of the first half, on the same connection."""
        if not isinstance(sent, Connection):
            return sent
        try:
            sent.send(payload)
        except RedisError as error:
            self._discard(sent)
            return Unanswered(error)
        return sent

    def receive(self, sent: Sent, replies: int, timeout: float, take: Take) -> None:
        """The second half: hand over every reply as it comes; those that never come are answered with why."""
        if not isinstance(sent, Connection):
            for _ in range(replies):
                take(sent)
            return
        connection, left, failure = sent, replies, None
        in_a_hurry = timeout < self.patience
        ends_at = time.monotonic() + timeout if in_a_hurry else 0.0
        try:
            while left and failure is None:
                try:
                    if in_a_hurry:
                        connection.set_timeout(max(0.001, ends_at - time.monotonic()))
                    elif replies == 1 and connection.can_poll and self._busy_poll.begin():
                        self._poll(connection)
                    answer = connection.read()
                except RedisError as error:
                    failure = error
                else:
                    failure = answer if isinstance(answer, RedisConnectionError) else None  # no good comes after it
                    take(answer)
                    left -= 1
            if in_a_hurry and failure is None:
                connection.set_timeout(None)
        except BaseException:
            self._discard(connection)
            raise
        if failure is None:
            self._idle.append(connection)
            self._semaphore.release()
            return
        self._discard(connection)
        for _ in range(left):
            take(Unanswered(failure))

    def _poll(self, connection: Connection) -> None:
        came = False
        try:
            came = connection.poll(self._busy_poll.seconds)
        finally:
            self._busy_poll.end(came)

    def give_up(self, sent: Sent) -> None:
        """Give up on the replies."""
        if isinstance(sent, Connection):
            self._discard(sent)

    def close(self) -> None:
        """Close every idle connection."""
        while connection := self._take_idle():
            connection.close()

    def retire(self) -> None:
        """Close every connection that nobody uses."""
        self.close()

    def _discard(self, connection: Connection) -> None:
        """Close a connection that may still owe a reply, and the idle ones with it: what broke one, broke them all."""
        connection.close()
        self._semaphore.release()
        self.close()

    def _take_idle(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, timeout: float) -> Connection:
        arguments = {
            **self._arguments,
            "socket_connect_timeout": min(timeout, self._settings.connect_timeout),
            "socket_timeout": min(timeout, self.patience),  # to log in
        }
        connection = Connection(self._kind, arguments, self.patience)
        if not self._primary:
            return connection
        try:
            connection.set_timeout(min(timeout, self.patience))
            connection.send(pack(("ROLE",)))
            said = connection.read()
            connection.set_timeout(None)
        except BaseException:
            connection.close()
            raise
        if isinstance(said, list) and said[0] == "master":
            return connection
        connection.close()
        if isinstance(said, RedisError):
            raise said
        raise NotPrimary(f"{self.address} is not a primary but a {said[0] if isinstance(said, list) else said}")


def exchange_all(jobs: Sequence[Job], timeout: float) -> None:
    """Exchange with several servers at once: everything goes out before the first reply is read, to all in turn."""
    sent: dict[int, Sent] = {}
    try:
        for pieces in zip_longest(*(job.payload for job in jobs)):
            for number, piece in enumerate(pieces):
                if piece is not None:
                    pool = jobs[number].pool
                    sent[number] = pool.send_more(sent[number], piece) if number in sent else pool.send(piece, timeout)
        for number, job in enumerate(jobs):
            job.pool.receive(sent.pop(number), job.replies, timeout, job.take)
    except BaseException:
        for number, unread in sent.items():
            jobs[number].pool.give_up(unread)
        raise

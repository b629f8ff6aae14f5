"""The way to one server for threads: a pool of redis-py connections that are checked out and held for a call.

A connection goes back to the pool only when every reply that it owes has been read; after anything else it is closed,
so no caller can ever read another's reply.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, cast

import redis.connection
from redis.exceptions import RedisError, ResponseError

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply, pack
from ..dial import dial
from ..settings import Target
from ..verdict import NotPrimary, Trouble, Unanswered, Unsent, is_reply

Answer: TypeAlias = "Reply | Trouble"


class Wire(Protocol):
    """What we use of a redis-py connection."""

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...

    def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...

    def read_response(self, *, timeout: float = ...) -> object: ...


class Link:
    """A bounded pool of connections to one server."""

    def __init__(
        self, target: Target, address: Address, *, of_sentinel: bool = False, primary: bool = False, waits: bool = False
    ) -> None:
        self.address = address
        self.patience = target.settings.socket_timeout + (target.settings.replication_wait if waits else 0.0)
        """How long a reply may take when a call does not say otherwise; in seconds."""
        self._settings = target.settings
        self._kind = (
            redis.connection.UnixDomainSocketConnection
            if not address.port
            else redis.connection.SSLConnection
            if target.tls
            else redis.connection.Connection
        )
        self._arguments = {**dial(target, address, of_sentinel=of_sentinel), "socket_timeout": self.patience}
        self._primary = primary
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._idle: deque[Wire] = deque()
        self._room = threading.BoundedSemaphore(self._settings.pool_size)

    def exchange(self, payload: bytes, replies: int, timeout: float) -> list[Answer]:
        """Send commands in one write and read their replies; what went wrong is an answer too, never an exception."""
        return self.send(payload, replies, timeout).receive()

    def send(self, payload: bytes, replies: int, timeout: float) -> Exchange:
        """The first half of an exchange."""
        if self._owner != os.getpid():
            self._reset()  # a forked child leaves its parent's sockets alone
        if not self._room.acquire(timeout=min(timeout, self._settings.pool_wait)):
            busy = PoolExhausted(
                f"all {self._settings.pool_size} connections to {self.address} stayed busy for "
                f"{self._settings.pool_wait:g} s; raise pool_size, or use fewer threads"
            )
            return Exchange(self, None, replies, timeout, Unsent(busy))
        wire: Wire | None = None
        try:
            wire = self._take_idle() or self._connect(timeout)
        except RedisError as error:
            self._room.release()
            return Exchange(self, None, replies, timeout, Unsent(error))
        except BaseException:
            self._room.release()
            raise
        try:
            wire.send_packed_command((payload,), check_health=False)
        except RedisError as error:
            self.discard(wire)
            return Exchange(self, None, replies, timeout, Unanswered(error))
        except BaseException:
            self.discard(wire)
            raise
        return Exchange(self, wire, replies, timeout)

    def keep(self, wire: Wire) -> None:
        """Take back a connection that owes nothing."""
        self._idle.append(wire)
        self._room.release()

    def discard(self, wire: Wire) -> None:
        """Close a connection that may still owe a reply, and the idle ones with it: what broke one, broke them all."""
        wire.disconnect()
        self._room.release()
        self.close()

    def close(self) -> None:
        """Close every idle connection."""
        while wire := self._take_idle():
            wire.disconnect()

    def _take_idle(self) -> Wire | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def retire(self) -> None:
        """Close every connection that nobody uses."""
        self.close()

    def _connect(self, timeout: float) -> Wire:
        arguments = {**self._arguments, "socket_connect_timeout": min(timeout, self._settings.connect_timeout)}
        wire = cast(Wire, cast("type[Any]", self._kind)(**arguments))  # the stubs describe redis-py 4
        wire.connect()
        if self._primary:
            try:
                wire.send_packed_command((pack(("ROLE",)),), check_health=False)
                role = cast("list[Reply]", wire.read_response())[0]
            except BaseException:
                wire.disconnect()
                raise
            if role != "master":
                wire.disconnect()
                raise NotPrimary(f"{self.address} is not a primary but a {role}")
        return wire


class Exchange:
    """Commands on their way: sent, not yet answered."""

    def __init__(
        self, link: Link, wire: Wire | None, replies: int, timeout: float, trouble: Unsent | Unanswered | None = None
    ) -> None:
        self._link = link
        self._wire = wire
        self._replies = replies
        self._timeout = timeout
        self._trouble = trouble

    def receive(self) -> list[Answer]:
        """Read every reply; those that never came are answered with why."""
        wire = self._wire
        if wire is None:
            return [self._trouble] * self._replies
        answers: list[Answer] = []
        in_a_hurry = self._timeout < self._link.patience
        ends_at = time.monotonic() + self._timeout
        try:
            for _ in range(self._replies):
                try:
                    left = {"timeout": max(0.001, ends_at - time.monotonic())} if in_a_hurry else {}
                    answers.append(cast(Reply, wire.read_response(**left)))
                except ResponseError as error:
                    answers.append(error)
        except RedisError as error:
            self._link.discard(wire)
            if is_reply(error):  # one after which redis-py has closed the connection
                answers.append(error)
            answers.extend([Unanswered(error)] * (self._replies - len(answers)))
        except BaseException:
            self._link.discard(wire)
            raise
        else:
            self._link.keep(wire)
        return answers

    def abandon(self) -> None:
        """Give up on the replies."""
        if self._wire is not None:
            self._link.discard(self._wire)


def exchange_all(jobs: Sequence[tuple[Link, bytes, int]], timeout: float) -> list[list[Answer]]:
    """Exchange with several servers at once: every write goes out before the first reply is read."""
    waiting: deque[Exchange] = deque()
    answers: list[list[Answer]] = []
    try:
        for link, payload, replies in jobs:
            waiting.append(link.send(payload, replies, timeout))
        while waiting:
            answers.append(waiting.popleft().receive())
    except BaseException:
        for exchange in waiting:
            exchange.abandon()
        raise
    return answers

"""The way to one server for threads: a pool of connections that are checked out and held for a call.

redis-py connects and logs in; from then on its socket and its parser's table of errors are all that is used of it
(see :mod:`.wire`). A connection goes back to the pool only when every reply that it owes has been read; after anything
else it is closed, so no caller can ever read another's reply.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from os import getpid
from typing import TypeAlias

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from ...models.errors import PoolExhausted
from ..address import Address
from ..call import Reply, pack
from ..dial import dial
from ..settings import Target
from ..verdict import NotPrimary, Trouble, Unanswered, Unsent
from .places import Places
from .wire import Wire, connection_kind

Answer: TypeAlias = "Reply | Trouble"


class Link:
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
        self._arguments = {**dial(target, address, of_sentinel=of_sentinel), "socket_timeout": self.patience}
        self._primary = primary
        self._reset()

    def _reset(self) -> None:
        self._owner = getpid()
        self._idle: deque[Wire] = deque()
        self._places = Places(self._settings.pool_size)

    def exchange(self, payload: bytes, replies: int, timeout: float) -> list[Answer]:
        """Send commands in one write and read their replies; what went wrong is an answer too, never an exception."""
        wire = self._send(payload, timeout)
        return self.receive(wire, replies, timeout) if isinstance(wire, Wire) else [wire] * replies

    def send(self, payload: bytes, replies: int, timeout: float) -> Exchange:
        """The first half of an exchange."""
        return Exchange(self, self._send(payload, timeout), replies, timeout)

    def receive(self, wire: Wire, replies: int, timeout: float) -> list[Answer]:
        """The second half: read every reply; those that never came are answered with why."""
        answers: list[Answer] = []
        in_a_hurry = timeout < self.patience
        ends_at = time.monotonic() + timeout if in_a_hurry else 0.0
        try:
            for _ in range(replies):
                if in_a_hurry:
                    wire.hurry(max(0.001, ends_at - time.monotonic()))
                answer = wire.read()
                answers.append(answer)
                if isinstance(answer, RedisConnectionError):
                    raise answer  # a reply after which nothing good will come
            if in_a_hurry:
                wire.hurry(None)
        except RedisError as error:
            self._discard(wire)
            answers.extend([Unanswered(error)] * (replies - len(answers)))
        except BaseException:
            self._discard(wire)
            raise
        else:
            self._idle.append(wire)
            self._places.give()
        return answers

    def give_up(self, wire: Wire) -> None:
        """Give up on the replies."""
        self._discard(wire)

    def close(self) -> None:
        """Close every idle connection."""
        while wire := self._take_idle():
            wire.close()

    def retire(self) -> None:
        """Close every connection that nobody uses."""
        self.close()

    def _send(self, payload: bytes, timeout: float) -> Wire | Unsent | Unanswered:
        if self._owner != getpid():
            self._reset()  # a forked child leaves its parent's sockets alone
        if not self._places.take(min(timeout, self._pool_wait)):
            busy = PoolExhausted(
                f"all {self._settings.pool_size} connections to {self.address} stayed busy for "
                f"{self._pool_wait:g} s; raise pool_size, or use fewer threads"
            )
            return Unsent(busy)
        try:
            wire = self._take_idle() or self._connect(timeout)
        except RedisError as error:
            self._places.give()
            return Unsent(error)
        except BaseException:
            self._places.give()
            raise
        try:
            wire.send(payload)
        except RedisError as error:
            self._discard(wire)
            return Unanswered(error)
        except BaseException:
            self._discard(wire)
            raise
        return wire

    def _discard(self, wire: Wire) -> None:
        """Close a connection that may still owe a reply, and the idle ones with it: what broke one, broke them all."""
        wire.close()
        self._places.give()
        self.close()

    def _take_idle(self) -> Wire | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, timeout: float) -> Wire:
        arguments = {
            **self._arguments,
            "socket_connect_timeout": min(timeout, self._settings.connect_timeout),
            "socket_timeout": min(timeout, self.patience),  # to log in
        }
        wire = Wire(self._kind, arguments, self.patience)
        if not self._primary:
            return wire
        try:
            wire.hurry(min(timeout, self.patience))
            wire.send(pack(("ROLE",)))
            said = wire.read()
            wire.hurry(None)
        except BaseException:
            wire.close()
            raise
        if isinstance(said, list) and said[0] == "master":
            return wire
        wire.close()
        if isinstance(said, RedisError):
            raise said
        raise NotPrimary(f"{self.address} is not a primary but a {said[0] if isinstance(said, list) else said}")


class Exchange:
    """Commands on their way: sent, not yet answered."""

    def __init__(self, link: Link, wire: Wire | Unsent | Unanswered, replies: int, timeout: float) -> None:
        self._link = link
        self._wire = wire
        self._replies = replies
        self._timeout = timeout

    def receive(self) -> list[Answer]:
        """Read every reply; those that never came are answered with why."""
        wire = self._wire
        if isinstance(wire, Wire):
            return self._link.receive(wire, self._replies, self._timeout)
        return [wire] * self._replies

    def abandon(self) -> None:
        """Give up on the replies."""
        if isinstance(self._wire, Wire):
            self._link.give_up(self._wire)


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

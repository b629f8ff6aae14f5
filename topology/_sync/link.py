"""The way to one server for threads: a pool of connections that are checked out and held for a call.

redis-py connects and logs in; from then on its socket and its parser's table of errors are all that is used of it
(see :mod:`.wire`). A connection goes back to the pool only when every reply that it owes has been read; after anything
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
from ..dial import dial
from ..settings import Target
from ..verdict import NotPrimary, Trouble, Unanswered, Unsent
from .busy_poll import BusyPoll
from .places import Places
from .wire import Wire, connection_kind

Answer: TypeAlias = "Reply | Trouble"
Take: TypeAlias = "Callable[[Answer], object]"
"""Called with each answer as it comes."""
Sent: TypeAlias = Wire | Unsent | Unanswered
"""Commands on their way, or why they are not."""


@dataclass(frozen=True, slots=True)
class Job:
    """Commands for one server, and who is told what it answers."""

    link: Link
    payload: Iterable[bytes]
    """Piece by piece; the next is made when the one before has gone out."""
    replies: int
    take: Take


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
        self._busy_poll = BusyPoll(target.settings.busy_poll)
        self._reset()

    def _reset(self) -> None:
        self._owner = getpid()
        self._idle: deque[Wire] = deque()
        self._places = Places(self._settings.pool_size)

    def exchange(self, payload: bytes, replies: int, timeout: float) -> list[Answer]:
        """Send commands in one write and read their replies; what went wrong is an answer too, never an exception."""
        answers: list[Answer] = []
        self.receive(self.send(payload, timeout), replies, timeout, answers.append)
        return answers

    def send(self, payload: bytes, timeout: float) -> Sent:
        """The first half of an exchange."""
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
            return self.send_more(wire, payload)
        except BaseException:
            self._discard(wire)
            raise

    def send_more(self, sent: Sent, payload: bytes) -> Sent:
        """More of the first half, on the same connection."""
        if not isinstance(sent, Wire):
            return sent
        try:
            sent.send(payload)
        except RedisError as error:
            self._discard(sent)
            return Unanswered(error)
        return sent

    def receive(self, sent: Sent, replies: int, timeout: float, take: Take) -> None:
        """The second half: hand over every reply as it comes; those that never come are answered with why."""
        if not isinstance(sent, Wire):
            for _ in range(replies):
                take(sent)
            return
        wire, left, trouble = sent, replies, None
        in_a_hurry = timeout < self.patience
        ends_at = time.monotonic() + timeout if in_a_hurry else 0.0
        try:
            while left and trouble is None:
                try:
                    if in_a_hurry:
                        wire.hurry(max(0.001, ends_at - time.monotonic()))
                    elif replies == 1 and wire.can_look and self._busy_poll.begin():
                        self._look(wire)
                    answer = wire.read()
                except RedisError as error:
                    trouble = error
                else:
                    trouble = answer if isinstance(answer, RedisConnectionError) else None  # no good comes after it
                    take(answer)
                    left -= 1
            if in_a_hurry and trouble is None:
                wire.hurry(None)
        except BaseException:
            self._discard(wire)
            raise
        if trouble is None:
            self._idle.append(wire)
            self._places.give()
            return
        self._discard(wire)
        for _ in range(left):
            take(Unanswered(trouble))

    def _look(self, wire: Wire) -> None:
        came = False
        try:
            came = wire.look(self._busy_poll.seconds)
        finally:
            self._busy_poll.end(came)

    def give_up(self, sent: Sent) -> None:
        """Give up on the replies."""
        if isinstance(sent, Wire):
            self._discard(sent)

    def close(self) -> None:
        """Close every idle connection."""
        while wire := self._take_idle():
            wire.close()

    def retire(self) -> None:
        """Close every connection that nobody uses."""
        self.close()

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


def exchange_all(jobs: Sequence[Job], timeout: float) -> None:
    """Exchange with several servers at once: everything goes out before the first reply is read, to all in turn."""
    sent: dict[int, Sent] = {}
    try:
        for pieces in zip_longest(*(job.payload for job in jobs)):
            for number, piece in enumerate(pieces):
                if piece is not None:
                    link = jobs[number].link
                    sent[number] = link.send_more(sent[number], piece) if number in sent else link.send(piece, timeout)
        for number, job in enumerate(jobs):
            job.link.receive(sent.pop(number), job.replies, timeout, job.take)
    except BaseException:
        for number, unread in sent.items():
            jobs[number].link.give_up(unread)
        raise

"""Connections on which a server speaks unasked, and how one knows that it is still there: no I/O and no colour.

The server is sent a heartbeat now and then. Its answers and messages come in order on one connection, so the answer to
a heartbeat proves that everything before it has been heard; a server that does not answer is gone or frozen.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...models.errors import SlotbookError
from ..address import Address
from ..call import pack
from ..connections.connection_kwargs import ConnectionKwargs, connection_kwargs
from ..error_mapping import NotPrimary
from ..settings import Target

HEARTBEAT = pack(("ROLE",))


class Heartbeat:
    """The heartbeats of one connection: those that the server has not answered yet."""

    def __init__(self, address: Address, patience: float) -> None:
        self.felt = False
        """Whether any heartbeat has been answered."""
        self._address = address
        self._patience = patience
        self._unanswered: deque[float] = deque()

    def beat(self) -> bytes:
        """What to send as a heartbeat, now. Raises a RedisError when the server has been silent for too long."""
        now = time.monotonic()
        if self._unanswered and now - self._unanswered[0] > self._patience:
            raise RedisTimeoutError(f"{self._address} did not answer within {self._patience:g} s")
        self._unanswered.append(now)
        return HEARTBEAT

    def answered(self, answer: object) -> float:
        """When the heartbeat was sent that this is the answer to. Raises a RedisError if no primary says it."""
        if not isinstance(answer, list) or not self._unanswered:
            raise RedisConnectionError(f"{self._address} answered {answer!r} to a heartbeat")
        if answer[0] != "master":
            raise NotPrimary(f"{self._address} is not a primary but a {answer[0]}")
        self.felt = True
        return self._unanswered.popleft()

    def excuse(self) -> None:
        """Count the server's silence from now: it was we who did not listen."""
        self._unanswered = deque([time.monotonic()] * len(self._unanswered))


class Listened(Protocol):
    """One connection to one primary, and what is known of it."""

    heartbeat: Heartbeat
    lost: bool
    interval: float
    """Seconds between two heartbeats."""

    def greeting(self) -> list[bytes]:
        """What is sent first; a heartbeat ends it."""
        ...

    def beat(self) -> bytes:
        """A heartbeat, and whatever else is to be sent. Raises a RedisError when the server is silent for too long."""
        ...

    def take(self, answer: object) -> None:
        """Take what the server says, errors included. Raises a RedisError when the connection is of no more use."""
        ...

    def end(self) -> None:
        """The connection is gone, or never came about."""
        ...


F_co = TypeVar("F_co", bound=Listened, covariant=True)


class Plan(Protocol[F_co]):
    """Which primaries are to be listened to, and to what."""

    name: str
    every: float
    """Seconds between two looks at who the primaries are."""

    def wanted(self, primaries: Sequence[Address]) -> Sequence[Address]:
        """Those of the primaries that are to be listened to."""
        ...

    def feed(self, address: Address) -> F_co:
        """A new connection to one of them."""
        ...

    def rejoined(self) -> None:
        """Somebody was joined who may have been in charge before, unheard."""
        ...

    def failed(self, error: RedisError | SlotbookError) -> None:
        """Nobody could be asked who the primaries are, or one of them could not be listened to."""
        ...


def feed_connection_kwargs(target: Target, address: Address) -> ConnectionKwargs:
    """The arguments for such a connection: RESP3, or the server could not speak unasked."""
    return {**connection_kwargs(target, address), "protocol": 3}

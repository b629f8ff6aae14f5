"""What a server's invalidation messages vouch for, and until when: no I/O and no colour.

A feed is one connection with client tracking on (``CLIENT TRACKING ON BCAST PREFIX …``, RESP3): the server tells it the
name of every key under the prefix that changes. Replies and messages come in order, so the answer to a heartbeat
proves that every change before the heartbeat was *sent* has been heard of. What was read is good until that moment
plus the bound, and no longer: a frozen server, network or event loop makes a feed silent, never wrong.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from .address import Address
from .call import pack
from .dial import Dial, dial
from .settings import Target
from .verdict import NotPrimary

BEATS_PER_BOUND = 4
HEARTBEAT = pack(("ROLE",))


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Keys that have changed; None for all of them."""

    keys: tuple[str, ...] | None


class Listener(Protocol):
    """Who keeps what the feeds vouch for."""

    def forget(self, keys: Sequence[str] | None) -> None:
        """Drop these keys, or all."""
        ...

    def lose(self, feed: Feed) -> None:
        """Drop what this feed vouched for."""
        ...


class Feed:
    """The invalidation messages of one server."""

    def __init__(self, address: Address, listener: Listener, bound: float, patience: float) -> None:
        self.address = address
        self.good_until = 0.0
        """Until when, on the monotonic clock, what was read since this feed began may be served."""
        self.lost = False
        self.interval = bound / BEATS_PER_BOUND
        """Seconds between two heartbeats."""
        self._listener = listener
        self._bound = bound
        self._patience = patience
        self._unanswered: deque[float] = deque()

    def beat(self) -> bytes:
        """What to send as a heartbeat, now. Raises a RedisError when the server has been silent for too long."""
        now = time.monotonic()
        if self._unanswered and now - self._unanswered[0] > self._patience:
            raise RedisTimeoutError(f"{self.address} did not answer within {self._patience:g} s")
        self._unanswered.append(now)
        return HEARTBEAT

    def take(self, answer: object) -> None:
        """Take a message or the answer to a heartbeat. Raises a RedisError for a server that is not a primary."""
        if isinstance(answer, Invalidation):
            self._listener.forget(answer.keys)
            return
        if not isinstance(answer, list) or not self._unanswered:
            raise RedisConnectionError(f"{self.address} answered {answer!r} to a heartbeat")
        if answer[0] != "master":
            raise NotPrimary(f"{self.address} is not a primary but a {answer[0]}")
        if not self.lost:
            self.good_until = self._unanswered.popleft() + self._bound

    def end(self) -> None:
        """Vouch for nothing any more; first nothing is served, then it is dropped."""
        self.lost = True
        self.good_until = 0.0
        self._listener.lose(self)


def as_invalidation(push: Sequence[object]) -> Invalidation:
    """An invalidation message as redis-py hands it over: its kind, and keys or nothing."""
    keys = push[1]
    return Invalidation(tuple(map(str, keys)) if isinstance(keys, list) else None)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


def tracking(prefix: str) -> bytes:
    """The command that turns tracking on for every key under a prefix, whoever reads it."""
    return pack(("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix))


def dial_feed(target: Target, address: Address) -> Dial:
    """The arguments for a tracking connection: RESP3, or the server could not speak unasked."""
    return {**dial(target, address), "protocol": 3}

"""What a server's invalidation messages vouch for, and until when: no I/O and no colour.

A feed is one connection with client tracking on (``CLIENT TRACKING ON BCAST PREFIX …``, RESP3): the server tells it the
name of every key under the prefix that changes. Replies and messages come in order, so the answer to a heartbeat
proves that every change before the heartbeat was *sent* has been heard of. What was read is good until that moment
plus the bound, and no longer: a frozen server, network or event loop makes a feed silent, never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError

from ...models.errors import SlotbookError
from ..address import Address
from ..call import pack
from .heartbeat import Heartbeat

BEATS_PER_BOUND = 4


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Keys that have changed; None for all of them."""

    keys: tuple[str, ...] | None


class InvalidationListener(Protocol):
    """Who keeps what the feeds vouch for."""

    def forget(self, keys: Sequence[str] | None) -> None:
        """Drop these keys, or all."""
        ...

    def lose(self, feed: Feed) -> None:
        """Drop what this feed vouched for."""
        ...


class Feed:
    """The invalidation messages of one server."""

    def __init__(
        self, address: Address, prefix: str, listener: InvalidationListener, bound: float, patience: float
    ) -> None:
        self.address = address
        self.good_until = 0.0
        """Until when, on the monotonic clock, what was read since this feed began may be served."""
        self.lost = False
        self.interval = bound / BEATS_PER_BOUND
        self.heartbeat = Heartbeat(address, patience)
        self._prefix = prefix
        self._listener = listener
        self._bound = bound

    def greeting(self) -> list[bytes]:
        """Turn tracking on for every key under the prefix, whoever reads it."""
        return [pack(("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)), self.beat()]

    def beat(self) -> bytes:
        """What to send as a heartbeat, now. Raises a RedisError when the server has been silent for too long."""
        return self.heartbeat.beat()

    def take(self, answer: object) -> None:
        """Take a message or the answer to a heartbeat. Raises a RedisError for a server that is not a primary."""
        if isinstance(answer, Invalidation):
            self._listener.forget(answer.keys)
        elif isinstance(answer, RedisError):
            raise answer
        elif answer != "OK":
            sent = self.heartbeat.answered(answer)
            if not self.lost:
                self.good_until = sent + self._bound

    def end(self) -> None:
        """Vouch for nothing any more; first nothing is served, then it is dropped."""
        self.lost = True
        self.good_until = 0.0
        self._listener.lose(self)


class Tracking:
    """Client tracking at every primary, for one prefix of keys."""

    name = "tracking"

    def __init__(self, prefix: str, listener: InvalidationListener, bound: float, patience: float) -> None:
        self.every = bound
        self._prefix = prefix
        self._listener = listener
        self._patience = patience

    def wanted(self, primaries: Sequence[Address]) -> Sequence[Address]:
        """All of them."""
        return primaries

    def feed(self, address: Address) -> Feed:
        """The feed of one of them."""
        return Feed(address, self._prefix, self._listener, self.every, self._patience)

    def rejoined(self) -> None:
        """It may have been in charge, and changed things, unheard."""
        self._listener.forget(None)

    def failed(self, error: RedisError | SlotbookError) -> None:
        """Until it is better, nothing is vouched for."""


def as_invalidation(push: Sequence[object]) -> Invalidation:
    """An invalidation message as redis-py hands it over: its kind, and keys or nothing."""
    keys = push[1]
    return Invalidation(tuple(map(str, keys)) if isinstance(keys, list) else None)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]

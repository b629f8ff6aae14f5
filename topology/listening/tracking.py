"""Client tracking: invalidation messages, and how long a value that was read may be served; without I/O.

A feed is one RESP3 connection on which ``CLIENT TRACKING ON BCAST PREFIX …`` was sent
(https://redis.io/docs/latest/commands/client-tracking/): the server sends the name of every key with that prefix that
changes. Replies and messages come in order, so the reply to a heartbeat proves that every change from before the moment
when the heartbeat was *sent* has been received. A value may be served until that moment plus the bound, and no longer:
if the server, the network or this process is frozen, the time runs out and nothing stale is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError

from ...models.errors import SlotbookError
from ..address import Address
from ..call import pack
from .heartbeat import Heartbeat
from .pushes import Invalidation, PushMessage

HEARTBEATS_PER_BOUND = 4


class InvalidationListener(Protocol):
    """An object that keeps values and drops them when they change."""

    def invalidate(self, keys: Sequence[str] | None) -> None:
        """Drop the values of these keys, or with None of all keys."""
        ...

    def drop_feed(self, feed: InvalidationFeed) -> None:
        """Drop the values whose changes this feed would have announced: it is lost."""
        ...


class InvalidationFeed:
    """The invalidation messages of one server.

    ``bound`` is the greatest age in seconds at which a value may be served; ``timeout`` is the time in seconds within
    which the server has to answer a heartbeat.
    """

    def __init__(
        self, address: Address, prefix: str, listener: InvalidationListener, bound: float, timeout: float
    ) -> None:
        self.address = address
        self.good_until = 0.0
        """The monotonic time until which values may be served that were read since this feed began."""
        self.lost = False
        self.interval = bound / HEARTBEATS_PER_BOUND
        self.heartbeat = Heartbeat(address, timeout)
        self._prefix = prefix
        self._listener = listener
        self._bound = bound

    def opening_commands(self) -> list[bytes]:
        """Return the command that turns tracking on for every key with the prefix, and a heartbeat."""
        return [pack(("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)), self.periodic_commands()]

    def periodic_commands(self) -> bytes:
        """Return a heartbeat to send now. Raises a RedisError when the server has been silent for too long."""
        return self.heartbeat.next_command()

    def receive(self, message: object) -> None:
        """Process an invalidation or a reply. Raises a RedisError for an error reply or a server that is no primary."""
        if isinstance(message, Invalidation):
            self._listener.invalidate(message.keys)
        elif isinstance(message, RedisError):
            raise message
        elif message != "OK" and not isinstance(message, PushMessage):
            sent_at = self.heartbeat.acknowledge(message)
            if not self.lost:
                self.good_until = sent_at + self._bound

    def mark_lost(self) -> None:
        """Let no value be served any more whose changes this feed would have announced, and have them dropped."""
        self.lost = True
        self.good_until = 0.0
        self._listener.drop_feed(self)


class TrackingPlan:
    """The plan to track one prefix of keys at every primary.

    ``bound`` and ``timeout`` are those of :class:`InvalidationFeed`.
    """

    name = "tracking"

    def __init__(self, prefix: str, listener: InvalidationListener, bound: float, timeout: float) -> None:
        self.check_interval = bound
        self._prefix = prefix
        self._listener = listener
        self._timeout = timeout

    def select_primaries(self, primaries: Sequence[Address]) -> Sequence[Address]:
        """Return all primaries."""
        return primaries

    def new_feed(self, address: Address) -> InvalidationFeed:
        """Return a new feed for a primary."""
        return InvalidationFeed(address, self._prefix, self._listener, self.check_interval, self._timeout)

    def on_feed_opened(self) -> None:
        """Have everything dropped: the primary may have changed keys before it was listened to."""
        self._listener.invalidate(None)

    def on_error(self, error: RedisError | SlotbookError) -> None:
        """Do nothing: without a feed, nothing is kept or served until it is tried again."""

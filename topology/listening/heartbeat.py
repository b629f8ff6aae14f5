"""Heartbeats on a connection on which a server sends messages of its own accord; without I/O.

A heartbeat is a command (ROLE) that is sent now and then. Replies and messages come in order on one connection, so the
reply to a heartbeat proves that every message from before it has been received. A server that does not reply in time
has failed, or its process or the network is frozen.
"""

from __future__ import annotations

import time
from collections import deque
from typing import cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..address import Address
from ..call import pack
from ..error_mapping import NotPrimary
from ..misreadings import shortened

HEARTBEAT = pack(("ROLE",))


class Heartbeat:
    """The heartbeats of one connection that the server has not answered yet.

    ``timeout`` is the time in seconds after which a server that has not answered a heartbeat counts as lost.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self.was_answered = False
        """True once any heartbeat has been answered."""
        self._address = address
        self._timeout = timeout
        self._sent_at: deque[float] = deque()
        """The times, on the monotonic clock, of the heartbeats that are not answered yet."""

    def next_command(self) -> bytes:
        """Return a heartbeat to send now. Raises redis-py's TimeoutError if the server has been silent for too long."""
        now = time.monotonic()
        if self._sent_at and now - self._sent_at[0] > self._timeout:
            raise RedisTimeoutError(f"{self._address} did not answer within {self._timeout:g} s")
        self._sent_at.append(now)
        return HEARTBEAT

    def acknowledge(self, reply: object) -> float:
        """Take the reply to the oldest heartbeat, and return when that was sent, on the monotonic clock.

        Raises NotPrimary if the server is a replica, and redis-py's ConnectionError for anything but a reply to ROLE.
        """
        words = cast("list[object]", reply if isinstance(reply, list) else [reply])
        role = words[0] if isinstance(reply, list) and words else None
        if not isinstance(role, str) or not self._sent_at:
            raise RedisConnectionError(f"{self._address} answered {shortened(words)} to a heartbeat")
        if role != "master":
            raise NotPrimary(f"{self._address} is not a primary but a {role}")
        self.was_answered = True
        return self._sent_at.popleft()

    def restart(self) -> None:
        """Measure the server's silence from now on, after a time in which this process did not read."""
        self._sent_at = deque([time.monotonic()] * len(self._sent_at))

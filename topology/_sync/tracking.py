"""Tracking connections for threads: one to each primary, each with a thread, and a thread that follows the topology."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol, cast

import redis.connection
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from ...models.errors import SlotbookError
from ..address import Address
from ..feed import Feed, Listener, as_invalidation, dial_feed, tracking
from ..verdict import Unsent, report
from .backend import Backend

LONGEST_READ = 0.2
"""Seconds until a feed's thread notices that it is to end."""


class Wire(Protocol):
    """What we use of a redis-py connection."""

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...

    def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...

    def read_response(
        self, *, timeout: float = ..., disconnect_on_error: bool = ..., push_request: bool = ...
    ) -> object: ...


class Tracker:
    """Feeds from every primary, for one prefix of keys; whoever is found gone is dropped, whoever is new is joined."""

    def __init__(self, backend: Backend, prefix: str, listener: Listener, bound: float) -> None:
        self._backend = backend
        self._prefix = prefix
        self._listener = listener
        self._bound = bound
        self._restarting = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._feeds: dict[Address, Feed] = {}
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()

    def start(self) -> None:
        """Connect to every primary. Raises AccessDenied, Unavailable or UnexpectedReply."""
        for address in self._backend.survey():
            try:
                self._join(address)
            except RedisError as error:
                raise report(f"tracking at {address}", Unsent(error)) from error
        self._spawn(self._follow)

    def feed(self, slot: int) -> Feed | None:
        """The feed of the primary in charge of a slot; None while there is none."""
        if self._owner != os.getpid():  # a forked child has its parent's memory, but not its threads
            self._restart()
        address = self._backend.locate(slot)
        return None if address is None else self._feeds.get(address)

    def close(self) -> None:
        """Close every tracking connection and vouch for nothing any more."""
        self._over.set()
        for feed in list(self._feeds.values()):
            feed.end()
        if self._owner == os.getpid():
            while running := [thread for thread in self._threads if thread.is_alive()]:  # the follower may add one
                running[0].join()

    def _restart(self) -> None:
        with self._restarting:
            if self._owner == os.getpid():
                return
            for feed in self._feeds.values():
                feed.end()
            self._reset()
            self._spawn(self._follow)

    def _spawn(self, work: Any, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="slotbook-near", daemon=True)
        self._threads = [*(known for known in self._threads if known.is_alive()), thread]
        thread.start()

    def _follow(self) -> None:
        while True:
            with contextlib.suppress(SlotbookError):
                primaries = self._backend.survey()
                for address in [known for known in self._feeds if known not in primaries]:
                    self._feeds.pop(address).end()
                for address in primaries:
                    if address not in self._feeds or self._feeds[address].lost:
                        with contextlib.suppress(RedisError):
                            self._join(address)
                            self._listener.forget(None)  # it may have been in charge, and changed things, unheard
            if self._over.wait(self._bound):
                return

    def _join(self, address: Address) -> None:
        settings = self._backend.settings
        wire = self._connect(address)
        feed = Feed(address, self._listener, self._bound, settings.socket_timeout)
        try:
            wire.send_packed_command([tracking(self._prefix), feed.beat()], check_health=False)
            wire.read_response()
            feed.take(wire.read_response())
        except BaseException:
            wire.disconnect()
            raise
        self._feeds[address] = feed
        self._spawn(self._serve, wire, feed)

    def _connect(self, address: Address) -> Wire:
        target = self._backend.target
        kind = (
            redis.connection.UnixDomainSocketConnection
            if not address.port
            else redis.connection.SSLConnection
            if target.tls
            else redis.connection.Connection
        )
        off = MaintNotificationsConfig(enabled=False)
        made = cast("type[Any]", kind)(**dial_feed(target, address), maint_notifications_config=off)
        made._parser.set_invalidation_push_handler(as_invalidation)
        wire = cast(Wire, made)
        wire.connect()
        return wire

    def _serve(self, wire: Wire, feed: Feed) -> None:
        """Carry one feed until its connection is lost."""
        next_beat = time.monotonic()
        try:
            while not (self._over.is_set() or feed.lost):
                if time.monotonic() >= next_beat:
                    wire.send_packed_command([feed.beat()], check_health=False)
                    next_beat = time.monotonic() + feed.interval
                left = min(LONGEST_READ, max(0.001, next_beat - time.monotonic()))
                with contextlib.suppress(RedisTimeoutError):  # nothing new; what came in part is kept for the rest
                    feed.take(wire.read_response(timeout=left, disconnect_on_error=False, push_request=True))
        except RedisError:
            pass
        finally:
            feed.end()
            wire.disconnect()

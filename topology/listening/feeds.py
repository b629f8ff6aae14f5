"""Connections on which servers speak unasked, for threads: one to each primary that is listened to, each with a thread,
and a thread that follows the topology.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

import redis.connection
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from ...models.errors import SlotbookError
from .._sync.backend import Backend
from ..address import Address
from ..error_mapping import Unsent, is_reply, report
from ..settings import Target
from .channels import as_push
from .heartbeat import Listened, Plan, feed_connection_kwargs
from .tracking import as_invalidation

LEAST_PAUSE = 0.02
"""Seconds between two looks at least, however often connections break."""
LONGEST_READ = 0.2
"""Seconds until a feed's thread notices that it is to end."""

F = TypeVar("F", bound=Listened)


class RedisConnection(Protocol):
    """What we use of a redis-py connection."""

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...

    def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...

    def read_response(
        self, *, timeout: float = ..., disconnect_on_error: bool = ..., push_request: bool = ...
    ) -> object: ...


class Feeds(Generic[F]):
    """Feeds from the primaries that a plan wants; whoever is found gone is dropped, whoever is new is joined."""

    def __init__(self, backend: Backend, plan: Plan[F], hold: Callable[[], bool] | None = None) -> None:
        self._backend = backend
        self._plan = plan
        self._hold = hold
        """Waits as long as there is no room for what is heard, and says whether it had to."""
        self._restarting = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._feeds: dict[Address, F] = {}
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._hurry = threading.Event()

    def start(self) -> None:
        """Listen to every primary that is wanted. Raises AccessDenied, Unavailable or UnexpectedReply."""
        for address in self._plan.wanted(self._backend.survey()):
            try:
                self._join(address)
            except RedisError as error:
                raise report(f"{self._plan.name} at {address}", Unsent(error)) from error
        self._spawn(self._follow)

    def begin(self) -> None:
        """Start to listen, and wait for nothing; the plan is told what goes wrong."""
        self._spawn(self._follow)

    def feed(self, slot: int) -> F | None:
        """The feed of the primary in charge of a slot; None while there is none."""
        if self._owner != os.getpid():  # a forked child has its parent's memory, but not its threads
            self._restart()
        address = self._backend.locate(slot)
        return None if address is None else self._feeds.get(address)

    def close(self) -> None:
        """Close every connection and listen to nobody any more."""
        self._over.set()
        self._hurry.set()
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
        thread = threading.Thread(target=work, args=arguments, name=f"slotbook-{self._plan.name}", daemon=True)
        self._threads = [*(known for known in self._threads if known.is_alive()), thread]
        thread.start()

    def _follow(self) -> None:
        while True:
            try:
                wanted = self._plan.wanted(self._backend.survey())
                for address in [known for known in self._feeds if known not in wanted]:
                    self._feeds.pop(address).end()
                for address in wanted:
                    if address not in self._feeds or self._feeds[address].lost:
                        try:
                            self._join(address)
                            self._plan.rejoined()
                        except RedisError as error:
                            self._plan.failed(error)
            except SlotbookError as error:
                self._plan.failed(error)
            if self._over.wait(LEAST_PAUSE):
                return
            self._hurry.wait(self._plan.every)
            self._hurry.clear()
            if self._over.is_set():
                return

    def _join(self, address: Address) -> None:
        redis_connection = _connect(self._backend.target, address)
        feed = self._plan.feed(address)
        try:
            redis_connection.send_packed_command(feed.greeting(), check_health=False)
            while not feed.heartbeat.felt:
                feed.take(_heard(redis_connection, self._backend.settings.socket_timeout))
        except BaseException:
            feed.end()
            redis_connection.disconnect()
            raise
        self._feeds[address] = feed
        self._spawn(self._serve, redis_connection, feed)

    def _serve(self, redis_connection: RedisConnection, feed: F) -> None:
        """Carry one feed until its connection is lost."""
        next_beat = time.monotonic()
        try:
            while not (self._over.is_set() or feed.lost):
                if time.monotonic() >= next_beat:
                    redis_connection.send_packed_command([feed.beat()], check_health=False)
                    next_beat = time.monotonic() + feed.interval
                left = min(LONGEST_READ, max(0.001, next_beat - time.monotonic()))
                with contextlib.suppress(RedisTimeoutError):  # nothing new; what came in part is kept for the rest
                    feed.take(_heard(redis_connection, left))
                    if self._hold is not None and self._hold():
                        feed.heartbeat.excuse()
        except RedisError:
            pass
        finally:
            feed.end()
            self._hurry.set()
            redis_connection.disconnect()


def _heard(redis_connection: RedisConnection, timeout: float) -> object:
    """The next thing that the server says, be it an error."""
    try:
        return redis_connection.read_response(timeout=timeout, disconnect_on_error=False, push_request=True)
    except RedisError as error:
        if not is_reply(error):
            raise
        return error


def _connect(target: Target, address: Address) -> RedisConnection:
    kind = (
        redis.connection.UnixDomainSocketConnection
        if not address.port
        else redis.connection.SSLConnection
        if target.tls
        else redis.connection.Connection
    )
    off = MaintNotificationsConfig(enabled=False)
    made = cast("type[Any]", kind)(**feed_connection_kwargs(target, address), maint_notifications_config=off)
    made._parser.set_invalidation_push_handler(as_invalidation)
    made._parser.set_pubsub_push_handler(as_push)
    redis_connection = cast(RedisConnection, made)
    redis_connection.connect()
    return redis_connection

"""Feeds for threads: a connection to each primary that a plan selects.

Each connection has a thread, which reads and sends heartbeats in turn. One more thread follows changes of the topology.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from ...models.errors import BookClosed, SlotbookError
from .._sync.backend import Backend
from ..address import Address
from ..call import CommandPacker
from ..connections.greeting import GREETINGS, greeting
from ..connections.opening import connection_class
from ..error_mapping import Unsent, is_reply, report
from ..misreadings import MISREADINGS, no_reply
from ..settings import Target
from .interruption import Interruption
from .plan import Feed, FeedPlan, feed_connection_kwargs
from .pushes import parse_invalidation, parse_push

MIN_CHECK_INTERVAL = 0.02
"""The shortest time in seconds between two checks of which servers are primaries, however often connections break."""
MAX_READ = 0.2
"""The longest time in seconds that a thread waits for a message before it checks if it is to end."""

F = TypeVar("F", bound=Feed)


class RedisConnection(Protocol):
    """The part of a redis-py connection that is used here."""

    def connect(self) -> None:
        """Open the connection and authenticate."""

    def disconnect(self) -> None:
        """Close the connection."""

    def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None:
        """Write packed commands."""

    def read_response(
        self, *, timeout: float = ..., disconnect_on_error: bool = ..., push_request: bool = ...
    ) -> object:
        """Return the next reply or message."""


class Feeds(Generic[F]):
    """The feeds that a plan wants: opened on every primary that it selects, and closed on those that it does not.

    ``wait_for_space`` is called after each message, if given: it waits until there is space for more messages, and
    returns True if it had to wait.
    """

    def __init__(self, backend: Backend, plan: FeedPlan[F], wait_for_space: Callable[[], bool] | None = None) -> None:
        self._backend = backend
        self._plan = plan
        self._wait_for_space = wait_for_space
        self._interruption = Interruption(backend.notices, plan.name)
        self._restarting = threading.Lock()
        self._ended = False
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._feeds: dict[Address, F] = {}
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        self._check_now = threading.Event()

    def start(self) -> None:
        """Open a feed on every primary that the plan selects. Raises AccessDenied, Unavailable or UnexpectedReply."""
        for address in self._plan.select_primaries(self._backend.survey()):
            try:
                self._open_feed(address)
            except RedisError as error:
                raise report(f"{self._plan.name} at {address}", Unsent(error)) from error
        self._spawn(self._follow_topology)

    def start_in_background(self) -> None:
        """Start to open feeds and return at once; the plan's ``on_error`` gets what goes wrong."""
        self._spawn(self._follow_topology)

    def feed_for_slot(self, slot: int) -> F | None:
        """Return the feed of the primary that serves a slot; None while there is none."""
        if self._ended:
            return None
        if self._owner != os.getpid():  # a forked child has its parent's memory, but not its threads
            self._restart()
        address = self._backend.locate(slot)
        return None if address is None else self._feeds.get(address)

    def close(self) -> None:
        """Close every connection and open no more; in a forked child, those of the parent are left alone."""
        self._ended = True
        if self._owner != os.getpid():
            return
        self._closed.set()
        self._check_now.set()
        for feed in list(self._feeds.values()):
            feed.mark_lost()
        while running := [thread for thread in self._threads if thread.is_alive()]:  # more may be started meanwhile
            running[0].join()

    def _restart(self) -> None:
        with self._restarting:
            if self._owner == os.getpid():
                return
            for feed in self._feeds.values():
                feed.mark_lost()
            self._reset()
            self._spawn(self._follow_topology)

    def _spawn(self, work: Any, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=f"slotbook-{self._plan.name}", daemon=True)
        self._threads = [*(known for known in self._threads if known.is_alive()), thread]
        thread.start()

    def _follow_topology(self) -> None:
        while True:
            try:
                selected = self._plan.select_primaries(self._backend.survey())
                for address in [known for known in self._feeds if known not in selected]:
                    self._feeds.pop(address).mark_lost()
                for address in selected:
                    if address not in self._feeds or self._feeds[address].lost:
                        try:
                            self._open_feed(address)
                            self._interruption.end(address, list(selected))
                            self._plan.on_feed_opened()
                        except RedisError as error:
                            self._plan.on_error(error)
            except BookClosed:
                return
            except SlotbookError as error:
                self._plan.on_error(error)
            if self._closed.wait(MIN_CHECK_INTERVAL):
                return
            self._check_now.wait(self._plan.check_interval)
            self._check_now.clear()
            if self._closed.is_set():
                return

    def _open_feed(self, address: Address) -> None:
        """Connect, send the opening commands, and return when the server has answered the heartbeat among them."""
        redis_connection = _connect(self._backend.target, address)
        feed = self._plan.new_feed(address)
        ends_at = time.monotonic() + self._backend.settings.socket_timeout
        try:
            redis_connection.send_packed_command([greeting(), *feed.opening_commands()], check_health=False)
            for _ in range(GREETINGS):
                _read_message(redis_connection, max(0.001, ends_at - time.monotonic()))
            while not feed.heartbeat.was_answered:
                feed.receive(_read_message(redis_connection, max(0.001, ends_at - time.monotonic())))
        except BaseException:
            feed.mark_lost()
            redis_connection.disconnect()
            raise
        self._feeds[address] = feed
        self._spawn(self._serve, redis_connection, feed, address)

    def _serve(self, redis_connection: RedisConnection, feed: F, address: Address) -> None:
        """Read and send heartbeats until the connection is lost."""
        next_heartbeat = time.monotonic()
        try:
            while not (self._closed.is_set() or feed.lost):
                if time.monotonic() >= next_heartbeat:
                    redis_connection.send_packed_command([feed.periodic_commands()], check_health=False)
                    next_heartbeat = time.monotonic() + feed.interval
                left = min(MAX_READ, max(0.001, next_heartbeat - time.monotonic()))
                with contextlib.suppress(RedisTimeoutError):  # redis-py keeps the part of a message that has come
                    feed.receive(_read_message(redis_connection, left))
                    if self._wait_for_space is not None and self._wait_for_space():
                        feed.heartbeat.restart()
        except RedisError:
            pass
        finally:
            feed.mark_lost()
            if not self._closed.is_set():
                self._interruption.begin(address)
            self._check_now.set()
            redis_connection.disconnect()


def _read_message(redis_connection: RedisConnection, timeout: float) -> object:
    """Return the next message or reply; an error reply is returned, not raised. Raises redis-py's TimeoutError."""
    try:
        return redis_connection.read_response(timeout=timeout, disconnect_on_error=False, push_request=True)
    except RedisError as error:
        if not is_reply(error):
            raise
        return error
    except MISREADINGS as error:
        raise no_reply("a server", error) from error


def _connect(target: Target, address: Address) -> RedisConnection:
    opened = cast("Any", connection_class(address, tls=target.tls))(
        **feed_connection_kwargs(target, address),
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        command_packer=CommandPacker(),
    )
    opened._parser.set_invalidation_push_handler(parse_invalidation)
    opened._parser.set_pubsub_push_handler(parse_push)
    redis_connection = cast(RedisConnection, opened)
    try:
        redis_connection.connect()
    except MISREADINGS as error:  # redis-py reads the login's replies
        redis_connection.disconnect()
        raise no_reply(address, error) from error
    return redis_connection

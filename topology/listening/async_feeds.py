"""Feeds for asyncio: a connection to each primary that a plan selects.

Each connection has two tasks, one that reads and one that sends heartbeats. One more task follows changes of the
topology.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from ...models.errors import BookClosed, SlotbookError
from .._async.backend import AsyncBackend
from ..address import Address
from ..connections.async_opening import async_connection_class
from ..connections.greeting import GREETINGS, greeting
from ..error_mapping import Unsent, is_reply, report
from ..misreadings import MISREADINGS, no_reply
from ..settings import Target
from .interruption import Interruption
from .plan import Feed, FeedPlan, feed_connection_kwargs
from .pushes import Invalidation, PushMessage, parse_invalidation, parse_push

MIN_CHECK_INTERVAL = 0.02
"""The shortest time in seconds between two checks of which servers are primaries, however often connections break."""

F = TypeVar("F", bound=Feed)


class RedisConnection(Protocol):
    """The part of a redis-py connection that is used here."""

    async def connect(self) -> None:
        """Open the connection and authenticate."""

    async def disconnect(self, nowait: bool = False) -> None:
        """Close the connection; with ``nowait``, do not wait until it is closed."""

    async def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None:
        """Write packed commands."""

    async def read_response(self, *, timeout: float = ..., push_request: bool = ...) -> object:
        """Return the next reply or message."""


class AsyncFeeds(Generic[F]):
    """The feeds that a plan wants: opened on every primary that it selects, and closed on those that it does not.

    ``wait_for_space`` is called after each message, if given: it waits until there is space for more messages, and
    returns True if it had to wait.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        plan: FeedPlan[F],
        wait_for_space: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._backend = backend
        self._plan = plan
        self._wait_for_space = wait_for_space
        self._interruption = Interruption(backend.notices, plan.name)
        self._feeds: dict[Address, F] = {}
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._follower: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    async def start(self) -> None:
        """Open a feed on every primary that the plan selects. Raises AccessDenied, Unavailable or UnexpectedReply."""
        self._loop = asyncio.get_running_loop()
        self._check_now, self._closed = asyncio.Event(), asyncio.Event()
        for address in self._plan.select_primaries(await self._backend.survey()):
            try:
                await self._open_feed(address)
            except RedisError as error:
                raise report(f"{self._plan.name} at {address}", Unsent(error)) from error
        self._follower = asyncio.create_task(self._follow_topology())

    async def start_in_background(self) -> None:
        """Start to open feeds and return at once; the plan's ``on_error`` gets what goes wrong."""
        self._restart()

    def feed_for_slot(self, slot: int) -> F | None:
        """Return the feed of the primary that serves a slot; None while there is none."""
        if self._ended:
            return None
        if self._loop is not asyncio.get_running_loop():  # a second asyncio.run: the tasks of the first are gone
            self._backend.require_here()
            self._restart()
        address = self._backend.locate(slot)
        return None if address is None else self._feeds.get(address)

    async def close(self) -> None:
        """Close every connection and open no more."""
        self._ended = True
        ours = self._loop is asyncio.get_running_loop()
        follower, self._follower = self._follower, None
        if follower is not None and ours:
            self._closed.set()  # a task swallows its cancellation if what it waits for happens at the same moment
            follower.cancel()
            await asyncio.wait([follower])
        running = list(self._tasks.values())
        self._drop_feeds()
        if running and ours:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def _restart(self) -> None:
        self._drop_feeds()
        self._loop = asyncio.get_running_loop()
        self._check_now, self._closed = asyncio.Event(), asyncio.Event()
        self._follower = asyncio.create_task(self._follow_topology())

    def _drop_feeds(self) -> None:
        for feed in self._feeds.values():
            feed.mark_lost()
        self._feeds, self._tasks, self._follower = {}, {}, None

    async def _follow_topology(self) -> None:
        closed, check_now = self._closed, self._check_now
        while not closed.is_set():
            try:
                selected = self._plan.select_primaries(await self._backend.survey())
                for address in [known for known in self._feeds if known not in selected]:
                    self._feeds.pop(address).mark_lost()
                    self._tasks.pop(address).cancel()
                for address in selected:
                    if address not in self._feeds or self._feeds[address].lost:
                        try:
                            await self._open_feed(address)
                            self._interruption.end(address, list(selected))
                            self._plan.on_feed_opened()
                        except RedisError as error:
                            self._plan.on_error(error)
            except BookClosed:
                return
            except SlotbookError as error:
                self._plan.on_error(error)
            await asyncio.sleep(MIN_CHECK_INTERVAL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if closed.is_set() else self._plan.check_interval):
                    await check_now.wait()
            check_now.clear()

    async def _open_feed(self, address: Address) -> None:
        """Connect, send the opening commands, and return when the server has answered the heartbeat among them."""
        timeout = self._backend.settings.socket_timeout
        redis_connection = await _connect(self._backend.target, address)
        feed = self._plan.new_feed(address)
        try:
            async with asyncio.timeout(timeout):
                commands = [greeting(), *feed.opening_commands()]
                await redis_connection.send_packed_command(commands, check_health=False)
                for _ in range(GREETINGS):
                    await _read_message(redis_connection)
                while not feed.heartbeat.was_answered:
                    feed.receive(await _read_message(redis_connection))
        except BaseException as error:
            feed.mark_lost()
            await redis_connection.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise RedisTimeoutError(f"{address} did not answer within {timeout:g} s") from None
            raise
        self._feeds[address] = feed
        self._tasks[address] = asyncio.create_task(self._serve(redis_connection, feed, address))

    async def _serve(self, redis_connection: RedisConnection, feed: F, address: Address) -> None:
        """Read and send heartbeats until the connection is lost."""
        reading = asyncio.Event()
        reading.set()
        sender = asyncio.create_task(_send_heartbeats(redis_connection, feed, reading))
        reader = asyncio.create_task(self._read_messages(redis_connection, feed, reading))
        try:
            await asyncio.wait((sender, reader), return_when=asyncio.FIRST_COMPLETED)
        finally:
            feed.mark_lost()
            if not self._ended:
                self._interruption.begin(address)
            self._check_now.set()
            for task in (sender, reader):
                task.cancel()
            with contextlib.suppress(RedisError, asyncio.CancelledError):
                await asyncio.gather(sender, reader, return_exceptions=True)
            await redis_connection.disconnect(nowait=True)

    async def _read_messages(self, redis_connection: RedisConnection, feed: F, reading: asyncio.Event) -> None:
        """Read messages; while there is no space for more, ``reading`` is not set."""
        while True:
            feed.receive(await _read_message(redis_connection))
            if self._wait_for_space is not None:
                reading.clear()
                if await self._wait_for_space():
                    feed.heartbeat.restart()
                reading.set()


async def _send_heartbeats(redis_connection: RedisConnection, feed: Feed, reading: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(feed.interval)
        await reading.wait()
        await redis_connection.send_packed_command([feed.periodic_commands()], check_health=False)


async def _read_message(redis_connection: RedisConnection) -> object:
    """Return the next message or reply; an error reply is returned, not raised."""
    try:
        return await redis_connection.read_response(timeout=math.inf, push_request=True)
    except RedisError as error:
        if not is_reply(error):
            raise
        return error
    except MISREADINGS as error:
        raise no_reply("a server", error) from error


async def _connect(target: Target, address: Address) -> RedisConnection:
    opened = cast("Any", async_connection_class(address, tls=target.tls))(
        **feed_connection_kwargs(target, address), maint_notifications_config=MaintNotificationsConfig(enabled=False)
    )
    opened._parser.set_invalidation_push_handler(_on_invalidation)
    opened._parser.set_pubsub_push_handler(_on_push)
    redis_connection = cast(RedisConnection, opened)
    try:
        async with asyncio.timeout(target.settings.connect_timeout + target.settings.socket_timeout):
            await redis_connection.connect()
    except BaseException as error:
        await redis_connection.disconnect(nowait=True)
        if isinstance(error, TimeoutError):
            raise RedisTimeoutError(f"{address} did not answer in time") from None
        if isinstance(error, MISREADINGS):  # redis-py reads the login's replies
            raise no_reply(address, error) from error
        raise
    return redis_connection


async def _on_invalidation(push: Sequence[object]) -> Invalidation:
    return parse_invalidation(push)


async def _on_push(push: Sequence[object]) -> PushMessage:
    return parse_push(push)

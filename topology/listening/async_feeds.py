"""Connections on which servers speak unasked, for asyncio: one to each primary that is listened to, two tasks each, and
a task that follows the topology.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

import redis.asyncio.connection
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from ...models.errors import SlotbookError
from .._async.backend import AsyncBackend
from ..address import Address
from ..error_mapping import Unsent, is_reply, report
from ..settings import Target
from .channels import Push, as_push
from .heartbeat import Listened, Plan, feed_connection_kwargs
from .tracking import Invalidation, as_invalidation

LEAST_PAUSE = 0.02
"""Seconds between two looks at least, however often connections break."""

F = TypeVar("F", bound=Listened)


class RedisConnection(Protocol):
    """What we use of a redis-py connection."""

    async def connect(self) -> None: ...

    async def disconnect(self, nowait: bool = False) -> None: ...

    async def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...

    async def read_response(self, *, timeout: float = ..., push_request: bool = ...) -> object: ...


class AsyncFeeds(Generic[F]):
    """Feeds from the primaries that a plan wants; whoever is found gone is dropped, whoever is new is joined."""

    def __init__(self, backend: AsyncBackend, plan: Plan[F], hold: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._backend = backend
        self._plan = plan
        self._hold = hold
        """Waits as long as there is no room for what is heard, and says whether it had to."""
        self._feeds: dict[Address, F] = {}
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._follower: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Listen to every primary that is wanted. Raises AccessDenied, Unavailable or UnexpectedReply."""
        self._loop = asyncio.get_running_loop()
        self._hurry, self._over = asyncio.Event(), asyncio.Event()
        for address in self._plan.wanted(await self._backend.survey()):
            try:
                await self._join(address)
            except RedisError as error:
                raise report(f"{self._plan.name} at {address}", Unsent(error)) from error
        self._follower = asyncio.create_task(self._follow())

    async def begin(self) -> None:
        """Start to listen, and wait for nothing; the plan is told what goes wrong."""
        self._restart()

    def feed(self, slot: int) -> F | None:
        """The feed of the primary in charge of a slot; None while there is none."""
        if self._loop is not asyncio.get_running_loop():  # a second asyncio.run: the first one's tasks are gone
            self._restart()
        address = self._backend.locate(slot)
        return None if address is None else self._feeds.get(address)

    async def close(self) -> None:
        """Close every connection and listen to nobody any more."""
        ours = self._loop is asyncio.get_running_loop()
        follower, self._follower = self._follower, None
        if follower is not None and ours:
            self._over.set()  # a task may swallow that it is cancelled, when what it waits for comes at the same moment
            follower.cancel()
            await asyncio.wait([follower])
        running = list(self._tasks.values())
        self._drop_all()
        if running and ours:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def _restart(self) -> None:
        self._drop_all()
        self._loop = asyncio.get_running_loop()
        self._hurry, self._over = asyncio.Event(), asyncio.Event()
        self._follower = asyncio.create_task(self._follow())

    def _drop_all(self) -> None:
        for feed in self._feeds.values():
            feed.end()
        self._feeds, self._tasks, self._follower = {}, {}, None

    async def _follow(self) -> None:
        over, hurry = self._over, self._hurry
        while not over.is_set():
            try:
                wanted = self._plan.wanted(await self._backend.survey())
                for address in [known for known in self._feeds if known not in wanted]:
                    self._feeds.pop(address).end()
                    self._tasks.pop(address).cancel()
                for address in wanted:
                    if address not in self._feeds or self._feeds[address].lost:
                        try:
                            await self._join(address)
                            self._plan.rejoined()
                        except RedisError as error:
                            self._plan.failed(error)
            except SlotbookError as error:
                self._plan.failed(error)
            await asyncio.sleep(LEAST_PAUSE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if over.is_set() else self._plan.every):
                    await hurry.wait()
            hurry.clear()

    async def _join(self, address: Address) -> None:
        patience = self._backend.settings.socket_timeout
        redis_connection = await _connect(self._backend.target, address)
        feed = self._plan.feed(address)
        try:
            async with asyncio.timeout(patience):
                await redis_connection.send_packed_command(feed.greeting(), check_health=False)
                while not feed.heartbeat.felt:
                    feed.take(await _heard(redis_connection))
        except BaseException as error:
            feed.end()
            await redis_connection.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise RedisTimeoutError(f"{address} did not answer within {patience:g} s") from None
            raise
        self._feeds[address] = feed
        self._tasks[address] = asyncio.create_task(self._serve(redis_connection, feed))

    async def _serve(self, redis_connection: RedisConnection, feed: F) -> None:
        """Carry one feed until its connection is lost."""
        listening = asyncio.Event()
        listening.set()
        beating = asyncio.create_task(_beat(redis_connection, feed, listening))
        reading = asyncio.create_task(self._read(redis_connection, feed, listening))
        try:
            await asyncio.wait((beating, reading), return_when=asyncio.FIRST_COMPLETED)
        finally:
            feed.end()
            self._hurry.set()
            for task in (beating, reading):
                task.cancel()
            with contextlib.suppress(RedisError, asyncio.CancelledError):
                await asyncio.gather(beating, reading, return_exceptions=True)
            await redis_connection.disconnect(nowait=True)

    async def _read(self, redis_connection: RedisConnection, feed: F, listening: asyncio.Event) -> None:
        while True:
            feed.take(await _heard(redis_connection))
            if self._hold is not None:
                listening.clear()
                if await self._hold():
                    feed.heartbeat.excuse()
                listening.set()


async def _beat(redis_connection: RedisConnection, feed: Listened, listening: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(feed.interval)
        await listening.wait()
        await redis_connection.send_packed_command([feed.beat()], check_health=False)


async def _heard(redis_connection: RedisConnection) -> object:
    """The next thing that the server says, be it an error."""
    try:
        return await redis_connection.read_response(timeout=math.inf, push_request=True)
    except RedisError as error:
        if not is_reply(error):
            raise
        return error


async def _connect(target: Target, address: Address) -> RedisConnection:
    kind = (
        redis.asyncio.connection.UnixDomainSocketConnection
        if not address.port
        else redis.asyncio.connection.SSLConnection
        if target.tls
        else redis.asyncio.connection.Connection
    )
    off = MaintNotificationsConfig(enabled=False)
    made = cast("type[Any]", kind)(**feed_connection_kwargs(target, address), maint_notifications_config=off)
    made._parser.set_invalidation_push_handler(_invalidation)
    made._parser.set_pubsub_push_handler(_push)
    redis_connection = cast(RedisConnection, made)
    try:
        async with asyncio.timeout(target.settings.connect_timeout + target.settings.socket_timeout):
            await redis_connection.connect()
    except BaseException as error:
        await redis_connection.disconnect(nowait=True)
        if isinstance(error, TimeoutError):
            raise RedisTimeoutError(f"{address} did not answer in time") from None
        raise
    return redis_connection


async def _invalidation(push: Sequence[object]) -> Invalidation:
    return as_invalidation(push)


async def _push(push: Sequence[object]) -> Push:
    return as_push(push)

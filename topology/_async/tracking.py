"""Tracking connections for asyncio: one to each primary, two tasks each, and a task that follows the topology."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence
from typing import Any, Protocol, cast

import redis.asyncio.connection
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from ...models.errors import SlotbookError
from ..address import Address
from ..feed import Feed, Invalidation, Listener, as_invalidation, dial_feed, tracking
from ..verdict import Unsent, report
from .backend import AsyncBackend


class Wire(Protocol):
    """What we use of a redis-py connection."""

    async def connect(self) -> None: ...

    async def disconnect(self, nowait: bool = False) -> None: ...

    async def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...

    async def read_response(self, *, timeout: float = ..., push_request: bool = ...) -> object: ...


class AsyncTracker:
    """Feeds from every primary, for one prefix of keys; whoever is found gone is dropped, whoever is new is joined."""

    def __init__(self, backend: AsyncBackend, prefix: str, listener: Listener, bound: float) -> None:
        self._backend = backend
        self._prefix = prefix
        self._listener = listener
        self._bound = bound
        self._feeds: dict[Address, Feed] = {}
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._follower: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Connect to every primary. Raises AccessDenied, Unavailable or UnexpectedReply."""
        self._loop = asyncio.get_running_loop()
        for address in await self._backend.survey():
            try:
                await self._join(address)
            except RedisError as error:
                raise report(f"tracking at {address}", Unsent(error)) from error
        self._follower = asyncio.create_task(self._follow())

    def feed(self, slot: int) -> Feed | None:
        """The feed of the primary in charge of a slot; None while there is none."""
        if self._loop is not asyncio.get_running_loop():  # a second asyncio.run: the first one's tasks are gone
            self._restart()
        address = self._backend.locate(slot)
        return None if address is None else self._feeds.get(address)

    async def close(self) -> None:
        """Close every tracking connection and vouch for nothing any more."""
        running = [] if self._loop is not asyncio.get_running_loop() else [self._follower, *self._tasks.values()]
        self._drop_all()
        for task in filter(None, running):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _restart(self) -> None:
        self._drop_all()
        self._loop = asyncio.get_running_loop()
        self._follower = asyncio.create_task(self._follow())

    def _drop_all(self) -> None:
        for feed in self._feeds.values():
            feed.end()
        self._feeds, self._tasks, self._follower = {}, {}, None

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(SlotbookError):
                primaries = await self._backend.survey()
                for address in [known for known in self._feeds if known not in primaries]:
                    self._feeds[address].end()
                    self._tasks.pop(address).cancel()
                    del self._feeds[address]
                for address in primaries:
                    if address not in self._feeds or self._feeds[address].lost:
                        with contextlib.suppress(RedisError):
                            await self._join(address)
                            self._listener.forget(None)  # it may have been in charge, and changed things, unheard
            await asyncio.sleep(self._bound)

    async def _join(self, address: Address) -> None:
        settings = self._backend.settings
        wire = await self._connect(address)
        feed = Feed(address, self._listener, self._bound, settings.socket_timeout)
        try:
            await wire.send_packed_command([tracking(self._prefix), feed.beat()], check_health=False)
            await wire.read_response(timeout=settings.socket_timeout)
            feed.take(await wire.read_response(timeout=settings.socket_timeout))
        except BaseException:
            await wire.disconnect(nowait=True)
            raise
        self._feeds[address] = feed
        self._tasks[address] = asyncio.create_task(_serve(wire, feed))

    async def _connect(self, address: Address) -> Wire:
        target = self._backend.target
        kind = (
            redis.asyncio.connection.UnixDomainSocketConnection
            if not address.port
            else redis.asyncio.connection.SSLConnection
            if target.tls
            else redis.asyncio.connection.Connection
        )
        off = MaintNotificationsConfig(enabled=False)
        made = cast("type[Any]", kind)(**dial_feed(target, address), maint_notifications_config=off)
        made._parser.set_invalidation_push_handler(_handed_over)
        wire = cast(Wire, made)
        try:
            async with asyncio.timeout(target.settings.connect_timeout + target.settings.socket_timeout):
                await wire.connect()
        except TimeoutError:
            await wire.disconnect(nowait=True)
            raise RedisTimeoutError(f"{address} did not answer in time") from None
        except BaseException:
            await wire.disconnect(nowait=True)
            raise
        return wire


async def _handed_over(push: Sequence[object]) -> Invalidation:
    return as_invalidation(push)


async def _serve(wire: Wire, feed: Feed) -> None:
    """Carry one feed until its connection is lost."""
    beating = asyncio.create_task(_beat(wire, feed))
    reading = asyncio.create_task(_read(wire, feed))
    try:
        await asyncio.wait((beating, reading), return_when=asyncio.FIRST_COMPLETED)
    finally:
        feed.end()
        for task in (beating, reading):
            task.cancel()
        with contextlib.suppress(RedisError, asyncio.CancelledError):
            await asyncio.gather(beating, reading, return_exceptions=True)
        await wire.disconnect(nowait=True)


async def _beat(wire: Wire, feed: Feed) -> None:
    while True:
        await asyncio.sleep(feed.interval)
        await wire.send_packed_command([feed.beat()], check_health=False)


async def _read(wire: Wire, feed: Feed) -> None:
    while True:
        feed.take(await wire.read_response(timeout=math.inf, push_request=True))

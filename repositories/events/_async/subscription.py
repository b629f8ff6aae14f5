"""Subscriptions to channels, for asyncio: plain pub/sub, which keeps nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ....models.errors import BookClosed, Unavailable
from ....models.message import Message
from ....topology._async.backend import AsyncBackend
from ....topology.listening.async_feeds import AsyncFeeds
from ....topology.listening.channels import Channel, MessageFeed, SubscriptionPlan
from ..._concurrency.handlers import AsyncHandler
from ..._concurrency.inbox import AsyncInbox
from ..._concurrency.owner import AsyncOwner
from ..._concurrency.worker import AsyncWorker, async_handle
from ..channels import ChannelState, ReceivedMessage
from ..overflow import SubscribeOverflow

logger = logging.getLogger("slotbook.events")


class AsyncSubscription:
    """Messages of some channels as they come: an iterator, or with a callback; a context manager.

    Made by :meth:`AsyncOrderEventRepository.subscribe` and ``psubscribe``::

        async with book.events.subscribe("order_events") as subscription:
            message = await subscription.get(timeout=5)

    Pub/sub keeps nothing: messages that are published while a connection is lost are missed, and counted by connection
    in ``interruptions``; those that come while the queue is full are dropped, and counted in ``dropped``. To receive
    every event, follow the streams instead (:class:`AsyncFollow`).

    A callback that raises ends the subscription: it is not ``connected`` any more, ``failure`` has the exception, and
    ``start``, ``get`` and the first ``stop`` raise it.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        channels: Sequence[Channel],
        callback: AsyncHandler[Message] | None,
        *,
        maxsize: int,
        when_full: SubscribeOverflow,
    ) -> None:
        self._backend = backend
        self._callback = callback
        self._inbox: AsyncInbox[ReceivedMessage] = AsyncInbox(maxsize)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._channels = channels
        listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        listening.add(channels)
        wait_for_space = self._inbox.wait_until_not_full if when_full == "block" else None
        self._feeds: AsyncFeeds[MessageFeed] = AsyncFeeds(backend, listening, wait_for_space)
        self._worker: AsyncWorker | None = None
        self._owner = AsyncOwner("subscription", backend)
        self._started = self._stopped = False
        self._failure: Exception | None = None

    @property
    def connected(self) -> bool:
        """True while every message of every channel is received."""
        return not (self._stopped or self._owner.is_gone) and all(
            self._state.is_received(channel.name) for channel in self._channels
        )

    @property
    def failure(self) -> Exception | None:
        """The exception of the callback that has ended the subscription; None for none."""
        return self._failure

    @property
    def dropped(self) -> int:
        """The number of messages that were dropped because the queue was full."""
        return self._state.dropped

    @property
    def interruptions(self) -> int:
        """The number of times that a channel's connection was lost or found frozen, and messages may be missing."""
        return self._state.interruptions

    async def start(self) -> Self:
        """Subscribe; with a callback, call it with each message from now on.

        Returns as soon as every channel is subscribed to. Has no effect when it has been called before.

        Raises:
            AccessDenied: The user may not subscribe to one of the channels.
            Unavailable: No server could be subscribed to before the deadline.
            BookClosed: The book was closed.
            BelongsElsewhere: It was started in another process, of which this is a child, or in another event loop.
            Exception: That of the callback which has ended the subscription.
        """
        if self._failure is not None:
            raise self._failure
        self._owner.check()
        if self._started:
            return self
        self._owner.take(self)
        self._started = True
        await self._feeds.start_in_background()
        deadline = self._backend.settings.deadline
        ends_at = time.monotonic() + deadline
        while not self.connected and not self._stopped:
            left = ends_at - time.monotonic()
            if self._state.errors or left <= 0:
                await self.stop()
                if self._state.errors:
                    raise self._state.errors.popleft()
                raise Unavailable(f"subscribe: could not subscribe within {deadline:g} s")
            await self._inbox.wait(min(left, 0.1))
        if self._callback is not None:
            self._worker = AsyncWorker(self._work)
        return self

    async def get(self, timeout: float | None = None) -> Message | None:
        """Return the next message, or None when there is none within the timeout, or after ``stop``.

        Raises AccessDenied when the server does not let the subscription go on, BookClosed when the book was closed,
        BelongsElsewhere like ``start``, and the exception of a callback which has ended it.

        Args:
            timeout: Seconds to wait; None to wait until there is a message.
        """
        await self.start()
        ends_at = None if timeout is None else time.monotonic() + timeout
        while not self._stopped:
            if self._state.errors:
                raise self._state.errors.popleft()
            if received := self._inbox.take():
                return Message(received.channel, received.text, received.pattern)
            left = None if ends_at is None else ends_at - time.monotonic()
            if left is not None and left <= 0:
                return None
            await self._inbox.wait(left)
        self._backend.require_open()
        return None

    async def stop(self) -> None:
        """End the iteration, and close its connections. Raises the exception of the callback, if one had ended it."""
        await self.close()
        if self._worker is not None and not self._owner.is_gone:
            await self._worker.join()
            self._worker.result()

    async def close(self) -> None:
        """Do the same as ``stop``, but raise nothing; an exception of the callback has been logged."""
        if self._stopped:
            return
        here = self._owner.leave(self)
        self._stopped = True
        if not here:
            return  # it has ended with its event loop, or goes on in the parent
        self._inbox.close()
        await self._feeds.close()
        if self._worker is not None:
            await self._worker.join()

    def __aiter__(self) -> Self:
        self._backend.require_open()
        return self

    async def __anext__(self) -> Message:
        try:
            message = await self.get()
        except BookClosed:
            message = None
        if message is None:
            raise StopAsyncIteration
        return message

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _work(self) -> None:
        callback = self._callback
        while callback is not None and not self._stopped:
            message: Message | None = None
            try:
                message = await self.get()
                if message is not None:
                    await async_handle(callback, message)
            except BookClosed:
                return
            except Exception as error:
                logger.exception("a subscription has ended at %s; its callback is not called again", message)
                self._failure = error
                await self.close()
                raise

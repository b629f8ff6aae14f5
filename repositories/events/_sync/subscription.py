# Generated from repositories/events/_async/subscription.py by scripts/generate_sync.py: edit that one.
"""Subscriptions to channels, for threads: plain pub/sub, which keeps nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ....models.errors import BookClosed, Unavailable
from ....models.message import Message
from ....topology._sync.backend import Backend
from ....topology.listening.channels import Channel, MessageFeed, SubscriptionPlan
from ....topology.listening.feeds import Feeds
from ..._concurrency.handlers import Handler
from ..._concurrency.inbox import Inbox
from ..._concurrency.owner import Owner
from ..._concurrency.worker import Worker, handle
from ..channels import ChannelState, ReceivedMessage
from ..overflow import SubscribeOverflow

logger = logging.getLogger("slotbook.events")


class Subscription:
    """Messages of some channels as they come: an iterator, or with a callback; a context manager.

    Made by :meth:`OrderEventRepository.subscribe` and ``psubscribe``::

        with book.events.subscribe("order_events") as subscription:
            message = subscription.get(timeout=5)

    Pub/sub keeps nothing: messages that are published while a connection is lost are missed, and counted by connection
    in ``interruptions``; those that come while the queue is full are dropped, and counted in ``dropped``. To receive
    every event, follow the streams instead (:class:`Follow`).

    A callback that raises ends the subscription: it is not ``connected`` any more, ``failure`` has the exception, and
    ``start``, ``get`` and the first ``stop`` raise it.
    """

    def __init__(
        self,
        backend: Backend,
        channels: Sequence[Channel],
        callback: Handler[Message] | None,
        *,
        maxsize: int,
        when_full: SubscribeOverflow,
    ) -> None:
        self._backend = backend
        self._callback = callback
        self._inbox: Inbox[ReceivedMessage] = Inbox(maxsize)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._channels = channels
        listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        listening.add(channels)
        wait_for_space = self._inbox.wait_until_not_full if when_full == "block" else None
        self._feeds: Feeds[MessageFeed] = Feeds(backend, listening, wait_for_space)
        self._worker: Worker | None = None
        self._owner = Owner("subscription", backend)
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

    def start(self) -> Self:
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
        self._feeds.start_in_background()
        deadline = self._backend.settings.deadline
        ends_at = time.monotonic() + deadline
        while not self.connected and not self._stopped:
            left = ends_at - time.monotonic()
            if self._state.errors or left <= 0:
                self.stop()
                if self._state.errors:
                    raise self._state.errors.popleft()
                raise Unavailable(f"subscribe: could not subscribe within {deadline:g} s")
            self._inbox.wait(min(left, 0.1))
        if self._callback is not None:
            self._worker = Worker(self._work)
        return self

    def get(self, timeout: float | None = None) -> Message | None:
        """Return the next message, or None when there is none within the timeout, or after ``stop``.

        Raises AccessDenied when the server does not let the subscription go on, BookClosed when the book was closed,
        BelongsElsewhere like ``start``, and the exception of a callback which has ended it.

        Args:
            timeout: Seconds to wait; None to wait until there is a message.
        """
        self.start()
        ends_at = None if timeout is None else time.monotonic() + timeout
        while not self._stopped:
            if self._state.errors:
                raise self._state.errors.popleft()
            if received := self._inbox.take():
                return Message(received.channel, received.text, received.pattern)
            left = None if ends_at is None else ends_at - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._inbox.wait(left)
        self._backend.require_open()
        return None

    def stop(self) -> None:
        """End the iteration, and close its connections. Raises the exception of the callback, if one had ended it."""
        self.close()
        if self._worker is not None and not self._owner.is_gone:
            self._worker.join()
            self._worker.result()

    def close(self) -> None:
        """Do the same as ``stop``, but raise nothing; an exception of the callback has been logged."""
        if self._stopped:
            return
        here = self._owner.leave(self)
        self._stopped = True
        if not here:
            return  # it has ended with its event loop, or goes on in the parent
        self._inbox.close()
        self._feeds.close()
        if self._worker is not None:
            self._worker.join()

    def __iter__(self) -> Self:
        self._backend.require_open()
        return self

    def __next__(self) -> Message:
        try:
            message = self.get()
        except BookClosed:
            message = None
        if message is None:
            raise StopIteration
        return message

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _work(self) -> None:
        callback = self._callback
        while callback is not None and not self._stopped:
            message: Message | None = None
            try:
                message = self.get()
                if message is not None:
                    handle(callback, message)
            except BookClosed:
                return
            except Exception as error:
                logger.exception("a subscription has ended at %s; its callback is not called again", message)
                self._failure = error
                self.close()
                raise

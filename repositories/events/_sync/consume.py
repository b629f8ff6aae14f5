# Generated from repositories/events/_async/consume.py by scripts/generate_sync.py: edit that one.
"""Consumer groups, for threads: events shared between consumers, each acknowledged when it has been handled."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ....models.errors import CorruptRecord, HistoryTrimmed, OutcomeUnknown, SlotbookError, Unavailable
from ....models.event import OrderEvent
from ....topology._sync.backend import Backend
from ....topology.listening.channels import MessageFeed, SubscriptionPlan
from ....topology.listening.feeds import Feeds
from ..._concurrency.handlers import Handler
from ..._concurrency.inbox import Inbox
from ..._concurrency.worker import handle
from ..calls import EventCalls, check_sequence, check_traders
from ..channels import ChannelState, ReceivedMessage
from ..deliveries import DeliveredEvent, Deliveries, GroupOptions, PoisonEvent

logger = logging.getLogger("slotbook.events")

INBOX_SIZE = 1_000
"""The largest number of messages that wait; more are dropped, since one is enough to have its stream read."""

RECOVERABLE = (Unavailable, OutcomeUnknown, HistoryTrimmed, CorruptRecord)
"""Errors that come without an event and after which ``run`` goes on."""


class Delivery:
    """An event that a consumer was given, to be acknowledged when it has been handled.

    As a context manager it acknowledges the event at the end of the block. When the block raises, it does not, and the
    event is delivered again, to this consumer or another; after ``max_deliveries`` it becomes a dead letter with the
    error::

        for delivery in consumer:
            with delivery as event:
                handle(event)
    """

    def __init__(
        self,
        backend: Backend,
        calls: EventCalls,
        delivered: DeliveredEvent,
        options: GroupOptions,
        deliveries: Deliveries,
    ) -> None:
        self.event: OrderEvent = delivered.event
        """The event itself."""
        self.deliveries: int = delivered.deliveries
        """The number of times that the event has been delivered, this time included."""
        self._backend = backend
        self._calls = calls
        self._options = options
        self._deliveries = deliveries
        self._key = delivered.key

    def acknowledge(self) -> bool:
        """Acknowledge the event, so that it is not delivered again. One round trip.

        Returns False when it was no longer pending: it had been acknowledged before. Raises a SlotbookError when no
        server took the call; the event may then be delivered again.
        """
        trader, sequence = self._key
        done = self._backend.run(self._calls.acknowledge(trader, self._options.group, sequence))
        self._deliveries.in_progress.discard(self._key)
        return done

    def give_up(self, error: BaseException | str) -> bool:
        """Move the event to the dead letters (``{trader}:events:dead``), and acknowledge it. One round trip.

        Returns False when it had been acknowledged before, or is no longer kept. Raises a SlotbookError when no server
        took the call.

        Args:
            error: The reason, an exception or a text; its first 1,000 characters are kept.
        """
        reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        trader, sequence = self._key
        done = self._backend.run(self._calls.dead_letter(trader, self._options.group, sequence, reason))
        self._deliveries.in_progress.discard(self._key)
        return done

    def __enter__(self) -> OrderEvent:
        return self.event

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.acknowledge()
        elif isinstance(error, Exception) and self.deliveries >= self._options.max_deliveries:
            self.give_up(error)
        else:
            self._deliveries.in_progress.discard(self._key)


class Consumer:
    """One consumer of a group: an iterator of deliveries, and a context manager.

    Made by :meth:`OrderEventRepository.consume`::

        with book.events.consume("risk", "risk-1", ["T001"]) as consumer:
            consumer.run(handle)

    Every event is delivered at least once to one of the group's consumers, and acknowledged once. After a restart a
    consumer first gets the events that it had not acknowledged. Events that another consumer has had for ``min_idle``
    seconds are claimed from it.

    The iteration may go on after it has raised one of these, each in the place of the events that it is about:

    - HistoryTrimmed: events were removed from the stream before they had been handled.
    - CorruptRecord: an entry cannot be read; it becomes a dead letter.
    - Unavailable and other errors of the server: it will be tried again.
    """

    def __init__(
        self,
        backend: Backend,
        options: GroupOptions,
        traders: str | Iterable[str],
        since: int | None,
        *,
        poll: float,
    ) -> None:
        self._backend = backend
        self._calls = EventCalls(backend.settings)
        self._options = options
        self._traders = check_traders(traders)
        self._since = None if since is None else check_sequence("since", since)
        self._inbox: Inbox[ReceivedMessage] = Inbox(INBOX_SIZE)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._deliveries = Deliveries(self._calls, self._state, options, poll)
        self._listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        self._feeds: Feeds[MessageFeed] = Feeds(backend, self._listening)
        self._started = self._stopped = False

    def start(self) -> Self:
        """Begin to listen; the iteration calls this by itself. Has no effect when it has been called before.

        Raises a SlotbookError when a new group is to begin with the next event and the last one cannot be read.
        """
        if self._started:
            return self
        if self._since is None:
            lasts = self._backend.run_many([self._calls.last(trader) for trader in self._traders])
            for trader, last in zip(self._traders, lasts, strict=True):
                found = last.result()
                self._listening.add(self._deliveries.add([trader], found[0].sequence if found else 0))
        else:
            self._listening.add(self._deliveries.add(self._traders, self._since))
        self._started = True
        self._backend.attach(self)
        self._feeds.start_in_background()
        return self

    def get(self, timeout: float | None = None) -> Delivery | None:
        """Return the next delivery, or None when there is none within the timeout, or after ``stop``.

        Raises the same errors as the iteration.

        Args:
            timeout: Seconds to wait; None to wait until there is a delivery.
        """
        self.start()
        ends_at = None if timeout is None else time.monotonic() + timeout
        deliveries = self._deliveries
        while not self._stopped:
            deliveries.take_channel_changes()
            if deliveries.ready:
                if delivery := self._next():
                    return delivery
                continue
            if calls := deliveries.calls():
                deliveries.take_outcomes(self._backend.run_many(calls))
                continue
            if message := self._inbox.take():
                deliveries.take_message(message)
                continue
            left = deliveries.seconds_to_next_call()
            if ends_at is not None:
                left = min(left, ends_at - time.monotonic())
            if left <= 0:
                return None
            self._inbox.wait(left)
        return None

    def run(
        self,
        handler: Handler[OrderEvent],
        on_error: Handler[tuple[OrderEvent | None, Exception]] | None = None,
    ) -> None:
        """Call a handler with every event, and acknowledge the event when the handler returns, until ``stop``.

        When the handler raises, its event is delivered again, and becomes a dead letter after ``max_deliveries``.

        Args:
            handler: Called with each event, one at a time.
            on_error: Called with the event and the exception when the handler raises; with None and the error for
                HistoryTrimmed, CorruptRecord, and a server that could not be reached, after which the consumer goes on.
                Without it, these are logged to ``slotbook.events``.

        Raises:
            SlotbookError: Every other error of the iteration, such as AccessDenied; and what ``on_error`` raises.
        """
        while not self._stopped:
            delivery: Delivery | None = None
            try:
                delivery = self.get()
                if delivery is not None:
                    with delivery as event:
                        handle(handler, event)
            except Exception as error:
                if delivery is None and not isinstance(error, RECOVERABLE):
                    raise
                event_or_none = None if delivery is None else delivery.event
                if on_error is not None:
                    handle(on_error, (event_or_none, error))
                else:
                    logger.exception("%s/%s, event %s", self._options.group, self._options.consumer, event_or_none)

    def stop(self) -> None:
        """End the iteration, and close its connections. Events that were not acknowledged will be delivered again."""
        if not self._stopped:
            self._stopped = True
            self._backend.detach(self)
            self._inbox.close()
            if self._started:
                self._feeds.close()

    def close(self) -> None:
        """Do the same as ``stop``; a book calls this when it is closed."""
        self.stop()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Delivery:
        delivery = self.get()
        if delivery is None:
            raise StopIteration
        return delivery

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _next(self) -> Delivery | None:
        """Handle the next item: return a delivery, raise an error, or move an event to the dead letters."""
        item = self._deliveries.ready.popleft()
        if isinstance(item, SlotbookError):
            raise item
        if isinstance(item, PoisonEvent):
            self._move_to_dead_letters(item)
            return None
        waited = time.monotonic() - item.delivered_at
        if waited > self._options.min_idle / 3 and not self._is_still_ours(item):
            self._deliveries.in_progress.discard(item.key)
            return None
        return Delivery(self._backend, self._calls, item, self._options, self._deliveries)

    def _move_to_dead_letters(self, poison: PoisonEvent) -> None:
        trader, sequence, reason = poison
        group = self._options.group
        if self._backend.run(self._calls.dead_letter(trader, group, sequence, reason)):
            logger.error("event %d of %s is a dead letter of %s: %s", sequence, trader, group, reason)

    def _is_still_ours(self, delivered: DeliveredEvent) -> bool:
        """Return False when another consumer has claimed an event that has waited here for long."""
        trader, sequence = delivered.key
        call = self._calls.keep(trader, self._options.group, self._options.consumer, [sequence])
        return sequence in self._backend.run(call)

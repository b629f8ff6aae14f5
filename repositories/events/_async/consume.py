"""Consumer groups, for asyncio: events shared between consumers, each acknowledged when it has been handled."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ....models.errors import CorruptRecord, HistoryTrimmed, OutcomeUnknown, SlotbookError, Unavailable
from ....models.event import OrderEvent
from ....topology._async.backend import AsyncBackend
from ....topology.listening.async_feeds import AsyncFeeds
from ....topology.listening.channels import MessageFeed, SubscriptionPlan
from ..._concurrency.handlers import AsyncHandler
from ..._concurrency.inbox import AsyncInbox
from ..._concurrency.worker import async_handle
from ..calls import EventCalls, check_sequence
from ..channels import ChannelState, ReceivedMessage
from ..deliveries import DeliveredEvent, Deliveries, GroupOptions, PoisonEvent
from ..following import names_of

logger = logging.getLogger("slotbook.events")

ROOM = 1_000
"""Messages that wait; one is enough to know that a stream has something."""


class AsyncDelivery:
    """An event that a consumer was given, to be acknowledged when it has been handled.

    A context manager: it acknowledges at the end of its block. When the block raises, it does not, and the event comes
    again, to this consumer or another; after ``max_deliveries`` it becomes a dead letter with the error.
    """

    def __init__(
        self, backend: AsyncBackend, calls: EventCalls, given: DeliveredEvent, terms: GroupOptions, core: Deliveries
    ) -> None:
        self.event: OrderEvent = given.event
        self.deliveries: int = given.deliveries
        """How often it has been delivered, this time included."""
        self._backend = backend
        self._calls = calls
        self._terms = terms
        self._core = core
        self._key = given.key

    async def acknowledge(self) -> bool:
        """Say that it has been handled; False when it had been acknowledged before. One round trip."""
        done = await self._backend.run(self._calls.acknowledge(self._key[0], self._terms.group, self._key[1]))
        self._core.open.discard(self._key)
        return done

    async def give_up(self, error: BaseException | str) -> bool:
        """Make it a dead letter in ``{trader}:events:dead``, and acknowledge it. One round trip.

        False when it had been acknowledged before.
        """
        why = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        done = await self._backend.run(self._calls.dead_letter(self._key[0], self._terms.group, self._key[1], why))
        self._core.open.discard(self._key)
        return done

    async def __aenter__(self) -> OrderEvent:
        return self.event

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.acknowledge()
        elif isinstance(error, Exception) and self.deliveries >= self._terms.max_deliveries:
            await self.give_up(error)
        else:
            self._core.open.discard(self._key)


class AsyncConsumer:
    """One consumer of a group: an iterator of deliveries, and a context manager.

    Every event is delivered at least once to one of the group's consumers, and acknowledged once. After a restart a
    consumer first gets what it had not acknowledged; what another one has had for ``min_idle`` seconds is claimed
    from it. What the iteration raises, it raises in its place, and may go on after it: HistoryTrimmed for events that
    were dropped before the group was given them, CorruptRecord for an entry that cannot be read (it becomes a dead
    letter), Unavailable and other errors of the server.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        terms: GroupOptions,
        traders: str | Iterable[str],
        since: int | None,
        *,
        poll: float,
    ) -> None:
        self._backend = backend
        self._calls = EventCalls(backend.settings)
        self._terms = terms
        self._traders = names_of(traders)
        self._since = None if since is None else check_sequence("since", since)
        self._inbox: AsyncInbox[ReceivedMessage] = AsyncInbox(ROOM)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._core = Deliveries(self._calls, self._state, terms, poll)
        self._listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        self._feeds: AsyncFeeds[MessageFeed] = AsyncFeeds(backend, self._listening)
        self._started = self._stopped = False

    async def start(self) -> Self:
        """Begin to listen. Called by itself when iteration begins. Raises a SlotbookError."""
        if self._started:
            return self
        if self._since is None:
            lasts = await self._backend.run_many([self._calls.last(trader) for trader in self._traders])
            for trader, last in zip(self._traders, lasts, strict=True):
                found = last.result()
                self._listening.add(self._core.add([trader], found[0].sequence if found else 0))
        else:
            self._listening.add(self._core.add(self._traders, self._since))
        self._started = True
        self._backend.attach(self)
        await self._feeds.start_in_background()
        return self

    async def get(self, timeout: float | None = None) -> AsyncDelivery | None:
        """The next delivery; None when none came within so many seconds, or after ``stop``."""
        await self.start()
        ends_at = None if timeout is None else time.monotonic() + timeout
        core = self._core
        while not self._stopped:
            core.review()
            if core.work:
                if delivery := await self._next():
                    return delivery
                continue
            if calls := core.calls():
                core.read(await self._backend.run_many(calls))
                continue
            if heard := self._inbox.take():
                core.hear(heard)
                continue
            left = core.wait() if ends_at is None else min(core.wait(), ends_at - time.monotonic())
            if left <= 0:
                return None
            await self._inbox.wait(left)
        return None

    async def run(
        self,
        handler: AsyncHandler[OrderEvent],
        on_error: AsyncHandler[tuple[OrderEvent | None, Exception]] | None = None,
    ) -> None:
        """Hand every event to a handler and acknowledge it, until ``stop``.

        An error of the handler leaves its event to be delivered again. It is told to ``on_error``, with the event, and
        logged if there is none; so is what comes without an event: HistoryTrimmed, CorruptRecord, and a server that
        could not be reached, which is tried again. Raises every other SlotbookError.
        """
        while not self._stopped:
            delivery: AsyncDelivery | None = None
            try:
                delivery = await self.get()
                if delivery is not None:
                    async with delivery as event:
                        await async_handle(handler, event)
            except Exception as error:
                passing = (Unavailable, OutcomeUnknown, HistoryTrimmed, CorruptRecord)
                if delivery is None and not isinstance(error, passing):
                    raise
                event_or_none = None if delivery is None else delivery.event
                if on_error is not None:
                    await async_handle(on_error, (event_or_none, error))
                else:
                    logger.exception("%s/%s, event %s", self._terms.group, self._terms.consumer, event_or_none)

    async def stop(self) -> None:
        """End the iteration; what was delivered and not acknowledged will be again."""
        if not self._stopped:
            self._stopped = True
            self._backend.detach(self)
            self._inbox.close()
            if self._started:
                await self._feeds.close()

    async def close(self) -> None:
        """The same as ``stop``."""
        await self.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncDelivery:
        delivery = await self.get()
        if delivery is None:
            raise StopAsyncIteration
        return delivery

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _next(self) -> AsyncDelivery | None:
        """What is to be done next: a delivery, if that is it. Raises what is to be told."""
        work = self._core.work.popleft()
        if isinstance(work, SlotbookError):
            raise work
        if isinstance(work, PoisonEvent):
            if await self._backend.run(
                self._calls.dead_letter(work.trader, self._terms.group, work.sequence, work.why)
            ):
                logger.error("event %d of %s is a dead letter of %s: %s", work.sequence, work.trader, *self._why(work))
            return None
        if time.monotonic() - work.at > self._terms.min_idle / 3 and not await self._is_ours(work):
            self._core.open.discard(work.key)
            return None
        return AsyncDelivery(self._backend, self._calls, work, self._terms, self._core)

    async def _is_ours(self, given: DeliveredEvent) -> bool:
        """Whether an event that has waited here for long was not claimed by another consumer meanwhile."""
        trader, sequence = given.key
        call = self._calls.keep(trader, self._terms.group, self._terms.consumer, [sequence])
        return sequence in await self._backend.run(call)

    def _why(self, work: PoisonEvent) -> tuple[str, str]:
        return self._terms.group, work.why

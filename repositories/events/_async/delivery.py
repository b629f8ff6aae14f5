"""One event that a consumer was given, for asyncio: acknowledged, or given up."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from ....models.errors import SlotbookError
from ....models.event import OrderEvent
from ....topology._async.backend import AsyncBackend
from ..deliveries import Deliveries, GroupOptions, WaitingEvent
from ..group_calls import GroupCalls


class AsyncDeliveryOwner(Protocol):
    """The consumer of a delivery."""

    async def on_done(self) -> None:
        """Take note that an event was acknowledged, or given up."""
        ...


class AsyncDelivery:
    """An event that a consumer was given, to be acknowledged when it has been handled.

    As a context manager it acknowledges the event at the end of the block. When the block raises, it does not, and the
    event is delivered again, to this consumer or another; after ``max_deliveries`` it becomes a dead letter with the
    error::

        async for delivery in consumer:
            async with delivery as event:
                await handle(event)
    """

    def __init__(
        self,
        backend: AsyncBackend,
        calls: GroupCalls,
        given: WaitingEvent,
        options: GroupOptions,
        deliveries: Deliveries,
        owner: AsyncDeliveryOwner,
    ) -> None:
        self.event: OrderEvent = given.event
        """The event itself."""
        self.deliveries: int = given.hand_overs + 1
        """The number of times that the event has been handed over to be handled, this time included."""
        self._backend = backend
        self._calls = calls
        self._options = options
        self._deliveries = deliveries
        self._owner = owner
        self._key = given.key
        deliveries.in_progress[self._key] = self

    async def acknowledge(self) -> bool:
        """Acknowledge the event, so that it is not delivered again. One round trip.

        Returns False when it was no longer pending: it had been acknowledged before, perhaps by a first try of this
        call whose reply was lost.

        Raises:
            OutcomeUnknown: The reply was lost. The consumer sends the acknowledgement again, with its next call and
                with ``stop``, until it is known.
            SlotbookError: No server took the call; the same is done for Unavailable.
        """
        deliveries = self._deliveries
        deliveries.owed[self._key] = None  # first, so that an interrupt leaves it to be sent
        deliveries.must_leave = True
        try:
            done = await self._backend.run(self._calls.acknowledge(*self._key))
        except SlotbookError:
            deliveries.in_progress.pop(self._key, None)
            raise
        self._forget()
        await self._owner.on_done()
        return done

    def acknowledge_later(self) -> None:
        """Have the event acknowledged together with the consumer's next call."""
        self._deliveries.owed[self._key] = None
        self._deliveries.must_leave = True
        self._deliveries.in_progress.pop(self._key, None)

    async def give_up(self, error: BaseException | str) -> bool:
        """Move the event to the dead letters (``{trader}:events:dead``), and acknowledge it. One round trip.

        Returns False when it had been acknowledged before, is no longer kept, or another consumer has claimed it.
        Raises a SlotbookError when no server took the call.

        Args:
            error: The reason, an exception or a text; its first 1,000 characters are kept.
        """
        reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        done = await self._backend.run(self._calls.dead_letter(*self._key, reason))
        self._forget()
        await self._owner.on_done()
        return done

    async def fail(self, error: BaseException) -> None:
        """Have the event delivered again; give it up when it has been delivered ``max_deliveries`` times."""
        if isinstance(error, Exception) and self.deliveries >= self._options.max_deliveries:
            await self.give_up(error)
        else:
            self._deliveries.in_progress.pop(self._key, None)

    async def __aenter__(self) -> OrderEvent:
        return self.event

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.acknowledge()
        else:
            await self.fail(error)

    def _forget(self) -> None:
        self._deliveries.in_progress.pop(self._key, None)
        self._deliveries.owed.pop(self._key, None)

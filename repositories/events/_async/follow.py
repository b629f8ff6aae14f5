"""Following the events of traders without a gap, for asyncio."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ....models.errors import SlotbookError, Unavailable
from ....models.event import OrderEvent
from ....topology._async.backend import AsyncBackend
from ....topology.listening.async_feeds import AsyncFeeds
from ....topology.listening.channels import MessageFeed, SubscriptionPlan
from ..._concurrency.handlers import WhenFull
from ..._concurrency.inbox import AsyncInbox
from ..calls import EventCalls
from ..channels import ChannelState, ReceivedMessage
from ..following import Following, Since, names_of

LEAST_SCAN = 5.0
"""Seconds between two looks for traders that are new."""
SCAN_SHARE = 20
"""A look that took a second is not repeated within so many."""


class AsyncFollow:
    """Every event of some traders' books, once and in order by trader: an iterator and a context manager.

    Published messages make it fast; the streams make it complete: they are read for what came before, after every
    interruption of a connection, when a number is missing or a message had no room, and every ``poll`` seconds. It goes
    on through failovers and resharding. What it raises, it raises in its place, and the iteration may go on after it:

    - HistoryTrimmed: events are no longer kept; the next one is the first that is.
    - StateLost: the servers have lost events that it had yielded; what is there now follows, from ``error.first`` on.
      Contents are compared, so numbers that were used again do not hide a loss. The last 1,024 of each trader are.
    - Unavailable and other errors of the server: it will be tried again.
    - CorruptRecord: an entry that cannot be read, and is left out.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        traders: str | Iterable[str] | None,
        since: Since,
        *,
        room: int,
        when_full: WhenFull,
        poll: float,
    ) -> None:
        self._backend = backend
        self._calls = EventCalls(backend.settings)
        self._inbox: AsyncInbox[ReceivedMessage] = AsyncInbox(room)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._core = Following(self._calls, self._state, poll, backend.settings.deadline)
        self._listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        hold = self._inbox.wait_until_not_full if when_full == "block" else None
        self._feeds: AsyncFeeds[MessageFeed] = AsyncFeeds(backend, self._listening, hold)
        self._everyone = traders is None
        self._next_scan = 0.0
        self._started = self._stopped = False
        if traders is not None:
            self._listening.add(self._core.add(names_of(traders), since))
        self._since = since

    @property
    def positions(self) -> dict[str, int]:
        """The number of the last event of each trader that was taken up, to go on from (``since``)."""
        return self._core.positions

    @property
    def waiting(self) -> int:
        """Messages and events that have come and were not yielded yet."""
        return len(self._inbox) + len(self._core.ready)

    @property
    def dropped(self) -> int:
        """Messages that had no room, and were read from the streams later."""
        return self._state.dropped

    @property
    def interruptions(self) -> int:
        """How often a channel's connection was lost or found frozen."""
        return self._state.interruptions

    @property
    def connected(self) -> bool:
        """Whether every message is heard now."""
        return self._core.is_placed

    async def start(self) -> Self:
        """Subscribe, and find out where now is. Called by itself when iteration begins.

        Raises AccessDenied, or Unavailable when there is no way to listen before the deadline.
        """
        if self._started:
            return self
        self._started = True
        self._backend.attach(self)
        if self._everyone:
            await self._find_traders(self._since)
        await self._feeds.start_in_background()
        ends_at = time.monotonic() + self._backend.settings.deadline
        while not (self._core.is_placed or self._stopped):
            if isinstance(first := next(iter(self._core.ready), None), SlotbookError):
                await self.stop()
                raise first
            left = ends_at - time.monotonic()
            if left <= 0:
                await self.stop()
                raise Unavailable(f"follow: could not subscribe within {self._backend.settings.deadline:g} s")
            self._core.review()
            if not await self._read():
                await self._inbox.wait(min(left, self._core.wait()))
        return self

    async def get(self, timeout: float | None = None) -> OrderEvent | None:
        """The next event; None when none came within so many seconds, or after ``stop``."""
        await self.start()
        ends_at = None if timeout is None else time.monotonic() + timeout
        core = self._core
        while not self._stopped:
            core.review()
            if core.ready:
                news = core.ready.popleft()
                if isinstance(news, SlotbookError):
                    raise news
                return news
            if self._everyone:
                await self._find_traders(0)
            if await self._read():
                continue
            if heard := self._inbox.take():
                core.review()
                core.hear(heard)
                continue
            left = core.wait() if ends_at is None else min(core.wait(), ends_at - time.monotonic())
            if left <= 0:
                return None
            await self._inbox.wait(left)
        return None

    async def stop(self) -> None:
        """End the iteration and close the connections."""
        if not self._stopped:
            self._stopped = True
            self._backend.detach(self)
            self._inbox.close()
            await self._feeds.close()

    async def close(self) -> None:
        """The same as ``stop``."""
        await self.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> OrderEvent:
        event = await self.get()
        if event is None:
            raise StopAsyncIteration
        return event

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _read(self) -> bool:
        """Ask the streams that have to be asked; whether there were any."""
        cursors = self._core.due()
        if cursors:
            self._core.read(cursors, await self._backend.run_many(self._core.calls(cursors)))
        return bool(cursors)

    async def _find_traders(self, since: Since) -> None:
        started = time.monotonic()
        if started < self._next_scan:
            return
        keys = await self._backend.scan(self._calls.keys.streams_pattern)
        names = sorted(name for key in keys if (name := self._calls.keys.trader_of_stream(key)) is not None)
        self._listening.add(self._core.add(names, since))
        took = time.monotonic() - started
        self._next_scan = started + max(LEAST_SCAN, took * SCAN_SHARE)

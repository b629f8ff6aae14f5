"""Order events, for asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, cast, get_args

from ....models.arguments import callable_or_none, one_of, seconds, whole
from ....models.errors import HistoryTrimmed, InvalidArgument
from ....models.event import DeadLetter, OrderEvent
from ....models.message import Message
from ....topology._async.backend import AsyncBackend, open_async_backend
from ....topology.listening.channels import Channel, ChannelKind
from ....topology.settings import Settings
from ..._concurrency.handlers import AsyncHandler, Overflow, WhenFull
from ...durations import LONGEST
from ..calls import PAGE, EventCalls, check_group, check_sequence, event_of
from ..deliveries import GroupOptions
from ..following import Since
from .consume import AsyncConsumer
from .follow import AsyncFollow
from .subscription import AsyncSubscription

POLL = (0.001, 3600.0)
"""How often the streams may be looked at, in seconds."""


class AsyncOrderEventRepository:
    """What has happened to the traders' books, and what happens now.

    The streams are the truth: one entry for each change, written by the change itself and numbered without gaps.
    Published messages are the fast hint. Verbs raise a :class:`~slotbook.models.errors.SlotbookError`.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend
        self._calls = EventCalls(backend.settings)

    @classmethod
    async def from_url(cls, url: str | Settings | None = None) -> Self:
        """A repository with servers of its own; see :func:`slotbook.aconnect` for the URL. Close it when done."""
        return cls(await open_async_backend(url))

    async def history(
        self, trader: str, *, since: int | None = None, until: int | None = None, limit: int | None = None
    ) -> list[OrderEvent]:
        """A trader's events in order: those after number ``since``, up to and with ``until``, at most ``limit``.

        Without ``since``, from the first that is kept. One round trip for every 1,000 events. Raises HistoryTrimmed
        when events after ``since`` are no longer kept, and CorruptRecord.
        """
        key = self._calls.keys.of(trader).events
        at = 0 if since is None else check_sequence("since", since)
        last = None if until is None else check_sequence("until", until)
        if limit is not None:
            whole("limit", limit)
        found: list[OrderEvent] = []
        while limit is None or len(found) < limit:
            count = PAGE if limit is None else min(PAGE, limit - len(found))
            page = await self._backend.run(self._calls.range(trader, at, last, count))
            for entry in page:
                if entry.sequence > at + 1 and (found or since is not None):
                    raise HistoryTrimmed(trader, at + 1, entry.sequence - 1)
                found.append(event_of(key, trader, entry))
                at = entry.sequence
            if len(page) < count:
                break
        return found

    async def publish(self, event: OrderEvent) -> int:
        """Tell an event on the channels ``order_events`` and ``events.<symbol>.<type>``; how many subscribers of the
        server that was asked heard it.

        The book's own changes are told by the setting ``publish``. Two commands in one round trip, never sent again:
        raises OutcomeUnknown when the reply is lost. Raises AccessDenied for channels that the user may not publish on.
        """
        return sum(outcome.result() for outcome in await self._backend.run_many(self._calls.publish(event)))

    def subscribe(
        self,
        *channels: str,
        callback: AsyncHandler[Message] | None = None,
        room: int = 10_000,
        when_full: Overflow = "drop",
    ) -> AsyncSubscription:
        """Listen to channels, such as ``order_events``; see :class:`AsyncSubscription`.

        With a ``callback`` each message goes to it, in a task of its own; without one, iterate. At most ``room``
        messages wait. ``when_full`` is ``drop`` (and count), or ``block``: stop reading, until the server cuts the
        connection at its client-output-buffer-limit.
        """
        return self._listen(channels, ChannelKind.CLASSIC, callback, room, when_full)

    def psubscribe(
        self,
        *patterns: str,
        callback: AsyncHandler[Message] | None = None,
        room: int = 10_000,
        when_full: Overflow = "drop",
    ) -> AsyncSubscription:
        """Listen to every channel that matches a glob, ``events.AAPL.*`` or ``events.*.fill``, as ``subscribe``."""
        return self._listen(patterns, ChannelKind.PATTERN, callback, room, when_full)

    def follow(
        self,
        traders: str | Iterable[str] | None = None,
        *,
        since: Since = None,
        room: int = 10_000,
        when_full: WhenFull = "heal",
        poll: float = 1.0,
    ) -> AsyncFollow:
        """Every event of some traders, once and in order; see :class:`AsyncFollow`. None means all traders, also those
        that are new (they are looked for with SCAN, every 5 s at most).

        ``since`` is the number of the last event that is known, for all or by trader: 0 for everything, None for what
        happens from now on. At most ``room`` messages wait; for one more, ``when_full`` is ``heal`` (drop it, and read
        the stream later) or ``block`` (stop reading the connection). Every ``poll`` seconds the streams are looked at
        whether or not anything was heard: how late an event can be where nothing is published.
        """
        whole("room", room)
        seconds("poll", poll, *POLL)
        one_of("when_full", when_full, get_args(WhenFull))
        return AsyncFollow(self._backend, traders, since, room=room, when_full=when_full, poll=poll)

    def consume(
        self,
        group: str,
        consumer: str,
        traders: str | Iterable[str],
        *,
        since: int | None = 0,
        min_idle: float = 30.0,
        max_deliveries: int = 5,
        batch: int = 100,
        poll: float = 1.0,
    ) -> AsyncConsumer:
        """Take part in a consumer group; see :class:`AsyncConsumer`. ``consumer`` is a name that lasts over a restart.

        A group that is new begins after number ``since``, None means now. ``min_idle`` (seconds) has to be longer
        than an event takes to handle. Up to ``batch`` events of a trader are taken at a time.
        """
        whole("batch", batch)
        whole("max_deliveries", max_deliveries)
        seconds("poll", poll, *POLL)
        seconds("min_idle", min_idle, 0.001, LONGEST)
        names = check_group("group", group), check_group("consumer", consumer)
        terms = GroupOptions(*names, min_idle, max_deliveries, batch)
        return AsyncConsumer(self._backend, terms, traders, since, poll=poll)

    async def dead(self, trader: str, *, limit: int = 1_000) -> list[DeadLetter]:
        """Events that no consumer could handle, the oldest first. One round trip. Raises CorruptRecord."""
        return await self._backend.run(self._calls.dead(trader, whole("limit", limit)))

    async def trim(self, trader: str, before: int) -> int:
        """Drop a trader's events before a number; how many were. The last event always stays. One round trip.

        For ``events_kept=all``, once the events have been archived.
        """
        return await self._backend.run(self._calls.trim(trader, before))

    async def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        await self._backend.close()

    def _listen(
        self,
        names: tuple[str, ...],
        kind: ChannelKind,
        callback: AsyncHandler[Message] | None,
        room: int,
        when_full: Overflow,
    ) -> AsyncSubscription:
        whole("room", room)
        one_of("when_full", when_full, get_args(Overflow))
        callable_or_none("callback", callback)
        if not names or not all(isinstance(name, str) and name for name in cast("tuple[object, ...]", names)):
            raise InvalidArgument("subscribe takes the names of channels, none of them empty")
        channels = [Channel(self._calls.keys.prefix + name, kind) for name in names]
        return AsyncSubscription(self._backend, channels, callback, room=room, when_full=when_full)

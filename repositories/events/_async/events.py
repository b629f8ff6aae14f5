"""The events of traders' books, for asyncio: their history, what happens now, and the groups that share them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, cast, get_args

from ....models.arguments import callable_or_none, one_of, seconds, several, whole
from ....models.errors import HistoryTrimmed, InvalidArgument
from ....models.event import DeadLetter, OrderEvent
from ....models.message import Message
from ....topology._async.backend import AsyncBackend
from ....topology._async.opening import open_async_backend
from ....topology.durability import Durability
from ....topology.listening.channels import ChannelKind
from ....topology.settings import LONGEST, Settings
from ..._concurrency.handlers import AsyncHandler
from ..calls import PAGE, EventCalls, check_group, check_sequence, check_traders, event_of
from ..channels import channel_of
from ..deliveries import GroupOptions
from ..following import Since
from ..group_calls import DeadLetterCalls, GroupCalls
from ..overflow import FollowOverflow, SubscribeOverflow
from .consume import AsyncConsumer
from .follow import AsyncFollow
from .search import AsyncTraderSearch
from .subscription import AsyncSubscription

POLL_BOUNDS = (0.001, 3600.0)
"""The bounds of ``poll``, in seconds."""


class AsyncOrderEventRepository:
    """The events of traders' books: one for each change, written by the change itself and numbered without gaps.

    Reached as ``book.events``::

        history = await book.events.history("T001", since=120)
        subscription = book.events.subscribe("order_events")

    The streams are complete; published messages are faster, but may be missed. Methods raise a
    :class:`~slotbook.models.errors.SlotbookError`; an argument that cannot be used raises InvalidArgument before
    anything is sent.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend
        self._calls = EventCalls(backend.settings)
        self._dead_letters = DeadLetterCalls(backend.settings)

    @classmethod
    async def from_url(cls, url: str | Settings | None = None) -> Self:
        """Return a repository with connections of its own; ``close`` it when done.

        Args:
            url: The servers of the book, as for :func:`slotbook.aconnect`; None for the environment's ``SLOTBOOK_URL``.
        """
        return cls(await open_async_backend(url))

    async def history(
        self, trader: str, *, since: int | None = None, until: int | None = None, limit: int | None = None
    ) -> list[OrderEvent]:
        """Return a trader's events in order. One round trip for every 1,000 events.

        Args:
            trader: The trader whose events are read.
            since: The sequence number after which to begin, 0 for the first event; None for the first that is kept.
            until: The sequence number of the last event to return; None for no bound.
            limit: Events to return at most, 1 or more; None for no bound.

        Raises:
            HistoryTrimmed: Events after ``since``, or between others that were found, are no longer kept.
            CorruptRecord: An entry of the stream cannot be read.
        """
        keys = self._calls.keys.of(trader)
        at = 0 if since is None else check_sequence("since", since)
        last = None if until is None else check_sequence("until", until)
        limit = None if limit is None else whole("limit", limit)
        found: list[OrderEvent] = []
        while limit is None or len(found) < limit:
            count = PAGE if limit is None else min(PAGE, limit - len(found))
            page = await self._backend.run(self._calls.range(trader, at, last, count))
            for entry in page:
                if entry.sequence > at + 1 and (found or since is not None):
                    raise HistoryTrimmed(keys.trader, at + 1, entry.sequence - 1)
                found.append(event_of(keys.events, keys.trader, entry))
                at = entry.sequence
            if len(page) < count:
                break
        return found

    async def publish(self, event: OrderEvent) -> int:
        """Publish an event on the channels ``order_events`` and ``events.<symbol>.<type>``.

        Returns the number of subscribers that received it from the server that was asked. The book's own changes are
        published by the setting ``publish``. Two commands in one round trip, never sent again.

        Args:
            event: The event; its stream is not changed.

        Raises:
            OutcomeUnknown: The reply was lost; the event may have been published.
            AccessDenied: The user may not publish on these channels.
        """
        return sum(outcome.result() for outcome in await self._backend.run_many(self._calls.publish(event)))

    def subscribe(
        self,
        *channels: str,
        callback: AsyncHandler[Message] | None = None,
        maxsize: int = 10_000,
        when_full: SubscribeOverflow = "drop",
    ) -> AsyncSubscription:
        """Return a subscription to channels; see :class:`AsyncSubscription`. It begins with ``start``, or iteration.

        Args:
            *channels: Names of channels without the book's prefix, such as ``order_events``, ``events.AAPL.fill`` or a
                trader's ``{T001}:events``, which is a sharded channel where the server has those.
            callback: Called in the background with each message; None to iterate. Its first exception ends the
                subscription: it is logged, ``failure`` has it, and ``stop`` raises it.
            maxsize: The largest number of messages that wait, 1 or more; 10,000 unless given.
            when_full: The treatment of a message while so many wait: ``drop`` it and count it in ``dropped``, which is
                the default; or ``block``, which stops reading the connection, until the server closes it at its
                client-output-buffer-limit.

        Raises:
            InvalidArgument: No channel is named, or another argument cannot be used.
        """
        return self._subscription(channels, ChannelKind.CLASSIC, callback, maxsize, when_full)

    def psubscribe(
        self,
        *patterns: str,
        callback: AsyncHandler[Message] | None = None,
        maxsize: int = 10_000,
        when_full: SubscribeOverflow = "drop",
    ) -> AsyncSubscription:
        """Return a subscription to every channel that matches a pattern; see ``subscribe``.

        Args:
            *patterns: Globs of channels (PSUBSCRIBE) without the book's prefix, such as ``events.AAPL.*``. No glob
                hears the traders' channels, which are sharded: subscribe to them by name, or ``follow``.
            callback: Called with each message; see ``subscribe``.
            maxsize: The largest number of messages that wait; see ``subscribe``.
            when_full: The treatment of a message while so many wait; see ``subscribe``.

        Raises:
            InvalidArgument: No pattern is given, or one for the traders' channels, or another argument cannot be used.
        """
        return self._subscription(patterns, ChannelKind.PATTERN, callback, maxsize, when_full)

    def follow(
        self,
        traders: str | Iterable[str] | None = None,
        *,
        since: Since = None,
        maxsize: int = 10_000,
        when_full: FollowOverflow = "resync",
        poll: float = 1.0,
    ) -> AsyncFollow:
        """Return a follower that yields every event of some traders, once and in order; see :class:`AsyncFollow`.

        Args:
            traders: One trader or several; None, the default, for all of them, also those that are new, who are
                searched for with SCAN every 5 s at most.
            since: The number of the last event that is known, for all traders or by trader: 0 to begin with the first
                event, None, the default, with the next one.
            maxsize: The largest number of messages that wait, 1 or more; 10,000 unless given.
            when_full: The treatment of a message while so many wait: ``resync`` drops it and reads the event from the
                stream later, which is the default; ``block`` stops reading the connection.
            poll: Seconds between two reads of the streams when no message comes, 0.001 to 3,600; 1 unless given. Where
                nothing is published, an event may come that late.

        Raises:
            InvalidArgument: No trader is named, or another argument cannot be used.
        """
        maxsize, poll = whole("maxsize", maxsize), seconds("poll", poll, *POLL_BOUNDS)
        one_of("when_full", when_full, get_args(FollowOverflow))
        return AsyncFollow(self._backend, traders, since, maxsize=maxsize, when_full=when_full, poll=poll)

    def consume(
        self,
        group: str,
        consumer: str,
        traders: str | Iterable[str] | None = None,
        *,
        since: int | None = 0,
        min_idle: float = 30.0,
        max_deliveries: int = 5,
        batch: int = 10,
        poll: float = 1.0,
    ) -> AsyncConsumer:
        """Return a consumer of a group, which shares the events of some traders; see :class:`AsyncConsumer`.

        Args:
            group: The group's name. Each group gets every event.
            consumer: This consumer's name in the group; the same again after a restart, so that it gets back the events
                that it had not acknowledged. Two that run at the same time need two names.
            traders: One trader or several; ``add`` adds more. None, the default, for all of them, also those that are
                new, who are searched for with SCAN every 5 s at most.
            since: The sequence number after which a new group begins: 0, the default, for the first event that is kept,
                None for the next event after ``start``. A group that exists goes on where it was. Traders that are
                found or added later begin with 0.
            min_idle: Seconds after which an event that was not acknowledged is claimed from the consumer that has it,
                0.001 or more; 30 unless given. It has to be longer than an event takes to handle.
            max_deliveries: The number of times, 1 or more, that an event is handed over to be handled before it becomes
                a dead letter; 5 unless given.
            batch: Events that are read ahead, of all traders together, 1 or more; 10 unless given. They wait for this
                consumer until it stops, or until others claim them after ``min_idle``.
            poll: Seconds between two reads of the streams when no message comes, 0.001 to 3,600; 1 unless given.

        Raises:
            InvalidArgument: No trader is named, or another argument cannot be used.
        """
        batch, max_deliveries = whole("batch", batch), whole("max_deliveries", max_deliveries)
        poll, min_idle = seconds("poll", poll, *POLL_BOUNDS), seconds("min_idle", min_idle, 0.001, LONGEST)
        names = check_group("group", group), check_group("consumer", consumer)
        options = GroupOptions(*names, min_idle, max_deliveries, batch)
        return AsyncConsumer(self._backend, options, traders, since, poll=poll)

    async def dead_letters(self, trader: str, *, limit: int = 1_000) -> list[DeadLetter]:
        """Return the events of a trader that a group's consumers could not handle, the oldest first. One round trip.

        They are kept in the stream ``{trader}:events:dead``, about the last 10,000 of them.

        Args:
            trader: The trader whose dead letters are read.
            limit: Dead letters to return at most, 1 or more; 1,000 unless given.

        Raises:
            CorruptRecord: An entry cannot be read.
        """
        found = await self._backend.run(self._dead_letters.read(trader, whole("limit", limit)))
        return [stored.letter for stored in found]

    async def requeue(self, trader: str, group: str, *, sequences: Iterable[int] | None = None) -> list[int]:
        """Put dead letters back into their group, as events that were never delivered.

        Returns the sequence numbers of the events that are back, in the order of the letters. Two round trips for every
        1,000 dead letters. A letter stays where it is when its event is no longer kept in the trader's stream, or the
        group is gone.

        Args:
            trader: The trader whose dead letters are put back.
            group: The group that gets them back.
            sequences: The sequence numbers of the events; None for every dead letter of the group.

        Raises:
            CorruptRecord: A dead letter cannot be read.
        """
        check_group("group", group)
        numbers = None if sequences is None else several("sequences", sequences)
        wanted = None if numbers is None else {check_sequence("sequences", one) for one in numbers}
        back: dict[int, None] = {}
        after: str | None = None
        while page := await self._backend.run(self._dead_letters.read(trader, PAGE, after)):
            after = page[-1].entry_id
            chosen = [one for one in page if one.is_of(group, wanted)]
            if chosen:
                done = await self._backend.run(self._dead_letters.requeue(trader, [one.entry_id for one in chosen]))
                for one, is_back in zip(chosen, done, strict=True):
                    if is_back:
                        back[one.letter.event.sequence] = None
        return list(back)

    async def remove_consumers(
        self, group: str, traders: str | Iterable[str] | None = None, *, idle: float = 3_600.0
    ) -> int:
        """Remove the consumers of a group that have nothing to acknowledge and have asked for nothing for a while.

        A consumer that stops removes itself; this is for those that were killed. What they had is claimed by others
        first, after their ``min_idle``. Returns how many were removed, counted by trader. One round trip, and a SCAN
        for all traders.

        Args:
            group: The group.
            traders: One trader or several; None, the default, for all of them.
            idle: Seconds for which a consumer has asked for nothing, 0 or more; an hour unless given. It has to be
                longer than ``poll``, and than an event takes to handle. A consumer that comes back is added again.
        """
        calls = GroupCalls(self._backend.settings, check_group("group", group))
        idle = seconds("idle", idle, 0.0, LONGEST)
        search = AsyncTraderSearch(self._backend, self._calls.keys, find_all=True)
        names = await search.find() if traders is None else check_traders(traders)
        outcomes = await self._backend.run_many([calls.remove_consumers(name, idle) for name in names])
        return sum(outcome.result() for outcome in outcomes)

    async def trim(self, trader: str, before: int, *, durability: Durability | str | None = None) -> int:
        """Remove a trader's oldest events, and return how many were removed. One round trip.

        When a reply was lost, it is sent again, and removes nothing more: then it returns 0.

        For the setting ``events_kept=all``, once the events have been archived. The last event always stays, because
        its number decides the next one's.

        Args:
            trader: The trader whose events are removed.
            before: The sequence number of the first event that stays.
            durability: The copies that the change waits for; by default the book's.
        """
        return await self._backend.run(self._calls.trim(trader, before), self._backend.settings.wanted(durability))

    async def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        await self._backend.close()

    def _subscription(
        self,
        names: tuple[str, ...],
        kind: ChannelKind,
        callback: AsyncHandler[Message] | None,
        maxsize: int,
        when_full: SubscribeOverflow,
    ) -> AsyncSubscription:
        maxsize = whole("maxsize", maxsize)
        one_of("when_full", when_full, get_args(SubscribeOverflow))
        callable_or_none("callback", callback)
        if not names or not all(isinstance(name, str) and name for name in cast("tuple[object, ...]", names)):
            raise InvalidArgument("subscribe takes the names of channels, none of them empty")
        channels = [channel_of(self._calls.keys, name, kind) for name in names]
        return AsyncSubscription(self._backend, channels, callback, maxsize=maxsize, when_full=when_full)

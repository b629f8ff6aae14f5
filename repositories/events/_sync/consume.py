# Generated from repositories/events/_async/consume.py by scripts/generate_sync.py: edit that one.
"""Consumer groups, for threads: events shared between consumers, each acknowledged when it has been handled."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ....models.errors import BookClosed, SlotbookError
from ....models.event import OrderEvent
from ....models.results import Lag, Outcome
from ....topology._sync.backend import Backend
from ....topology.call import Call
from ....topology.listening.channels import MessageFeed, SubscriptionPlan
from ....topology.listening.feeds import Feeds
from ..._concurrency.handlers import Handler
from ..._concurrency.inbox import Inbox
from ..._concurrency.owner import Owner
from ..._concurrency.worker import handle
from ..calls import check_sequence, check_traders
from ..channels import ChannelState, ReceivedMessage
from ..deliveries import RECOVERABLE, Deliveries, EventKey, GroupOptions, PoisonEvent
from ..group_calls import GroupCalls
from .delivery import Delivery
from .search import TraderSearch

logger = logging.getLogger("slotbook.events")

INBOX_SIZE = 1_000
"""The largest number of messages that wait; more are dropped, since one is enough to have its stream read."""


class Consumer:
    """One consumer of a group: an iterator of deliveries, and a context manager.

    Made by :meth:`OrderEventRepository.consume`::

        with book.events.consume("risk", "risk-1", ["T001"]) as consumer:
            consumer.run(handle)

    Every event is handed over at least once by one of the group's consumers, and acknowledged once. Only what was
    handed over counts as delivered: what a consumer has read ahead goes back when it stops, and is claimed from it, as
    it was. After a restart a consumer first gets the events that it had not acknowledged. Events that another consumer
    has had for ``min_idle`` seconds are claimed from it.

    The iteration may go on after it has raised one of these, each in the place of the events that it is about:

    - HistoryTrimmed: events were removed from the stream before they had been handled.
    - StateLost: the servers have lost events that the group had been given, or the group itself, in a failover or by
      FLUSHALL. A group that is lost begins again with the first event that is kept.
    - CorruptRecord: an entry cannot be read; it becomes a dead letter.
    - Unavailable and other errors of the server: it will be tried again.
    """

    def __init__(
        self,
        backend: Backend,
        options: GroupOptions,
        traders: str | Iterable[str] | None,
        since: int | None,
        *,
        poll: float,
    ) -> None:
        self._backend = backend
        self._calls = GroupCalls(backend.settings, options.group, options.consumer)
        self._options = options
        self._search = TraderSearch(backend, self._calls.keys, find_all=traders is None)
        self._search.added.extend(() if traders is None else check_traders(traders))
        self._since = None if since is None else check_sequence("since", since)
        self._inbox: Inbox[ReceivedMessage] = Inbox(INBOX_SIZE)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._deliveries = Deliveries(self._calls, self._state, options, poll)
        self._listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        self._feeds: Feeds[MessageFeed] = Feeds(backend, self._listening)
        self._owner = Owner("consumer", backend)
        self._started = self._stopped = False

    def start(self) -> Self:
        """Begin to listen; the iteration calls this by itself. Has no effect when it has been called before.

        With ``since=None`` it creates the groups that there are not yet: the next event is the first after this.

        Raises a SlotbookError when such a group cannot be created, or the traders cannot be searched for, and
        BelongsElsewhere in a child of the process, or in another event loop, than it was started in.
        """
        self._owner.check()
        if self._started:
            return self
        traders = [*self._search.take_added(), *self._search.find()]
        try:
            self._take_up(traders, self._since)
        except SlotbookError:
            self._search.added.extend(traders)
            raise
        self._owner.take(self)
        self._started = True
        self._feeds.start_in_background()
        return self

    def add(self, traders: str | Iterable[str]) -> None:
        """Take events of more traders too; a new group begins with the first event that is kept.

        Without effect for traders whose events are taken already. May be called from another thread.

        Args:
            traders: One trader or several.

        Raises:
            InvalidArgument: No trader is named, or a name cannot be used.
        """
        self._owner.check_process()
        self._search.added.extend(check_traders(traders))
        self._inbox.wake()

    def get(self, timeout: float | None = None) -> Delivery | None:
        """Return the next delivery, or None when there is none within the timeout, or after ``stop``.

        One round trip, and one more for each ``batch`` events. Raises the same errors as the iteration.

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
            if new := self._search.take_added() or self._search.find():
                self._take_up(new, 0)
            if self._read():
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
        self._backend.require_open()
        self._leave()
        return None

    def run(
        self,
        handler: Handler[OrderEvent],
        on_error: Handler[tuple[OrderEvent | None, Exception]] | None = None,
    ) -> None:
        """Call a handler with every event, and acknowledge the event when the handler returns, until ``stop``.

        It also returns when the book is closed. When the handler raises, its event is delivered again, and becomes a
        dead letter after ``max_deliveries``. An acknowledgement is sent together with the call that hands over the next
        event, and again until it is known.

        Args:
            handler: Called with each event, one at a time.
            on_error: Called with the event and the exception when the handler raises; with None and the error for
                HistoryTrimmed, StateLost, CorruptRecord, and a server that could not be reached, after which the
                consumer goes on. Without it, these are logged to ``slotbook.events``.

        Raises:
            SlotbookError: Every other error of the iteration, such as AccessDenied; and what ``on_error`` raises.
        """
        self._owner.check()
        try:
            while not self._stopped:
                delivery: Delivery | None = None
                try:
                    delivery = self.get()
                    if delivery is not None:
                        self._handle(handler, delivery)
                except BookClosed:
                    return
                except Exception as error:
                    if delivery is None and not isinstance(error, RECOVERABLE):
                        raise
                    self._report(None if delivery is None else delivery.event, error, on_error)
        finally:
            if self._stopped:
                self._leave()

    def lag(self) -> dict[str, Lag]:
        """Return, by trader, how many events the group has still to handle. One round trip.

        Of a trader whose group does not exist yet, everything after the number where it would begin. Raises a
        SlotbookError.
        """
        self.start()
        calls = self._deliveries.lag_calls()
        outcomes = self._backend.run_many(list(calls.values()))
        return {trader: outcome.result() for trader, outcome in zip(calls, outcomes, strict=True)}

    def stop(self) -> None:
        """End the iteration, and close its connections.

        Events that were not handed over go back to the group as they were, and come to another consumer at its next
        read. Events that were, and are not acknowledged, will be delivered again. A consumer that has none of those is
        removed from the group. When no server takes this, it is logged, and others claim the events after ``min_idle``.
        """
        if self._stopped:
            return
        here = self._owner.leave(self)
        self._stopped = True
        if here:  # else it has ended with its event loop, or goes on in the parent
            self._inbox.close()
            if self._started:
                self._feeds.close()
                self._leave()

    def close(self) -> None:
        """Do the same as ``stop``; a book calls this when it is closed."""
        self.stop()

    def on_done(self) -> None:
        """Leave the group after ``stop``, when the last event has been acknowledged; a delivery calls this."""
        if self._stopped:
            self._leave()

    def __iter__(self) -> Self:
        self._backend.require_open()
        return self

    def __next__(self) -> Delivery:
        try:
            delivery = self.get()
        except BookClosed:
            delivery = None
        if delivery is None:
            raise StopIteration
        return delivery

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_up(self, traders: list[str], since: int | None) -> None:
        """Take events of more traders; with ``since`` None create their groups, to begin with the next event."""
        deliveries = self._deliveries
        if since is not None:
            self._listening.add(deliveries.add(traders, since))
            return
        outcomes = self._backend.run_many([self._calls.create(trader) for trader in traders])
        created = [outcome.result() for outcome in outcomes]
        for trader, read in zip(traders, created, strict=True):
            self._listening.add(deliveries.add_created(trader, read))

    def _read(self) -> bool:
        """Acknowledge what is owed, and read the streams that are due; return False when there was nothing to do."""
        calls, owed = self._deliveries.calls(), self._owed()
        if not calls and not owed:
            return False
        try:
            outcomes = self._send(owed, calls)
        except BaseException:
            self._deliveries.on_interrupted()
            raise
        self._deliveries.take_outcomes(outcomes)
        return bool(calls)

    def _next(self) -> Delivery | None:
        """Handle the next item: return a delivery, raise an error, or move an event to the dead letters."""
        deliveries = self._deliveries
        item = deliveries.ready.popleft()
        if isinstance(item, SlotbookError):
            self._backend.notices.on_raised(item)
            raise item
        if isinstance(item, PoisonEvent):
            self._move_to_dead_letters(item)
            return None
        try:
            (outcome,) = self._send(self._owed(), [self._calls.hand_over(*item.key, item.hand_overs + 1)])
            if not outcome.result():
                return None  # another consumer has claimed it while it waited here
            if not self._stopped:
                return Delivery(self._backend, self._calls, item, self._options, deliveries, self)
        except BaseException:
            deliveries.ready.appendleft(item)
            raise
        deliveries.ready.appendleft(item)  # it goes back
        return None

    def _owed(self) -> list[EventKey]:
        return list(self._deliveries.owed)

    def _send(self, owed: list[EventKey], calls: list[Call[object]]) -> list[Outcome[object]]:
        """Send calls together with acknowledgements that are owed, and return the outcomes of the calls."""
        deliveries = self._deliveries
        try:
            outcomes = self._backend.run_many([*deliveries.acknowledgements(owed), *calls])
        finally:
            deliveries.must_leave = True  # again: another thread may have left the group meanwhile
        deliveries.take_acknowledged(owed, outcomes[: len(owed)])
        return outcomes[len(owed) :]

    def _handle(self, handler: Handler[OrderEvent], delivery: Delivery) -> None:
        try:
            handle(handler, delivery.event)
        except BaseException as error:
            delivery.fail(error)
            raise
        delivery.acknowledge_later()

    def _report(
        self,
        event: OrderEvent | None,
        error: Exception,
        on_error: Handler[tuple[OrderEvent | None, Exception]] | None,
    ) -> None:
        if on_error is not None:
            handle(on_error, (event, error))
        else:
            logger.error("%s/%s, event %s", self._options.group, self._options.consumer, event, exc_info=error)

    def _move_to_dead_letters(self, poison: PoisonEvent) -> None:
        trader, sequence, reason = poison
        if self._backend.run(self._calls.dead_letter(trader, sequence, reason)):
            logger.error("event %d of %s is a dead letter of %s: %s", sequence, trader, self._options.group, reason)

    def _leave(self) -> None:
        """Acknowledge what is owed, give back what was not handed over, and leave groups where nothing is pending."""
        deliveries = self._deliveries
        while deliveries.must_leave or deliveries.ready:
            deliveries.must_leave = False
            owed, calls = self._owed(), deliveries.leave_calls()
            try:
                outcomes = self._backend.run_many([*deliveries.acknowledgements(owed), *calls])
            except BookClosed as error:  # by another, while the first who closes the book waits for this
                self._warn_of(error)
                return
            deliveries.take_acknowledged(owed, outcomes[: len(owed)])
            if failure := next((outcome.error for outcome in outcomes if outcome.error is not None), None):
                self._warn_of(failure)
                return

    def _warn_of(self, error: SlotbookError) -> None:
        name = f"{self._options.group}/{self._options.consumer}"
        logger.warning("%s has not left the group; others claim its events after min_idle: %s", name, error)

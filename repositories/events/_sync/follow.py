# Generated from repositories/events/_async/follow.py by scripts/generate_sync.py: edit that one.
"""Followers of traders' events, for threads: every event, without a gap."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ....models.errors import BookClosed, SlotbookError, Unavailable
from ....models.event import OrderEvent
from ....topology._sync.backend import Backend
from ....topology.listening.channels import MessageFeed, SubscriptionPlan
from ....topology.listening.feeds import Feeds
from ..._concurrency.inbox import Inbox
from ..._concurrency.owner import Owner
from ..calls import EventCalls, check_traders
from ..channels import ChannelState, ReceivedMessage
from ..following import Following, Since
from ..overflow import FollowOverflow
from .search import TraderSearch


class Follow:
    """Every event of some traders' books, once and in order by trader: an iterator and a context manager.

    Made by :meth:`OrderEventRepository.follow`::

        with book.events.follow("T001", since=0) as follow:
            for event in follow:
                print(event.sequence, event.type)

    Published messages make it fast. The streams make it complete: they are read for what came before, after every
    interruption of a connection, when a number is missing or the queue was full, and every ``poll`` seconds. It goes on
    through failovers and resharding.

    The iteration may go on after it has raised one of these, each in the place of the events that it is about:

    - HistoryTrimmed: events are no longer kept; the next event is the first that is.
    - StateLost: the servers have lost events that it had yielded; the events that they have now follow, from
      ``error.first`` on. The contents of the last 1,024 events of each trader are compared, so numbers that were used
      again do not hide a loss.
    - Unavailable and other errors of the server: it will be tried again.
    - CorruptRecord: an entry cannot be read, and is left out.
    """

    def __init__(
        self,
        backend: Backend,
        traders: str | Iterable[str] | None,
        since: Since,
        *,
        maxsize: int,
        when_full: FollowOverflow,
        poll: float,
    ) -> None:
        self._backend = backend
        self._calls = EventCalls(backend.settings)
        self._inbox: Inbox[ReceivedMessage] = Inbox(maxsize)
        self._state = ChannelState(self._inbox.put, self._inbox.wake)
        self._following = Following(self._calls, self._state, poll, backend.settings.deadline)
        self._listening = SubscriptionPlan(self._state, backend.settings.watchdog, backend.locate)
        wait_for_space = self._inbox.wait_until_not_full if when_full == "block" else None
        self._feeds: Feeds[MessageFeed] = Feeds(backend, self._listening, wait_for_space)
        self._search = TraderSearch(backend, self._calls.keys, find_all=traders is None)
        self._owner = Owner("follower", backend)
        self._started = self._stopped = False
        if traders is not None:
            self._listening.add(self._following.add(check_traders(traders), since))
        self._since = since

    @property
    def positions(self) -> dict[str, int]:
        """The number of the last event of each trader that was taken up, to go on from it later (``since``)."""
        return self._following.positions

    @property
    def waiting(self) -> int:
        """The number of messages and events that have been received and not yielded yet."""
        return len(self._inbox) + len(self._following.ready)

    @property
    def dropped(self) -> int:
        """The number of messages that were dropped because the queue was full; the streams were read instead."""
        return self._state.dropped

    @property
    def interruptions(self) -> int:
        """The number of times that a channel's connection was lost or found frozen."""
        return self._state.interruptions

    @property
    def connected(self) -> bool:
        """True while every message of every trader is received."""
        return self._following.is_established and not (self._stopped or self._owner.is_gone)

    def start(self) -> Self:
        """Subscribe, and find the last event of each trader; the iteration calls this by itself.

        Returns as soon as every message is received. Has no effect when it has been called before.

        Raises:
            AccessDenied: The user may not subscribe.
            Unavailable: No server could be subscribed to before the deadline.
            BookClosed: The book was closed.
            BelongsElsewhere: It was started in another process, of which this is a child, or in another event loop.
        """
        self._owner.check()
        if self._started:
            return self
        self._owner.take(self)
        self._started = True
        self._listening.add(self._following.add(self._search.find(), self._since))
        self._feeds.start_in_background()
        ends_at = time.monotonic() + self._backend.settings.deadline
        following = self._following
        while not (following.is_established or self._stopped):
            if isinstance(first := next(iter(following.ready), None), SlotbookError):
                self.stop()
                raise first
            left = ends_at - time.monotonic()
            if left <= 0:
                self.stop()
                raise Unavailable(f"follow: could not subscribe within {self._backend.settings.deadline:g} s")
            following.take_channel_changes()
            if not self._read():
                self._inbox.wait(min(left, following.seconds_to_next_poll()))
        return self

    def get(self, timeout: float | None = None) -> OrderEvent | None:
        """Return the next event, or None when there is none within the timeout, or after ``stop``.

        Raises the same errors as the iteration, and those of ``start``.

        Args:
            timeout: Seconds to wait; None to wait until there is an event.
        """
        self.start()
        ends_at = None if timeout is None else time.monotonic() + timeout
        following = self._following
        while not self._stopped:
            following.take_channel_changes()
            if following.ready:
                item = following.ready.popleft()
                if isinstance(item, SlotbookError):
                    self._backend.notices.on_raised(item)
                    raise item
                return item
            if new := self._search.take_added() or self._search.find():
                self._listening.add(following.add(new, 0))
            if self._read():
                continue
            if message := self._inbox.take():
                following.take_channel_changes()
                following.take_message(message)
                continue
            left = following.seconds_to_next_poll()
            if ends_at is not None:
                left = min(left, ends_at - time.monotonic())
            if left <= 0:
                return None
            self._inbox.wait(left)
        self._backend.require_open()
        return None

    def add(self, traders: str | Iterable[str]) -> None:
        """Follow more traders too, from the first event that is kept. May be called from another thread.

        Without effect for traders who are followed already.

        Args:
            traders: One trader or several.

        Raises:
            InvalidArgument: No trader is named, or a name cannot be used.
            BookClosed: The book was closed.
            BelongsElsewhere: It was started in another process, of which this is a child.
        """
        self._owner.check_process()
        self._search.added.extend(check_traders(traders))
        self._inbox.wake()

    def stop(self) -> None:
        """End the iteration, and close its connections."""
        if self._stopped:
            return
        here = self._owner.leave(self)
        self._stopped = True
        if here:  # else it has ended with its event loop, or goes on in the parent
            self._inbox.close()
            self._feeds.close()

    def close(self) -> None:
        """Do the same as ``stop``; a book calls this when it is closed."""
        self.stop()

    def __iter__(self) -> Self:
        self._backend.require_open()
        return self

    def __next__(self) -> OrderEvent:
        try:
            event = self.get()
        except BookClosed:
            event = None
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read(self) -> bool:
        """Read the streams that are due; return False when there are none."""
        cursors = self._following.due()
        if cursors:
            calls = self._following.calls(cursors)
            self._following.take_outcomes(cursors, self._backend.run_many(calls))
        return bool(cursors)

"""Track what a follower of several traders has taken, and which streams it has to read. No I/O, for sync and async."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ...models.errors import SlotbookError
from ...models.results import Outcome
from ...topology.call import Call
from ...topology.listening.channels import Channel, ChannelKind
from .calls import EventCalls, StreamEntry, check_sequence
from .channels import ChannelState, ReceivedMessage
from .cursor import Cursor, FollowItem

Since: TypeAlias = int | Mapping[str, int] | None
"""The number of the last event that is known, for all traders or by trader; 0 for none. None is the number of the last
event that there is, so that the follower begins with the next one.
"""


class Following:
    """The traders that a follower follows: a cursor for each."""

    def __init__(self, calls: EventCalls, state: ChannelState, poll: float, resubscribe_timeout: float) -> None:
        self.ready: deque[FollowItem] = deque()
        """Events and errors that are to be yielded and raised next."""
        self._calls = calls
        self._state = state
        self._poll = poll
        self._resubscribe_timeout = resubscribe_timeout
        """Seconds for which a stream is not read while no connection is subscribed to its channel."""
        self._cursors: dict[str, Cursor] = {}
        """By channel."""
        self._behind: dict[str, Cursor] = {}
        """The cursors whose stream has to be read, by channel."""
        self._unsubscribed_since: dict[str, float] = {}
        """By channel, the time on the monotonic clock since which no connection is subscribed to it."""
        self._next_poll = 0.0

    def add(self, traders: Iterable[str], since: Since) -> list[Channel]:
        """Follow more traders, and return their channels. Raises InvalidArgument."""
        channels: list[Channel] = []
        for trader in traders:
            after = since.get(trader) if isinstance(since, Mapping) else since
            cursor = Cursor(self._calls, trader, None if after is None else check_sequence("since", after))
            if cursor.channel not in self._cursors:
                self._cursors[cursor.channel] = self._behind[cursor.channel] = cursor
                self._unsubscribed_since[cursor.channel] = time.monotonic()
                channels.append(Channel(cursor.channel, ChannelKind.SHARDED))
        return channels

    @property
    def is_established(self) -> bool:
        """True while the position of every trader is known and every message is received.

        That connections have reported a loss counts at once, also while nobody takes their reports.
        """
        return (
            not self._unsubscribed_since
            and all(self._state.is_received(channel) for channel in tuple(self._state.changed))
            and all(cursor.position is not None for cursor in self._behind.values())
        )

    @property
    def positions(self) -> dict[str, int]:
        """The number of the last event that was taken of each trader."""
        return {cursor.trader: cursor.position for cursor in self._cursors.values() if cursor.position is not None}

    def take_channel_changes(self) -> None:
        """Take what connections have reported about channels since the last time."""
        state = self._state
        while state.changed:
            channel = state.changed.pop()
            feed = state.feeds.get(channel)
            cursor = self._cursors[channel]
            cursor.set_feed(feed)
            self._mark_if_behind(cursor)
            if feed is None:
                self._unsubscribed_since.setdefault(channel, time.monotonic())
            else:
                self._unsubscribed_since.pop(channel, None)
        while state.overflowed:
            cursor = self._cursors[state.overflowed.pop()]
            cursor.behind = True
            self._mark_if_behind(cursor)
        while state.errors:
            self.ready.append(state.errors.popleft())

    def take_message(self, message: ReceivedMessage) -> None:
        """Take a message: its event if it is the next one, or the hint that a stream has to be read."""
        cursor = self._cursors[message.channel]
        if event := cursor.take_message(message.feed, message.text):
            self.ready.append(event)
        else:
            self._mark_if_behind(cursor)

    def due(self) -> list[Cursor]:
        """Return the cursors whose stream has to be read now.

        While no connection is subscribed to a channel, its primary is perhaps being replaced. The stream is then read
        as soon as a connection is subscribed again, or when that has taken too long.
        """
        now = time.monotonic()
        if now >= self._next_poll:
            self._next_poll = now + self._poll
            for cursor in self._cursors.values():
                cursor.behind = True
                self._mark_if_behind(cursor)
        return [
            cursor
            for cursor in self._behind.values()
            if (since := self._unsubscribed_since.get(cursor.channel)) is None
            or now - since > self._resubscribe_timeout
        ]

    def seconds_to_next_poll(self) -> float:
        """Return how many seconds may pass before every stream is read again."""
        return max(0.001, self._next_poll - time.monotonic())

    def calls(self, cursors: Sequence[Cursor]) -> list[Call[list[StreamEntry]]]:
        """Return the calls that read on in the streams of some cursors."""
        return [call for cursor in cursors for call in cursor.calls()]

    def take_outcomes(self, cursors: Sequence[Cursor], outcomes: Sequence[Outcome[list[StreamEntry]]]) -> None:
        """Take the outcomes of the calls of the same cursors."""
        remaining = iter(outcomes)
        failure: SlotbookError | None = None
        for cursor in cursors:
            of_cursor = [next(remaining) for _ in range(cursor.call_count)]
            error = next((outcome.error for outcome in of_cursor if outcome.error is not None), None)
            if error is None:
                self.ready.extend(cursor.take_replies([outcome.result() for outcome in of_cursor]))
                if not cursor.behind:
                    self._behind.pop(cursor.channel, None)
            else:
                failure = error
                if cursor.channel in self._unsubscribed_since:
                    self._unsubscribed_since[cursor.channel] = time.monotonic()
        if failure is not None:
            self.ready.append(failure)

    def _mark_if_behind(self, cursor: Cursor) -> None:
        if cursor.behind:
            self._behind[cursor.channel] = cursor

"""What a follower of several traders knows, wants to know, and has to tell. No I/O and no colour."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from ...models.arguments import several
from ...models.errors import InvalidArgument, SlotbookError
from ...models.event import OrderEvent
from ...models.results import Outcome
from ...models.types import check_name
from ...topology.call import Call
from ...topology.listening.channels import Channel, ChannelKind
from .calls import EventCalls, StreamEntry, check_sequence
from .channels import ChannelState, ReceivedMessage
from .cursor import Cursor

T = TypeVar("T")

Since: TypeAlias = int | Mapping[str, int] | None
"""The number of the last event that is known, for all traders or by trader; 0 for none, None for whatever is now."""


def names_of(traders: str | Iterable[str]) -> list[str]:
    """The traders that are meant. Raises InvalidArgument."""
    names = [traders] if isinstance(traders, str) else list(dict.fromkeys(several("traders", traders)))
    if not names:
        raise InvalidArgument("no trader is named")
    return [check_name("trader", name) for name in names]


class Following:
    """The cursors of a follower."""

    def __init__(self, calls: EventCalls, state: ChannelState, poll: float, patience: float) -> None:
        self.ready: deque[OrderEvent | SlotbookError] = deque()
        """What is to be told next."""
        self._calls = calls
        self._state = state
        self._poll = poll
        self._patience = patience
        self._cursors: dict[str, Cursor] = {}
        self._behind: dict[str, Cursor] = {}
        self._deaf_since: dict[str, float] = {}
        self._next_poll = 0.0

    def add(self, traders: Iterable[str], since: Since) -> list[Channel]:
        """Follow more traders; their channels. Raises InvalidArgument."""
        channels: list[Channel] = []
        for trader in traders:
            after = since.get(trader) if isinstance(since, Mapping) else since
            cursor = Cursor(self._calls, trader, None if after is None else check_sequence("since", after))
            if cursor.channel not in self._cursors:
                self._cursors[cursor.channel] = self._behind[cursor.channel] = cursor
                self._deaf_since[cursor.channel] = time.monotonic()
                channels.append(Channel(cursor.channel, ChannelKind.SHARDED))
        return channels

    @property
    def is_placed(self) -> bool:
        """Whether it is known of every trader where the follower is, and every message is heard."""
        return not self._deaf_since and all(cursor.at is not None for cursor in self._behind.values())

    @property
    def positions(self) -> dict[str, int]:
        """The number of the last event taken of each trader."""
        return {cursor.trader: cursor.at for cursor in self._cursors.values() if cursor.at is not None}

    def review(self) -> None:
        """Go through the state."""
        state = self._state
        while state.changed:
            channel = state.changed.pop()
            feed = state.feeds.get(channel)
            cursor = self._cursors[channel]
            cursor.tuned(feed)
            self._mark(cursor)
            if feed is None:
                self._deaf_since.setdefault(channel, time.monotonic())
            else:
                self._deaf_since.pop(channel, None)
        while state.missed:
            cursor = self._cursors[state.missed.pop()]
            cursor.behind = True
            self._mark(cursor)
        while state.errors:
            self.ready.append(state.errors.popleft())

    def hear(self, heard: ReceivedMessage) -> None:
        """Take a message."""
        cursor = self._cursors[heard.channel]
        if event := cursor.hear(heard.feed, heard.text):
            self.ready.append(event)
        else:
            self._mark(cursor)

    def due(self) -> list[Cursor]:
        """Whose stream has to be asked now.

        One whose primary is being replaced waits until a connection hears it, or until that has taken too long.
        """
        now = time.monotonic()
        if now >= self._next_poll:
            self._next_poll = now + self._poll
            for cursor in self._cursors.values():
                cursor.behind = True
                self._mark(cursor)
        return [
            cursor
            for cursor in self._behind.values()
            if (since := self._deaf_since.get(cursor.channel)) is None or now - since > self._patience
        ]

    def wait(self) -> float:
        """How many seconds may pass before the streams are asked again."""
        return max(0.001, self._next_poll - time.monotonic())

    def calls(self, cursors: Sequence[Cursor]) -> list[Call[list[StreamEntry]]]:
        """What their streams are asked."""
        return [call for cursor in cursors for call in cursor.calls()]

    def read(self, cursors: Sequence[Cursor], outcomes: Sequence[Outcome[list[StreamEntry]]]) -> None:
        """Take what their streams answer."""
        answers = iter(outcomes)
        failure: SlotbookError | None = None
        for cursor in cursors:
            mine = [next(answers) for _ in range(cursor.asks)]
            error = next((outcome.error for outcome in mine if outcome.error is not None), None)
            if error is None:
                self.ready.extend(cursor.read([outcome.result() for outcome in mine]))
                if not cursor.behind:
                    self._behind.pop(cursor.channel, None)
            else:
                failure = error
                if cursor.channel in self._deaf_since:
                    self._deaf_since[cursor.channel] = time.monotonic()
        if failure is not None:
            self.ready.append(failure)

    def _mark(self, cursor: Cursor) -> None:
        if cursor.behind:
            self._behind[cursor.channel] = cursor

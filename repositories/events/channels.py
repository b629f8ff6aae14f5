"""What connections report of channels, noted for one reader. No I/O and no colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ...models.errors import SlotbookError


class ReceivedMessage(NamedTuple):
    """A message as it came."""

    feed: int
    """The number of the connection that it came from."""
    channel: str
    pattern: str | None
    text: str


class ChannelState:
    """ChannelState that connections take and one reader goes through; bounded by the number of channels."""

    def __init__(self, put: Callable[[ReceivedMessage], bool], wake: Callable[[], None]) -> None:
        self.feeds: dict[str, int | None] = {}
        """By channel, the connection that hears every message of it; None when none does."""
        self.changed: set[str] = set()
        """Channels of which that has changed."""
        self.missed: set[str] = set()
        """Channels of which a message had no room."""
        self.dropped = 0
        """Messages that had no room."""
        self.interruptions = 0
        """How often a channel was lost."""
        self.errors: deque[SlotbookError] = deque(maxlen=1)
        self._put = put
        self._wake = wake

    def on_subscribed(self, feed: int, channel: str) -> None:
        """Note that a channel is heard from now on."""
        self.feeds[channel] = feed
        self.changed.add(channel)
        self._wake()

    def on_message(self, feed: int, channel: str, pattern: str | None, text: str) -> None:
        """Note a message; one that has no room is counted, and its channel noted."""
        if not self._put(ReceivedMessage(feed, channel, pattern, text)):
            self.dropped += 1
            self.missed.add(channel)

    def on_unsubscribed(self, channel: str) -> None:
        """Note that a channel is not heard any more."""
        self.feeds[channel] = None
        self.interruptions += 1
        self.changed.add(channel)
        self._wake()

    def on_refused(self, error: SlotbookError) -> None:
        """Note why nothing will be heard."""
        self.errors.append(error)
        self._wake()

    def hears(self, channel: str) -> bool:
        """Whether every message of a channel is heard now."""
        return self.feeds.get(channel) is not None

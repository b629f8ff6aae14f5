"""Record what connections report about channels, for one reader. No I/O, and the same for sync and async."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ...models.errors import InvalidArgument, SlotbookError
from ...models.keys import Keys
from ...topology.listening.channels import Channel, ChannelKind


class ReceivedMessage(NamedTuple):
    """A message as it was received, not decoded yet."""

    feed: int
    """The number of the connection that received it."""
    channel: str
    pattern: str | None
    """The glob by which it was received; None when its channel was subscribed to by name."""
    text: str


class ChannelState:
    """The state of some channels, which connections update and one reader takes in.

    Its size is bounded by the number of channels. Messages go to a queue by way of ``put``, which returns False when
    the queue is full; ``wake`` wakes the reader.
    """

    def __init__(self, put: Callable[[ReceivedMessage], bool], wake: Callable[[], None]) -> None:
        self.feeds: dict[str, int | None] = {}
        """By channel, the number of the connection that receives every message of it; None when none does."""
        self.changed: set[str] = set()
        """Channels whose entry in ``feeds`` has changed, until the reader takes them."""
        self.overflowed: set[str] = set()
        """Channels of which a message was dropped because the queue was full, until the reader takes them."""
        self.dropped = 0
        """The number of messages that were dropped because the queue was full."""
        self.interruptions = 0
        """The number of times that a channel was lost."""
        self.errors: deque[SlotbookError] = deque(maxlen=1)
        """The error for which nothing will be received, until the reader raises it."""
        self._put = put
        self._wake = wake

    def on_subscribed(self, feed: int, channel: str) -> None:
        """Note that every message of a channel is received from now on, by the connection with this number."""
        self.feeds[channel] = feed
        self.changed.add(channel)
        self._wake()

    def on_message(self, feed: int, channel: str, pattern: str | None, text: str) -> None:
        """Queue a message; when the queue is full, count it and note its channel."""
        if not self._put(ReceivedMessage(feed, channel, pattern, text)):
            self.dropped += 1
            self.overflowed.add(channel)

    def on_unsubscribed(self, channel: str) -> None:
        """Note that messages of a channel may be missed from now on."""
        self.feeds[channel] = None
        self.interruptions += 1
        self.changed.add(channel)
        self._wake()

    def on_refused(self, error: SlotbookError) -> None:
        """Note the error for which nothing will be received."""
        self.errors.append(error)
        self._wake()

    def is_received(self, channel: str) -> bool:
        """Return True while every message of a channel is received."""
        return self.feeds.get(channel) is not None


_TRADER_CHANNEL = re.compile(r"\{([^{}]+)\}:events").fullmatch


def channel_of(keys: Keys, name: str, kind: ChannelKind) -> Channel:
    """Return the channel to subscribe to for a name, or pattern, without the book's prefix.

    A trader's channel is sharded, so that only its own kind of subscription hears it; a server without sharded channels
    (before Redis 7.0) publishes on a classic one, to which a feed then turns. Raises InvalidArgument for a pattern that
    can only mean traders' channels: no pattern hears them.
    """
    if kind is ChannelKind.PATTERN:
        if name.startswith(("{", "\\{", "[{]")) or name.endswith(":events"):
            raise InvalidArgument(
                f"the pattern {name!r} hears nothing: the traders' channels are sharded, and no pattern hears those; "
                "subscribe to them by name, or follow the traders"
            )
        return Channel(keys.escaped_prefix + name, kind)
    if trader := _TRADER_CHANNEL(name):
        return Channel(keys.of(trader[1]).events, ChannelKind.SHARDED)
    return Channel(keys.prefix + name, kind)

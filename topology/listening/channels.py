"""Channels: which primary has the messages of each, and what is sent and received to get them; without I/O.

A trader's channels are sharded (https://redis.io/docs/latest/develop/pubsub/#sharded-pubsub): only the primary of the
channel's slot has its messages, as long as it has the slot. The messages of all other channels reach every server of a
deployment, so they are subscribed to on one primary only; on two, each message would come twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from ...models.errors import AccessDenied, InvalidSettings, SlotbookError
from ..address import Address
from ..call import pack, slot_of
from ..error_mapping import Unsent, code_of, is_reply, report
from ..layouts import redirect_target
from ..misreadings import shortened
from .heartbeat import Heartbeat
from .pushes import Invalidation, PushMessage

HEARTBEATS_PER_WATCHDOG = 4
MAX_CHECK_INTERVAL = 0.5
"""The longest time in seconds between two checks of which servers are primaries."""


class ChannelKind(Enum):
    """The three kinds of subscription that Redis has."""

    CLASSIC = auto()
    PATTERN = auto()
    SHARDED = auto()


_SUBSCRIBE = {ChannelKind.CLASSIC: "SUBSCRIBE", ChannelKind.PATTERN: "PSUBSCRIBE", ChannelKind.SHARDED: "SSUBSCRIBE"}
_UNSUBSCRIBE = {
    ChannelKind.CLASSIC: "UNSUBSCRIBE",
    ChannelKind.PATTERN: "PUNSUBSCRIBE",
    ChannelKind.SHARDED: "SUNSUBSCRIBE",
}


@dataclass(frozen=True, slots=True)
class Channel:
    """The name of a channel, or a glob pattern of channels."""

    name: str
    kind: ChannelKind

    @property
    def slot(self) -> int | None:
        """The slot of a sharded channel; None for a channel whose messages reach every server."""
        return slot_of((self.name,)) if self.kind is ChannelKind.SHARDED else None


class Listener(Protocol):
    """An object that is notified of subscriptions and messages.

    Its methods are called where connections are read, so they must return at once.
    """

    def on_subscribed(self, feed: int, channel: str) -> None:
        """Take note that from now on every message of a channel comes, from the feed with this number."""
        ...

    def on_message(self, feed: int, channel: str, pattern: str | None, text: str) -> None:
        """Take a message, with the pattern that its channel matched if it was subscribed to by pattern."""
        ...

    def on_unsubscribed(self, channel: str) -> None:
        """Take note that from now on messages of a channel may be missed."""
        ...

    def on_refused(self, error: SlotbookError) -> None:
        """Take note that a subscription was refused for a reason that waiting does not remove."""
        ...


class MessageFeed:
    """The messages of some channels from one primary.

    ``number`` identifies this feed among all feeds of its listener. ``watchdog`` is the time in seconds within which
    the loss of a connection has to be noticed.
    """

    def __init__(
        self, number: int, address: Address, channels: Iterable[Channel], listener: Listener, watchdog: float
    ) -> None:
        self.lost = False
        self.interval = watchdog / HEARTBEATS_PER_WATCHDOG
        # A server that falls silent right after it has answered a heartbeat is noticed half a watchdog (the timeout)
        # and up to two intervals later: one until the next heartbeat is sent, one until the check after the timeout.
        self.heartbeat = Heartbeat(address, watchdog / 2)
        self._address = address
        self._number = number
        self._listener = listener
        self._wanted = {channel.name: channel for channel in channels}
        self._subscribed: set[str] = set()
        self._outgoing: deque[bytes] = deque()

    def opening_commands(self) -> list[bytes]:
        """Return the commands that subscribe to every channel, and a heartbeat."""
        return [*(_subscribe(channel) for channel in self._wanted.values()), self.periodic_commands()]

    def periodic_commands(self) -> bytes:
        """Return pending subscriptions and a heartbeat. Raises a RedisError if the server is silent for too long."""
        pieces: list[bytes] = []
        while self._outgoing:
            pieces.append(self._outgoing.popleft())
        return b"".join((*pieces, self.heartbeat.next_command()))

    def set_channels(self, channels: Iterable[Channel]) -> None:
        """Subscribe to exactly these channels, with the next heartbeat."""
        wanted = {channel.name: channel for channel in channels}
        for name in [name for name in self._wanted if name not in wanted]:
            channel = self._wanted.pop(name)
            self._outgoing.append(pack((_UNSUBSCRIBE[channel.kind], name)))
            self._on_unsubscribed(name)
        for name, channel in wanted.items():
            if name not in self._wanted:
                self._wanted[name] = channel
                self._outgoing.append(_subscribe(channel))

    def receive(self, message: object) -> None:
        """Process a message, an error reply or the reply to a heartbeat.

        Raises a RedisError when the connection is of no more use.
        """
        if isinstance(message, PushMessage):
            self._on_push(message.type, [str(part) for part in message.parts])
        elif isinstance(message, RedisError):
            self._on_error(message)
        elif not isinstance(message, Invalidation):
            self.heartbeat.acknowledge(message)

    def mark_lost(self) -> None:
        """Notify the listener that messages of every channel may be missed from now on."""
        self.lost = True
        for name in list(self._subscribed):
            self._on_unsubscribed(name)

    def _on_push(self, message_type: str, parts: list[str]) -> None:
        match message_type, parts:
            case (("smessage" | "message"), [channel, text]):
                self._listener.on_message(self._number, channel, None, text)
            case "pmessage", [pattern, channel, text]:
                self._listener.on_message(self._number, channel, pattern, text)
            case (("subscribe" | "psubscribe" | "ssubscribe"), [channel, *_]) if channel in self._wanted:
                self._subscribed.add(channel)
                self._listener.on_subscribed(self._number, channel)
            case (("unsubscribe" | "punsubscribe" | "sunsubscribe"), [channel, *_]):
                self._wanted.pop(channel, None)  # confirmed, or the channel's slot has moved to another primary
                self._on_unsubscribed(channel)
            case _:
                pass  # a subscription that was confirmed after the channel had been given up

    def _on_error(self, error: RedisError) -> None:
        code = code_of(error)
        if code == "MOVED":
            target = redirect_target(error, self._address)
            if target is None:
                raise RedisConnectionError(f"{self._address} answered {shortened(error)} to a subscription")
            slot, _ = target
            for name in [name for name, channel in self._wanted.items() if channel.slot == slot]:
                del self._wanted[name]  # the next check of the primaries finds the one that has the slot
        elif "unknown command" in str(error):  # before Redis 7.0 there are no sharded channels
            for name, channel in list(self._wanted.items()):
                if channel.kind is ChannelKind.SHARDED and name not in self._subscribed:
                    self._outgoing.append(_subscribe(Channel(name, ChannelKind.CLASSIC)))
        elif code == "NOPERM":
            self._listener.on_refused(report("subscribing", error))
        else:
            raise error

    def _on_unsubscribed(self, name: str) -> None:
        if name in self._subscribed:
            self._subscribed.discard(name)
            self._listener.on_unsubscribed(name)


class SubscriptionPlan:
    """The plan to subscribe to channels, each on one primary that has its messages.

    ``locate`` returns the address of the primary of a slot, or None while it is not known.
    """

    name = "subscribing"

    def __init__(self, listener: Listener, watchdog: float, locate: Callable[[int], Address | None]) -> None:
        self.check_interval = min(MAX_CHECK_INTERVAL, watchdog / 2)
        self._listener = listener
        self._watchdog = watchdog
        self._locate = locate
        self._channels: dict[str, Channel] = {}
        self._feeds: dict[Address, MessageFeed] = {}
        self._channels_at: dict[Address, list[Channel]] = {}
        self._broadcast_address: Address | None = None
        """The primary on which the channels are subscribed to whose messages reach every server."""
        self._last_number = 0

    def add(self, channels: Iterable[Channel]) -> None:
        """Subscribe to further channels, from the next check of the primaries on."""
        self._channels = {**self._channels, **{channel.name: channel for channel in channels}}

    def select_primaries(self, primaries: Sequence[Address]) -> Sequence[Address]:
        """Return the primaries that have a channel of the plan, and move subscriptions whose slot has moved."""
        self._channels_at = {}
        broadcast_address = self._choose_broadcast_address(primaries)
        for channel in self._channels.values():
            slot = channel.slot
            address = broadcast_address if slot is None else self._locate(slot)
            if address is not None and address in primaries:
                self._channels_at.setdefault(address, []).append(channel)
        for address, feed in self._feeds.items():
            if not feed.lost:
                feed.set_channels(self._channels_at.get(address, ()))
        return list(self._channels_at)

    def new_feed(self, address: Address) -> MessageFeed:
        """Return a new feed for a primary, with the channels that were assigned to it."""
        self._last_number += 1
        feed = MessageFeed(self._last_number, address, self._channels_at[address], self._listener, self._watchdog)
        self._feeds[address] = feed
        return feed

    def on_feed_opened(self) -> None:
        """Do nothing: the feed has notified the listener of every channel that it has subscribed to."""

    def on_error(self, error: RedisError | SlotbookError) -> None:
        """Notify the listener of an error that waiting does not remove."""
        if isinstance(error, RedisError):
            error = report("subscribing", error if is_reply(error) else Unsent(error))
        if isinstance(error, (AccessDenied, InvalidSettings)):
            self._listener.on_refused(error)

    def _choose_broadcast_address(self, primaries: Sequence[Address]) -> Address | None:
        """Return the primary for channels that every server has: the last one, or the next if that feed was lost."""
        if not primaries:
            return None
        feed = self._feeds.get(self._broadcast_address) if self._broadcast_address is not None else None
        if self._broadcast_address not in primaries:
            self._broadcast_address = primaries[0]
        elif feed is not None and feed.lost:
            self._broadcast_address = primaries[(primaries.index(self._broadcast_address) + 1) % len(primaries)]
        return self._broadcast_address


def _subscribe(channel: Channel) -> bytes:
    return pack((_SUBSCRIBE[channel.kind], channel.name))

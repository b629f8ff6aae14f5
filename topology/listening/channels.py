"""Channels, and who is listened to for their messages: no I/O and no colour.

A channel of a trader is sharded: only the primary of its slot has its messages, as long as it has the slot. The others
reach every server of a deployment, so any one primary will do, and two would say everything twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from redis.exceptions import RedisError

from ...models.errors import AccessDenied, InvalidSettings, SlotbookError
from ..address import Address
from ..call import pack, slot_of
from ..error_mapping import Unsent, code_of, is_reply, report
from .heartbeat import Heartbeat

BEATS_PER_WATCHDOG = 4
LONGEST_LOOK = 0.5
"""Seconds between two looks at who the primaries are, at most."""


@dataclass(frozen=True, slots=True)
class Push:
    """What a server says unasked of a channel: the kind of message, and what it is."""

    kind: str
    rest: Sequence[object]


def as_push(push: Sequence[object]) -> Push:
    """A message as redis-py hands it over."""
    return Push(str(push[0]), push[1:])


class ChannelKind(Enum):
    """How a channel is subscribed to."""

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
    """A channel, or a glob of channels."""

    name: str
    kind: ChannelKind

    @property
    def slot(self) -> int | None:
        """The slot that it belongs to; None when any server has it."""
        return slot_of((self.name,)) if self.kind is ChannelKind.SHARDED else None


class Listener(Protocol):
    """Who listens. Called where connections are read, so it only takes notes."""

    def joined(self, feed: int, channel: str) -> None:
        """From now on every message of the channel is heard, from the feed with this number."""
        ...

    def heard(self, feed: int, channel: str, pattern: str | None, text: str) -> None:
        """A message."""
        ...

    def left(self, channel: str) -> None:
        """From now on messages of the channel may be missed."""
        ...

    def refused(self, error: SlotbookError) -> None:
        """There is nothing to be heard, and waiting would not help."""
        ...


class MessageFeed:
    """The messages of some channels from one primary."""

    def __init__(
        self, number: int, address: Address, channels: Iterable[Channel], listener: Listener, watchdog: float
    ) -> None:
        self.lost = False
        self.interval = watchdog / BEATS_PER_WATCHDOG
        # The server falls silent right after a heartbeat: one interval until the next, and one more until it is looked
        # at after the patience has run out.
        self.heartbeat = Heartbeat(address, watchdog / 2)
        self._number = number
        self._listener = listener
        self._wanted = {channel.name: channel for channel in channels}
        self._joined: set[str] = set()
        self._outgoing: deque[bytes] = deque()

    def greeting(self) -> list[bytes]:
        """Subscribe to everything."""
        return [*(_subscribe(channel) for channel in self._wanted.values()), self.beat()]

    def beat(self) -> bytes:
        """A heartbeat, behind what else is to be sent. Raises a RedisError when the server is silent for too long."""
        pieces: list[bytes] = []
        while self._outgoing:
            pieces.append(self._outgoing.popleft())
        return b"".join((*pieces, self.heartbeat.beat()))

    def adopt(self, channels: Iterable[Channel]) -> None:
        """Listen to these channels from the next heartbeat on, and to no others."""
        wanted = {channel.name: channel for channel in channels}
        for name in [name for name in self._wanted if name not in wanted]:
            channel = self._wanted.pop(name)
            self._outgoing.append(pack((_UNSUBSCRIBE[channel.kind], name)))
            self._leave(name)
        for name, channel in wanted.items():
            if name not in self._wanted:
                self._wanted[name] = channel
                self._outgoing.append(_subscribe(channel))

    def take(self, answer: object) -> None:
        """Take a message, an error, or the answer to a heartbeat. Raises a RedisError when there is no more to hear."""
        if isinstance(answer, Push):
            self._hear(answer.kind, [str(part) for part in answer.rest])
        elif isinstance(answer, RedisError):
            self._on_error(answer)
        else:
            self.heartbeat.answered(answer)

    def end(self) -> None:
        """Nothing is heard any more."""
        self.lost = True
        for name in list(self._joined):
            self._leave(name)

    def _hear(self, kind: str, parts: list[str]) -> None:
        match kind, parts:
            case (("smessage" | "message"), [channel, text]):
                self._listener.heard(self._number, channel, None, text)
            case "pmessage", [pattern, channel, text]:
                self._listener.heard(self._number, channel, pattern, text)
            case (("subscribe" | "psubscribe" | "ssubscribe"), [channel, *_]) if channel in self._wanted:
                self._joined.add(channel)
                self._listener.joined(self._number, channel)
            case (("unsubscribe" | "punsubscribe" | "sunsubscribe"), [channel, *_]):
                self._wanted.pop(channel, None)  # the slot has moved away
                self._leave(channel)
            case _:
                pass  # the farewell to a channel that was not wanted any more

    def _on_error(self, error: RedisError) -> None:
        code = code_of(error)
        if code == "MOVED":
            slot = int(str(error).split()[-2])
            for name in [name for name, channel in self._wanted.items() if channel.slot == slot]:
                del self._wanted[name]  # the next look finds who has it
        elif "unknown command" in str(error):  # before Redis 7.0 there are no sharded channels
            for name, channel in list(self._wanted.items()):
                if channel.kind is ChannelKind.SHARDED and name not in self._joined:
                    self._outgoing.append(_subscribe(Channel(name, ChannelKind.CLASSIC)))
        elif code == "NOPERM":
            self._listener.refused(report("subscribing", error))
        else:
            raise error

    def _leave(self, name: str) -> None:
        if name in self._joined:
            self._joined.discard(name)
            self._listener.left(name)


class Listening:
    """The channels that are listened to, and where."""

    name = "subscribing"

    def __init__(self, listener: Listener, watchdog: float, locate: Callable[[int], Address | None]) -> None:
        self.every = min(LONGEST_LOOK, watchdog / 2)
        self._listener = listener
        self._watchdog = watchdog
        self._locate = locate
        self._channels: dict[str, Channel] = {}
        self._feeds: dict[Address, MessageFeed] = {}
        self._here: dict[Address, list[Channel]] = {}
        self._home: Address | None = None
        self._number = 0

    def add(self, channels: Iterable[Channel]) -> None:
        """Listen to more, from the next look on."""
        self._channels = {**self._channels, **{channel.name: channel for channel in channels}}

    def wanted(self, primaries: Sequence[Address]) -> Sequence[Address]:
        """Those that have a channel of ours; the others, and what moved, are left."""
        self._here = {}
        home = self._home_of(primaries)
        for channel in self._channels.values():
            slot = channel.slot
            address = home if slot is None else self._locate(slot)
            if address is not None and address in primaries:
                self._here.setdefault(address, []).append(channel)
        for address, feed in self._feeds.items():
            if not feed.lost:
                feed.adopt(self._here.get(address, ()))
        return list(self._here)

    def feed(self, address: Address) -> MessageFeed:
        """A new connection to one of them."""
        self._number += 1
        made = MessageFeed(self._number, address, self._here[address], self._listener, self._watchdog)
        self._feeds[address] = made
        return made

    def rejoined(self) -> None:
        """Its channels have said so themselves."""

    def failed(self, error: RedisError | SlotbookError) -> None:
        """Say so, unless waiting may help."""
        if isinstance(error, RedisError):
            error = report("subscribing", error if is_reply(error) else Unsent(error))
        if isinstance(error, (AccessDenied, InvalidSettings)):
            self._listener.refused(error)

    def _home_of(self, primaries: Sequence[Address]) -> Address | None:
        """Who is listened to for what everyone has: the same as before, or the next one when that was lost."""
        if not primaries:
            return None
        known = self._feeds.get(self._home) if self._home is not None else None
        if self._home not in primaries:
            self._home = primaries[0]
        elif known is not None and known.lost:
            self._home = primaries[(primaries.index(self._home) + 1) % len(primaries)]
        return self._home


def _subscribe(channel: Channel) -> bytes:
    return pack((_SUBSCRIBE[channel.kind], channel.name))

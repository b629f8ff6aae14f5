"""Track what a consumer of a group has been given, and what it has to read next. No I/O, for sync and async."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ...models.errors import CorruptRecord, HistoryTrimmed, OutcomeUnknown, SlotbookError
from ...models.event import OrderEvent
from ...models.results import Outcome
from ...topology.call import Call
from ...topology.listening.channels import Channel, ChannelKind
from .calls import EventCalls, GroupClaim, GroupRead, StreamEntry, event_of
from .channels import ChannelState, ReceivedMessage


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """The options with which a consumer takes part in its group."""

    group: str
    consumer: str
    min_idle: float
    """Seconds after which an event that was not acknowledged is delivered again, to this consumer or another."""
    max_deliveries: int
    """Deliveries after which an event becomes a dead letter."""
    batch: int
    """Events of a trader that one call reads or claims, at most."""


class DeliveredEvent(NamedTuple):
    """An event that the consumer was given."""

    event: OrderEvent
    deliveries: int
    """The number of times that it has been delivered, this time included."""
    delivered_at: float
    """The time at which the consumer was given it, on the monotonic clock."""

    @property
    def key(self) -> tuple[str, int]:
        """The event's trader and sequence number."""
        return self.event.trader, self.event.sequence


class PoisonEvent(NamedTuple):
    """An event that cannot be handled and has to become a dead letter."""

    trader: str
    sequence: int
    reason: str


DeliveryItem: TypeAlias = DeliveredEvent | PoisonEvent | SlotbookError
"""An item for a consumer: an event to hand over, one to move to the dead letters, or an error to raise."""
GroupReply: TypeAlias = GroupRead | GroupClaim


class _GroupStream:
    """One trader's stream, as a consumer of a group reads it."""

    def __init__(self, trader: str, channel: str, since: int) -> None:
        self.trader = trader
        self.channel = channel
        self.since = since
        self.own_after: int | None = 0
        """The number after which events that the consumer had been given before are to be read again; None when all
        have been.
        """
        self.claim_start = "0-0"
        """The id at which the next claim begins."""


class _StreamCall(NamedTuple):
    """A call that was made about a stream."""

    stream: _GroupStream
    is_claim: bool


class Deliveries:
    """The streams that a consumer takes events from, and the events that it has been given."""

    def __init__(self, calls: EventCalls, state: ChannelState, options: GroupOptions, poll: float) -> None:
        self.ready: deque[DeliveryItem] = deque()
        """The items that are to be handled next."""
        self.in_progress: set[tuple[str, int]] = set()
        """Trader and number of events that were given to this consumer and are neither acknowledged nor given up."""
        self._calls = calls
        self._state = state
        self._options = options
        self._poll = poll
        self._streams: dict[str, _GroupStream] = {}
        """By channel."""
        self._behind: set[str] = set()
        """Channels whose stream may have something for the consumer."""
        self._next_poll = self._next_claim = 0.0
        self._asked: list[_StreamCall] = []
        """The calls whose outcomes have not been taken yet, in order."""

    def add(self, traders: Iterable[str], since: int) -> list[Channel]:
        """Take events of more traders too, and return their channels."""
        channels: list[Channel] = []
        for trader in traders:
            stream = _GroupStream(trader, self._calls.keys.of(trader).events, since)
            if self._streams.setdefault(stream.channel, stream) is stream:
                self._behind.add(stream.channel)
                channels.append(Channel(stream.channel, ChannelKind.SHARDED))
        return channels

    def take_channel_changes(self) -> None:
        """Take what connections have reported since the last time; a stream whose channel has changed is read."""
        for channels in (self._state.changed, self._state.overflowed):
            while channels:
                self._behind.add(channels.pop())
        while self._state.errors:
            self.ready.append(self._state.errors.popleft())

    def take_message(self, message: ReceivedMessage) -> None:
        """Take a message as the hint that a stream has something."""
        self._behind.add(message.channel)

    def seconds_to_next_call(self) -> float:
        """Return how many seconds may pass before streams are read or claimed from again."""
        return max(0.001, min(self._next_poll, self._next_claim) - time.monotonic())

    def calls(self) -> list[Call[GroupReply]]:
        """Return the calls that are to be made now."""
        now, options = time.monotonic(), self._options
        if now >= self._next_poll:
            self._next_poll = now + self._poll
            self._behind.update(self._streams)
        self._asked = [_StreamCall(self._streams[channel], is_claim=False) for channel in self._behind]
        self._behind.clear()
        if now >= self._next_claim:
            self._next_claim = now + options.min_idle / 4
            claimable = (stream for stream in self._streams.values() if stream.own_after is None)
            self._asked += [_StreamCall(stream, is_claim=True) for stream in claimable]
        consumer = (options.group, options.consumer)
        return [
            self._calls.claim(stream.trader, *consumer, options.min_idle, stream.claim_start, options.batch)
            if is_claim
            else self._calls.read(stream.trader, *consumer, stream.since, options.batch, stream.own_after)
            for stream, is_claim in self._asked
        ]

    def take_outcomes(self, outcomes: Sequence[Outcome[GroupReply]]) -> None:
        """Take the outcomes of the calls that ``calls`` returned last."""
        failure: SlotbookError | None = None
        for (stream, _), outcome in zip(self._asked, outcomes, strict=True):
            if outcome.error is not None:
                failure = outcome.error
                self._behind.add(stream.channel)
                if isinstance(failure, OutcomeUnknown):
                    stream.own_after = 0  # the server may have given this consumer events: they are read as its own
                continue
            reply = outcome.result()
            if isinstance(reply, GroupRead):
                self._take_read(stream, reply)
            else:
                self._take_claim(stream, reply)
        if failure is not None and not isinstance(failure, OutcomeUnknown):
            self.ready.append(failure)

    def _take_read(self, stream: _GroupStream, read: GroupRead) -> None:
        if stream.own_after is not None:
            stream.own_after = read.entries[-1].sequence if read.entries else None
            self._behind.add(stream.channel)
        elif read.last_delivered is not None:
            last = read.last_delivered
            for entry in read.entries:
                if entry.sequence > last + 1:
                    self.ready.append(HistoryTrimmed(stream.trader, last + 1, entry.sequence - 1))
                last = entry.sequence
            if len(read.entries) == self._options.batch:
                self._behind.add(stream.channel)
        self._take_entries(stream, read.entries)

    def _take_claim(self, stream: _GroupStream, claim: GroupClaim) -> None:
        stream.claim_start = claim.next_start
        if claim.next_start != "0-0":
            self._next_claim = 0.0
        self.ready.extend(HistoryTrimmed(stream.trader, sequence, sequence) for sequence in claim.deleted)
        self._take_entries(stream, claim.entries)

    def _take_entries(self, stream: _GroupStream, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            key = (stream.trader, entry.sequence)
            if key in self.in_progress:
                continue  # this consumer is still handling it, for longer than min_idle
            if entry.fields is None:
                self.ready.append(HistoryTrimmed(stream.trader, entry.sequence, entry.sequence))
                self.ready.append(PoisonEvent(*key, "is no longer kept"))
                continue
            if entry.deliveries > self._options.max_deliveries:
                reason = f"delivered {entry.deliveries - 1} times and never acknowledged"
                self.ready.append(PoisonEvent(*key, reason))
                continue
            try:
                event = event_of(stream.channel, stream.trader, entry)
            except CorruptRecord as error:
                self.ready.append(error)
                self.ready.append(PoisonEvent(*key, str(error)))
                continue
            self.in_progress.add(key)
            self.ready.append(DeliveredEvent(event, entry.deliveries, time.monotonic()))

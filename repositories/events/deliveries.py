"""Track what a consumer of a group has been given, and what it has to read next. No I/O, for sync and async."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeAlias, cast
from weakref import WeakValueDictionary

from ...models.errors import CorruptRecord, HistoryTrimmed, OutcomeUnknown, SlotbookError, StateLost, Unavailable
from ...models.event import OrderEvent
from ...models.results import Lag, Outcome
from ...topology.call import Call
from ...topology.listening.channels import Channel, ChannelKind
from .calls import StreamEntry, event_of
from .channels import ChannelState, ReceivedMessage
from .group_calls import GroupCalls, GroupClaim, GroupRead
from .group_stream import GroupStream

RECOVERABLE = (Unavailable, OutcomeUnknown, HistoryTrimmed, StateLost, CorruptRecord)
"""Errors that come without an event and after which a consumer's ``run`` goes on."""


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
    """Events that are read ahead, at most."""


EventKey: TypeAlias = tuple[str, int]
"""An event's trader and sequence number."""


class WaitingEvent(NamedTuple):
    """An event that the consumer has and has not handed over yet."""

    event: OrderEvent
    hand_overs: int
    """The number of times that it has been handed over before."""

    @property
    def key(self) -> EventKey:
        """The event's trader and sequence number."""
        return self.event.trader, self.event.sequence


class PoisonEvent(NamedTuple):
    """An event that cannot be handled and has to become a dead letter."""

    trader: str
    sequence: int
    reason: str


DeliveryItem: TypeAlias = WaitingEvent | PoisonEvent | SlotbookError
"""An item for a consumer: an event to hand over, one to move to the dead letters, or an error to raise."""


class _StreamCall(NamedTuple):
    """A call that was made about a stream."""

    stream: GroupStream
    is_claim: bool


class Deliveries:
    """The streams that a consumer takes events from, and the events that it has been given."""

    def __init__(self, calls: GroupCalls, state: ChannelState, options: GroupOptions, poll: float) -> None:
        self.ready: deque[DeliveryItem] = deque()
        """The items that are to be handled next."""
        self.in_progress: WeakValueDictionary[EventKey, object] = WeakValueDictionary()
        """The deliveries that callers hold, and have neither acknowledged nor given up. One that its caller has dropped
        may come again.
        """
        self.owed: dict[EventKey, None] = {}
        """Events that have been handled, and whose acknowledgement has not been answered yet."""
        self.must_leave = False
        """True when a server may have something of this consumer that is to be given back."""
        self._calls = calls
        self._state = state
        self._options = options
        self._poll = poll
        self._streams: dict[str, GroupStream] = {}
        """By channel."""
        self._behind: dict[str, None] = {}
        """Channels whose stream may have something for the consumer, in the order in which they are read."""
        self._claimable: dict[str, None] = {}
        """Channels from whose stream the consumer is to claim."""
        self._next_poll = self._next_claim = 0.0
        self._asked: list[_StreamCall] = []
        """The calls whose outcomes have not been taken yet, in order."""

    def add(self, traders: Iterable[str], since: int) -> list[Channel]:
        """Take events of more traders too, and return their channels."""
        channels: list[Channel] = []
        for trader in traders:
            channel = self._calls.keys.of(trader).events
            if channel not in self._streams:
                self._streams[channel] = GroupStream(trader, channel, since)
                self._behind[channel] = None
                channels.append(Channel(channel, ChannelKind.SHARDED))
        return channels

    def add_created(self, trader: str, created: GroupRead) -> list[Channel]:
        """Take events of a trader too, whose group has just been created to begin with the next event."""
        channels = self.add([trader], 0)
        for channel in channels:
            self.ready.extend(self._streams[channel.name].take_read(created))
        return channels

    def take_channel_changes(self) -> None:
        """Take what connections have reported since the last time; a stream whose channel has changed is read."""
        for channels in (self._state.changed, self._state.overflowed):
            while channels:
                self._behind[channels.pop()] = None
        while self._state.errors:
            self.ready.append(self._state.errors.popleft())

    def take_message(self, message: ReceivedMessage) -> None:
        """Take a message as the hint that a stream has something."""
        self._behind[message.channel] = None

    def seconds_to_next_call(self) -> float:
        """Return how many seconds may pass before streams are read or claimed from again."""
        return max(0.001, min(self._next_poll, self._next_claim) - time.monotonic())

    def calls(self) -> list[Call[object]]:
        """Return the calls that are to be made now: together they read ``batch`` events, at most."""
        now, options = time.monotonic(), self._options
        if now >= self._next_poll:
            self._next_poll = now + self._poll
            self._behind.update(dict.fromkeys(self._streams))
        if now >= self._next_claim:
            self._next_claim = now + options.min_idle / 4
            own_read = (channel for channel, stream in self._streams.items() if stream.own_after is None)
            self._claimable.update(dict.fromkeys(own_read))
        self._asked = []
        for channels, is_claim in ((self._claimable, True), (self._behind, False)):
            for channel in list(islice(channels, options.batch - len(self._asked))):
                del channels[channel]
                self._asked.append(_StreamCall(self._streams[channel], is_claim))
        count = options.batch // max(1, len(self._asked))
        return [self._call(stream, count, is_claim=is_claim) for stream, is_claim in self._asked]

    def take_outcomes(self, outcomes: Sequence[Outcome[object]]) -> None:
        """Take the outcomes of the calls that ``calls`` returned last."""
        failure: SlotbookError | None = None
        failed: list[tuple[GroupStream, SlotbookError]] = []
        count = self._options.batch // max(1, len(self._asked))
        for (stream, _), outcome in zip(self._asked, outcomes, strict=True):
            if outcome.error is not None:
                failed.append((stream, outcome.error))
                continue
            reply = outcome.result()
            if isinstance(reply, GroupRead):
                self._take_read(stream, reply, count)
            else:
                self._take_claim(stream, cast(GroupClaim, reply))
        for stream, failure in failed:  # last: of one stream a claim may be lost, and a read of new events answered
            self._read_again(stream, may_be_given=isinstance(failure, OutcomeUnknown))
        self._asked = []
        if failure is not None and not isinstance(failure, OutcomeUnknown):
            self.ready.append(failure)

    def on_interrupted(self) -> None:
        """Note that the outcomes of the last calls never came, because the caller was interrupted or cancelled."""
        for stream, _ in self._asked:
            self._read_again(stream, may_be_given=True)
        self._asked = []

    def acknowledgements(self, keys: Iterable[EventKey]) -> list[Call[object]]:
        """Return the calls that acknowledge events."""
        return [self._calls.acknowledge(*key) for key in keys]

    def take_acknowledged(self, keys: Sequence[EventKey], outcomes: Sequence[Outcome[object]]) -> None:
        """Take the outcomes of the acknowledgements of some events; those that are not known stay owed."""
        for key, outcome in zip(keys, outcomes, strict=True):
            if outcome.error is None or not isinstance(outcome.error, (OutcomeUnknown, Unavailable)):
                self.owed.pop(key, None)
            if outcome.error is not None and key not in self.owed:  # such as AccessDenied: to repeat it is of no use
                self.ready.append(outcome.error)

    def leave_calls(self) -> list[Call[object]]:
        """Return the calls that give back what was not handed over, and leave the group."""
        unhandled: dict[str, dict[int, int]] = {stream.trader: {} for stream in self._streams.values()}
        while self.ready:
            item = self.ready.popleft()
            if isinstance(item, WaitingEvent):
                unhandled[item.event.trader][item.event.sequence] = item.hand_overs
        return [self._calls.leave(trader, events) for trader, events in unhandled.items()]

    def lag_calls(self) -> dict[str, Call[Lag]]:
        """Return, by trader, the call that counts what the group has still to handle."""
        streams = list(self._streams.values())
        return {stream.trader: self._calls.lag(stream.trader, stream.since) for stream in streams}

    def _call(self, stream: GroupStream, count: int, *, is_claim: bool) -> Call[object]:
        if is_claim:
            return self._calls.claim(stream.trader, self._options.min_idle, stream.claim_start, count)
        return self._calls.read(
            stream.trader, since=stream.since, count=count, after=stream.own_after, known=stream.known
        )

    def _read_again(self, stream: GroupStream, *, may_be_given: bool) -> None:
        """Read a stream again whose call has failed; what the server may have given this consumer, as its own."""
        self._behind[stream.channel] = None
        if may_be_given:
            stream.own_after = 0

    def _take_read(self, stream: GroupStream, read: GroupRead, count: int) -> None:
        was_own = stream.own_after is not None
        self.ready.extend(stream.take_read(read))
        if was_own:
            stream.own_after = read.entries[-1].sequence if read.entries else None
            self._behind[stream.channel] = None
        elif len(read.entries) >= count:
            self._behind[stream.channel] = None
        self._take_entries(stream, read.entries)

    def _take_claim(self, stream: GroupStream, claim: GroupClaim) -> None:
        stream.claim_start = claim.next_start
        if claim.next_start != "0-0":
            self._claimable[stream.channel] = None
        self.ready.extend(HistoryTrimmed(stream.trader, sequence, sequence) for sequence in claim.deleted)
        self._take_entries(stream, claim.entries)

    def _take_entries(self, stream: GroupStream, entries: Sequence[StreamEntry]) -> None:
        waiting = {item.key for item in self.ready if isinstance(item, WaitingEvent)}
        for entry in entries:
            key = (stream.trader, entry.sequence)
            if key in self.in_progress or key in self.owed or key in waiting:
                continue  # it is being handled, for longer than min_idle, or it has been
            if entry.fields is None:
                self.ready.append(HistoryTrimmed(stream.trader, entry.sequence, entry.sequence))
                self.ready.append(PoisonEvent(*key, "is no longer kept"))
                continue
            if entry.hand_overs >= self._options.max_deliveries:
                reason = f"delivered {entry.hand_overs} times and never acknowledged"
                self.ready.append(PoisonEvent(*key, reason))
                continue
            try:
                event = event_of(stream.channel, stream.trader, entry)
            except CorruptRecord as error:
                self.ready.append(error)
                self.ready.append(PoisonEvent(*key, str(error)))
                continue
            self.ready.append(WaitingEvent(event, entry.hand_overs))

"""What a consumer of a group knows of each trader's stream, and what it is to ask next. No I/O and no colour."""

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
    """How a group shares its events."""

    group: str
    consumer: str
    min_idle: float
    """Seconds after which a delivery that was not acknowledged is given to another consumer, or again."""
    max_deliveries: int
    """Deliveries after which an event is a dead letter."""
    batch: int
    """Events of a trader that are taken at a time."""


class DeliveredEvent(NamedTuple):
    """An event that the consumer was given."""

    event: OrderEvent
    deliveries: int
    at: float
    """When, by the monotonic clock."""

    @property
    def key(self) -> tuple[str, int]:
        """Which one."""
        return self.event.trader, self.event.sequence


class PoisonEvent(NamedTuple):
    """An event that has to become a dead letter."""

    trader: str
    sequence: int
    why: str


Work: TypeAlias = DeliveredEvent | PoisonEvent | SlotbookError
Answer: TypeAlias = GroupRead | GroupClaim


class _Share:
    """One trader's stream, as the consumer sees it."""

    def __init__(self, trader: str, channel: str, since: int) -> None:
        self.trader = trader
        self.channel = channel
        self.since = since
        self.own_after: int | None = 0
        """How far its own events have been read again; None when all have been."""
        self.cursor = "0-0"


class Deliveries:
    """The streams that a consumer takes events from."""

    def __init__(self, calls: EventCalls, state: ChannelState, terms: GroupOptions, poll: float) -> None:
        self.work: deque[Work] = deque()
        """What is to be done next."""
        self.open: set[tuple[str, int]] = set()
        """Events that were given and are neither acknowledged nor given up."""
        self._calls = calls
        self._state = state
        self._terms = terms
        self._poll = poll
        self._shares: dict[str, _Share] = {}
        self._behind: set[str] = set()
        self._next_poll = self._next_claim = 0.0
        self._asked: list[tuple[_Share, bool]] = []

    def add(self, traders: Iterable[str], since: int) -> list[Channel]:
        """Take events of more traders too; their channels."""
        channels: list[Channel] = []
        for trader in traders:
            share = _Share(trader, self._calls.keys.of(trader).events, since)
            if self._shares.setdefault(share.channel, share) is share:
                self._behind.add(share.channel)
                channels.append(Channel(share.channel, ChannelKind.SHARDED))
        return channels

    def review(self) -> None:
        """Go through the state: whatever has happened to a channel, its stream may have something."""
        for channels in (self._state.changed, self._state.missed):
            while channels:
                self._behind.add(channels.pop())
        while self._state.errors:
            self.work.append(self._state.errors.popleft())

    def hear(self, heard: ReceivedMessage) -> None:
        """Take a message: a stream has something."""
        self._behind.add(heard.channel)

    def wait(self) -> float:
        """How many seconds may pass before the streams are asked again."""
        return max(0.001, min(self._next_poll, self._next_claim) - time.monotonic())

    def calls(self) -> list[Call[Answer]]:
        """What the streams have to be asked now."""
        now, terms = time.monotonic(), self._terms
        if now >= self._next_poll:
            self._next_poll = now + self._poll
            self._behind.update(self._shares)
        self._asked = [(self._shares[channel], False) for channel in self._behind]
        self._behind.clear()
        if now >= self._next_claim:
            self._next_claim = now + terms.min_idle / 4
            self._asked += [(share, True) for share in self._shares.values() if share.own_after is None]
        who = (terms.group, terms.consumer)
        return [
            self._calls.claim(share.trader, *who, terms.min_idle, share.cursor, terms.batch)
            if claims
            else self._calls.read(share.trader, *who, share.since, terms.batch, share.own_after)
            for share, claims in self._asked
        ]

    def read(self, outcomes: Sequence[Outcome[Answer]]) -> None:
        """Take what the streams answer."""
        failure: SlotbookError | None = None
        for (share, _), outcome in zip(self._asked, outcomes, strict=True):
            if outcome.error is not None:
                failure = outcome.error
                self._behind.add(share.channel)
                if isinstance(failure, OutcomeUnknown):
                    share.own_after = 0  # what it gave is ours by now
                continue
            answer = outcome.result()
            if isinstance(answer, GroupRead):
                self._read(share, answer)
            else:
                self._claimed(share, answer)
        if failure is not None and not isinstance(failure, OutcomeUnknown):
            self.work.append(failure)

    def _read(self, share: _Share, read: GroupRead) -> None:
        if share.own_after is not None:
            share.own_after = read.entries[-1].sequence if read.entries else None
            self._behind.add(share.channel)
        elif read.before is not None:
            at = read.before
            for entry in read.entries:
                if entry.sequence > at + 1:
                    self.work.append(HistoryTrimmed(share.trader, at + 1, entry.sequence - 1))
                at = entry.sequence
            if len(read.entries) == self._terms.batch:
                self._behind.add(share.channel)
        self._give(share, read.entries)

    def _claimed(self, share: _Share, claimed: GroupClaim) -> None:
        share.cursor = claimed.cursor
        if claimed.cursor != "0-0":
            self._next_claim = 0.0
        self.work.extend(HistoryTrimmed(share.trader, sequence, sequence) for sequence in claimed.gone)
        self._give(share, claimed.entries)

    def _give(self, share: _Share, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            key = (share.trader, entry.sequence)
            if key in self.open:
                continue  # it is being handled here, only slowly
            if entry.fields is None:
                self.work.append(HistoryTrimmed(share.trader, entry.sequence, entry.sequence))
                self.work.append(PoisonEvent(*key, "is no longer kept"))
                continue
            if entry.deliveries > self._terms.max_deliveries:
                why = f"delivered {entry.deliveries - 1} times and never acknowledged"
                self.work.append(PoisonEvent(*key, why))
                continue
            try:
                event = event_of(share.channel, share.trader, entry)
            except CorruptRecord as error:
                self.work.append(error)
                self.work.append(PoisonEvent(*key, str(error)))
                continue
            self.open.add(key)
            self.work.append(DeliveredEvent(event, entry.deliveries, time.monotonic()))

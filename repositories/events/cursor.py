"""Track a follower's position in one trader's stream. No I/O, and the same for sync and async.

Messages are hints: the one with the next number is taken at once, and any other sends the follower to the stream.
Numbers alone prove nothing after a failover, when a new primary may use those again that it had lost. So the follower
remembers a digest of the contents of the last events, and compares them with the stream each time that a new connection
subscribes to the channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ...models.errors import CorruptRecord, HistoryTrimmed, SlotbookError, StateLost
from ...models.event import INTERNAL_FIELDS, OrderEvent, fields_of_document
from ...topology.call import Call
from .calls import PAGE, EventCalls, StreamEntry, event_of

DIGESTS_KEPT = 1_024
"""Events of a trader whose contents are compared after an interruption."""

FollowItem: TypeAlias = OrderEvent | SlotbookError
"""An event that a follower yields, or an error that it raises in its place."""


class Cursor:
    """A position in one trader's stream: that of the last event that was taken."""

    def __init__(self, calls: EventCalls, trader: str, since: int | None) -> None:
        self.trader = trader
        self.channel = calls.keys.of(trader).events
        self.position = since
        """The number of the last event that was taken; None until the stream's last event is known."""
        self.behind = True
        """True when the stream may hold more than was taken, so that it has to be read."""
        self._feed: int | None = None
        """The number of the connection whose messages are taken; None while the channel is not subscribed to."""
        self._unverified = True
        """True when events that were taken may have been lost since, so that contents have to be compared."""
        self._calls = calls
        self._digests: deque[int] = deque(maxlen=DIGESTS_KEPT)
        """Digests of the last events that were taken, up to ``position``."""

    def set_feed(self, feed: int | None) -> None:
        """Take messages from another connection from now on, or from none."""
        if feed is not None and feed != self._feed:
            self.behind = self._unverified = True
        self._feed = feed

    def take_message(self, feed: int, text: str) -> OrderEvent | None:
        """Return a message's event if it is the next one; else return None, and note if the stream is to be read."""
        position = self.position
        if position is None or feed != self._feed or self.behind:
            self.behind = True
            return None
        try:
            fields = fields_of_document(self.channel, text)
            sequence = int(fields.pop("sequence"))
            del fields["trader"]
            if sequence == position + 1:
                event = event_of(self.channel, self.trader, StreamEntry(sequence, fields))
                self._advance(sequence, fields)
                return event
        except (CorruptRecord, KeyError, ValueError):
            self.behind = True
            return None
        if sequence > position:
            self.behind = True
        elif self._digest_at(sequence) not in (None, _digest(fields)):
            self.behind = self._unverified = True
        return None

    @property
    def call_count(self) -> int:
        """The number of calls that ``calls`` returns now."""
        return 2 if self._unverified and self.position is not None else 1

    def calls(self) -> list[Call[list[StreamEntry]]]:
        """Return the calls that read on in the stream."""
        if self.position is None:
            return [self._calls.last(self.trader)]
        if not self._unverified:
            return [self._calls.range(self.trader, self.position, None, PAGE)]
        known = len(self._digests)
        return [
            self._calls.range(self.trader, self.position - known, None, known + PAGE),
            self._calls.last(self.trader),
        ]

    def take_replies(self, replies: Sequence[list[StreamEntry]]) -> list[FollowItem]:
        """Take the replies to ``calls``; return the events, and errors in the places of those that are missing."""
        if self.position is None:
            (last,) = replies
            self.position = 0
            for entry in last:
                self._advance(entry.sequence, entry.fields or {})
            self.behind = self._unverified = False
            return []
        items: list[FollowItem] = []
        entries = replies[0]
        self.behind = len(entries) >= PAGE
        if self._unverified:
            self._unverified = False
            if loss := self._find_loss(self.position, entries, replies[1]):
                items.append(loss)
        for entry in entries:
            if entry.sequence > self.position:
                items.extend(self._take_entry(self.position, entry))
        return items

    def _take_entry(self, position: int, entry: StreamEntry) -> list[FollowItem]:
        items: list[FollowItem] = []
        if entry.sequence > position + 1:
            items.append(HistoryTrimmed(self.trader, position + 1, entry.sequence - 1))
            self._digests.clear()
        try:
            items.append(event_of(self.channel, self.trader, entry))
        except CorruptRecord as error:
            items.append(error)
        self._advance(entry.sequence, entry.fields or {})
        return items

    def _find_loss(
        self, position: int, entries: Sequence[StreamEntry], last: Sequence[StreamEntry]
    ) -> StateLost | None:
        """Return the loss of events that had been taken, and go back to before it; None when nothing was lost."""
        last_kept = last[0].sequence if last else 0
        first = position + 1 if last_kept >= position else last_kept + 1
        for entry in entries:
            if entry.sequence >= first:
                break
            if self._digest_at(entry.sequence) not in (None, _digest(entry.fields or {})):
                first = entry.sequence
        if first > position:
            return None
        for _ in range(min(len(self._digests), position + 1 - first)):
            self._digests.pop()
        self.position = first - 1
        return StateLost(self.trader, first, position, None)

    def _advance(self, sequence: int, fields: Mapping[str, str]) -> None:
        self.position = sequence
        self._digests.append(_digest(fields))

    def _digest_at(self, sequence: int) -> int | None:
        place = (self.position or 0) - sequence
        return self._digests[-1 - place] if 0 <= place < len(self._digests) else None


def _digest(fields: Mapping[str, str]) -> int:
    return hash(frozenset((name, value) for name, value in fields.items() if name not in INTERNAL_FIELDS))

"""Where a follower is in one trader's stream, and what it believes. No I/O and no colour.

Messages are hints: one that is the next in number is taken at once, any other sends the follower to the stream. Numbers
alone prove nothing after a failover, when a new primary may use those again that it had lost: so the follower remembers
the contents of the last events, and compares them with the stream each time a new connection hears the channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ...models.errors import CorruptRecord, HistoryTrimmed, SlotbookError, StateLost
from ...models.event import OrderEvent, fields_of_document
from ...topology.call import Call
from .calls import PAGE, EventCalls, StreamEntry, event_of

REMEMBERED = 1_024
"""Events of a trader whose contents are compared after an interruption."""

News: TypeAlias = OrderEvent | SlotbookError


class Cursor:
    """One trader's stream, up to the last event that was taken."""

    def __init__(self, calls: EventCalls, trader: str, since: int | None) -> None:
        self.trader = trader
        self.channel = calls.keys.of(trader).events
        self.at = since
        """The number of the last event taken; None until it is known where now is."""
        self.feed: int | None = None
        """The connection whose messages count."""
        self.behind = True
        """Whether the stream may have more than was taken."""
        self._suspect = True
        """Whether what was taken may have been lost since."""
        self._calls = calls
        self._known: deque[int] = deque(maxlen=REMEMBERED)
        """Digests of the last events that were taken."""

    def tuned(self, feed: int | None) -> None:
        """Another connection hears the channel now, or none does."""
        if feed is not None and feed != self.feed:
            self.behind = self._suspect = True
        self.feed = feed

    def hear(self, feed: int, text: str) -> OrderEvent | None:
        """Take a message: an event if it is the next one."""
        at = self.at
        if at is None or feed != self.feed or self.behind:
            self.behind = True
            return None
        try:
            fields = fields_of_document(self.channel, text)
            sequence = int(fields.pop("sequence"))
            del fields["trader"]
            if sequence == at + 1:
                event = event_of(self.channel, self.trader, StreamEntry(sequence, fields))
                self._pass(sequence, fields)
                return event
        except (CorruptRecord, KeyError, ValueError):
            self.behind = True
            return None
        if sequence > at:
            self.behind = True
        elif self._digest_at(sequence) not in (None, _digest(fields)):
            self.behind = self._suspect = True
        return None

    @property
    def asks(self) -> int:
        """How many calls it takes to read on."""
        return 2 if self._suspect and self.at is not None else 1

    def calls(self) -> list[Call[list[StreamEntry]]]:
        """What the stream has to be asked."""
        if self.at is None:
            return [self._calls.last(self.trader)]
        if not self._suspect:
            return [self._calls.range(self.trader, self.at, None, PAGE)]
        known = len(self._known)
        return [
            self._calls.range(self.trader, self.at - known, None, known + PAGE),
            self._calls.last(self.trader),
        ]

    def read(self, answers: Sequence[list[StreamEntry]]) -> list[News]:
        """Take the answers: events, and what has to be said before them."""
        if self.at is None:
            (last,) = answers
            self.at = 0
            for entry in last:
                self._pass(entry.sequence, entry.fields or {})
            self.behind = self._suspect = False
            return []
        news: list[News] = []
        entries = answers[0]
        self.behind = len(entries) >= PAGE
        if self._suspect:
            self._suspect = False
            if lost := self._compare(self.at, entries, answers[1]):
                news.append(lost)
        for entry in entries:
            if entry.sequence > self.at:
                news.extend(self._take(self.at, entry))
        return news

    def _take(self, at: int, entry: StreamEntry) -> list[News]:
        news: list[News] = []
        if entry.sequence > at + 1:
            news.append(HistoryTrimmed(self.trader, at + 1, entry.sequence - 1))
            self._known.clear()
        try:
            news.append(event_of(self.channel, self.trader, entry))
        except CorruptRecord as error:
            news.append(error)
        self._pass(entry.sequence, entry.fields or {})
        return news

    def _compare(self, at: int, entries: Sequence[StreamEntry], last: Sequence[StreamEntry]) -> StateLost | None:
        """What has been lost of what was taken, if anything has."""
        kept = last[0].sequence if last else 0
        first = at + 1 if kept >= at else kept + 1
        for entry in entries:
            if entry.sequence >= first:
                break
            if self._digest_at(entry.sequence) not in (None, _digest(entry.fields or {})):
                first = entry.sequence
        if first > at:
            return None
        for _ in range(min(len(self._known), at + 1 - first)):
            self._known.pop()
        self.at = first - 1
        return StateLost(self.trader, first, at, None)

    def _pass(self, sequence: int, fields: Mapping[str, str]) -> None:
        self.at = sequence
        self._known.append(_digest(fields))

    def _digest_at(self, sequence: int) -> int | None:
        place = (self.at or 0) - sequence
        return self._known[-1 - place] if 0 <= place < len(self._known) else None


def _digest(fields: Mapping[str, str]) -> int:
    return hash(frozenset(fields.items()))

"""Track one trader's stream as a consumer of a group reads it. No I/O, and the same for sync and async.

A group and its position are on the server, and a failover, or whoever empties the server, may take both away. So the
consumer remembers how far the stream had come, and the content of the last event that it has read itself, and compares
both with what each read finds.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...models.errors import HistoryTrimmed, SlotbookError, StateLost
from .group_calls import GroupRead, GroupStart, KnownEvent, known_event


class GroupStream:
    """One trader's stream, as a consumer of a group reads it."""

    def __init__(self, trader: str, channel: str, since: int) -> None:
        self.trader = trader
        self.channel = channel
        self.since = since
        """The number after which the group begins if there is none."""
        self.own_after: int | None = 0
        """The number after which events that the consumer had been given before are to be read again; None when all
        have been.
        """
        self.claim_start = "0-0"
        """The id at which the next claim begins."""
        self.known: KnownEvent | None = None
        """The last event that the consumer has read."""
        self._seen = 0
        """The last event that the stream is known to have had."""
        self._joined = False
        """True when the group is known to exist."""

    def take_read(self, read: GroupRead) -> Iterator[SlotbookError]:
        """Take what was read, and yield the errors for what is missing before it."""
        start = read.start
        if start is None:
            if self._seen:
                yield StateLost(self.trader, 1, self._seen, None)
            self._forget()
            return
        if loss := self._find_loss(start):
            yield loss
            self._forget()
        self._joined, self.since = True, 0
        self._seen = max(self._seen, min(start.before, start.last))
        if self.own_after is None:
            yield from self._missing(start, read)
        if read.entries and (newest := max(read.entries, key=lambda entry: entry.sequence)).fields is not None:
            self._seen = max(self._seen, newest.sequence)
            if self.known is None or newest.sequence > self.known.sequence:
                self.known = known_event(newest.sequence, newest.fields)

    def _missing(self, start: GroupStart, read: GroupRead) -> Iterator[SlotbookError]:
        """Yield an error for each gap between the events that no consumer had been given before."""
        last = start.position
        for entry in read.entries:
            if entry.sequence > last + 1:
                yield HistoryTrimmed(self.trader, last + 1, entry.sequence - 1)
            last = max(last, entry.sequence)

    def _find_loss(self, start: GroupStart) -> StateLost | None:
        """Return the loss of events that the group had been given, or of the group; None when all is there."""
        seen = max(self._seen, start.before)
        if start.last < seen:
            return StateLost(self.trader, start.last + 1, seen, None)
        if not start.intact and self.known is not None:
            return StateLost(self.trader, self.known.sequence, seen, None)
        if start.created and self._joined and seen:
            return StateLost(self.trader, 1, seen, None)
        return None

    def _forget(self) -> None:
        self.known, self._seen, self._joined, self.since = None, 0, False, 0
        self.claim_start = "0-0"

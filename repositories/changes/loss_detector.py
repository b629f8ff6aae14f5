"""Detect that a server has lost changes which it had acknowledged.

Replication is asynchronous: a replica that takes over may lack the last changes that the old primary acknowledged. So
every event carries its writer's mark and the writer's own count of the call that wrote it, and every change tells which
events were acknowledged to the writer before. A server that has an event with that number, mark and count has whatever
came before it too, for replicas receive events in order. One that has another event in its place has lost it. An event
that is no longer kept proves nothing.

An event proves only itself and what its change was told. Changes that were on their way at the same time do not prove
each other, so several events may have to be told: the tips.
"""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from ...models.errors import Refused, StateLost

MOST_TRADERS = 100_000
"""The number of traders that one writer remembers; when there are more, it forgets the one it has not used for longest."""
MOST_TIPS = 8
"""The number of events that one change tells; the others are told by the next."""
MOST_ACKNOWLEDGED = 64
"""The number of acknowledged events that are remembered of a trader, to say which of them are lost."""

_forks = [0]


def _count_fork() -> None:
    _forks[0] += 1


os.register_at_fork(after_in_child=_count_fork)


class Tip(NamedTuple):
    """One event, by which a server is recognised as one that has not lost it, nor anything before it."""

    sequence: int
    writer: str
    """The mark of its writer, and the writer's count."""

    @classmethod
    def parse(cls, text: str) -> Tip | None:
        """Return the event that a script names, None when the book has none.

        >>> Tip.parse("7 3f42a20f 12"), Tip.parse("")
        (Tip(sequence=7, writer='3f42a20f 12'), None)
        """
        number, _, writer = text.partition(" ")
        return cls(int(number), writer) if number.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Told:
    """The part of one call by which losses are noticed: who sends it, and what was acknowledged to that writer."""

    trader: str
    mark: str
    count: int
    tips: tuple[Tip, ...]

    @property
    def own(self) -> str:
        """The writer of the call's events, as a tip has it."""
        return f"{self.mark} {self.count}"

    @property
    def acknowledged(self) -> str:
        """The tips as scripts read them."""
        return " ".join([f"{sequence} {writer}" for sequence, writer in self.tips])


class Lost(NamedTuple):
    """What a script says about a loss."""

    sequence: int
    """The lowest told event that is lost."""
    first_kept: int
    """The first event that is kept, 0 for none."""
    survivors: Sequence[tuple[int, str]]
    """Number and count of this writer's events before the lost one, the last first."""


class _Acknowledged:
    """What was acknowledged of one trader's changes.

    Dictionaries change in one step that neither a thread nor a signal handler can interrupt, so there is no lock that
    either could find taken.
    """

    __slots__ = ("counts", "tips")

    def __init__(self) -> None:
        self.tips: dict[int, str] = {}
        """The events that no later one proves, by number."""
        self.counts: dict[int, str] = {}
        """The last events, by number."""

    def add(self, tip: Tip, told: Told) -> bool:
        """Add an acknowledged event, which proves those that its change was told. Return False if it proves a loss."""
        sequence, writer = tip
        known = self.counts.setdefault(sequence, writer)
        self.tips[sequence] = writer
        for earlier in told.tips:
            if earlier.sequence != sequence and self.tips.get(earlier.sequence) == earlier.writer:
                self.tips.pop(earlier.sequence, None)
        if len(self.counts) > MOST_ACKNOWLEDGED:
            self.counts.pop(min(list(self.counts)), None)
        return known == writer

    def forget(self, first: int) -> int:
        """Forget the events from one on; return the highest that was known."""
        highest = max([*self.counts, *self.tips], default=0)
        self.tips = {number: writer for number, writer in list(self.tips.items()) if number < first}
        self.counts = {number: writer for number, writer in list(self.counts.items()) if number < first}
        if not self.tips and self.counts:
            last = max(self.counts)
            self.tips[last] = self.counts[last]
        return highest


class LossDetector:
    """A record of the changes that were acknowledged to one writer, by trader; it detects those that servers lost."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._forks = _forks[0]
        self._mark = secrets.token_hex(4)
        self._counts = count(1)
        self._acknowledged: OrderedDict[str, _Acknowledged] = OrderedDict()

    @property
    def mark(self) -> str:
        """A random name that the events of this writer carry; a process that was forked has another one."""
        if self._forks != _forks[0]:
            self._begin()
        return self._mark

    def traders(self) -> list[str]:
        """Return the traders whose books this writer has changed."""
        return list(self._acknowledged) if self.mark else []

    def tell(self, trader: str) -> Told:
        """Return what the next call of a trader tells."""
        mark = self.mark
        known = self._acknowledged.get(trader)
        tips = () if known is None else _some(known.tips)
        return Told(trader, mark, next(self._counts), tips)

    def acknowledge(self, told: Told, tip: Tip | None) -> int:
        """Remember an acknowledged event; return the first number that this proves lost, 0 for none.

        Args:
            told: What the call told.
            tip: The last event that the call has written; of a repeat, one that came no earlier than its own.
        """
        if tip is None or told.mark != self.mark:
            return 0
        known = self._known(told.trader)
        if known.add(tip, told):
            return 0
        proven = max((earlier.sequence for earlier in told.tips), default=0)
        return min([number for number in list(known.counts) if number > proven], default=tip.sequence)

    def first_lost(self, told: Told, lost: Lost) -> int:
        """Return the number of the first change that is lost, of those that were acknowledged."""
        known = self._acknowledged.get(told.trader)
        counts = dict(known.counts) if known else {}
        own = [(number, f"{told.mark} {counted}") for number, counted in lost.survivors]
        for number, writer in own:
            if counts.get(number) == writer:
                return number + 1
        if len(counts) < MOST_ACKNOWLEDGED:  # nothing is forgotten yet
            return min([*counts, lost.sequence])
        oldest = min(counts)
        older = [number for number, writer in own if number < oldest and _counted(writer) < _counted(counts[oldest])]
        return max(older) + 1 if older else max(1, lost.first_kept)

    def record_loss(
        self, told: Told, first: int, tip: Tip | None, result: object, refusal: Refused | None
    ) -> StateLost:
        """Forget the changes from ``first`` on, which are lost, and return the error that says so.

        ``tip`` is the last event that this call has written, None when it has written none.
        """
        known = self._known(told.trader)
        highest = known.forget(first)
        if tip is not None:
            known.tips = {tip.sequence: tip.writer}
            known.counts[tip.sequence] = tip.writer
        return StateLost(told.trader, first, max(first, highest), result, refusal)

    def _known(self, trader: str) -> _Acknowledged:
        known = self._acknowledged.get(trader)
        if known is None:
            known = self._acknowledged.setdefault(trader, _Acknowledged())
            if len(self._acknowledged) > MOST_TRADERS:
                self._acknowledged.popitem(last=False)
        else:
            try:
                self._acknowledged.move_to_end(trader)
            except KeyError:  # another thread has just forgotten it
                self._acknowledged[trader] = known
        return known


def _some(tips: dict[int, str]) -> tuple[Tip, ...]:
    """Return the highest tip and the lowest others, no more than one call tells."""
    found = [Tip(sequence, writer) for sequence, writer in list(tips.items())]
    if len(found) > MOST_TIPS:
        found.sort()
        found = [*found[: MOST_TIPS - 1], found[-1]]
    return tuple(found)


def _counted(writer: str) -> int:
    """Return the count of a writer's mark and count, 0 when it has none."""
    counted = writer.rpartition(" ")[2]
    return int(counted) if counted.isdecimal() else 0

"""Detect that a server has lost changes which it had acknowledged.

Replication is asynchronous: a replica that takes over may lack the last changes that the old primary acknowledged. So
every event carries its writer's mark and the writer's own count of the call that wrote it, and every change tells which
events were acknowledged to the writer before. A server that has an event with that number, mark and count has whatever
came before it too, for replicas receive events in order. One that has another event in its place has lost it. An event
that is no longer kept proves nothing.

An event proves only itself and what its change was told. Changes that were on their way at the same time do not prove
each other, so several events may have to be told: the tips.

There is no lock, which a signal handler or a fork could find taken. Dictionaries change in one step that neither a
thread nor a signal handler can interrupt, and what is interrupted between two steps leaves a tip too many, never one
too few.
"""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from ...models.errors import Refused, StateLost
from ...topology.observing import Notices

MOST_TRADERS = 100_000
"""The number of traders that one writer remembers; of more, it forgets the one that it has not used for longest."""
MOST_TIPS = 4
"""The number of events that one change tells; the others are told by the next."""
MOST_ACKNOWLEDGED = 32
"""The number of acknowledged events that are remembered of a trader at least, to say which of them are lost."""
_MORE_ACKNOWLEDGED = 8
"""The number of events beyond those at which the oldest are forgotten."""

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
        return cls(int(number), writer) if text else None


class Told(NamedTuple):
    """The part of one call by which losses are noticed: who sends it, and what was acknowledged to that writer."""

    trader: str
    mark: str
    counted: int
    """The writer's count of the call."""
    tips: tuple[Tip, ...]

    @property
    def own(self) -> str:
        """The writer of the call's events, as a tip has it."""
        return f"{self.mark} {self.counted}"

    @property
    def acknowledged(self) -> str:
        """The tips as scripts read them."""
        return " ".join([f"{sequence} {writer}" for sequence, writer in self.tips])

    @property
    def highest(self) -> int:
        """The highest number that is told, 0 for none."""
        return max(self.tips).sequence if self.tips else 0


class Lost(NamedTuple):
    """The numbers by which a script describes a loss."""

    sequences: Sequence[int]
    """The numbers of the told events that are lost."""
    first_kept: int
    """The first event that is kept, 0 for none."""
    survivors: Sequence[tuple[int, str]]
    """Number and count of this writer's events before the first of the lost ones, the last first."""


class _Proof(NamedTuple):
    """When a tip was acknowledged, and which events it proves."""

    at: int
    """The writer's count at that time."""
    proven: int
    """The highest number that its change was told."""


class _Acknowledged:
    """The events of one trader that were acknowledged to one writer."""

    __slots__ = ("events", "forgotten", "tips", "turn", "unsure")

    def __init__(self) -> None:
        self.tips: dict[Tip, _Proof] = {}
        """The events that no later one proves."""
        self.events: dict[int, str] = {}
        """The writers of the last events, by number."""
        self.forgotten = 0
        """The highest number that is no longer among them."""
        self.unsure = 0
        """The lowest event that was acknowledged when its number was forgotten already; 0 for none."""
        self.turn = 0

    def some_tips(self) -> tuple[Tip, ...]:
        """Return no more tips than one call tells: the highest, and the others by turns."""
        tips = list(self.tips)
        if len(tips) <= MOST_TIPS:
            return tuple(tips)
        highest = max(tips)
        tips.remove(highest)
        begin = self.turn % len(tips)
        self.turn = begin + MOST_TIPS - 1
        return (*[*tips[begin:], *tips[:begin]][: MOST_TIPS - 1], highest)

    def add(self, tip: Tip, told: Told, at: int, written: int) -> bool:
        """Add an acknowledged event. Return False if it has the number of another one, which is lost then."""
        sequence, writer = tip
        known, first = writer, sequence - written + 1
        if sequence > self.forgotten:
            known = self.events.setdefault(sequence, writer)
            if self.forgotten < first < sequence:  # with the last, the first of a call says where its events begin
                self.events.setdefault(first, writer)
        else:
            self.unsure = min(self.unsure or sequence, sequence)
        if sequence >= (highest := told.highest):  # else a server that has what was told has this event too
            self.tips[tip] = _Proof(at, highest)
            for earlier in told.tips:
                if earlier.sequence < sequence:
                    self.tips.pop(earlier, None)
        if len(self.events) > MOST_ACKNOWLEDGED + _MORE_ACKNOWLEDGED:
            self._forget_oldest()
        return known == writer

    def _forget_oldest(self) -> None:
        oldest = sorted(self.events)[:-MOST_ACKNOWLEDGED]
        self.forgotten = max([self.forgotten, *oldest])
        for number in oldest:
            self.events.pop(number, None)

    def first_unproven(self, told: Told, at_most: int) -> int:
        """Return the first number that may be lost of a server that has what was told."""
        proven = told.highest
        if self.forgotten > proven:
            return proven + 1
        return min([number for number in list(self.events) if number > proven], default=at_most)

    def first_lost(self, told: Told, lost: Lost) -> int:
        """Return the number of the first acknowledged event that is lost."""
        events, own = dict(self.events), [(number, f"{told.mark} {counted}") for number, counted in lost.survivors]
        for number, writer in own:
            if events.get(number) == writer:
                return number + 1
        if not self.forgotten:
            return min([*events, *lost.sequences])
        oldest = _counted(events[min(events)]) if events else told.counted
        sure = min(self.forgotten, self.unsure - 1 if self.unsure else self.forgotten)
        older = [number for number, writer in own if number <= sure and _counted(writer) < oldest]
        return max(older) + 1 if older else max(1, lost.first_kept)

    def forget(self, told: Told, first: int, lost: Sequence[int], tip: Tip | None) -> int:
        """Forget the events from one on that are lost; return the highest of them.

        Those that nobody knows of are kept, for the next changes to tell.

        Args:
            told: What the call told.
            first: The first number that is lost.
            lost: The numbers that were told and are lost.
            tip: The event that the answer is about; None for none.
        """
        gone = [
            one
            for one, proof in list(self.tips.items())
            if one.sequence >= first
            and one != tip
            and (proof.proven >= first or one.sequence in lost or _is_settled(one, proof, told, tip))
        ]
        for one in gone:
            self.tips.pop(one, None)
        left = {one.sequence: one.writer for one in list(self.tips) if one.sequence >= first}
        numbers = [number for number in list(self.events) if number >= first]
        highest = max([first, *lost, *[one.sequence for one in gone], *[one for one in numbers if one not in left]])
        for number in numbers:
            self.events.pop(number, None)
        self.events.update(left)
        self.forgotten = min(self.forgotten, first - 1)
        self.unsure = self.unsure if self.unsure < first else 0
        return highest

    def go_on_from(self, tip: Tip | None, at: int) -> None:
        """Begin again after a loss, from the event that a call has written, or from the last before the loss."""
        if tip is not None:
            self.events[tip.sequence] = tip.writer
            self.tips[tip] = _Proof(at, 0)
        elif not self.tips and (events := dict(self.events)):
            last = max(events)
            self.tips[Tip(last, events[last])] = _Proof(at, 0)


def _is_settled(one: Tip, proof: _Proof, told: Told, tip: Tip | None) -> bool:
    """Return True for an event that either is lost or is proven by another one, ``tip``, which its server has.

    One with the number of the other is lost. One that was acknowledged before the call was made was there before the
    other when it has a lower number, or when the call has written the other: that is the server's last.
    """
    if tip is None:
        return False
    is_earlier = one.sequence < tip.sequence or tip.writer == told.own
    return one.sequence == tip.sequence or (proof.at < told.counted and is_earlier)


class _Writer:
    """One writer: its mark, its count, and what was acknowledged to it, by trader."""

    __slots__ = ("acknowledged", "counts", "mark")

    def __init__(self) -> None:
        self.mark = secrets.token_hex(4)
        self.counts = count(1)
        self.acknowledged: OrderedDict[str, _Acknowledged] = OrderedDict()

    def known(self, trader: str) -> _Acknowledged:
        """Return what was acknowledged of a trader's changes, which was used now."""
        found = self.acknowledged.get(trader)
        if found is None:
            found = self.acknowledged.setdefault(trader, _Acknowledged())
            if len(self.acknowledged) > MOST_TRADERS:
                self.acknowledged.popitem(last=False)
            return found
        try:
            self.acknowledged.move_to_end(trader)
        except KeyError:  # another thread has just forgotten it
            return self.acknowledged.setdefault(trader, found)
        return found


class LossDetector:
    """A record of the changes that were acknowledged to one writer, by trader; it detects those that servers lost.

    A process that was forked is another writer: what the parent knows is the parent's to report. ``notices`` are told
    of every loss.
    """

    def __init__(self, notices: Notices | None = None) -> None:
        self._notices = notices or Notices()
        self._writers = {_forks[0]: _Writer()}

    def _writer(self) -> _Writer:
        forks = _forks[0]
        found = self._writers.get(forks)
        if found is None:
            found = self._writers.setdefault(forks, _Writer())
            for earlier in list(self._writers):
                if earlier != forks:
                    self._writers.pop(earlier, None)
        return found

    @property
    def mark(self) -> str:
        """A random name that the events of this writer carry; a process that was forked has another one."""
        return self._writer().mark

    def traders(self) -> list[str]:
        """Return the traders whose books this writer has changed."""
        return list(self._writer().acknowledged)

    def tell(self, trader: str) -> Told:
        """Return what the next change of a trader tells."""
        writer = self._writer()
        known = writer.acknowledged.get(trader)
        return Told(trader, writer.mark, next(writer.counts), () if known is None else known.some_tips())

    def tell_all(self, trader: str) -> Told:
        """Return all that there is to tell of a trader, to ask whether any of it is lost."""
        writer = self._writer()
        known = writer.acknowledged.get(trader)
        return Told(trader, writer.mark, next(writer.counts), () if known is None else tuple(known.tips))

    def acknowledge(self, told: Told, tip: Tip | None, written: int = 1) -> int:
        """Remember an acknowledged event; return the first number that this proves lost, 0 for none.

        Args:
            told: What the call told.
            tip: The last event that the call has written; of a repeat, one that came no earlier than its own.
            written: The number of events that the call has written, of which that is the last.
        """
        writer = self._writer()
        if tip is None or told.mark != writer.mark:
            return 0
        known = writer.known(told.trader)
        if known.add(tip, told, next(writer.counts), written):
            return 0
        return known.first_unproven(told, tip.sequence)

    def first_lost(self, told: Told, lost: Lost) -> int:
        """Return the number of the first change that is lost, of those that were acknowledged."""
        known = self._writer().acknowledged.get(told.trader)
        return min(lost.sequences) if known is None else known.first_lost(told, lost)

    def record_loss(
        self,
        told: Told,
        first: int,
        tip: Tip | None,
        result: object,
        refusal: Refused | None,
        lost: Sequence[int] = (),
    ) -> StateLost:
        """Forget the changes from ``first`` on that are lost, and return the error that says so.

        ``tip`` is the last event that this call has written, None when it has written none; ``lost`` the numbers that
        were told and are lost.
        """
        writer = self._writer()
        known = writer.known(told.trader)
        highest = known.forget(told, first, lost, tip)
        known.go_on_from(tip, next(writer.counts))
        error = StateLost(told.trader, first, highest, result, refusal)
        self._notices.on_raised(error)
        return error


def _counted(writer: str) -> int:
    """Return the count of a writer's mark and count, 0 when it has none."""
    counted = writer.rpartition(" ")[2]
    return int(counted) if counted.isdecimal() else 0

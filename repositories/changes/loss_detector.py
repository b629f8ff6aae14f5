"""Detect that a server has lost changes which it had acknowledged.

Replication is asynchronous: a replica that takes over may lack the last changes that the old primary acknowledged. So
every change passes the number of the last change that was acknowledged to this writer, and the writer's mark, which its
events carry. An event of that number with that mark proves that nothing before it is lost either, even if others have
written since.

A change whose reply was lost is sent again, and answered as a repeat. Such an answer gives the number of this writer's
last event, and its events up to that one count as acknowledged from then on.

A change that was on its way while another was acknowledged does not carry the other's number. If a new primary gives it
the number that the old one had given to another, then two changes have one number, and the earlier one is lost.
"""

from __future__ import annotations

import secrets
import threading
from bisect import bisect
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from ...models.errors import Refused, StateLost
from ...topology.call import Reply
from ..replies import rows

MOST_TRADERS = 100_000
"""The number of traders that one writer remembers; when there are more, it forgets all and begins anew."""
MOST_RUNS = 64
"""The number of runs that are remembered of a trader; a writer that is the book's only one has a single run."""

_ENVELOPES = ("lost", "seen")


class ChangeResult(Protocol):
    """A result of a change, as far as the detector reads it."""

    @property
    def applied(self) -> bool:
        """Return False for a repeat."""
        ...

    @property
    def sequence(self) -> int:
        """Return the number of the change's event."""
        ...


T = TypeVar("T")
C = TypeVar("C", bound=ChangeResult)
Q = TypeVar("Q")
ReadReply: TypeAlias = Callable[[str, str, Q, list[Reply]], C]
"""A function that reads the reply to a request: given the call's name, its first key, the request, and the reply."""


class Envelope(NamedTuple):
    """A script's reply, and what the script says beside it about earlier changes."""

    first_lost: int | None
    """The first number that is lost; None when nothing is."""
    acknowledged_to: int | None
    """The number of the writer's last event; None when the script does not give it."""
    reply: list[Reply]


def open_envelope(reply: list[Reply]) -> Envelope:
    """Return a reply, and what its envelopes say about earlier changes; it need not have any.

    >>> open_envelope(["lost", "7", ["seen", "9", ["repeat", "3"]]])
    Envelope(first_lost=7, acknowledged_to=9, reply=['repeat', '3'])
    """
    first_lost = acknowledged_to = None
    match reply:
        case ["lost", str(number), list(inner)]:
            first_lost, reply = int(number), inner
        case _:
            pass
    match reply:
        case ["seen", str(number), list(inner)]:
            acknowledged_to, reply = int(number), inner
        case _:
            pass
    return Envelope(first_lost, acknowledged_to, reply)


class Acknowledged:
    """The numbers of one trader's acknowledged changes, as runs of consecutive numbers in order."""

    __slots__ = ("acknowledged_to", "runs")

    def __init__(self, runs: list[list[int]] | None = None) -> None:
        self.runs = runs or []
        self.acknowledged_to = 0
        """The number of this writer's last event that an answer to a repeat gave; 0 when none gave any."""

    @property
    def highest(self) -> int:
        """Return the highest number, 0 when there is none."""
        return max(self.runs[-1][1], self.acknowledged_to) if self.runs else self.acknowledged_to

    def add(self, sequence: int, acknowledged: int) -> int:
        """Add the number of a change that was sent when ``acknowledged`` was the highest.

        Returns the first number that this proves lost, 0 for none: a number that is given again was lost in between.
        """
        runs = self.runs
        if runs and runs[-1][1] == sequence - 1:  # nearly always
            runs[-1][1] = sequence
            return 0
        at = bisect(runs, sequence, key=_start)
        if at and sequence <= runs[at - 1][1]:
            return next(max(start, acknowledged + 1) for start, end in runs if end > acknowledged)
        end = runs.pop(at)[1] if at < len(runs) and runs[at][0] == sequence + 1 else sequence
        if at and runs[at - 1][1] == sequence - 1:
            runs[at - 1][1] = end
        else:
            runs.insert(at, [sequence, end])
            del runs[:-MOST_RUNS]
        return 0

    def before(self, first: int) -> Acknowledged:
        """Return the acknowledged numbers below ``first``."""
        return Acknowledged([[start, min(end, first - 1)] for start, end in self.runs if start < first])


def _start(run: list[int]) -> int:
    return run[0]


class ReplyReader(Generic[Q, C]):
    """A reader of the replies to one change, and of what they say about earlier changes.

    It is one object and no closure: a batch has thousands of them, and the garbage collector has to visit every object.
    """

    __slots__ = ("_acknowledged", "_key", "_loss_detector", "_name", "_numbers", "_read", "_request", "_trader")

    def __init__(
        self,
        loss_detector: LossDetector,
        trader: str,
        acknowledged: int,
        read: ReadReply[Q, C],
        name: str,
        key: str,
        request: Q,
    ) -> None:
        self._loss_detector = loss_detector
        self._trader = trader
        self._acknowledged = acknowledged
        """The highest number that was acknowledged when the change was made."""
        self._read = read
        self._name = name
        self._key = key
        self._request = request
        self._numbers: tuple[int, ...] = ()
        """The numbers of this change itself; it gets another one when it is sent again to prove its durability."""

    def __call__(self, reply: Reply) -> C:
        """Return the result. Raises StateLost, or the refusal."""
        answer = rows(reply)
        if answer and answer[0] in _ENVELOPES:
            return self._read_envelope(open_envelope(answer))
        return self._acknowledge(self._read(self._name, self._key, self._request, answer))

    def _read_envelope(self, envelope: Envelope) -> C:
        loss_detector, trader, first = self._loss_detector, self._trader, envelope.first_lost
        try:
            result = self._read(self._name, self._key, self._request, envelope.reply)
        except Refused as refusal:
            if first is None:
                raise
            raise loss_detector.record_loss(trader, first, first - 1, None, refusal) from refusal
        if first is not None:
            last = result.sequence if result.applied else first - 1
            loss = loss_detector.record_loss(trader, first, last, result, None)
            loss_detector.acknowledge_to(trader, envelope.acknowledged_to or 0)
            raise loss
        loss_detector.acknowledge_to(trader, envelope.acknowledged_to or 0)
        return self._acknowledge(result)

    def _acknowledge(self, result: C) -> C:
        """Remember the result's number, and return the result. Raises StateLost if another change had that number."""
        if result.applied and result.sequence not in self._numbers:
            self._numbers += (result.sequence,)
            loss_detector, trader = self._loss_detector, self._trader
            if first := loss_detector.acknowledge(trader, result.sequence, self._acknowledged):
                raise loss_detector.record_loss(trader, first, result.sequence, result, None)
        return result


class LossDetector:
    """A record of the changes that were acknowledged to one writer, by trader; it detects those that servers lost."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(4)
        """A random name that the events of this writer carry, so that it recognises them."""
        self._acknowledged: dict[str, Acknowledged] = {}
        self._lock = threading.Lock()

    def traders(self) -> list[str]:
        """Return the traders whose books this writer has changed."""
        return list(self._acknowledged)

    def acknowledged(self, trader: str) -> str:
        """Return the number of a trader's last acknowledged change, and the mark, as scripts read them."""
        return f"{self._highest(trader)} {self.mark}"

    def reply_reader(self, trader: str, read: ReadReply[Q, C], name: str, key: str, request: Q) -> ReplyReader[Q, C]:
        """Return a reader of the replies to a change, which has to be sent with what ``acknowledged`` returns now.

        The reader raises StateLost when earlier changes are lost; the error has the change's result, or its refusal.
        """
        return ReplyReader(self, trader, self._highest(trader), read, name, key, request)

    def loss_reader(self, trader: str) -> Callable[[Reply], None]:
        """Return a reader of the replies to a call that only asks for losses. The reader raises StateLost."""

        def read(reply: Reply) -> None:
            first = open_envelope(rows(reply)).first_lost
            if first is not None:
                raise self.record_loss(trader, first, first - 1, None, None)

        return read

    def acknowledge(self, trader: str, sequence: int, acknowledged: int) -> int:
        """Remember the number of an acknowledged change; return the first number that is lost, 0 for none.

        ``acknowledged`` is the highest number that was acknowledged when the change was made.
        """
        with self._lock:
            return self._known(trader).add(sequence, acknowledged)

    def acknowledge_to(self, trader: str, sequence: int) -> None:
        """Remember that this writer's events up to a number count as acknowledged."""
        with self._lock:
            known = self._known(trader)
            known.acknowledged_to = max(known.acknowledged_to, sequence)

    def record_loss(self, trader: str, first: int, last: int, result: object, refusal: Refused | None) -> StateLost:
        """Forget the numbers from ``first`` on, which are lost, and return the error that says so.

        ``last`` is the last number that the server has: that of this change if it was applied, else the one before
        ``first``.
        """
        with self._lock:
            known = self._acknowledged.get(trader) or Acknowledged()
            kept = self._acknowledged[trader] = known.before(first)
            if last >= first:
                kept.add(last, last)
            else:
                kept.acknowledged_to = last
        return StateLost(trader, first, max(first, known.highest), result, refusal)

    def _highest(self, trader: str) -> int:
        known = self._acknowledged.get(trader)
        return known.highest if known else 0

    def _known(self, trader: str) -> Acknowledged:
        known = self._acknowledged.get(trader)
        if known is None:
            if len(self._acknowledged) >= MOST_TRADERS:
                self._acknowledged.clear()
            known = self._acknowledged[trader] = Acknowledged()
        return known

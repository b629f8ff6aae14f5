"""What a server has acknowledged, so that a loss does not go unseen.

Replication is asynchronous: a replica that takes over may lack the last changes that the old primary acknowledged. So
every change tells the script the number of the last one that was acknowledged to this writer, and the writer's mark,
which its events carry. An event of that number with that mark proves that nothing before it is gone either, whoever
else has written since.

A change whose reply was lost is asked for again, and answered as a repeat. Such an answer says how far this writer's
events go, and they count as acknowledged from then on.

A change that was on its way while another was acknowledged knows nothing of that one. If a new primary gives it the
number that the old one had given to another, two changes have one number, and the earlier one is gone.
"""

from __future__ import annotations

import secrets
import threading
from bisect import bisect
from collections.abc import Callable
from typing import Generic, Protocol, TypeAlias, TypeVar

from ...models.errors import Refused, StateLost
from ...topology.call import Reply
from ..replies import rows

MOST_TRADERS = 100_000


_SAID_BESIDES = ("lost", "seen")


class Changed(Protocol):
    """A result of a change."""

    @property
    def applied(self) -> bool: ...

    @property
    def sequence(self) -> int: ...


T = TypeVar("T")
C = TypeVar("C", bound=Changed)
Q = TypeVar("Q")
Read: TypeAlias = Callable[[str, str, Q, list[Reply]], C]
"""Reads the answer to a request: given the call's name, its key, the request, and the answer."""


MOST_RUNS = 64
"""So many runs of numbers are remembered of a trader; whoever writes alone has one."""


class Acknowledged:
    """The sequence numbers that one trader's changes were acknowledged with, as runs of numbers in order."""

    __slots__ = ("runs", "seen")

    def __init__(self, runs: list[list[int]] | None = None) -> None:
        self.runs = runs or []
        self.seen = 0
        """How far this writer's events were said to go, whether or not each was acknowledged."""

    @property
    def highest(self) -> int:
        """The last of them, 0 for none."""
        return max(self.runs[-1][1], self.seen) if self.runs else self.seen

    def add(self, sequence: int, told: int) -> int:
        """One more, of a change that had been told of those up to ``told``; the first that is lost, 0 for none."""
        runs = self.runs
        if runs and runs[-1][1] == sequence - 1:  # the usual
            runs[-1][1] = sequence
            return 0
        at = bisect(runs, sequence, key=_start)
        if at and sequence <= runs[at - 1][1]:
            return next(max(start, told + 1) for start, end in runs if end > told)
        end = runs.pop(at)[1] if at < len(runs) and runs[at][0] == sequence + 1 else sequence
        if at and runs[at - 1][1] == sequence - 1:
            runs[at - 1][1] = end
        else:
            runs.insert(at, [sequence, end])
            del runs[:-MOST_RUNS]
        return 0

    def before(self, first: int) -> Acknowledged:
        """Those before a number."""
        return Acknowledged([[start, min(end, first - 1)] for start, end in self.runs if start < first])


def _start(run: list[int]) -> int:
    return run[0]


class ReplyReader(Generic[Q, C]):
    """Reads the answers to one change. One object and no closure: of a batch's calls there are thousands, which the
    garbage collector has to look through.
    """

    __slots__ = ("_key", "_name", "_numbers", "_read", "_request", "_told", "_trader", "_loss_detector")

    def __init__(
        self, loss_detector: LossDetector, trader: str, told: int, read: Read[Q, C], name: str, key: str, request: Q
    ) -> None:
        self._loss_detector = loss_detector
        self._trader = trader
        self._told = told
        self._read = read
        self._name = name
        self._key = key
        self._request = request
        self._numbers: tuple[int, ...] = ()
        """Those of this change itself: it is sent again when it cannot be proven."""

    def __call__(self, reply: Reply) -> C:
        """The result. Raises StateLost, or the refusal."""
        loss_detector, trader = self._loss_detector, self._trader
        first, seen, reply = _split(rows(reply))
        try:
            result = self._read(self._name, self._key, self._request, reply)
        except Refused as refusal:
            if not first:
                raise
            raise loss_detector.lost(trader, first, first - 1, None, refusal) from refusal
        if first:
            loss = loss_detector.lost(trader, first, result.sequence if result.applied else first - 1, result, None)
            loss_detector.see(trader, seen)
            raise loss
        if seen:
            loss_detector.see(trader, seen)
        if result.applied and result.sequence not in self._numbers:
            self._numbers += (result.sequence,)
            if first := loss_detector.acknowledge(trader, result.sequence, self._told):
                raise loss_detector.lost(trader, first, result.sequence, result, None)
        return result


class LossDetector:
    """What each trader's changes were acknowledged with to one writer."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(4)
        self._acknowledged: dict[str, Acknowledged] = {}
        self._lock = threading.Lock()

    def traders(self) -> list[str]:
        """The traders that this writer has changed."""
        return list(self._acknowledged)

    def told(self, trader: str) -> str:
        """What this writer was told of a trader's book, as the scripts take it."""
        return f"{self._highest(trader)} {self.mark}"

    def watch(self, trader: str, read: Read[Q, C], name: str, key: str, request: Q) -> ReplyReader[Q, C]:
        """Read the answer to a change, and notice what it says of those before it.

        The reader raises StateLost when some of them are gone; it has the result of the change, or its refusal. To be
        called along with ``told``.
        """
        return ReplyReader(self, trader, self._highest(trader), read, name, key, request)

    def ask(self, trader: str) -> Callable[[Reply], None]:
        """Read the answer to a question for the past alone. The reader raises StateLost."""

        def asking(reply: Reply) -> None:
            first, _, _ = _split(rows(reply))
            if first:
                raise self.lost(trader, first, first - 1, None, None)

        return asking

    def _highest(self, trader: str) -> int:
        known = self._acknowledged.get(trader)
        return known.highest if known else 0

    def acknowledge(self, trader: str, sequence: int, told: int) -> int:
        """Note that a change was acknowledged; the first number that is lost, 0 for none."""
        with self._lock:
            return self._known(trader).add(sequence, told)

    def see(self, trader: str, sequence: int) -> None:
        """Note how far this writer's events go."""
        with self._lock:
            known = self._known(trader)
            known.seen = max(known.seen, sequence)

    def _known(self, trader: str) -> Acknowledged:
        known = self._acknowledged.get(trader)
        if known is None:
            if len(self._acknowledged) >= MOST_TRADERS:
                self._acknowledged.clear()
            known = self._acknowledged[trader] = Acknowledged()
        return known

    def lost(self, trader: str, first: int, left: int, result: object, refusal: Refused | None) -> StateLost:
        """Forget what is gone, from a number on; the error that says so."""
        with self._lock:
            known = self._acknowledged.get(trader) or Acknowledged()
            kept = self._acknowledged[trader] = known.before(first)
            if left >= first:
                kept.add(left, left)
            else:
                kept.seen = left
        return StateLost(trader, first, max(first, known.highest), result, refusal)


def _split(reply: list[Reply]) -> tuple[int, int, list[Reply]]:
    """The first number that was found lost, how far this writer's events go, 0 for what is not said, and the answer."""
    first = seen = 0
    if reply and reply[0] not in _SAID_BESIDES:  # the usual
        return first, seen, reply
    match reply:
        case ["lost", str(number), list(inner)]:
            first, reply = int(number), inner
        case _:
            pass
    match reply:
        case ["seen", str(number), list(inner)]:
            seen, reply = int(number), inner
        case _:
            pass
    return first, seen, reply

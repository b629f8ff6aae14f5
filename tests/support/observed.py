"""An observer that keeps what it is told."""

from __future__ import annotations

from collections.abc import Sequence

from slotbook.topology.observing import Notice, NoticeKind, ObservedCall


class Kept:
    """Every call and every notice, in their order."""

    def __init__(self) -> None:
        self.calls: list[ObservedCall] = []
        self.batches: list[int] = []
        """The number of calls that came together, each time."""
        self.notices: list[Notice] = []

    def calls_ended(self, calls: Sequence[ObservedCall]) -> None:
        self.calls += calls
        self.batches.append(len(calls))

    def noticed(self, notice: Notice) -> None:
        self.notices.append(notice)

    def take(self) -> list[tuple[str, str]]:
        """Return verb and outcome of each call since the last time."""
        found = [(call.verb, call.outcome.value) for call in self.calls]
        self.calls.clear()
        self.batches.clear()
        return found

    def of(self, kind: NoticeKind) -> list[Notice]:
        """Return the notices of one kind."""
        return [notice for notice in self.notices if notice.kind is kind]


class Raising(Kept):
    """One that raises whatever it is told."""

    def calls_ended(self, calls: Sequence[ObservedCall]) -> None:
        super().calls_ended(calls)
        raise RuntimeError("the observer is broken")

    def noticed(self, notice: Notice) -> None:
        super().noticed(notice)
        raise RuntimeError("the observer is broken")

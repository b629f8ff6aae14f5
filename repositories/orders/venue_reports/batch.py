"""Carry out many reports at once: those of one trader one after the other. This module does no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from ....models.order import Order
from ....models.report_results import ReportResult
from ....models.results import Outcome
from ....topology.call import Call
from .calls import ReportSteps, advance

Own = TypeVar("Own", bound=Order)


class ReportBatch(Generic[Own]):
    """Reports that are on their way. Each round has one call of each trader that has reports left."""

    def __init__(self, reports: Iterable[tuple[str, ReportSteps[Own]]]) -> None:
        self._outcomes: dict[int, Outcome[ReportResult[Own]]] = {}
        self._waiting: dict[str, deque[tuple[int, ReportSteps[Own]]]] = {}
        self._number = 0
        for trader, steps in reports:
            self._waiting.setdefault(trader, deque()).append((self._number, steps))
            self._number += 1
        self._calls: dict[str, Call[object]] = {}
        for trader in self._waiting:
            self._go_on(trader, None)

    @property
    def calls(self) -> list[Call[object]]:
        """The calls of the next round; none at the end."""
        return list(self._calls.values())

    @property
    def outcomes(self) -> list[Outcome[ReportResult[Own]]]:
        """The outcome of each report, in the order given."""
        return [self._outcomes[number] for number in range(self._number)]

    def answer(self, outcomes: Sequence[Outcome[object]]) -> None:
        """Go on with the outcomes of a round's calls."""
        for trader, outcome in zip(list(self._calls), outcomes, strict=True):
            self._go_on(trader, outcome)

    def _go_on(self, trader: str, answer: Outcome[object] | None) -> None:
        waiting = self._waiting[trader]
        while waiting:
            number, steps = waiting[0]
            following = advance(steps, answer)
            if isinstance(following, Call):
                self._calls[trader] = following
                return
            self._outcomes[number] = following
            waiting.popleft()
            answer = None
        self._calls.pop(trader, None)

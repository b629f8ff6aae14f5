"""The clock of the benchmark: contestants run block by block in turns, so that a noisy moment affects them all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Block: TypeAlias = Callable[[int], Callable[[], object]]
"""Prepares a number of operations, which is not timed, and returns a function that runs them all."""

FLOOR = "floor"
SLOTBOOK = "slotbook"


def one_by_one(acts: Callable[[int], Sequence[Callable[[], object]]]) -> Block:
    """Return a block that runs single operations one after the other."""

    def block(size: int) -> Callable[[], object]:
        ready = acts(size)

        def run() -> None:
            for act in ready:
                act()

        return run

    return block


def repeated(act: Callable[[], object]) -> Block:
    """Return a block that repeats one operation."""
    return one_by_one(lambda size: [act] * size)


@dataclass(frozen=True, slots=True)
class Goal:
    """The highest ratio that Slotbook's figure should have to another contestant's; smaller is better."""

    against: str
    at_most: float


class GoalResult(NamedTuple):
    """A goal, and the ratio that was measured."""

    goal: Goal
    ratio: float
    reached: bool


@dataclass(frozen=True, slots=True)
class Race:
    """One job, and the contestants that do it."""

    job: str
    where: str
    blocks: dict[str, Block]
    size: int
    """Operations in a block."""
    rounds: int
    goals: tuple[Goal, ...] = ()
    each: int = 1
    """The number of things that one operation counts for, such as the orders in a batch."""
    unit: str = "µs"
    clock: Callable[[], float] = time.perf_counter
    """Returns the time in seconds by which blocks are measured."""


@dataclass(slots=True)
class Result:
    """The result of a race: one figure for each contestant and round, in ``unit`` per operation."""

    job: str
    where: str
    unit: str = "µs"
    goals: tuple[Goal, ...] = ()
    figures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def median(self, name: str) -> float:
        """Return the median of a contestant's figures."""
        return statistics.median(self.figures[name])

    def spread(self, name: str) -> tuple[float, float]:
        """Return the first and third quartile of a contestant's figures."""
        figures = self.figures[name]
        if len(figures) < 2:
            return figures[0], figures[0]
        first, _, third = statistics.quantiles(figures, n=4)
        return first, third

    def ratio(self, name: str, to: str) -> float:
        """Return the ratio of two contestants' figures: the median of each round's ratio, so that noise cancels out."""
        pairs = zip(self.figures[name], self.figures[to], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def reached(self) -> list[GoalResult]:
        """Return the result of each goal whose contestant took part."""
        ratios = [(goal, self.ratio(SLOTBOOK, goal.against)) for goal in self.goals if goal.against in self.figures]
        return [GoalResult(goal, ratio, ratio <= goal.at_most) for goal, ratio in ratios]


def run(race: Race) -> Result:
    """Run a race; the order of the contestants changes with each round."""
    result = Result(race.job, race.where, race.unit, race.goals)
    names = list(race.blocks)
    for block in race.blocks.values():  # once to warm up, not counted
        block(max(1, race.size // 4))()
    for name in names:
        result.figures[name] = [0.0] * race.rounds
    scale = 1e6 / (race.size * race.each)
    for turn in range(race.rounds):
        for step in range(len(names)):
            name = names[(turn + step) % len(names)]
            ready = race.blocks[name](race.size)
            gc.collect(0)
            began = race.clock()
            ready()
            result.figures[name][turn] = (race.clock() - began) * scale
    return result

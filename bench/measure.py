"""Taking turns with the clock: contestants in one race run block by block, so that a noisy moment meets them all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Block: TypeAlias = Callable[[int], Callable[[], object]]
"""Makes so many operations ready, untimed; what it returns does them all."""

FLOOR = "floor"
SLOTBOOK = "slotbook"


def one_by_one(acts: Callable[[int], Sequence[Callable[[], object]]]) -> Block:
    """A block of single operations, one after the other."""

    def block(size: int) -> Callable[[], object]:
        ready = acts(size)

        def run() -> None:
            for act in ready:
                act()

        return run

    return block


def repeated(act: Callable[[], object]) -> Block:
    """A block that does the same again and again."""
    return one_by_one(lambda size: [act] * size)


@dataclass(frozen=True, slots=True)
class Goal:
    """What Slotbook's figure should be, as a multiple of another contestant's: smaller is better."""

    against: str
    at_most: float


@dataclass(frozen=True, slots=True)
class Race:
    """One job, and who does it."""

    job: str
    where: str
    blocks: dict[str, Block]
    size: int
    """Operations in a block."""
    rounds: int
    goals: tuple[Goal, ...] = ()
    each: int = 1
    """What one operation counts for: the orders in a batch, say."""


@dataclass(slots=True)
class Result:
    """What came of a race: for each contestant one figure a round, in ``unit`` for each operation."""

    job: str
    where: str
    unit: str = "µs"
    goals: tuple[Goal, ...] = ()
    figures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def median(self, name: str) -> float:
        """The middle figure of a contestant."""
        return statistics.median(self.figures[name])

    def spread(self, name: str) -> tuple[float, float]:
        """Between these lies the middle half of a contestant's figures."""
        figures = self.figures[name]
        if len(figures) < 2:
            return figures[0], figures[0]
        first, _, third = statistics.quantiles(figures, n=4)
        return first, third

    def ratio(self, name: str, to: str) -> float:
        """How many times another's figure: the median of the rounds' own ratios, so that noise cancels out."""
        pairs = zip(self.figures[name], self.figures[to], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def reached(self) -> list[tuple[Goal, float, bool]]:
        """Each goal whose contestant took part, Slotbook's ratio to it, and whether that is good enough."""
        ratios = [(goal, self.ratio(SLOTBOOK, goal.against)) for goal in self.goals if goal.against in self.figures]
        return [(goal, ratio, ratio <= goal.at_most) for goal, ratio in ratios]


def run(race: Race) -> Result:
    """Hold a race; the order of the contestants changes with each round."""
    result = Result(race.job, race.where, goals=race.goals)
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
            began = time.perf_counter()
            ready()
            result.figures[name][turn] = (time.perf_counter() - began) * scale
    return result

"""Waiting for what a load does, and what every load must come to."""

from __future__ import annotations

from slotbook.testing.failover import in_step_with

from .checker import Judgement, judge
from .control import Control, wait_until
from .history import CallOutcome, History


def more(history: History, count: int = 50, seconds: float = 20.0) -> None:
    """Wait until so many more operations than now are acknowledged."""
    goal = history.count(CallOutcome.ACKNOWLEDGED) + history.count(CallOutcome.UNDER_REPLICATED) + count
    wait_until(
        lambda: history.count(CallOutcome.ACKNOWLEDGED) + history.count(CallOutcome.UNDER_REPLICATED) >= goal,
        f"{count} more operations are acknowledged",
        seconds,
    )


def heal_and_judge(control: Control, history: History) -> Judgement:
    """Heal, judge, and fail on any violation."""
    control.heal()
    found = judge(control, history)
    assert not found.violations, "\n".join([repr(found), *found.violations[:20]])
    return found


def no_error_reached_a_caller(history: History) -> None:
    """Assert that no caller saw an error."""
    problems = [f"{one.kind} {one.id} after {one.longest:.2f} s: {one.error!r}" for one in history.problems()]
    assert not problems, "\n".join(problems[:20])


def replicated(control: Control, key: str) -> None:
    """Wait until the replicas of a key's primary have all that it has written."""
    primary = control.primary(key)

    wait_until(
        lambda: (replicas := control.replicas(primary)) and in_step_with(primary, replicas) == replicas,
        "the replicas have what was written",
    )

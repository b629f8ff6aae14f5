"""Decide when a round is tried again: tenacity is the one retry layer, with jitter, under one monotonic deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypedDict

from tenacity import RetryCallState, retry_if_exception_type
from tenacity.retry import RetryBaseT
from tenacity.stop import StopBaseT
from tenacity.wait import WaitBaseT

from .batch import Pace

FIRST_PAUSE = 0.02
"""Seconds before the second try; each pause after it is twice as long as the one before."""
LONGEST_PAUSE = 0.5
"""Seconds that no pause exceeds."""


class RoundUnfinished(Exception):
    """Raised when a round left something to do; ``pace`` says how soon the next may begin."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace


class RetryPolicy(TypedDict):
    """The arguments of a tenacity controller."""

    retry: RetryBaseT
    stop: StopBaseT
    wait: WaitBaseT
    reraise: bool
    before_sleep: Callable[[RetryCallState], None]


def retry_policy(
    ends_at: Callable[[], float], deadline: float, on_pause: Callable[[float, int], object] | None = None
) -> RetryPolicy:
    """Return a policy that repeats what raises RoundUnfinished: at once after a redirect, else after a growing pause.

    Args:
        ends_at: Returns the time of the monotonic clock after which nothing is tried any more.
        deadline: The whole time in seconds, a part of which the last try needs for itself.
        on_pause: Called before each pause with its seconds, and the number of rounds that there were.
    """
    time_for_an_answer = max(FIRST_PAUSE, deadline / 20)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RoundUnfinished) and error.pace is not Pace.BACK_OFF:
            return 0.0
        left = ends_at() - time.monotonic()
        longest = max(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(state.attempt_number - 1, 16), left / 2))
        return random.uniform(longest / 2, longest)  # noqa: S311 (jitter)

    def is_over(_: RetryCallState) -> bool:
        # A try that has no time for an answer would only make a known outcome unknown.
        return ends_at() - time.monotonic() < time_for_an_answer

    def before_sleep(state: RetryCallState) -> None:
        if on_pause is not None and state.next_action is not None and state.next_action.sleep:
            on_pause(state.next_action.sleep, state.attempt_number)

    return {
        "retry": retry_if_exception_type(RoundUnfinished),
        "stop": is_over,
        "wait": pause,
        "reraise": True,
        "before_sleep": before_sleep,
    }

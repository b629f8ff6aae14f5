"""When to try again: tenacity is the one retry layer, with jitter, under one monotonic deadline."""

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
LONGEST_PAUSE = 0.5


class Again(Exception):
    """A round left something undone."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace


class Policy(TypedDict):
    """The arguments of a tenacity controller."""

    retry: RetryBaseT
    stop: StopBaseT
    wait: WaitBaseT
    reraise: bool


def policy(ends_at: Callable[[], float], within: float) -> Policy:
    """Try again until the monotonic clock says ``ends_at()``: at once after a redirect, else after a growing pause.

    ``within`` is the whole deadline in seconds, of which the last try needs a part for itself.
    """
    for_an_answer = max(FIRST_PAUSE, within / 20)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Again) and error.pace is not Pace.PAUSE:
            return 0.0
        left = ends_at() - time.monotonic()
        longest = max(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(state.attempt_number - 1, 16), left / 2))
        return random.uniform(longest / 2, longest)  # noqa: S311 (jitter)

    def over(_: RetryCallState) -> bool:
        # A try that has no time for an answer would only make a known outcome unknown.
        return ends_at() - time.monotonic() < for_an_answer

    return {"retry": retry_if_exception_type(Again), "stop": over, "wait": pause, "reraise": True}

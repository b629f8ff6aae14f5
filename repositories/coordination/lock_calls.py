"""What a lock sends, and what its answer means. No I/O and no colour."""

from __future__ import annotations

import random
import time
from typing import TypedDict

from tenacity import RetryCallState, retry_if_exception_type
from tenacity.retry import RetryBaseT
from tenacity.stop import StopBaseT
from tenacity.wait import WaitBaseT

from ...models.errors import LockLost, LockTimeout
from ...models.keys import Keys
from ...models.types import check_name
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import milliseconds
from ..replies import refusal, rows

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.05

_PACKAGE = "slotbook.repositories.coordination"
ACQUIRE = load(_PACKAGE, "lock_acquire")
RENEW = load(_PACKAGE, "lock_renew")
RELEASE = load(_PACKAGE, "lock_release")


class LockCalls:
    """The calls of one lock."""

    def __init__(self, settings: Settings, name: str, trader: str | None, lease: float) -> None:
        """Raises InvalidArgument."""
        keys = Keys(settings.prefix)
        self.key = keys.lock(name) if trader is None else keys.of(trader).lock(name)
        # One more: a server's clock is read in whole milliseconds, so a lease begins up to one before it is given.
        self._lease = milliseconds("lease", lease) + 1

    def acquire(self, token: str) -> Call[int]:
        """Take the lock; decodes to the fence. The decoder raises LockTimeout while someone else holds it."""

        def read(reply: Reply) -> int:
            match rows(reply):
                case ["held", str(fence)]:
                    return int(fence)
                case ["busy", str(left)]:
                    raise LockTimeout(f"{self.key} is held by someone else, whose lease ends in {int(left)} ms")
                case ["over"]:
                    raise LockLost(f"{self.key} was granted to this token before, and that is over")
                case other:
                    raise refusal(f"acquire {self.key}", other)

        return evaluate(
            f"acquire {self.key}", ACQUIRE, (self.key,), (check_name("token", token), self._lease), decode=read
        )

    def renew(self, token: str, fence: int) -> Call[None]:
        """Let the lease begin again."""
        return evaluate(
            f"renew {self.key}", RENEW, (self.key,), (token, self._lease), decode=lambda reply: self._done(fence, reply)
        )

    def release(self, token: str, fence: int) -> Call[None]:
        """Give the lock back."""
        return evaluate(
            f"release {self.key}", RELEASE, (self.key,), (token, fence), decode=lambda reply: self._done(fence, reply)
        )

    def _done(self, fence: int, reply: Reply) -> None:
        match rows(reply):
            case ["held", str()] | ["released"]:
                return
            case ["lost"]:
                raise LockLost(f"{self.key} is no longer held with fence {fence}: its lease has run out")
            case other:
                raise refusal(self.key, other)


class Patience(TypedDict):
    """The arguments of a tenacity controller."""

    retry: RetryBaseT
    stop: StopBaseT
    wait: WaitBaseT
    reraise: bool


def patience(ends_at: float) -> Patience:
    """Ask for a lock that someone else holds until the monotonic clock says ``ends_at``, with growing random pauses."""

    def pause(state: RetryCallState) -> float:
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(state.attempt_number - 1, 16))
        return max(0.0, min(random.uniform(longest / 2, longest), ends_at - time.monotonic()))  # noqa: S311 (jitter)

    return {
        "retry": retry_if_exception_type(LockTimeout),
        "stop": lambda _: time.monotonic() >= ends_at,
        "wait": pause,
        "reraise": True,
    }

"""The calls of a lock, how their replies are read, and the pauses between attempts while another caller holds it.

Nothing here does I/O.
"""

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
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import milliseconds
from ..replies import integer, refusal, rows

FIRST_PAUSE = 0.005
"""Seconds between the first attempt to take a lock and the second, at most."""
LONGEST_PAUSE = 0.05
"""Seconds between two attempts to take a lock, at most; the pause doubles up to this."""

_PACKAGE = "slotbook.repositories.coordination"
ACQUIRE = load(_PACKAGE, "lock_acquire")
RENEW = load(_PACKAGE, "lock_renew")
RELEASE = load(_PACKAGE, "lock_release")


class LockCalls:
    """The calls of one lock. Raises InvalidArgument for a name or a lease that cannot be used."""

    def __init__(self, settings: Settings, name: str, trader: str | None, lease: float) -> None:
        keys = Keys(settings.prefix)
        self.key = keys.lock(name) if trader is None else keys.of(trader).lock(name)
        # The server's clock is read in whole milliseconds, so a lease begins up to one too early; one more is added.
        self._lease = milliseconds("lease", lease) + 1

    def acquire(self, token: str) -> Call[int]:
        """Take the lock, and decode its fence. The decoder raises LockTimeout while another caller holds the lock."""

        def read(reply: Reply) -> int:
            match rows(reply):
                case ["held", str(fence)]:
                    return integer(fence)
                case ["busy", str(left)]:
                    raise LockTimeout(f"{self.key} is held by someone else, whose lease ends in {integer(left)} ms")
                case ["over"]:
                    raise LockLost(f"{self.key} was granted to this token before, and that is over")
                case other:
                    raise refusal(f"acquire {self.key}", other)

        return evaluate(
            f"acquire {self.key}",
            ACQUIRE,
            ACQUIRE.keys(lock=self.key),
            ACQUIRE.arguments(token=token, lease=str(self._lease)),
            decode=read,
        )

    def renew(self, token: str, fence: int) -> Call[None]:
        """Let the lease begin again. The decoder raises LockLost when it had run out."""
        return evaluate(
            f"renew {self.key}",
            RENEW,
            RENEW.keys(lock=self.key),
            RENEW.arguments(token=token, lease=str(self._lease)),
            decode=lambda reply: self._check_held(fence, reply),
        )

    def release(self, token: str, fence: int) -> Call[None]:
        """Release the lock. The decoder raises LockLost when the lease had run out."""
        return evaluate(
            f"release {self.key}",
            RELEASE,
            RELEASE.keys(lock=self.key),
            RELEASE.arguments(token=token, fence=str(fence)),
            decode=lambda reply: self._check_held(fence, reply),
        )

    def _check_held(self, fence: int, reply: Reply) -> None:
        match rows(reply):
            case ["held", str()] | ["released"]:
                return
            case ["lost"]:
                raise LockLost(f"{self.key} is no longer held with fence {fence}: its lease has run out")
            case other:
                raise refusal(self.key, other)


class RetryArguments(TypedDict):
    """The arguments of a tenacity controller."""

    retry: RetryBaseT
    stop: StopBaseT
    wait: WaitBaseT
    reraise: bool


def retry_while_held(ends_at: float) -> RetryArguments:
    """Return the retry policy for a lock that another caller holds: try again with growing random pauses.

    Args:
        ends_at: The time at which to give up, by the monotonic clock in seconds; LockTimeout is then raised.
    """

    def pause(state: RetryCallState) -> float:
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(state.attempt_number - 1, 16))
        return max(0.0, min(random.uniform(longest / 2, longest), ends_at - time.monotonic()))  # noqa: S311 (jitter)

    return {
        "retry": retry_if_exception_type(LockTimeout),
        "stop": lambda _: time.monotonic() >= ends_at,
        "wait": pause,
        "reraise": True,
    }

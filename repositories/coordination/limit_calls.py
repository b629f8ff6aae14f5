"""What a rate limiter sends, and what its answer means. No I/O and no colour."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

from ...models.arguments import whole
from ...models.coordination import Algorithm, Permit
from ...models.errors import DuplicateRequest, InvalidArgument
from ...models.keys import Keys
from ...models.types import MAX_QUANTITY
from ...topology.call import Argument, Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import microseconds
from ..replies import refusal, rows

MOST = 2**31
"""The highest limit, burst or cost."""

_PACKAGE = "slotbook.repositories.coordination"
SCRIPTS = {
    Algorithm.FIXED_WINDOW: load(_PACKAGE, "limit_fixed_window"),
    Algorithm.SLIDING_WINDOW: load(_PACKAGE, "limit_sliding_window"),
    Algorithm.TOKEN_BUCKET: load(_PACKAGE, "limit_token_bucket"),
}


class LimitCalls:
    """The calls of one rate limiter."""

    def __init__(
        self,
        settings: Settings,
        limit: int,
        window: float,
        algorithm: Algorithm | str,
        burst: int | None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """``clock`` is for tests: microseconds that count in place of the server's. Raises InvalidArgument."""
        self._keys = Keys(settings.prefix)
        self._clock = clock
        self._script = SCRIPTS[_algorithm(algorithm)]
        self._limit = whole("limit", limit, 1, MOST)
        self._window = microseconds("window", window)
        # A lost reply is asked for again until the deadline, by when the window may be over.
        self._memory = max(self._window, microseconds("deadline", settings.deadline + settings.socket_timeout))
        self._rule = f"{algorithm}:{limit}:{self._window}"
        self._extra: tuple[Argument, ...] = ()
        self.most = limit
        """The most that one request may cost."""
        if algorithm == Algorithm.TOKEN_BUCKET:
            self.most = whole("burst", limit if burst is None else burst, 1, MOST)
            common = math.gcd(limit, self._window)
            inflow, token = limit // common, self._window // common
            if self.most * token > MAX_QUANTITY:
                raise InvalidArgument(f"burst {burst} over a window of {window} s is more than can be counted exactly")
            self._rule += f":{self.most}"
            self._extra = (self.most, inflow, token)
        elif burst is not None:
            raise InvalidArgument(f"a {algorithm} takes no burst; a token_bucket does")

    def acquire(self, name: str, cost: int, request_id: str | None) -> Call[Permit]:
        """One request. Raises InvalidArgument for a cost that could never be allowed."""
        if whole("cost", cost, 1, MOST) > self.most:
            raise InvalidArgument(f"cost {cost} could never be allowed: there are at most {self.most}")
        request = uuid.uuid4().hex if request_id is None else request_id
        what = f"rate limit of {name}"

        def read(reply: Reply) -> Permit:
            match rows(reply):
                case [("allowed" | "denied") as state, str(remaining), str(retry_after)]:
                    return Permit(state == "allowed", int(remaining), int(retry_after) / 1_000_000)
                case ["duplicate"]:
                    raise DuplicateRequest(f"{what}: request {request} was allowed with another cost")
                case other:
                    raise refusal(what, other)

        return evaluate(
            what,
            self._script,
            (self._keys.limit(name, self._rule), self._keys.permit(name, self._rule, request)),
            (
                request,
                self._limit,
                self._window,
                cost,
                self._memory,
                self._clock() if self._clock else "",
                *self._extra,
            ),
            decode=read,
        )


def _algorithm(value: Algorithm | str) -> Algorithm:
    try:
        return Algorithm(value)
    except ValueError:
        raise InvalidArgument(f"there is no algorithm {value!r}; there are {', '.join(Algorithm)}") from None

"""The calls of a rate limiter, and how their replies are read. Nothing here does I/O."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

from ...models.arguments import whole
from ...models.coordination import Algorithm, Permit
from ...models.errors import DuplicateRequest, InvalidArgument
from ...models.keys import Keys
from ...models.numbers import MAX_COUNT
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import duration, microseconds
from ..replies import integer, refusal, rows

MAX_LIMIT = 2**31
"""The highest limit, burst or cost."""

_PACKAGE = "slotbook.repositories.coordination"
SCRIPTS = {
    Algorithm.FIXED_WINDOW: load(_PACKAGE, "limit_fixed_window"),
    Algorithm.SLIDING_WINDOW: load(_PACKAGE, "limit_sliding_window"),
    Algorithm.TOKEN_BUCKET: load(_PACKAGE, "limit_token_bucket"),
}


class LimitCalls:
    """The calls of one rate limiter.

    ``clock`` takes the place of the server's clock in tests: it returns microseconds. Raises InvalidArgument.
    """

    def __init__(
        self,
        settings: Settings,
        limit: int,
        window: float,
        algorithm: Algorithm | str,
        burst: int | None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._keys = Keys(settings.prefix)
        self._clock = clock
        self._algorithm = _algorithm(algorithm)
        self._script = SCRIPTS[self._algorithm]
        limit, window = whole("limit", limit, 1, MAX_LIMIT), duration("window", window)
        period, self._remembered = (microseconds("window", one) for one in (window, settings.remembered(window)))
        self._rule = f"{algorithm}:{limit}:{period}"
        self._rule_arguments = {"limit": str(limit), "window": str(period)}
        self.max_cost = limit
        """The highest cost of one request."""
        if self._algorithm is Algorithm.TOKEN_BUCKET:
            self.max_cost = whole("burst", limit if burst is None else burst, 1, MAX_LIMIT)
            common = math.gcd(limit, period)
            inflow, token = limit // common, period // common
            if self.max_cost * token > MAX_COUNT:
                raise InvalidArgument(f"burst {burst} over a window of {window} s is more than can be counted exactly")
            self._rule += f":{self.max_cost}"
            self._rule_arguments = {"burst": str(self.max_cost), "inflow": str(inflow), "token": str(token)}
        elif burst is not None:
            raise InvalidArgument(f"a {algorithm} takes no burst; a token_bucket does")

    def acquire(self, name: str, cost: int, request_id: str | None) -> Call[Permit]:
        """Count one request, if it is allowed. Raises InvalidArgument for a cost that could never be allowed."""
        cost = whole("cost", cost, 1, MAX_LIMIT)
        if cost > self.max_cost:
            raise InvalidArgument(f"cost {cost} could never be allowed: there are at most {self.max_cost}")
        request = uuid.uuid4().hex if request_id is None else request_id
        what = f"rate limit of {name}"

        def read(reply: Reply) -> Permit:
            match rows(reply):
                case [("allowed" | "denied") as state, str(remaining), str(retry_after)]:
                    return Permit(state == "allowed", integer(remaining), integer(retry_after) / 1_000_000)
                case ["duplicate"]:
                    raise DuplicateRequest(f"{what}: request {request} was allowed with another cost")
                case other:
                    raise refusal(what, other)

        return evaluate(
            what,
            self._script,
            self._script.keys(
                counter=self._keys.limit(name, self._rule), permit=self._keys.permit(name, self._rule, request)
            ),
            self._script.arguments(
                cost=str(cost),
                remembered=str(self._remembered),
                now=str(self._clock()) if self._clock else "",
                **self._rule_arguments,
            ),
            decode=read,
        )


def _algorithm(value: Algorithm | str) -> Algorithm:
    try:
        return Algorithm(value)
    except ValueError:
        raise InvalidArgument(f"there is no algorithm {value!r}; there are {', '.join(Algorithm)}") from None

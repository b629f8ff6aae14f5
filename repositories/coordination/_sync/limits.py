# Generated from repositories/coordination/_async/limits.py by scripts/generate_sync.py: edit that one.
"""Rate limits, for threads."""

from __future__ import annotations

from ....models.coordination import Algorithm, Permit
from ....topology._sync.backend import Backend
from ..limit_calls import LimitCalls


class RateLimiter:
    """At most so much per window for each name, counted by the server, for all processes that use the same rule.

    ``limit`` is what a window of ``window`` seconds allows; ``algorithm`` says what a window is
    (:class:`~slotbook.models.coordination.Algorithm`). ``burst`` is how much a full token bucket holds, by default
    ``limit``. Limiters with another limit, window, algorithm or burst count apart, so one name can have several.

    What is stored for a name expires by itself: a window after the last permit, or when the bucket is full again.
    A fixed window and a bucket take one small hash, a sliding window one entry per unit within it. Each permit is
    remembered by its request for a window, or for the time the book may take to ask again when that is longer.

    Raises InvalidArgument for numbers that cannot be counted exactly.
    """

    def __init__(
        self,
        backend: Backend,
        limit: int,
        window: float = 1.0,
        algorithm: Algorithm | str = Algorithm.FIXED_WINDOW,
        burst: int | None = None,
    ) -> None:
        self._backend = backend
        self._calls = LimitCalls(backend.settings, limit, window, algorithm, burst)

    def acquire(self, name: str, cost: int = 1, *, request_id: str | None = None) -> Permit:
        """Count ``cost`` for a name if its limit allows it; else nothing is counted and the permit says when to ask
        again.

        One round trip. A request that was allowed is counted once per ``request_id`` and gets its first permit again;
        one that was denied may be made again. Without a ``request_id`` one is made up, which makes this call safe to
        retry by itself, but not by you. Raises DuplicateRequest (the request_id was allowed with another cost),
        InvalidArgument for a cost above the limit, which could never be allowed.
        """
        return self._backend.run(self._calls.acquire(name, cost, request_id))

# Generated from repositories/coordination/_async/limits.py by scripts/generate_sync.py: edit that one.
"""Rate limits, for threads."""

from __future__ import annotations

from ....models.coordination import Algorithm, Permit
from ....topology._sync.backend import Backend
from ..limit_calls import LimitCalls


class RateLimiter:
    """A rate limit for each of many names, counted by the server, so that all processes share it.

    For example::

        limiter = book.limiter(100, 1.0, Algorithm.SLIDING_WINDOW)
        permit = limiter.acquire("orders:T001")  # permit.allowed, permit.remaining, permit.retry_after

    A permit does not wait for replicas, whatever the book's ``durability``: after a failover, what the last permits
    before it have counted may be allowed again.

    Limiters with another limit, window, algorithm or burst count separately, so one name can have several.

    The stored state of a name expires by itself: a window after the last permit, or when the bucket is full again.
    A fixed window and a bucket take one small hash, a sliding window one entry for each permit within it. Each
    permit is remembered by its ``request_id`` for a window, or for the book's ``deadline`` + ``socket_timeout`` when
    that is longer.

    Args:
        backend: The connection to the servers; :meth:`Book.limiter` passes the book's.
        limit: The total cost that a window allows, 1 to 2,147,483,648.
        window: The length of a window in seconds, above 0 and at most 10 years; default 1.
        algorithm: The rule by which windows are counted; default a fixed window.
        burst: The number of tokens in a full bucket, by default ``limit``; only for a token bucket.

    Raises:
        InvalidArgument: One of these is out of range, or cannot be counted exactly.
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
        """Count a request for a name if its limit allows it, in one round trip.

        Nothing is counted when it is denied; ``retry_after`` of the permit says when to try again.

        Args:
            name: The name whose limit counts, such as an account or an endpoint.
            cost: The cost of the request, at most the limit, or the burst of a token bucket; default 1.
            request_id: The identity of the request. An allowed request is counted once, and gets its first permit
                again when it is repeated; a denied one may be repeated. By default a random one: then the book may
                repeat the request after a lost reply, but a second call of yours is another request.

        Raises:
            DuplicateRequest: A request with this ``request_id`` was allowed with another cost.
            InvalidArgument: The cost could never be allowed, or the name cannot be used.
        """
        return self._backend.run(self._calls.acquire(name, cost, request_id))

"""How long a cache keeps things, and who may load them when."""

from __future__ import annotations

import math
import random
from typing import Annotated

from pydantic import Field

from ...models.record import Record

_Seconds = Annotated[float, Field(gt=0, le=86_400 * 366)]


class CachePolicy(Record):
    """The times of a cache, in seconds; every process that shares a cache should have the same.

    >>> CachePolicy(ttl=600, stale=60).bound
    670.0
    """

    ttl: _Seconds = 86_400.0
    """How long an entry is fresh, at most."""
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The part of ``ttl`` that chance takes away, so that what was warmed together does not expire together."""
    stale: Annotated[float, Field(ge=0, le=86_400 * 366)] = 0.0
    """How much longer an entry is served while one caller loads it anew in the background (stale-while-revalidate)."""
    early: Annotated[float, Field(ge=0, le=100)] = 1.0
    """How eagerly a fresh entry is loaded anew before it expires: the beta of XFetch (Vattani, Chierichetti and
    Lowenstein 2015); 0 never does."""
    absent_ttl: _Seconds = 60.0
    """How long it is remembered that the source has no such key."""
    lease: _Seconds = 10.0
    """How long a load may take: then another caller may load, and what the first brings is not kept."""
    retry_after: _Seconds = 1.0
    """How long nobody loads a key after its load failed; whoever asks meanwhile gets the error."""
    write_window: _Seconds = 30.0
    """How long a write to the source may take, and the bound of staleness when Redis is lost during one."""

    @property
    def bound(self) -> float:
        """How old an entry can be at most when the source is changed behind the cache's back, its load included."""
        return self.ttl + self.stale + self.lease

    def lifetime(self) -> int:
        """How many milliseconds a new entry lives."""
        fresh = self.ttl * (1 - self.jitter * random.random())  # noqa: S311 (spread, not secrecy)
        return max(1, round((fresh + self.stale) * 1000))

    def eagerness(self, load_time: float) -> int:
        """At how many milliseconds of freshness left this caller loads early, when a load takes so many seconds."""
        if not self.early or not load_time:
            return 0
        return round(-load_time * self.early * math.log(1.0 - random.random()) * 1000)  # noqa: S311

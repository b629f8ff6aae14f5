"""The times of a cache: how long it keeps an entry, and when an entry is loaded again."""

from __future__ import annotations

import math
import random
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from ...models.numbers import number_of
from ...models.record import Record


def _no_boolean(value: object) -> object:
    """Refuse what Python counts as 1 or 0 and nobody means as a number."""
    if isinstance(value, str):
        return value
    number = number_of(value)
    if number is None:
        raise ValueError(f"a {type(value).__name__} is no number")
    return number


def _not_shorter(value: float) -> float:
    """Refuse a time that the server does not count: it counts milliseconds."""
    if 0 < value < 0.001:
        raise ValueError("it is at least a millisecond, 0.001")
    return value


_Number = Annotated[float, BeforeValidator(_no_boolean)]
_Times = Annotated[_Number, AfterValidator(_not_shorter)]
_Seconds = Annotated[_Times, Field(gt=0, le=86_400 * 366)]


class CachePolicy(Record):
    """The times of a cache, in seconds unless said otherwise. All processes that share a cache should have the same.

    Pass it where a cache is made, ``book.cache(Model, "name", source, CachePolicy(ttl=600))``, or to
    ``book.symbols.using``. Raises pydantic's ValidationError, a ValueError, for a time that is out of range.

    >>> CachePolicy(ttl=600, stale=60).bound
    670.0
    """

    ttl: _Seconds = 86_400.0
    """The longest time for which an entry is fresh."""
    jitter: Annotated[_Number, Field(ge=0, lt=1)] = 0.1
    """The largest fraction of ``ttl``, at least 0 and less than 1, by which chance shortens it, so that entries which
    were loaded together do not expire together."""
    stale: Annotated[_Times, Field(ge=0, le=86_400 * 366)] = 0.0
    """The time after that for which an entry is still served, while one caller loads it again in the background
    (stale-while-revalidate)."""
    early: Annotated[_Number, Field(ge=0, le=100)] = 1.0
    """The eagerness to load a fresh entry again before it expires, a number without a unit: the beta of XFetch
    (Vattani, Chierichetti and Lowenstein 2015). Larger is earlier; 0 is never."""
    absent_ttl: _Seconds = 60.0
    """The time for which the cache remembers that the source has no such key."""
    lease: _Seconds = 10.0
    """The time that a load may take. After that another caller may load, and the value of the first is not stored."""
    retry_after: _Seconds = 1.0
    """The time for which a key is not loaded again after its load has failed; callers get the error meanwhile."""
    write_window: _Seconds = 30.0
    """The time that a write to the source may take. When Redis is lost during a write, older values may be served for
    this time from its beginning."""

    @property
    def bound(self) -> float:
        """Return the greatest age of an entry, in seconds, when the source is changed and the cache is not called."""
        return self.ttl + self.stale + self.lease

    def lifetime(self) -> int:
        """Return the milliseconds for which to store a new entry; chance shortens them by up to ``jitter``."""
        fresh = self.ttl * (1 - self.jitter * random.random())  # noqa: S311 (spread, not secrecy)
        return max(1, round((fresh + self.stale) * 1000))

    def early_margin(self, load_time: float) -> int:
        """Return the milliseconds of freshness left at which to load an entry early, decided by chance (XFetch).

        Args:
            load_time: The seconds that a load usually takes; 0 when that is unknown, which never loads early.
        """
        if not self.early or not load_time:
            return 0
        return round(-load_time * self.early * math.log(1.0 - random.random()) * 1000)  # noqa: S311

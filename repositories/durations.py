"""Durations: callers give them in seconds, servers count in whole milliseconds or microseconds.

``what`` is the name of the argument in error messages.
"""

from __future__ import annotations

import math

from ..models.errors import InvalidArgument
from ..topology.settings import LONGEST


def milliseconds(what: str, seconds: float) -> int:
    """Return a duration in whole milliseconds, at least one. Raises InvalidArgument, which names the argument."""
    return max(1, round(_checked(what, seconds) * 1_000))


def microseconds(what: str, seconds: float) -> int:
    """Return a duration in whole microseconds, at least one. Raises InvalidArgument, which names the argument."""
    return max(1, round(_checked(what, seconds) * 1_000_000))


def zero_or_more(what: str, seconds: float) -> float:
    """Return a duration in seconds, which may be 0. Raises InvalidArgument, which names the argument."""
    return seconds if _is_number(seconds) and seconds == 0 else _checked(what, seconds)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _checked(what: str, seconds: float) -> float:
    if not _is_number(seconds) or not math.isfinite(seconds) or not 0 < seconds <= LONGEST:
        raise InvalidArgument(f"{what} {seconds!r} cannot be used: it is a number of seconds above 0, 10 years at most")
    return seconds

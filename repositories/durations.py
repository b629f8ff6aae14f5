"""Durations: callers give them in seconds, servers count in whole milliseconds or microseconds.

A duration that is shorter than what the server counts is refused: nobody means it, and it would end at once.

``what`` is the name of the argument in error messages.
"""

from __future__ import annotations

from ..models.arguments import shown
from ..models.errors import InvalidArgument
from ..models.numbers import is_nan, number_of
from ..topology.settings import LONGEST


def milliseconds(what: str, seconds: float) -> int:
    """Return a duration in whole milliseconds, at least one. Raises InvalidArgument, which names the argument."""
    return _counted(what, seconds, 1_000, "a millisecond")


def microseconds(what: str, seconds: float) -> int:
    """Return a duration in whole microseconds, at least one. Raises InvalidArgument, which names the argument."""
    return _counted(what, seconds, 1_000_000, "a microsecond")


def zero_or_more(what: str, seconds: float) -> float:
    """Return a duration in seconds, which may be 0. Raises InvalidArgument, which names the argument."""
    number = number_of(seconds)
    return 0.0 if number is not None and not is_nan(number) and number == 0 else duration(what, seconds)


def duration(what: str, seconds: float) -> float:
    """Return a duration in seconds, above 0. Raises InvalidArgument, which names the argument."""
    number = number_of(seconds)
    if number is None or is_nan(number) or not 0 < number <= LONGEST:
        raise InvalidArgument(
            f"{what} {shown(seconds)} cannot be used: it is a number of seconds above 0, 10 years at most"
        )
    return float(number)


def _counted(what: str, seconds: float, in_a_second: int, unit: str) -> int:
    found = duration(what, seconds) * in_a_second
    if found < 1:
        raise InvalidArgument(f"{what} {shown(seconds)} cannot be used: it is at least {unit}, in seconds")
    return round(found)

"""Times, which are nanoseconds since 1970-01-01 UTC."""

from __future__ import annotations

from .numbers import exact_integer

_YEAR_1980 = 315_532_800
"""The beginning of 1980 in seconds: no exchange's time is before it."""

_UNITS = (("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3))


def exact_time(value: object) -> int:
    """Return a time as ``exact_integer`` does; raise ValueError for one that is not in nanoseconds.

    In nanoseconds it would be before 1980, and in a greater unit it is after. A number that is before 1980 in every
    unit is taken: no clock shows it, so it counts something else, such as the steps of a simulation.

    >>> exact_time(1703422805243)
    Traceback (most recent call last):
        ...
    ValueError: 1703422805243 looks like milliseconds: times are nanoseconds since 1970, so multiply it by 1,000,000
    """
    number = value if type(value) is int else exact_integer(value)
    if number >= _YEAR_1980 * 10**9 or number < _YEAR_1980:
        return number
    unit, factor = next(one for one in reversed(_UNITS) if number * one[1] >= _YEAR_1980 * 10**9)
    raise ValueError(f"{number} looks like {unit}: times are nanoseconds since 1970, so multiply it by {factor:,}")

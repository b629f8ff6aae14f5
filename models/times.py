"""Times, which are nanoseconds since 1970-01-01 UTC.

>>> exact_time("2023-12-24T15:33:25.243925307Z"), exact_time("2023-12-24T16:33:25+01:00")
(1703432005243925307, 1703432005000000000)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from .numbers import exact_integer

_YEAR_1980 = 315_532_800
"""The beginning of 1980 in seconds: no exchange's time is before it."""

_UNITS = (("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d|[+-]\d{4})?", re.ASCII
).fullmatch
_REMEDY = "times need a zone, such as UTC, or Z behind a text"
_NUMPY_UNIT = re.compile(r"[<>=|]?M8\[(\d*)(D|h|m|s|ms|us|ns)\]").fullmatch
_NUMPY_FACTORS = {
    "D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1,
}  # fmt: skip


def exact_time(value: object) -> int:
    """Return a time in nanoseconds; raise ValueError for one without a zone, and for a number in another unit.

    A number is taken as ``exact_integer`` does. In nanoseconds one in another unit would be before 1980, and in its own
    it is after. A number that is before 1980 in every unit is taken: no clock shows it, so it counts something else,
    such as the steps of a simulation. A datetime, also pandas's, has to have a zone, and a text in the form of
    ISO 8601 as well, with 0 to 9 digits of a second; NumPy's datetime64, which can have none, is UTC.

    >>> exact_time(1703422805243)
    Traceback (most recent call last):
        ...
    ValueError: 1703422805243 looks like milliseconds: times are nanoseconds since 1970, so multiply it by 1,000,000
    """
    if type(value) is not int:
        if isinstance(value, datetime):
            return _of_datetime(value)
        if isinstance(value, str) and (written := _ISO(value)):
            return _of_text(value, *written.groups())
        if (unit := _unit_of_numpy(value)) is not None:
            return _of_numpy(value, unit)
    number = value if type(value) is int else exact_integer(value)
    if number >= _YEAR_1980 * 10**9 or number < _YEAR_1980:
        return number
    unit, factor = next(one for one in reversed(_UNITS) if number * one[1] >= _YEAR_1980 * 10**9)
    raise ValueError(f"{number} looks like {unit}: times are nanoseconds since 1970, so multiply it by {factor:,}")


def _of_datetime(moment: datetime) -> int:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone: {_REMEDY}")
    since = moment - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds
    return micros * 1_000 + cast("int", getattr(since, "nanoseconds", 0))  # which pandas's has


def _of_text(text: str, day: str, time: str, fraction: str | None, zone: str | None) -> int:
    if zone is None:
        raise ValueError(f"{text!r} has no time zone: {_REMEDY}")
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{zone}")
    except ValueError:
        raise ValueError(f"{text!r} is no time that there is") from None
    return _of_datetime(moment) + int((fraction or "").ljust(9, "0"))


def _unit_of_numpy(value: object) -> str | None:
    """Return the type of one datetime64 of NumPy, None for anything else."""
    try:
        data_type = getattr(value, "dtype", None)
        is_one = getattr(data_type, "kind", "") == "M" and cast("int", getattr(value, "ndim", 0)) == 0
        return str(getattr(data_type, "str", "")) if is_one else None
    except Exception:  # a foreign type may raise anything
        return None


def _of_numpy(value: object, unit: str) -> int:
    known = _NUMPY_UNIT(unit)
    if known is None or value != value:  # noqa: PLR0124 (no time is not equal to itself)
        raise ValueError(f"{value!r} has no exact number of nanoseconds: take one in days or a smaller unit")
    count = cast("Callable[[str], int]", getattr(value, "astype"))("int64")  # noqa: B009 (it has no type)
    return int(count) * int(known[1] or 1) * _NUMPY_FACTORS[known[2]]

"""Times are nanoseconds, from every form that says its zone; what may be another time than it looks is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slotbook.models import Fill, Order
from slotbook.models.entity_changes import time_of_change
from slotbook.models.errors import InvalidArgument
from slotbook.models.times import exact_time

from ..support.make import execution, limit

NS = 1_703_432_005_243_925_307
SECOND = 1_703_432_005_000_000_000
FROM_1980 = 315_532_800
"""The first second of 1980."""


class PandasDelta(timedelta):
    """A difference as pandas has it, which is not installed here: with nanoseconds."""

    nanoseconds = 307


class PandasTime(datetime):
    """A moment as pandas has it: a datetime whose differences have nanoseconds."""

    def __sub__(self, other: datetime) -> PandasDelta:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        since = datetime.__sub__(self, other)
        return PandasDelta(days=since.days, seconds=since.seconds, microseconds=since.microseconds)


class NoZone(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None


@pytest.mark.parametrize(
    ("moment", "taken"),
    [
        ("2023-12-24T15:33:25Z", SECOND),
        ("2023-12-24 15:33:25Z", SECOND),
        ("2023-12-24T15:33:25+00:00", SECOND),
        ("2023-12-24T16:33:25+0100", SECOND),
        ("2023-12-24T10:03:25-05:30", SECOND),
        ("2023-12-24T15:33:25-00:00", SECOND),
        ("2023-12-24T15:33:25.2Z", SECOND + 200_000_000),
        ("2023-12-24T15:33:25.243Z", SECOND + 243_000_000),
        ("2023-12-24T15:33:25,243925Z", SECOND + 243_925_000),
        ("2023-12-24T15:33:25.243925307Z", NS),
        ("2023-12-24T15:33:25.000000001Z", SECOND + 1),
        ("1970-01-01T00:00:00.000000000Z", 0),
        (datetime(2023, 12, 24, 15, 33, 25, 243_925, UTC), SECOND + 243_925_000),
        (datetime(2023, 12, 24, 10, 33, 25, tzinfo=ZoneInfo("America/New_York")), SECOND),
        (datetime(2023, 12, 24, 16, 33, 25, tzinfo=timezone(timedelta(hours=1))), SECOND),
        (PandasTime(2023, 12, 24, 15, 33, 25, 243_925, UTC), NS),
        (np.datetime64(NS, "ns"), NS),
        (np.datetime64("2023-12-24T15:33:25.243", "ms"), SECOND + 243_000_000),
        (np.datetime64("2023-12-24T15:33:25", "s"), SECOND),
        (np.datetime64("2023-12-24T15:33", "m"), SECOND - 25 * 10**9),
        (np.datetime64("2023-12-24T15", "h"), 1_703_430_000 * 10**9),
        (np.datetime64("2023-12-24"), 1_703_376_000 * 10**9),
        (np.datetime64(SECOND // 10**7, ("ms", 10)), SECOND),
        (np.array(np.datetime64(NS, "ns")), NS),
        (np.array(NS, ">M8[ns]"), NS),
        (NS, NS),
        (str(NS), NS),
    ],
    ids=str,
)
def test_a_time_with_a_zone_is_its_nanoseconds(moment: object, taken: int) -> None:
    found = exact_time(moment)
    assert (found, type(found)) == (taken, int)
    order = Order.model_validate({**limit("T").model_dump(), "ts_ns": moment})
    fill = Fill.model_validate({**execution("T").model_dump(), "ts_ns": moment})
    assert (order.ts_ns, fill.ts_ns) == (taken, taken)
    assert time_of_change(moment) == taken  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("2023-12-24T15:33:25", "has no time zone: times need a zone"),
        ("2023-12-24T15:33:25.243925307", "has no time zone: times need a zone"),
        (datetime(2023, 12, 24, 15, 33, 25), "has no time zone: times need a zone"),
        (datetime(2023, 12, 24, 15, 33, 25, tzinfo=NoZone()), "has no time zone: times need a zone"),
        ("2023-12-24T15:33:60Z", "is no time that there is"),
        ("2023-02-30T15:33:25Z", "is no time that there is"),
        ("2023-12-24T15:33:25+24:00", "is no time that there is"),
        ("2023-12-24T15:33:25.1234567890Z", "not a whole number"),
        ("2023-12-24T15:33:25.Z", "not a whole number"),
        ("2023-12-24", "not a whole number"),
        ("noon", "not a whole number"),
        ("2023-12-24T15:33:25Z\n", "not a whole number"),
        ("\uff12023-12-24T15:33:25Z", "not a whole number"),
        (np.datetime64("NaT", "ns"), "has no exact number"),
        (np.datetime64("NaT"), "has no exact number"),
        (np.datetime64("2023-12"), "has no exact number"),
        (np.datetime64(1, "ps"), "has no exact number"),
        (np.array([NS], "datetime64[ns]"), "not a whole number"),
        (np.timedelta64(1, "ns"), "not a whole number"),
        (NS // 10**3, "looks like microseconds"),
        (NS // 10**6, "looks like milliseconds"),
        (NS // 10**9, "looks like seconds"),
        (1703432005.25, "not a whole number"),
        (True, "not a whole number"),
    ],
    ids=str,
)
def test_a_time_that_may_be_another_is_refused(moment: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        exact_time(moment)
    with pytest.raises(ValidationError, match=why):
        Order.model_validate({**limit("T").model_dump(), "ts_ns": moment})
    with pytest.raises(InvalidArgument, match=why):
        time_of_change(moment)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("number", "looks_like"),
    [
        *((0, None), (FROM_1980 - 1, None), (FROM_1980 * 10**9, None), (2**63 - 1, None)),
        *((FROM_1980, "seconds"), (FROM_1980 * 10**3 - 1, "seconds"), (FROM_1980 * 10**3, "milliseconds")),
        *((FROM_1980 * 10**6 - 1, "milliseconds"), (FROM_1980 * 10**6, "microseconds")),
        (FROM_1980 * 10**9 - 1, "microseconds"),
    ],
)
def test_a_number_has_the_unit_in_which_it_is_after_1980(number: int, looks_like: str | None) -> None:
    if looks_like is None:
        assert exact_time(number) == number
    else:
        factor = {"seconds": "1,000,000,000", "milliseconds": "1,000,000", "microseconds": "1,000"}[looks_like]
        with pytest.raises(ValueError, match=rf"^{number} looks like {looks_like}: .* multiply it by {factor}$"):
            exact_time(number)


@pytest.mark.parametrize(
    "moment", ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", datetime(1969, 1, 1, tzinfo=UTC)], ids=str
)
def test_a_time_that_cannot_be_stored_is_refused(moment: object) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate({**limit("T").model_dump(), "ts_ns": moment})


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.timezones()), st.integers(0, 999))
def test_a_moment_is_the_same_in_every_form(moment: datetime, nanoseconds: int) -> None:
    utc = moment.astimezone(UTC)
    found = exact_time(moment)
    assert (
        found
        == exact_time(utc)
        == exact_time(utc.isoformat())
        == exact_time(np.datetime64(utc.replace(tzinfo=None), "us"))
    )
    exact = utc.strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{nanoseconds:03}Z"
    assert exact_time(exact) == found + nanoseconds

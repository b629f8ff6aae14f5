"""Durations that no server could count, or that are no numbers, are refused by whatever takes a duration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from slotbook.models.errors import InvalidArgument
from slotbook.repositories import CachePolicy
from slotbook.repositories.durations import microseconds, milliseconds, zero_or_more

from ..support.desk import Desk

NO_DURATIONS = [True, False, 0, -1, 1e-4, 1e-9, math.nan, math.inf, "1", [1], 1e12]
TAKERS: dict[str, Callable[[Any, str, Any], object]] = {
    "lease": lambda book, name, given: book.lock(name, lease=given),
    "lease of a trader's": lambda book, name, given: book.lock("l", trader=name, lease=given),
    "ttl of a value": lambda book, name, given: book.values.swap(name, 0, "x", ttl=given),
    "ttl of a session": lambda book, name, given: book.sessions.create(name, ttl=given),
}


@pytest.mark.parametrize("given", NO_DURATIONS, ids=repr)
@pytest.mark.parametrize("taker", TAKERS)
def test_what_is_no_duration_is_refused(lone_desk: Desk, taker: str, given: object) -> None:
    with pytest.raises(InvalidArgument, match=r"lease|ttl"):
        TAKERS[taker](lone_desk.book, lone_desk.trader, given)
    assert lone_desk.contents() == {}


@pytest.mark.parametrize("given", [True, 0, -1, 1e-7, 1e-9, math.nan, math.inf, None, "1"], ids=repr)
def test_a_window_is_at_least_a_microsecond(lone_desk: Desk, given: Any) -> None:
    with pytest.raises(InvalidArgument, match="window"):
        lone_desk.book.limiter(5, given)


@pytest.mark.parametrize("given", [True, False, -1, 1e-4, 1e-9, math.nan, math.inf, None, [1], 1e12], ids=repr)
@pytest.mark.parametrize("name", ["ttl", "stale", "absent_ttl", "lease", "retry_after", "write_window"])
def test_the_times_of_a_cache(name: str, given: object) -> None:
    with pytest.raises(ValidationError, match=name):
        CachePolicy.model_validate({name: given})


def test_numbers_without_a_unit_are_no_booleans() -> None:
    for name in ("jitter", "early"):
        with pytest.raises(ValidationError, match=name):
            CachePolicy.model_validate({name: True})


def test_the_shortest_are_taken() -> None:
    assert (milliseconds("ttl", 0.001), microseconds("window", 1e-6), zero_or_more("wait", 0)) == (1, 1, 0.0)
    assert (milliseconds("ttl", 0.0015), CachePolicy(lease=0.001, stale=0).lease) == (2, 0.001)

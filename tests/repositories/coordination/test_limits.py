"""Rate limiters: permits, repeated requests, and the keys that they leave."""

from __future__ import annotations

import time

import pytest
from slotbook.models import Algorithm, Permit
from slotbook.models.errors import CorruptRecord, DuplicateRequest, InvalidArgument, WrongType

from ...support.desk import Desk

ALGORITHMS = list(Algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_limit_is_allowed_and_no_more(desk: Desk, algorithm: Algorithm) -> None:
    limiter = desk.book.limiter(3, 60, algorithm)
    assert [limiter.acquire(desk.trader) for _ in range(3)] == [
        Permit(allowed=True, remaining=left, retry_after=0.0) for left in (2, 1, 0)
    ]
    denied = limiter.acquire(desk.trader)
    assert (denied.allowed, denied.remaining) == (False, 0)
    assert 0 < denied.retry_after <= 60
    assert limiter.acquire(desk.another()).allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_after_retry_after_it_is_allowed(lone_desk: Desk, algorithm: Algorithm) -> None:
    limiter = lone_desk.book.limiter(2, 0.3, algorithm)
    for _ in range(2):
        while (permit := limiter.acquire(lone_desk.trader)).allowed:
            pass
        assert 0 < permit.retry_after <= 0.3
        time.sleep(permit.retry_after)
        assert limiter.acquire(lone_desk.trader).allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_repeat_is_counted_once_and_gets_its_first_permit(desk: Desk, algorithm: Algorithm) -> None:
    limiter = desk.book.limiter(5, 60, algorithm)
    first = limiter.acquire(desk.trader, 2, request_id="R1")
    assert limiter.acquire(desk.trader).remaining == 2
    assert limiter.acquire(desk.trader, 2, request_id="R1") == first
    assert first == Permit(allowed=True, remaining=3, retry_after=0.0)
    assert limiter.acquire(desk.trader).remaining == 1
    with pytest.raises(DuplicateRequest, match="R1"):
        limiter.acquire(desk.trader, 1, request_id="R1")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_request_is_remembered_when_its_window_is_over(lone_desk: Desk, algorithm: Algorithm) -> None:
    """A request whose reply was lost is sent again until the deadline, however short the window is."""
    limiter = lone_desk.book.limiter(2, 0.05, algorithm)
    first = limiter.acquire(lone_desk.trader, request_id="R1")
    time.sleep(0.1)
    assert limiter.acquire(lone_desk.trader, request_id="R1") == first
    assert limiter.acquire(lone_desk.trader).remaining == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_everything_expires_by_itself(lone_desk: Desk, algorithm: Algorithm) -> None:
    book = lone_desk.open(deadline=1, socket_timeout=1)
    book.limiter(2, 0.2, algorithm).acquire(lone_desk.trader)
    until = time.monotonic() + 30
    while lone_desk.contents():  # a permit stays for as long as the request may be sent again
        assert time.monotonic() < until
        time.sleep(0.05)
    book.limiter(2, 60, algorithm).acquire(lone_desk.trader)
    ttls = [int(str(lone_desk.ask("PTTL", key))) for key in lone_desk.contents()]
    assert len(ttls) == 2
    assert all(0 < milliseconds <= 60_000 for milliseconds in ttls)


def test_a_sliding_window_keeps_no_more_than_its_limit(lone_desk: Desk) -> None:
    limiter = lone_desk.book.limiter(5, 60, "sliding_window")
    assert sum(limiter.acquire(lone_desk.trader).allowed for _ in range(20)) == 5
    (log,) = [key for key in lone_desk.contents() if ":limit:" in key]
    assert lone_desk.ask("ZCARD", log) == 5


def test_limiters_of_other_rules_count_separately(desk: Desk) -> None:
    rules = [desk.book.limiter(1, 60, algorithm) for algorithm in ALGORITHMS]
    rules += [desk.book.limiter(1, 30), desk.book.limiter(2, 60)]
    rules += [desk.book.limiter(1, 60, "token_bucket", burst=2)]
    assert all(limiter.acquire(desk.trader).allowed for limiter in rules)


def test_a_bucket_holds_its_burst(desk: Desk) -> None:
    limiter = desk.book.limiter(1, 60, "token_bucket", burst=7)
    assert limiter.acquire(desk.trader, 7) == Permit(allowed=True, remaining=0, retry_after=0.0)
    denied = limiter.acquire(desk.trader, 2)
    assert not denied.allowed
    assert 110 < denied.retry_after <= 120


def test_a_large_cost_is_one_request(desk: Desk) -> None:
    """One entry, whatever the cost: a million entries would stop the server for seconds."""
    limiter = desk.book.limiter(2**31, 60, "sliding_window")
    assert limiter.acquire(desk.trader, 1_000_000).remaining == 2**31 - 1_000_000
    assert limiter.acquire(desk.trader, 2**31 - 1_000_001).remaining == 1
    assert not limiter.acquire(desk.trader, 2).allowed
    (log,) = [key for key in desk.contents() if ":limit:" in key]
    assert desk.ask("ZCARD", log) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": 1.5},
        {"limit": True},
        {"limit": 1, "window": 0},
        {"limit": 1, "window": 1e-9},
        {"limit": 1, "window": True},
        {"limit": 1, "window": float("nan")},
        {"limit": 1, "window": float("inf")},
        {"limit": 1, "algorithm": "leaky"},
        {"limit": 1, "burst": 2},
        {"limit": 7, "window": 86_400 * 3660, "algorithm": "token_bucket", "burst": 1_000},
    ],
)
def test_a_limit_that_cannot_be_counted_is_refused(lone_desk: Desk, arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        lone_desk.book.limiter(**arguments)  # pyright: ignore[reportArgumentType]


def test_requests_that_could_never_be_allowed_are_refused(lone_desk: Desk) -> None:
    limiter = lone_desk.book.limiter(3)
    for cost in (0, 4, -1):
        with pytest.raises(InvalidArgument, match="cost"):
            limiter.acquire(lone_desk.trader, cost)
    for name in ("", " ab", "a{b}"):
        with pytest.raises(InvalidArgument, match="limit"):
            limiter.acquire(name)
    assert lone_desk.contents() == {}


def test_a_field_that_cannot_be_read_is_named(lone_desk: Desk) -> None:
    limiter = lone_desk.book.limiter(3, 60)
    limiter.acquire(lone_desk.trader)
    key = "%:limit:fixed_window:3:60000000"
    lone_desk.ask("HSET", key, "used", "many")
    with pytest.raises(CorruptRecord, match="used"):
        limiter.acquire(lone_desk.trader)
    lone_desk.ask("SET", key, "x", "EX", 60)
    with pytest.raises(WrongType):
        limiter.acquire(lone_desk.trader)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_permit_that_cannot_be_read_is_not_granted_again(lone_desk: Desk, algorithm: Algorithm) -> None:
    limiter = lone_desk.book.limiter(3, 60, algorithm)
    limiter.acquire(lone_desk.trader, request_id="R1")
    (permit,) = [key for key in lone_desk.contents() if ":permit:" in key]
    lone_desk.ask("SET", permit, "1 yesterday 2", "EX", 60)
    with pytest.raises(CorruptRecord, match="yesterday"):
        limiter.acquire(lone_desk.trader, request_id="R1")
    assert limiter.acquire(lone_desk.trader).remaining == 1

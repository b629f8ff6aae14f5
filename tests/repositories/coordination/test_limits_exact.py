"""Rate limiters never allow more than their definition, compared with plain Python by a fake clock and by the server's.

``SLOTBOOK_NIGHTLY=1`` makes more than 10,000 requests for each algorithm and clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slotbook import Book
from slotbook.models import Algorithm, Permit
from slotbook.models.errors import DuplicateRequest
from slotbook.repositories.coordination.limit_calls import LimitCalls
from slotbook.topology.call import Call

from ...support.desk import Desk
from ...support.leaks import keys_of
from ...support.make import NIGHTLY, fresh

SECOND = 1_000_000
START = 1_800_000_000 * SECOND
ROUNDS, TRIES = 120 if NIGHTLY else 25, 100
REAL_TRIES = 10_500 if NIGHTLY else 2_500


@dataclass
class Reference:
    """A limiter in plain Python with exact fractions; ``log`` has the time and cost of each allowed request."""

    limit: int
    window: int
    burst: int
    log: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    opened: int | None = None
    used: int = 0
    level: Fraction = Fraction(0)
    at: int | None = None

    def fixed_window(self, now: int, cost: int) -> bool:
        if self.opened is None or now >= self.opened + self.window:
            self.opened, self.used = now, 0
        allowed = self.used + cost <= self.limit
        self.used += cost * allowed
        return allowed

    def sliding_window(self, now: int, cost: int) -> bool:
        used = 0
        for when, was in reversed(self.log):
            if when <= now - self.window:
                break
            used += was
        return used + cost <= self.limit

    def token_bucket(self, now: int, cost: int) -> bool:
        inflow = Fraction(self.limit, self.window)
        full = Fraction(self.burst)
        self.level = full if self.at is None else min(full, self.level + (now - self.at) * inflow)
        self.at = now
        allowed = self.level >= cost
        self.level -= cost * allowed
        return allowed


@dataclass(frozen=True)
class Rule:
    algorithm: Algorithm
    limit: int
    window: float
    burst: int | None = None

    def calls(self, book: Book, clock: Callable[[], int] | None) -> LimitCalls:
        return LimitCalls(book.backend.settings, self.limit, self.window, self.algorithm, self.burst, clock)

    def reference(self) -> Reference:
        return Reference(self.limit, round(self.window * SECOND), self.burst or self.limit)


def assert_kept(rule: Rule, log: list[tuple[int, int]]) -> None:
    """Check the definition of the algorithm on the times and costs of the requests that were allowed."""
    window, inflow = round(rule.window * SECOND), Fraction(rule.limit, round(rule.window * SECOND))
    recent: deque[tuple[int, int]] = deque()
    opened, used, total, least = -window, 0, 0, Fraction(0)
    for when, cost in log:
        if when >= opened + window:
            opened, used = when, 0
        used += cost
        recent.append((when, cost))
        while recent[0][0] <= when - window:
            recent.popleft()
        least = min(least, total - when * inflow)
        total += cost
        if rule.algorithm is Algorithm.FIXED_WINDOW:
            assert used <= rule.limit
        elif rule.algorithm is Algorithm.SLIDING_WINDOW:
            assert sum(cost for _, cost in recent) <= rule.limit
        else:  # in every period that ends here, no more was allowed than the burst and what flowed in
            assert total - when * inflow - least <= (rule.burst or rule.limit)


RULES = st.builds(
    Rule,
    st.sampled_from(Algorithm),
    st.integers(1, 12),
    st.sampled_from([10.0, 7.0, 13.000001, 60.0]),
)
STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(0, 5 * SECOND), st.sampled_from([10 * SECOND, 7 * SECOND - 1])),
        st.integers(1, 4),
    ),
    max_size=40,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES, steps=STEPS)
def test_every_answer_is_that_of_the_reference(lone_desk: Desk, rule: Rule, steps: list[tuple[int, int]]) -> None:
    now = START
    calls, reference, name = rule.calls(lone_desk.book, lambda: now), rule.reference(), fresh()
    is_allowed = getattr(reference, rule.algorithm)
    for pause, cost in steps:
        now += pause
        if cost > rule.limit:
            continue
        permit = lone_desk.book.backend.run(calls.acquire(name, cost, None))
        assert permit.allowed == is_allowed(now, cost), (rule, reference)
        if permit.allowed:
            reference.log.append((now, cost))
    assert_kept(rule, reference.log)


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
@pytest.mark.parametrize("algorithm", Algorithm)
def test_thousands_of_requests_by_a_fake_clock(lone_desk: Desk, algorithm: Algorithm) -> None:
    rule, now, tries = Rule(algorithm, 17, 30.0, 23 if algorithm is Algorithm.TOKEN_BUCKET else None), START, 0
    calls, reference, name = rule.calls(lone_desk.book, lambda: now), rule.reference(), fresh()
    is_allowed, pace = getattr(reference, rule.algorithm), 0
    for _ in range(ROUNDS):
        pace = (pace * 31 + 7) % 1_009
        batch: list[tuple[int, int]] = []
        asked: list[Call[Permit]] = []
        for number in range(TRIES):
            now += (number * pace) % 977 * 1_500
            cost = 1 + (number + pace) % 5 // 4
            batch.append((now, cost))
            asked.append(calls.acquire(name, cost, None))
        for (when, cost), outcome in zip(batch, lone_desk.book.backend.run_many(asked), strict=True):
            tries += 1
            assert outcome.result().allowed == is_allowed(when, cost)
            if outcome.result().allowed:
                reference.log.append((when, cost))
    assert tries == ROUNDS * TRIES
    assert 0 < len(reference.log) < tries
    assert_kept(rule, reference.log)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_retry_after_is_exact(lone_desk: Desk, algorithm: Algorithm) -> None:
    """A microsecond before ``retry_after`` is over the request is denied, then it is allowed."""
    rule, now = Rule(algorithm, 7, 10.0), START
    calls, name = rule.calls(lone_desk.book, lambda: now), fresh()

    def ask(cost: int) -> Permit:
        return lone_desk.book.backend.run(calls.acquire(name, cost, None))

    for cost in (3, 4, 1, 2, 5, 7, 1, 6):
        now += 1_234_567
        permit = ask(cost)
        while not permit.allowed:
            wait = round(permit.retry_after * SECOND)
            now += wait - 1
            assert not ask(cost).allowed
            now += 1
            permit = ask(cost)
            assert permit.allowed


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_denied_request_counts_nothing_and_may_be_made_again(lone_desk: Desk, algorithm: Algorithm) -> None:
    now, name = START, fresh()
    calls, run = Rule(algorithm, 4, 10.0).calls(lone_desk.book, lambda: now), lone_desk.book.backend.run
    assert run(calls.acquire(name, 3, None)).allowed
    denied = run(calls.acquire(name, 4, "R1"))
    assert (denied.allowed, denied.remaining) == (False, 1)
    now += round(denied.retry_after * SECOND)
    assert run(calls.acquire(name, 4, "R1")) == Permit(allowed=True, remaining=0, retry_after=0.0)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_permit_is_remembered_to_the_microsecond(lone_desk: Desk, algorithm: Algorithm) -> None:
    now, name = START, fresh()
    calls, run = Rule(algorithm, 4, 60.0).calls(lone_desk.book, lambda: now), lone_desk.book.backend.run
    assert run(calls.acquire(name, 1, "R1")).allowed
    now += 60 * SECOND - 1
    with pytest.raises(DuplicateRequest, match="R1"):
        run(calls.acquire(name, 2, "R1"))
    now += 1
    assert run(calls.acquire(name, 2, "R1")) == Permit(allowed=True, remaining=2, retry_after=0.0)


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_clock_that_goes_back_allows_nothing_more(lone_desk: Desk, algorithm: Algorithm) -> None:
    """And denies for no longer than a window: what was counted begins its own again then, and is kept for as long."""
    rule, now, name = Rule(algorithm, 2, 10.0), START, fresh()
    calls, run = rule.calls(lone_desk.book, lambda: now), lone_desk.book.backend.run
    assert all(run(calls.acquire(name, 1, None)).allowed for _ in range(2))
    (key,) = [key for key in keys_of(lone_desk.fleet, name) if ":limit:" in key]
    lone_desk.fleet.ask(key, "PEXPIRE", key, 1_000)
    now -= 3_600 * SECOND
    denied = run(calls.acquire(name, 1, None))
    wait = 5 if algorithm is Algorithm.TOKEN_BUCKET else 10
    assert denied == Permit(allowed=False, remaining=0, retry_after=wait)
    assert 4_000 < int(str(lone_desk.fleet.ask(key, "PTTL", key))) <= 10_000
    now += wait * SECOND - 1
    assert not run(calls.acquire(name, 1, None)).allowed
    now += 1
    assert run(calls.acquire(name, 1, None)).allowed


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
@pytest.mark.parametrize("algorithm", Algorithm)
def test_thousands_of_requests_by_the_server_s_clock(lone_desk: Desk, algorithm: Algorithm) -> None:
    """Every permit is stored with the server's time, so the server itself says when it allowed how much."""
    rule, book = Rule(algorithm, 20, 0.1), lone_desk.open(deadline=120)
    calls, costs = rule.calls(book, None), [1 + number % 7 // 6 for number in range(REAL_TRIES)]

    def ask(cost: int) -> Permit:
        return book.backend.run(calls.acquire(lone_desk.trader, cost, None))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, costs))
    permits = [key for key in keys_of(lone_desk.fleet, lone_desk.trader) if ":permit:" in key]
    log = sorted(granted_of(str(one)) for one in cast("list[str]", lone_desk.ask("MGET", *permits)))
    assert len(log) == sum(answer.allowed for answer in answers)
    assert rule.limit < sum(cost for _, cost in log) < sum(costs)
    assert_kept(rule, log)


WEIGHTS = st.lists(st.tuples(st.integers(0, 4 * SECOND), st.integers(1, 5_000)), min_size=1, max_size=40)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[(1, 2_000)] * 6 + [(10 * SECOND, 9_000)], counted=2**53 - 3_000)
@given(steps=WEIGHTS, counted=st.sampled_from([0, 2**53 - 1, 2**53 - 3_000, 2**53 - 20_000]))
@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
def test_large_costs_are_exact_and_so_is_when_they_fit(
    lone_desk: Desk, steps: list[tuple[int, int]], counted: int
) -> None:
    """Also where so much has been counted that the totals of entries begin again, at 2**53."""
    rule, now, name = Rule(Algorithm.SLIDING_WINDOW, 9_000, 10.0), START, fresh()
    calls, reference, run = rule.calls(lone_desk.book, lambda: now), rule.reference(), lone_desk.book.backend.run
    if counted:
        key = f"{{{name}}}:limit:sliding_window:9000:10000000"
        lone_desk.fleet.ask(key, "ZADD", key, START - 10 * SECOND, f"{counted:016}:1")
        lone_desk.fleet.ask(key, "PEXPIRE", key, 10_000)
    for pause, cost in steps:
        now += pause
        permit = run(calls.acquire(name, cost, None))
        assert permit.allowed == reference.sliding_window(now, cost)
        used = sum(was for when, was in reference.log if when > now - 10 * SECOND)
        assert permit.remaining == 9_000 - used - cost * permit.allowed
        if not permit.allowed:
            after = now + round(permit.retry_after * SECOND)
            assert reference.sliding_window(after, cost)
            assert not reference.sliding_window(after - 1, cost)
        else:
            reference.log.append((now, cost))


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
def test_entries_leave_some_at_a_time(lone_desk: Desk) -> None:
    """A request removes some 100 that have left the window; and when the clock goes back, they do not come back."""
    rule, now, name = Rule(Algorithm.SLIDING_WINDOW, 1_000, 10.0), START, fresh()
    calls, backend = rule.calls(lone_desk.book, lambda: now), lone_desk.book.backend
    for _ in range(350):
        now += 10
        assert backend.run(calls.acquire(name, 1, None)).allowed
    (key,) = [key for key in keys_of(lone_desk.fleet, name) if ":limit:" in key]
    now += 10 * SECOND
    sizes: list[object] = []
    for _ in range(3):
        assert backend.run(calls.acquire(name, 300, None)).allowed
        sizes.append(lone_desk.fleet.ask(key, "ZCARD", key))
    assert sizes == [251, 152, 53]
    now = START - SECOND
    assert backend.run(calls.acquire(name, 1, None)) == Permit(allowed=True, remaining=99, retry_after=0.0)
    assert lone_desk.fleet.ask(key, "ZCARD", key) == 4


def granted_of(remembered: str) -> tuple[int, int]:
    """Return the time and the cost of a stored permit."""
    cost, granted, _ = remembered.split()
    return int(granted), int(cost)

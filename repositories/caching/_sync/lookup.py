# Generated from repositories/caching/_async/lookup.py by scripts/generate_sync.py: edit that one.
"""Finding values in a cache and loading what is not there, for threads: one loader for each key over all processes."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Generic, TypeVar

from ....models.errors import Unavailable
from ....models.results import Outcome
from ....topology._sync.backend import Backend
from ....topology.call import Call
from ....topology.concurrency import pause
from ....topology.listening.feeds import Feeds
from ....topology.listening.tracking import InvalidationFeed, TrackingPlan
from ..._concurrency.background import Background
from ..calls import CacheCalls, Claim, Found, State
from ..near import Near
from ..source import LoadMany, reason, source_failed

T = TypeVar("T")

FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
_LATEST = 0.3
"""The weight of the latest load in the running mean of load times."""


class Lookup(Generic[T]):
    """What is near, what is cached, and what has to be loaded."""

    def __init__(self, backend: Backend, calls: CacheCalls[T]) -> None:
        self.backend = backend
        self.calls = calls
        self.background = Background()
        self.near: Near[T] | None = None
        self._tracker: Feeds[InvalidationFeed] | None = None
        self._load_time = 0.0

    def keep_near(self, size: int, bound: float) -> Near[T]:
        """Keep values in the process from now on. Raises AccessDenied, Unavailable or UnexpectedReply."""
        near: Near[T] = Near(size, self.calls.base)
        tracker = Feeds(self.backend, TrackingPlan(self.calls.base, near, bound, self.backend.settings.socket_timeout))
        try:
            tracker.start()
        except BaseException:
            tracker.close()
            raise
        self.backend.attach(tracker)
        before, self._tracker, self.near = self._tracker, tracker, near
        if before is not None:
            before.close()
        return near

    def fetch(self, key: str) -> T | None:
        """What is cached, fresh or not."""
        if self.near is None:
            return self.backend.run(self.calls.get(key))
        (outcome,) = self._ask((key,), (self.calls.read(key),))
        return outcome.result().value

    def fetch_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """What is cached of many keys."""
        near = self.near
        if near is None:
            return self.backend.run_many([self.calls.get(key) for key in keys])
        held = {key: value for key in keys if (value := near.get(key)) is not None}
        missing = [key for key in dict.fromkeys(keys) if key not in held]
        answers: dict[str, Outcome[T | None]] = {key: Outcome(value=value) for key, value in held.items()}
        for key, outcome in zip(missing, self._ask(missing, [self.calls.read(key) for key in missing]), strict=True):
            answers[key] = Outcome(value=outcome.value.value if outcome.value else None, error=outcome.error)
        return [answers[key] for key in keys]

    def get_or_load_many(self, keys: Sequence[str], load: LoadMany[T]) -> list[Outcome[T | None]]:
        """What is cached, and what this caller or another loads of the rest."""
        for key in keys:
            self.calls.entry(key)  # raises InvalidArgument, before anything is asked
        near, token = self.near, token_hex(8)
        answers: dict[str, Outcome[T | None]] = {}
        pending: list[str] = list(dict.fromkeys(keys))
        if near is not None:
            answers.update({key: Outcome(value=value) for key in pending if (value := near.get(key)) is not None})
            pending = [key for key in pending if key not in answers]
        ends_at = time.monotonic() + self.backend.settings.deadline
        longest = FIRST_PAUSE
        while pending:
            mine: list[str] = []
            for key, outcome in zip(pending, self.claim(pending, token, Claim.LOAD), strict=True):
                found = outcome.value
                if found is None:
                    answers[key] = Outcome(error=outcome.error)
                elif found.state is State.LEASE and found.value is None:
                    mine.append(key)
                elif found.state is not State.WAIT:
                    answers[key] = Outcome(value=found.value)
                    if found.state is State.LEASE:
                        self._refresh(key, token, load)
            if mine:
                answers.update(self.load(mine, token, load))
            pending = [key for key in pending if key not in answers]
            if pending and time.monotonic() >= ends_at:
                late = f"still being loaded by another caller after {self.backend.settings.deadline:g} s"
                answers.update({key: Outcome(error=Unavailable(f"{self.calls.entry(key)}: {late}")) for key in pending})
                break
            if pending:
                pause(random.uniform(longest / 2, longest))  # noqa: S311 (jitter)
                longest = min(LONGEST_PAUSE, longest * 1.5)
        return [answers[key] for key in keys]

    def claim(self, keys: Sequence[str], token: str, claim: Claim) -> list[Outcome[Found[T]]]:
        """What is cached of each key, and whether this caller is to load it."""
        return self._ask(keys, [self.calls.claim(key, token, self._load_time, claim) for key in keys])

    def load(self, keys: Sequence[str], token: str, load: LoadMany[T]) -> dict[str, Outcome[T | None]]:
        """Load keys whose leases this caller has, and keep what came; what came is also returned if it is not kept."""
        started = time.monotonic()
        try:
            values = load(keys)
            stores = [self.calls.store(key, token, values.get(key)) for key in keys]
        except Exception as error:
            self.backend.run_many([self.calls.fail(key, token, reason(error)) for key in keys])
            failed = source_failed(f"load {self.calls.name} {keys[0]}" + (" …" if len(keys) > 1 else ""), error)
            return {key: Outcome(error=failed) for key in keys}
        except BaseException:  # interrupted: whoever waits may load at once
            self.background.start(lambda: self._release(keys, token))
            raise
        took = time.monotonic() - started
        self._load_time = took if not self._load_time else self._load_time + _LATEST * (took - self._load_time)
        self.backend.run_many(stores)
        return {key: Outcome(value=values.get(key)) for key in keys}

    def close(self) -> None:
        """Wait for what is being loaded in the background."""
        self.background.close()

    def _refresh(self, key: str, token: str, load: LoadMany[T]) -> None:
        def job() -> None:
            self.load((key,), token, load)  # a failure is noted beside the entry, which is served on

        self.background.start(job)

    def _release(self, keys: Sequence[str], token: str) -> None:
        self.backend.run_many([self.calls.fail(key, token, "") for key in keys])

    def _ask(self, keys: Sequence[str], calls: Sequence[Call[Found[T]]]) -> list[Outcome[Found[T]]]:
        """Ask the servers, and keep near what they answer."""
        near, tracker = self.near, self._tracker
        if near is None or tracker is None:
            return self.backend.run_many(calls)
        asked = zip(keys, calls, strict=True)
        tickets = [near.open(key, call.slot, tracker.feed_for_slot(call.slot)) for key, call in asked]
        found: list[Found[T] | None] = [None] * len(tickets)
        try:
            outcomes = self.backend.run_many(calls)
            found = [outcome.value for outcome in outcomes]
            return outcomes
        finally:  # also when interrupted: a ticket that nobody settles would stay
            for ticket, answer in zip(tickets, found, strict=True):
                if ticket is not None:
                    value, fresh = (answer.value, answer.fresh) if answer else (None, 0.0)
                    near.settle(ticket, tracker.feed_for_slot(ticket.slot), value, fresh)

"""Finding values in a cache and loading what is not there, for asyncio: one loader for each key over all processes."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Generic, TypeVar

from ....models.errors import Unavailable
from ....models.results import Outcome
from ....topology._async.backend import AsyncBackend
from ....topology.call import Call
from ....topology.concurrency import async_pause
from ....topology.listening.async_feeds import AsyncFeeds
from ....topology.listening.tracking import InvalidationFeed, TrackingPlan
from ..._concurrency.background import AsyncBackground
from ..calls import CacheCalls, Claim, Found, State
from ..near import Near
from ..source import AsyncLoadMany, reason, source_failed

T = TypeVar("T")

FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
_LATEST = 0.3
"""The weight of the latest load in the running mean of load times."""


class AsyncLookup(Generic[T]):
    """What is near, what is cached, and what has to be loaded."""

    def __init__(self, backend: AsyncBackend, calls: CacheCalls[T]) -> None:
        self.backend = backend
        self.calls = calls
        self.background = AsyncBackground()
        self.near: Near[T] | None = None
        self._tracker: AsyncFeeds[InvalidationFeed] | None = None
        self._load_time = 0.0

    async def keep_near(self, size: int, bound: float) -> Near[T]:
        """Keep values in the process from now on. Raises AccessDenied, Unavailable or UnexpectedReply."""
        near: Near[T] = Near(size, self.calls.base)
        tracker = AsyncFeeds(
            self.backend, TrackingPlan(self.calls.base, near, bound, self.backend.settings.socket_timeout)
        )
        try:
            await tracker.start()
        except BaseException:
            await tracker.close()
            raise
        self.backend.attach(tracker)
        before, self._tracker, self.near = self._tracker, tracker, near
        if before is not None:
            await before.close()
        return near

    async def fetch(self, key: str) -> T | None:
        """What is cached, fresh or not."""
        if self.near is None:
            return await self.backend.run(self.calls.get(key))
        (outcome,) = await self._ask((key,), (self.calls.read(key),))
        return outcome.result().value

    async def fetch_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """What is cached of many keys."""
        near = self.near
        if near is None:
            return await self.backend.run_many([self.calls.get(key) for key in keys])
        held = {key: value for key in keys if (value := near.get(key)) is not None}
        missing = [key for key in dict.fromkeys(keys) if key not in held]
        answers: dict[str, Outcome[T | None]] = {key: Outcome(value=value) for key, value in held.items()}
        for key, outcome in zip(
            missing, await self._ask(missing, [self.calls.read(key) for key in missing]), strict=True
        ):
            answers[key] = Outcome(value=outcome.value.value if outcome.value else None, error=outcome.error)
        return [answers[key] for key in keys]

    async def get_or_load_many(self, keys: Sequence[str], load: AsyncLoadMany[T]) -> list[Outcome[T | None]]:
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
            for key, outcome in zip(pending, await self.claim(pending, token, Claim.LOAD), strict=True):
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
                answers.update(await self.load(mine, token, load))
            pending = [key for key in pending if key not in answers]
            if pending and time.monotonic() >= ends_at:
                late = f"still being loaded by another caller after {self.backend.settings.deadline:g} s"
                answers.update({key: Outcome(error=Unavailable(f"{self.calls.entry(key)}: {late}")) for key in pending})
                break
            if pending:
                await async_pause(random.uniform(longest / 2, longest))  # noqa: S311 (jitter)
                longest = min(LONGEST_PAUSE, longest * 1.5)
        return [answers[key] for key in keys]

    async def claim(self, keys: Sequence[str], token: str, claim: Claim) -> list[Outcome[Found[T]]]:
        """What is cached of each key, and whether this caller is to load it."""
        return await self._ask(keys, [self.calls.claim(key, token, self._load_time, claim) for key in keys])

    async def load(self, keys: Sequence[str], token: str, load: AsyncLoadMany[T]) -> dict[str, Outcome[T | None]]:
        """Load keys whose leases this caller has, and keep what came; what came is also returned if it is not kept."""
        started = time.monotonic()
        try:
            values = await load(keys)
            stores = [self.calls.store(key, token, values.get(key)) for key in keys]
        except Exception as error:
            await self.backend.run_many([self.calls.fail(key, token, reason(error)) for key in keys])
            failed = source_failed(f"load {self.calls.name} {keys[0]}" + (" …" if len(keys) > 1 else ""), error)
            return {key: Outcome(error=failed) for key in keys}
        except BaseException:  # interrupted: whoever waits may load at once
            self.background.start(lambda: self._release(keys, token))
            raise
        took = time.monotonic() - started
        self._load_time = took if not self._load_time else self._load_time + _LATEST * (took - self._load_time)
        await self.backend.run_many(stores)
        return {key: Outcome(value=values.get(key)) for key in keys}

    async def close(self) -> None:
        """Wait for what is being loaded in the background."""
        await self.background.close()

    def _refresh(self, key: str, token: str, load: AsyncLoadMany[T]) -> None:
        async def job() -> None:
            await self.load((key,), token, load)  # a failure is noted beside the entry, which is served on

        self.background.start(job)

    async def _release(self, keys: Sequence[str], token: str) -> None:
        await self.backend.run_many([self.calls.fail(key, token, "") for key in keys])

    async def _ask(self, keys: Sequence[str], calls: Sequence[Call[Found[T]]]) -> list[Outcome[Found[T]]]:
        """Ask the servers, and keep near what they answer."""
        near, tracker = self.near, self._tracker
        if near is None or tracker is None:
            return await self.backend.run_many(calls)
        asked = zip(keys, calls, strict=True)
        tickets = [near.open(key, call.slot, tracker.feed_for_slot(call.slot)) for key, call in asked]
        found: list[Found[T] | None] = [None] * len(tickets)
        try:
            outcomes = await self.backend.run_many(calls)
            found = [outcome.value for outcome in outcomes]
            return outcomes
        finally:  # also when interrupted: a ticket that nobody settles would stay
            for ticket, answer in zip(tickets, found, strict=True):
                if ticket is not None:
                    value, fresh = (answer.value, answer.fresh) if answer else (None, 0.0)
                    near.settle(ticket, tracker.feed_for_slot(ticket.slot), value, fresh)

# Generated from repositories/caching/_async/lookup.py by scripts/generate_sync.py: edit that one.
"""Look up values in a cache and load missing ones, for threads: one loader for each key, over all processes."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Generic, TypeVar, cast

from ....models.arguments import mapping
from ....models.errors import InvalidArgument, RowsFailed, SourceFailed, Unavailable
from ....models.health import NearCacheStats
from ....models.results import Outcome
from ....topology._sync.backend import Backend
from ....topology.call import Call
from ....topology.concurrency import pause
from ....topology.listening.feeds import Feeds
from ....topology.listening.tracking import InvalidationFeed, TrackingPlan
from ..._concurrency.background import Background
from ..calls import CacheCalls, CacheState, LoadScope, LookupResult
from ..near import NearCache
from ..source import LoadMany, reason, source_failed

T = TypeVar("T")

FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
_WEIGHT_OF_LATEST = 0.3
"""The weight of the latest load in the running mean of load times."""


class Lookup(Generic[T]):
    """Looks up the values of one cache: in this process, then in Redis, and then in the source.

    An entry that cannot be read, such as one that an older version of the model has left, is as good as missing where
    it can be loaded again; ``has_source`` says so of reads that load nothing.
    """

    def __init__(self, backend: Backend, calls: CacheCalls[T], *, has_source: bool) -> None:
        self.backend = backend
        self.calls = calls
        self._has_source = has_source
        self.background = Background()
        self.near: NearCache[T] | None = None
        self._tracker: Feeds[InvalidationFeed] | None = None
        self._load_time = 0.0

    def keep_near(self, size: int, bound: float) -> NearCache[T]:
        """Keep values in the process from now on. Raises AccessDenied, Unavailable or UnexpectedReply."""
        near: NearCache[T] = NearCache(size, self.calls.base)
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

    def near_stats(self) -> NearCacheStats | None:
        """Return the state of the values in this process; None when none are kept."""
        if (near := self.near) is None:
            return None
        counts = near.hits, near.misses, near.invalidations
        return NearCacheStats(self.calls.name, len(near), near.maxsize, *counts)

    def fetch(self, key: str) -> T | None:
        """Return the value in Redis, fresh or stale, and keep it near."""
        if self.near is None:
            return self._found(Outcome(value=self.backend.run(self.calls.get(key)))).result()
        (outcome,) = self._run_many((key,), (self.calls.read(key),))
        return self._found(outcome).result()

    def fetch_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """Return an outcome for each key with the value that is near or in Redis, fresh or stale."""
        if self.near is None:
            return [self._found(one) for one in self.backend.run_many([self.calls.get(key) for key in keys])]
        answers = self._near_answers(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in answers]
        outcomes = self._run_many(missing, [self.calls.read(key) for key in missing])
        for key, outcome in zip(missing, outcomes, strict=True):
            answers[key] = self._found(outcome)
        return [answers[key] for key in keys]

    def get_or_load_many(self, keys: Sequence[str], load: LoadMany[T]) -> list[Outcome[T | None]]:
        """Return an outcome for each key; what is missing is loaded by this caller, or by another that is waited for.

        Raises InvalidArgument for a key that is not a valid name, before anything is sent.
        """
        for key in keys:
            self.calls.entry_key(key)  # raises InvalidArgument
        token = token_hex(8)
        answers = self._near_answers(keys)
        pending: list[str] = [key for key in dict.fromkeys(keys) if key not in answers]
        ends_at = time.monotonic() + self.backend.settings.deadline
        longest = FIRST_PAUSE
        while pending:
            answers.update(self._answer_or_load(pending, token, load))
            pending = [key for key in pending if key not in answers]
            if pending and time.monotonic() >= ends_at:
                answers.update(self._still_loading(pending))
                break
            if pending:
                pause(random.uniform(longest / 2, longest))  # noqa: S311 (jitter)
                longest = min(LONGEST_PAUSE, longest * 1.5)
        return [answers[key] for key in keys]

    def claim(self, keys: Sequence[str], token: str, scope: LoadScope) -> list[Outcome[LookupResult[T]]]:
        """Return what is cached of each key, and whether this caller is to load it."""
        claims = self._claim(keys, token, scope)
        again = [number for number, claim in enumerate(claims) if claim.value and _is_unreadable(claim.value)]
        if again:
            scope = LoadScope.ALL if scope is LoadScope.MISSING else LoadScope.UNREADABLE
            needless: list[str] = []
            for number, claim in zip(again, self._claim([keys[at] for at in again], token, scope), strict=True):
                claims[number] = claim
                value = claim.value.value if claim.value else None
                if scope is LoadScope.UNREADABLE and value is not None:
                    needless.append(keys[number])  # another caller has loaded it meanwhile
                    claims[number] = Outcome(value=LookupResult(CacheState.HIT, value))
            self.release(needless, token)
        return claims

    def load(self, keys: Sequence[str], token: str, load: LoadMany[T]) -> dict[str, Outcome[T | None]]:
        """Load keys like ``load_rows``; when the source fails, that is the outcome of each."""
        try:
            return self.load_rows(keys, token, load)
        except SourceFailed as failed:
            return {key: Outcome(error=failed) for key in keys}

    def load_rows(self, keys: Sequence[str], token: str, load: LoadMany[T]) -> dict[str, Outcome[T | None]]:
        """Load keys whose leases this caller has, store the values, and return an outcome for each key.

        A value that is not stored, because something newer has happened meanwhile, is returned all the same. A row that
        cannot be read, or that cannot be cached as it is, is the error of its key. Raises SourceFailed, after the
        leases were given back.
        """
        started = time.monotonic()
        try:
            try:
                values, errors = _rows(keys, load)
            except Exception as error:
                self.backend.run_many([self.calls.fail_load(key, token, reason(error)) for key in keys])
                name = f"load {self.calls.name} {keys[0]}" + (" …" if len(keys) > 1 else "")
                raise source_failed(name, error) from error
            took = time.monotonic() - started
            mean = self._load_time
            self._load_time = took if not mean else mean + _WEIGHT_OF_LATEST * (took - mean)
            outcomes, calls = self._stores(keys, token, values, errors)
            self.backend.run_many(calls)
        except Exception:
            raise
        except BaseException:  # this caller was interrupted: give the leases back, so that others need not wait
            self.background.start(lambda: self.release(keys, token))
            raise
        return outcomes

    def release(self, keys: Sequence[str], token: str) -> None:
        """Give the leases of keys back, as far as this caller has them; nothing is remembered."""
        if keys:
            self.backend.run_many([self.calls.fail_load(key, token, "") for key in keys])

    def close(self) -> None:
        """Wait for the loads in the background."""
        self.background.close()

    def _near_answers(self, keys: Sequence[str]) -> dict[str, Outcome[T | None]]:
        """Return the outcomes of those keys that are near."""
        near = self.near
        if near is None:
            return {}
        return {key: Outcome(value=value) for key in keys if (value := near.get(key)) is not None}

    def _found(self, outcome: Outcome[LookupResult[T]]) -> Outcome[T | None]:
        """Return the outcome of a read that loads nothing."""
        result = outcome.value
        if result is None:
            return Outcome(error=outcome.error)
        if result.unreadable and not self._has_source:
            return Outcome(error=result.unreadable)
        return Outcome(value=result.value)

    def _stores(
        self, keys: Sequence[str], token: str, values: Mapping[str, T], errors: Mapping[str, SourceFailed]
    ) -> tuple[dict[str, Outcome[T | None]], list[Call[bool]]]:
        """Return the outcome of each loaded key, and the calls that store its value or remember its error."""
        outcomes: dict[str, Outcome[T | None]] = {}
        calls: list[Call[bool]] = []
        for key in keys:
            error, value = errors.get(key), values.get(key)
            if error is None:
                try:
                    calls.append(self.calls.store(key, token, value))
                except InvalidArgument as refused:
                    error = source_failed(f"load {self.calls.name} {key}", refused)
            if error is not None:
                calls.append(self.calls.fail_load(key, token, reason(error)))
            outcomes[key] = Outcome(value=value) if error is None else Outcome(error=error)
        return outcomes, calls

    def _answer_or_load(self, keys: Sequence[str], token: str, load: LoadMany[T]) -> dict[str, Outcome[T | None]]:
        """Return the outcomes of those keys that are cached or that this caller loads; others are loading the rest."""
        answers: dict[str, Outcome[T | None]] = {}
        leased: list[str] = []
        outcomes = self.claim(keys, token, LoadScope.NEEDED)
        for key, outcome in zip(keys, outcomes, strict=True):
            result = outcome.value
            if result is None:
                answers[key] = Outcome(error=outcome.error)
            elif result.state is CacheState.LEASE and result.value is None:
                leased.append(key)
            elif result.state is not CacheState.WAIT:
                answers[key] = Outcome(value=result.value)
                if result.state is CacheState.LEASE:
                    self._load_in_background(key, token, load)
        if leased:
            answers.update(self.load(leased, token, load))
        return answers

    def _still_loading(self, keys: Sequence[str]) -> dict[str, Outcome[T | None]]:
        """Return the outcomes of keys that other callers were still loading when the deadline passed."""
        late = f"still being loaded by another caller after {self.backend.settings.deadline:g} s"
        return {key: Outcome(error=Unavailable(f"{self.calls.entry_key(key)}: {late}")) for key in keys}

    def _load_in_background(self, key: str, token: str, load: LoadMany[T]) -> None:
        def job() -> None:
            self.load((key,), token, load)  # a failure is remembered beside the entry, which is still served

        self.background.start(job)

    def _claim(self, keys: Sequence[str], token: str, scope: LoadScope) -> list[Outcome[LookupResult[T]]]:
        return self._run_many(keys, [self.calls.claim(key, token, self._load_time, scope) for key in keys])

    def _run_many(self, keys: Sequence[str], calls: Sequence[Call[LookupResult[T]]]) -> list[Outcome[LookupResult[T]]]:
        """Run the calls that look up these keys, and keep the answers near."""
        near, tracker = self.near, self._tracker
        if near is None or tracker is None:
            return self.backend.run_many(calls)
        asked = zip(keys, calls, strict=True)
        reads = [near.begin_read(key, call.slot, tracker.feed_for_slot(call.slot)) for key, call in asked]
        results: list[LookupResult[T] | None] = [None] * len(reads)
        try:
            outcomes = self.backend.run_many(calls)
            results = [outcome.value for outcome in outcomes]
            return outcomes
        finally:  # also when interrupted, because a read that is never finished would stay registered
            for read, result in zip(reads, results, strict=True):
                if read is not None:
                    value, lasts = (result.value, result.lasts) if result else (None, 0.0)
                    near.finish_read(read, tracker.feed_for_slot(read.slot), value, lasts)


def _is_unreadable(result: LookupResult[T]) -> bool:
    """Return True for an entry that was found and cannot be read, when this caller has not got the lease to load it."""
    return result.state is CacheState.HIT and result.unreadable is not None


def _rows(keys: Sequence[str], load: LoadMany[T]) -> tuple[Mapping[str, T], Mapping[str, SourceFailed]]:
    """Return the values that a source has, and the errors of rows that cannot be read."""
    try:
        values = load(keys)
        return mapping("what the source loaded", values), {}
    except RowsFailed as failed:
        return cast("Mapping[str, T]", failed.found), failed.errors

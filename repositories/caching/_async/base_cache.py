"""What every cache can do, for asyncio."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from secrets import token_hex
from typing import Generic, Self, TypeVar

from ....models.arguments import callable_or_none, must_be, seconds, several, whole
from ....models.errors import InvalidArgument
from ....models.results import Outcome
from ....topology._async.backend import AsyncBackend
from ..calls import CacheCalls, Claim, State
from ..codec import CacheCodec
from ..policy import CachePolicy
from ..source import AsyncLoad, AsyncLoadMany, AsyncSource, Warmed, source_failed
from .lookup import AsyncLookup

T = TypeVar("T")


class AsyncBaseCache(Generic[T]):
    """A cache in front of a source. Verbs raise a :class:`~slotbook.models.errors.SlotbookError`.

    **How old a value can be.** As long as the source is only written through ``write_through``, or ``invalidate`` is
    called after each write, readers of Redis never see the value before once that call has returned True. When Redis
    is lost in the middle of a ``write_through`` they may see it until ``policy.write_window`` after the source began
    to write, provided that Redis keeps what it acknowledged. A source that is changed behind the cache's back, or a
    failover that loses acknowledged changes, is noticed after ``policy.bound`` (ttl + stale + lease) at the latest.
    With a near cache add its bound. All of these times are by the server's clock.
    """

    def __init__(
        self,
        backend: AsyncBackend,
        name: str,
        codec: CacheCodec[T],
        source: AsyncSource[T] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        if policy is not None:
            must_be(policy, CachePolicy)
        if source is not None:
            callable_or_none("source.load_many", getattr(source, "load_many", source))
        self._backend = backend
        self.name = name
        self.source = source
        """Where values come from, and where ``write_through`` writes them."""
        self.policy = policy or CachePolicy()
        self._calls = CacheCalls(backend.settings.prefix, name, codec, self.policy)
        self._lookup = AsyncLookup(backend, self._calls)
        self._near = self._lookup.near
        backend.attach(self._lookup)

    async def near(self, size: int = 10_000, *, bound: float = 1.0) -> Self:
        """Keep up to ``size`` values decoded in this process from now on; returns the cache itself.

        The servers tell of every change (RESP3 client tracking, one connection of our own to each primary), usually
        within a millisecond. ``bound`` is in seconds: a value that any client has changed is served from here for at
        most so long after the change, whatever happens to network, server or this process; four heartbeats to a bound
        prove it, and where the proof is late, Redis is asked instead. (A primary that was deposed and cut off together
        with this process is believed for as long as Redis itself would serve from it.) When a tracking connection is
        lost, what it vouched for is dropped first. Values are shared between callers: do not change them in place.

        One connection and round trip per primary. Raises AccessDenied when the user may not use CLIENT TRACKING.
        """
        seconds("bound", bound, 0.01, 3600)
        self._near = await self._lookup.keep_near(size, bound)
        return self

    def key(self, key: str) -> str:
        """The name under which a key is stored in Redis. Raises InvalidArgument."""
        return self._calls.entry(key)

    async def get(self, key: str) -> T | None:
        """The value that is cached; None when there is none. One round trip, or none when it is near.

        Raises CorruptRecord.
        """
        near = self._near
        if near is not None and (value := near.get(key)) is not None:
            return value
        return await self._lookup.fetch(key)

    async def get_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """What is cached of many keys: one round trip per node, one outcome each, in the order given."""
        return await self._lookup.fetch_many(several("list of keys", keys))

    async def get_or_load(self, key: str, load: AsyncLoad[T] | None = None) -> T | None:
        """The value, loaded and cached if it is missing; None when the source has none, which is cached too.

        ``load`` is called with the key in place of the source. One round trip when it is there. Of all callers in all
        processes one loads, the others wait for it, for as long as the deadline; a load that takes longer than
        ``policy.lease`` may be overtaken by another. When it fails, nothing is cached, everyone who waits gets
        SourceFailed, and so does whoever asks within ``policy.retry_after``. What was loaded is not kept if the key
        was written or invalidated meanwhile. A value that expires soon, or is served stale, is loaded anew in the
        background by one caller.

        Raises SourceFailed, CorruptRecord, Unavailable.
        """
        near = self._near
        if near is not None and (value := near.get(key)) is not None:
            return value
        callable_or_none("load", load)
        many = self._loads_many() if load is None else _one_by_one(load)
        return (await self._lookup.get_or_load_many((key,), many))[0].result()

    async def get_or_load_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """Like ``get_or_load`` for many keys: what this caller has to load is asked of the source at once."""
        return await self._lookup.get_or_load_many(several("list of keys", keys), self._loads_many())

    async def warm(
        self,
        keys: Sequence[str] | None = None,
        *,
        after: str = "",
        only_missing: bool = False,
        batch: int = 1_000,
        progress: Callable[[int], None] | None = None,
    ) -> Warmed:
        """Load keys from the source, or everything it has, ``batch`` at a time; no more than that is held in memory.

        ``only_missing`` leaves alone what is there already, and ``after`` begins behind a key of the source's order, so
        that a run that was interrupted goes on; ``progress`` is told how many more keys are done. Two round trips per
        node for each batch, and one load. What is written meanwhile is not overwritten. Raises SourceFailed.
        """
        whole("batch", batch)
        callable_or_none("progress", progress)
        source = self._source()
        started = time.monotonic()
        warmed = Warmed()
        page: list[str] = []
        if keys is None:
            async for key in source.all_keys(after):
                page.append(key)
                if len(page) == batch:
                    await self._warm(page, only_missing, warmed, progress)
                    page = []
            await self._warm(page, only_missing, warmed, progress)
        else:
            listed = several("list of keys", keys)
            for begin in range(0, len(listed), batch):
                await self._warm(listed[begin : begin + batch], only_missing, warmed, progress)
        warmed.seconds = time.monotonic() - started
        return warmed

    async def invalidate(self, key: str) -> bool:
        """Remove a key after its source has changed; whether it was cached. One round trip.

        A load that is under way is not kept, so that it cannot bring back what it read before the change.
        """
        with self._changing((key,)):
            return await self._backend.run(self._calls.drop(key))

    async def invalidate_matching(self, pattern: str) -> int:
        """Remove every key that matches a glob, ``AA*`` or ``symbol:AA*``; how many were cached.

        Two SCANs of every primary, then an UNLINK for each key; loads that are under way are not kept either.
        """
        found: set[str] = set()
        for glob in self._calls.patterns(pattern):
            found |= await self._backend.scan(glob)
        keys = self._calls.keys_of(found)
        with self._changing(keys):
            outcomes = await self._backend.run_many([self._calls.drop(key) for key in keys])
        return sum(outcome.result() for outcome in outcomes)

    async def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        await self._backend.close()

    async def _put(self, values: Mapping[str, T]) -> list[Outcome[bool]]:
        calls = [self._calls.put(key, value) for key, value in values.items()]
        with self._changing(list(values)):
            return await self._backend.run_many(calls)

    async def _write_through(self, values: Mapping[str, T]) -> list[bool]:
        token, keys, source = token_hex(8), list(values), self._source()
        finishes = [self._calls.finish(key, token, value) for key, value in values.items()]
        for outcome in await self._backend.run_many([self._calls.begin(key, token) for key in keys]):
            outcome.result()
        with self._changing(keys):
            try:
                await source.store_many(values)
            except Exception as error:
                raise source_failed(f"write {self.name} {keys[0]}", error) from error
            outcomes = await self._backend.run_many(finishes)
        return [outcome.error is None and outcome.result() for outcome in outcomes]

    async def _warm(
        self, keys: Sequence[str], only_missing: bool, warmed: Warmed, progress: Callable[[int], None] | None
    ) -> None:
        if not keys:
            return
        token = token_hex(8)
        wanted = Claim.MISSING if only_missing else Claim.ALL
        claims = await self._lookup.claim(keys, token, wanted)
        mine = [key for key, claim in zip(keys, claims, strict=True) if claim.result().state is State.LEASE]
        loaded = await self._lookup.load(mine, token, self._loads_many()) if mine else {}
        values = [outcome.result() for outcome in loaded.values()]
        absent = sum(value is None for value in values)
        warmed.loaded += len(values) - absent
        warmed.absent += absent
        warmed.kept += len(keys) - len(values)
        warmed.last = keys[-1]
        if progress is not None:
            progress(len(keys))

    @contextlib.contextmanager
    def _changing(self, keys: Sequence[str]) -> Generator[None, None, None]:
        """What was near of these keys is gone when the change is made, without waiting for the servers to tell."""
        try:
            yield
        finally:
            if self._near is not None:
                self._near.discard(keys)

    def _source(self) -> AsyncSource[T]:
        if self.source is None:
            raise InvalidArgument(f"the cache {self.name!r} has no source; pass one when it is made")
        return self.source

    def _loads_many(self) -> AsyncLoadMany[T]:
        return self._source().load_many


def _one_by_one(load: AsyncLoad[T]) -> AsyncLoadMany[T]:
    async def many(keys: Sequence[str]) -> Mapping[str, T]:
        return {key: value for key in keys if (value := await load(key)) is not None}

    return many

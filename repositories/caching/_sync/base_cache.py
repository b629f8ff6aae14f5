# Generated from repositories/caching/_async/base_cache.py by scripts/generate_sync.py: edit that one.
"""The verbs that every cache has, for threads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Generic, Self, TypeVar

from ....models.arguments import callable_or_none, must_be, seconds, several, shown, whole
from ....models.errors import InvalidArgument, SlotbookError, SourceFailed, WrongType
from ....models.keys import is_name
from ....models.results import Outcome
from ....topology._sync.backend import Backend
from ....topology.durability import Durability
from ...changes.names import take_name
from ..calls import CacheCalls, CacheState, LoadScope
from ..codec import CacheCodec
from ..near import NearCache
from ..policy import CachePolicy
from ..source import ERRORS_OF_A_KEY, Load, LoadMany, Source, Warmed, source_failed
from .lookup import Lookup

T = TypeVar("T")


class BaseCache(Generic[T]):
    """A cache in front of a source. Its verbs raise a :class:`~slotbook.models.errors.SlotbookError`.

    Use one of its subclasses, ``book.symbols`` or what ``book.cache`` returns::

        symbols = book.symbols.using(source)
        info = symbols.get_or_load("AAPL")

    **How old a value can be.** As long as the source is only written through ``write_through``, or ``invalidate`` is
    called after each write, readers of Redis never see the value before once that call has returned True. When Redis
    is lost in the middle of a ``write_through`` they may see it until ``policy.write_window`` after the source began
    to write, provided that Redis keeps what it acknowledged. When the source is changed and neither is called, or a
    failover loses acknowledged changes, the old value is served for at most ``policy.bound`` (ttl + stale + lease).
    With a near cache add its bound. All of these times are by the server's clock.

    What a caller writes or invalidates takes a ``durability``, by default the book's; it raises UnderReplicated when
    too few replicas confirmed it. What is loaded waits for no replica: it can be loaded again.
    """

    def __init__(
        self,
        backend: Backend,
        name: str,
        codec: CacheCodec[T],
        source: Source[T] | None = None,
        policy: CachePolicy | None = None,
    ) -> None:
        if policy is not None:
            must_be(policy, CachePolicy)
        if source is not None:
            callable_or_none("source.load_many", getattr(source, "load_many", source))
        take_name(backend, name, "cache")
        self._backend = backend
        self.name = name
        """The beginning of all keys in Redis, behind the prefix of the settings."""
        self.source = source
        """The database that values are loaded from, and that ``write_through`` writes to."""
        self.policy = policy or CachePolicy()
        """The times of the cache."""
        self._calls = CacheCalls(backend.settings.prefix, name, codec, self.policy)
        self._lookup = Lookup(backend, self._calls, has_source=source is not None)
        self.near_cache: NearCache[T] | None = None
        """The values that are kept in this process; ``len`` is their number. None until :meth:`near` is called."""
        backend.attach(self._lookup)

    def near(self, size: int = 10_000, *, bound: float = 1.0) -> Self:
        """Keep up to ``size`` decoded values in this process from now on, and return the cache itself.

        The servers notify this process of every change (RESP3 client tracking, with one connection to each primary),
        usually within a millisecond. Heartbeats on these connections, four to a ``bound``, prove that no change has
        been missed. While the proof is missing, Redis is asked instead, whatever has happened to the network, the
        server or this process. When a tracking connection is lost, its values are dropped before anything else. (A
        primary that was replaced and is cut off together with this process is trusted for as long as Redis itself
        would answer from it.) Values are shared between callers: do not change them in place.

        One connection and one round trip for each primary.

        Args:
            size: The number of values to keep; when there are more, the one that was kept first is dropped.
            bound: Seconds for which a value may still be served after any client has changed it, 0.01 to 3600.

        Raises InvalidArgument, AccessDenied when the user may not use CLIENT TRACKING, or Unavailable.
        """
        bound = seconds("bound", bound, 0.01, 3600)
        self.near_cache = self._lookup.keep_near(size, bound)
        return self

    def key(self, key: str) -> str:
        """Return the name under which a key is stored in Redis. Raises InvalidArgument."""
        return self._calls.entry_key(key)

    def get(self, key: str) -> T | None:
        """Return the cached value, or None when there is none. One round trip, or none for a value that is near.

        An entry that cannot be read, such as one of an older version of the model, is None where there is a source.

        Raises CorruptRecord for such an entry in a cache without a source.
        """
        near = self.near_cache
        if near is not None and (value := near.get(key)) is not None:
            return value
        return self._lookup.fetch(key)

    def get_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """Return the cached values of many keys: one outcome each, in the order given. One round trip per node."""
        return self._lookup.fetch_many(several("list of keys", keys))

    def get_or_load(self, key: str, load: Load[T] | None = None) -> T | None:
        """Return the value; if it is missing, load it from the source and cache it.

        None means that the source has no such key, which is cached too. One round trip for a value that is cached.

        Of all callers in all processes one loads a key and the others wait for it, at most until the call's deadline;
        a load that takes longer than ``policy.lease`` may be overtaken by another. When the load fails, nothing is
        cached, and SourceFailed is raised for all who wait and for all who ask within ``policy.retry_after``. What
        was loaded is not stored if the key was written or invalidated meanwhile. A value that expires soon, or is
        stale, is returned at once, while one caller loads it again in the background. An entry that cannot be read is
        loaded again, like one that is missing.

        Args:
            key: The key, which must be a valid name.
            load: Called with the key in place of the source; it returns the value, or None for an unknown key.

        Raises SourceFailed, also for a row that cannot be read or cached as it is, and Unavailable.
        """
        near = self.near_cache
        if near is not None and (value := near.get(key)) is not None:
            return value
        callable_or_none("load", load)
        load_many = self._source_load_many() if load is None else _as_load_many(load)
        return (self._lookup.get_or_load_many((key,), load_many))[0].result()

    def get_or_load_many(self, keys: Sequence[str]) -> list[Outcome[T | None]]:
        """Return many values like ``get_or_load``: one outcome each, in the order given.

        Keys that this caller has to load are loaded with one call of the source.
        """
        return self._lookup.get_or_load_many(several("list of keys", keys), self._source_load_many())

    def warm(
        self,
        keys: Sequence[str] | None = None,
        *,
        after: str = "",
        only_missing: bool = False,
        batch: int = 1_000,
        progress: Callable[[int], None] | None = None,
    ) -> Warmed:
        """Load keys from the source into the cache, a batch at a time. What is written meanwhile is not overwritten.

        Two round trips per node for each batch, and one call of the source. A run that was interrupted is continued
        with ``after=warmed.last`` or with ``only_missing=True``. Entries that cannot be read are loaded again. A row
        that cannot be read, and a key that is no name or that another program has taken, is counted in
        ``warmed.failed``.

        Args:
            keys: The keys to load; None for all keys of the source, of which no more than a batch is held in memory.
            after: Begin with the key that follows this one in the order of the source; only without ``keys``.
            only_missing: Leave keys alone that are cached.
            batch: The number of keys to load at a time.
            progress: Called after each batch with the number of its keys.

        Raises SourceFailed.
        """
        batch = whole("batch", batch)
        callable_or_none("progress", progress)
        source = self._required_source()
        scope = LoadScope.MISSING if only_missing else LoadScope.ALL
        started = time.monotonic()
        warmed = Warmed()
        if keys is None:
            for page in self._pages(source, after, batch):
                self._warm_batch(page, scope, warmed, progress)
        else:
            listed = several("list of keys", keys)
            for key in listed:
                self.key(key)  # raises InvalidArgument
            for begin in range(0, len(listed), batch):
                self._warm_batch(listed[begin : begin + batch], scope, warmed, progress)
        warmed.seconds = time.monotonic() - started
        return warmed

    def invalidate(self, key: str, *, durability: Durability | str | None = None) -> bool:
        """Remove a key after its source has changed, and return whether it was cached. One round trip.

        A load that is under way is not stored, so that it cannot bring back what it read before the change.

        Args:
            key: The key to remove.
            durability: The copies that the removal waits for; by default the book's.
        """
        with self._discarding_near((key,)):
            return self._backend.run(self._calls.invalidate(key), self._backend.settings.wanted(durability))

    def invalidate_matching(self, pattern: str, *, durability: Durability | str | None = None) -> int:
        """Remove every key that matches a glob, and return how many were cached.

        Two SCANs of every primary, then a script for each key. Loads that are under way are not stored either. Keys of
        other programs, which no cache can have or which are of another type, are left alone.

        Args:
            pattern: A glob in the syntax of SCAN, with or without the cache's name: ``AA*`` or ``symbol:AA*``.
            durability: The copies that the removals wait for; by default the book's.
        """
        wanted = self._backend.settings.wanted(durability)
        found: set[str] = set()
        for glob in self._calls.scan_patterns(pattern):
            found |= self._backend.scan(glob)
        keys = self._calls.keys_of(found)
        with self._discarding_near(keys):
            outcomes = self._backend.run_many([self._calls.invalidate(key) for key in keys], wanted)
        return sum(outcome.result() for outcome in outcomes if not isinstance(outcome.error, WrongType))

    def close(self) -> None:
        """Close the connections. A cache of a book shares the book's connections, so close the book instead."""
        self._backend.close()

    def _put(self, values: Mapping[str, T], durability: Durability | str | None) -> list[Outcome[bool]]:
        wanted = self._backend.settings.wanted(durability)
        calls = [self._calls.put(key, value) for key, value in values.items()]
        with self._discarding_near(list(values)):
            return self._backend.run_many(calls, wanted)

    def _write_through(self, values: Mapping[str, T], durability: Durability | str | None) -> list[bool]:
        wanted = self._backend.settings.wanted(durability)
        token, keys, source = token_hex(8), list(values), self._required_source()
        finishes = [self._calls.finish_write(key, token, value) for key, value in values.items()]
        for outcome in self._backend.run_many([self._calls.begin_write(key, token) for key in keys], wanted):
            outcome.result()
        with self._discarding_near(keys):
            try:
                source.store_many(values)
            except Exception as error:
                raise source_failed(f"write {self.name} {keys[0]}", error) from error
            outcomes = self._backend.run_many(finishes, wanted)
        return [outcome.error is None and outcome.result() for outcome in outcomes]

    def _warm_batch(
        self, keys: Sequence[str], scope: LoadScope, warmed: Warmed, progress: Callable[[int], None] | None
    ) -> None:
        """Load keys as far as ``scope`` says, and add to the counts of ``warmed``."""
        if not keys:
            return
        named = [key for key in keys if is_name(key)]
        failed: dict[str, SlotbookError] = {
            key: SourceFailed(f"the key {shown(key)} is no name") for key in keys if not is_name(key)
        }
        token = token_hex(8)
        claims = dict(zip(named, self._lookup.claim(named, token, scope), strict=True))
        failed |= {key: claim.error for key, claim in claims.items() if claim.error}
        leased = [key for key, claim in claims.items() if claim.value and claim.value.state is CacheState.LEASE]
        if serious := next((error for error in failed.values() if not isinstance(error, ERRORS_OF_A_KEY)), None):
            self._lookup.release(leased, token)
            raise serious
        loaded = self._lookup.load_rows(leased, token, self._source_load_many()) if leased else {}
        warmed.add(keys, failed, loaded)
        if progress is not None:
            progress(len(keys))

    def _pages(self, source: Source[T], after: str, size: int) -> Iterator[list[str]]:
        """Yield the keys of a source in lists of at most a size. Raises SourceFailed."""
        page: list[str] = []
        try:
            for key in source.all_keys(after):
                page.append(key)
                if len(page) == size:
                    yield page
                    page = []
        except Exception as error:
            raise source_failed(f"list the keys of {self.name}", error) from error
        if page:
            yield page

    @contextlib.contextmanager
    def _discarding_near(self, keys: Sequence[str]) -> Generator[None, None, None]:
        """Drop keys from the near cache once they are changed, without waiting for the servers' invalidations."""
        try:
            yield
        finally:
            if self.near_cache is not None:
                self.near_cache.discard(keys)

    def _required_source(self) -> Source[T]:
        if self.source is None:
            raise InvalidArgument(f"the cache {self.name!r} has no source; pass one when it is made")
        return self.source

    def _source_load_many(self) -> LoadMany[T]:
        return self._required_source().load_many


def _as_load_many(load: Load[T]) -> LoadMany[T]:
    """Return a function that loads many keys by loading one after the other."""

    def load_many(keys: Sequence[str]) -> Mapping[str, T]:
        return {key: value for key in keys if (value := load(key)) is not None}

    return load_many

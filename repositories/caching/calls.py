"""Build the calls of a cache and read their replies; what is loaded when is decided in ``lookup``. No I/O."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, cast

from ...models.errors import InvalidArgument, SourceFailed, UnexpectedReply
from ...models.types import check_name
from ...models.wire import pairs
from ...topology.call import Argument, Call, Reply, command, evaluate
from ...topology.scripts import Script
from ..changes.scripts import load
from ..replies import rows
from .codec import CacheCodec
from .policy import CachePolicy

T = TypeVar("T")

_PACKAGE = "slotbook.repositories.caching"
CLAIM = load(_PACKAGE, "claim")
READ = load(_PACKAGE, "read")
STORE = load(_PACKAGE, "store")
FAIL_LOAD = load(_PACKAGE, "fail_load")
PUT = load(_PACKAGE, "put")
INVALIDATE = load(_PACKAGE, "invalidate")
BEGIN_WRITE = load(_PACKAGE, "begin_write")
FINISH_WRITE = load(_PACKAGE, "finish_write")

_STATE_SUFFIX = "}:load"
_NEVER_EXPIRES_MS = 1e15


class CacheState(StrEnum):
    """The state of one key of a cache, from which a caller sees what to do next."""

    HIT = "hit"
    """Use the value, or None when nothing is cached."""
    LEASE = "lease"
    """Load the value; until it is loaded, the one that is cached may be used."""
    WAIT = "wait"
    """Ask again later: another caller is loading the value."""
    ABSENT = "absent"
    """Answer None: the source has no such key."""


class LoadScope(StrEnum):
    """The keys that a caller offers to load."""

    NEEDED = "NEEDED"
    """Keys that are missing or soon stale, unless another caller is loading them or their last load has just failed."""
    MISSING = "MISSING"
    """Keys that are missing, also when another caller is loading them."""
    ALL = "ALL"
    """All keys, also when they are cached or another caller is loading them."""


@dataclass(frozen=True, slots=True)
class LookupResult(Generic[T]):
    """The answer of a cache about one key."""

    state: CacheState
    value: T | None = None
    lasts: float = 0.0
    """Seconds for which the value is fresh; for WAIT and ABSENT, seconds for which that state lasts."""


class CacheCalls(Generic[T]):
    """The calls of one cache.

    An entry is the hash ``<prefix><name>:<key>``, and the state of its loads is the hash
    ``{<prefix><name>:<key>}:load``. The hash tag of the second is the whole name of the first, so both are in one
    slot although an entry has no hash tag.
    """

    def __init__(self, prefix: str, name: str, codec: CacheCodec[T], policy: CachePolicy) -> None:
        self.name = name
        self.base = f"{prefix}{name}:"
        """The beginning of the names of all entries."""
        self._codec = codec
        self._policy = policy
        self._stale = round(policy.stale * 1000)

    def entry_key(self, key: str) -> str:
        """Return the name of an entry's hash in Redis. Raises InvalidArgument for a key that is not a valid name."""
        return self.base + check_name(self.name, key)

    def get(self, key: str) -> Call[T | None]:
        """Return the call that reads a value, fresh or stale."""
        entry = self.entry_key(key)

        def read(reply: Reply) -> T | None:
            return self._value(entry, rows(reply))

        return command(f"get {self.name} {key}", "HGETALL", entry, decode=read)

    def read(self, key: str) -> Call[LookupResult[T]]:
        """Return the call that reads a value, fresh or stale, and for how long it is fresh."""
        entry = self.entry_key(key)
        return evaluate(
            f"get {self.name} {key}",
            READ,
            READ.keys(entry=entry),
            READ.arguments(stale=self._stale),
            decode=lambda reply: self._result(entry, reply),
            readonly=True,
        )

    def claim(self, key: str, token: str, load_time: float, scope: LoadScope) -> Call[LookupResult[T]]:
        """Return the call that reads a value and, if ``scope`` says so, takes the lease to load it.

        ``token`` identifies the caller, and ``load_time`` is the number of seconds that a load usually takes.
        """
        entry = self.entry_key(key)
        arguments = CLAIM.arguments(
            token=token,
            lease=round(self._policy.lease * 1000),
            stale=self._stale,
            early=self._policy.early_margin(load_time),
            scope=scope,
        )
        keys = CLAIM.keys(entry=entry, load_state=_state_key(entry))
        return evaluate(
            f"claim {self.name} {key}", CLAIM, keys, arguments, decode=lambda reply: self._result(entry, reply)
        )

    def store(self, key: str, token: str, value: T | None) -> Call[bool]:
        """Return the call that stores what was loaded, None for a key that the source does not have.

        It answers False, and stores nothing, when something newer has happened since the lease was taken.
        """
        fields = [] if value is None else self._fields(value)
        lifetime = round(self._policy.absent_ttl * 1000) if value is None else self._policy.lifetime()
        return self._change("store", STORE, key, STORE.arguments(token=token, lifetime=lifetime, fields=fields))

    def fail_load(self, key: str, token: str, reason: str) -> Call[bool]:
        """Return the call that gives a lease back and remembers why nothing was loaded; '' remembers nothing."""
        retry_after = round(self._policy.retry_after * 1000)
        arguments = FAIL_LOAD.arguments(token=token, retry_after=retry_after, reason=reason)
        return self._change("fail", FAIL_LOAD, key, arguments)

    def put(self, key: str, value: T) -> Call[bool]:
        """Return the call that stores a value, whatever is cached."""
        arguments = PUT.arguments(lifetime=self._policy.lifetime(), fields=self._fields(value))
        return self._change("put", PUT, key, arguments)

    def invalidate(self, key: str) -> Call[bool]:
        """Return the call that removes an entry and the state of its loads; it answers whether there was an entry."""
        return self._change("invalidate", INVALIDATE, key, INVALIDATE.arguments())

    def begin_write(self, key: str, token: str) -> Call[bool]:
        """Return the call that announces a write to the source."""
        arguments = BEGIN_WRITE.arguments(token=token, window=round(self._policy.write_window * 1000))
        return self._change("begin to write", BEGIN_WRITE, key, arguments)

    def finish_write(self, key: str, token: str, value: T) -> Call[bool]:
        """Return the call that stores what was written to the source.

        It answers False, and removes the entry, when another write or an invalidation has overlapped.
        """
        arguments = FINISH_WRITE.arguments(token=token, lifetime=self._policy.lifetime(), fields=self._fields(value))
        return self._change("finish to write", FINISH_WRITE, key, arguments)

    def scan_patterns(self, glob: str) -> tuple[str, str]:
        """Return the SCAN patterns of the entries whose keys match a glob, and of the states of their loads.

        The glob may begin with the cache's name and a colon. Raises InvalidArgument.
        """
        given = cast("object", glob)
        if not isinstance(given, str) or given.encode(errors="replace").decode() != given:
            raise InvalidArgument(f"invalidate {self.name}: {given!r} is no pattern")
        base = re.sub(r"([\\*?\[\]])", r"\\\1", self.base)
        pattern = base + glob.removeprefix(f"{self.name}:")
        return pattern, _state_key(pattern)

    def keys_of(self, names: set[str]) -> list[str]:
        """Return the keys, sorted, of names in Redis: of entries, and of the states of their loads."""
        entries = {name[1 : -len(_STATE_SUFFIX)] if name.startswith("{") else name for name in names}
        return sorted(entry[len(self.base) :] for entry in entries)

    def _change(self, verb: str, script: Script, key: str, arguments: tuple[Argument, ...]) -> Call[bool]:
        """Return the call of a script that answers 1 for True."""
        entry = self.entry_key(key)
        state = _state_key(entry)
        return evaluate(
            f"{verb} {self.name} {key}",
            script,
            script.keys(entry=entry, load_state=state),
            arguments,
            decode=lambda reply: reply == 1,
            touched="noted_at",
            touched_in=state,
        )

    def _fields(self, value: T) -> list[str]:
        return [word for pair in self._codec.encode(value).items() for word in pair]

    def _value(self, entry: str, flat: list[Reply]) -> T | None:
        return self._codec.decode(entry, pairs(cast("list[str]", flat))) if flat else None

    def _result(self, entry: str, reply: Reply) -> LookupResult[T]:
        match rows(reply):
            case [("hit" | "lease") as state, str(left), *flat]:
                fresh = float(left)
                value = self._value(entry, flat)
                return LookupResult(CacheState(state), value, math.inf if fresh >= _NEVER_EXPIRES_MS else fresh / 1000)
            case [("wait" | "absent") as state, str(left)]:
                return LookupResult(CacheState(state), None, float(left) / 1000)
            case ["failed", str(left), str(reason)]:
                raise SourceFailed(f"{entry}: {reason}; it is not tried again for {float(left) / 1000:.3g} s")
            case other:
                raise UnexpectedReply(f"{entry}: the script answered {other!r}")


def _state_key(entry: str) -> str:
    """Return the name of the hash that has the state of an entry's loads."""
    return "{" + entry + _STATE_SUFFIX

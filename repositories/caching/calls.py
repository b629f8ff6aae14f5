"""Build the calls of a cache and read their replies; what is loaded when is decided in ``lookup``. No I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, cast

from ...models.errors import CorruptRecord, InvalidArgument, SourceFailed, UnexpectedReply
from ...models.keys import escaped, glob_escaped, is_name
from ...models.types import check_text_name
from ...topology.call import Argument, Call, Reply, command, evaluate
from ...topology.scripts import Script
from ..changes.scripts import load
from ..replies import fields, flag, rows
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
    UNREADABLE = "UNREADABLE"
    """Keys that are needed, and whose entry is as good as missing, because it could not be read."""
    ALL = "ALL"
    """All keys, also when they are cached or another caller is loading them."""


@dataclass(frozen=True, slots=True)
class LookupResult(Generic[T]):
    """The answer of a cache about one key."""

    state: CacheState
    value: T | None = None
    lasts: float = 0.0
    """Seconds for which the value is fresh; for WAIT and ABSENT, seconds for which that state lasts."""
    unreadable: CorruptRecord | None = None
    """The error of an entry that cannot be read; ``value`` is None then."""


class CacheCalls(Generic[T]):
    """The calls of one cache.

    An entry is the hash ``<prefix><name>:<key>``, and the state of its loads is the hash
    ``{<prefix><name>:<key>}:load``. The hash tag of the second is the whole name of the first, so both are in one
    slot although an entry has no hash tag. A colon in the name is written ``%3A``, so that the first colon ends it: the
    key ``b:X`` of a cache ``a`` is not the key ``X`` of a cache ``a:b``.
    """

    def __init__(self, prefix: str, name: str, codec: CacheCodec[T], policy: CachePolicy) -> None:
        self.name = name
        self.base = f"{prefix}{escaped(name)}:"
        """The beginning of the names of all entries."""
        self._codec = codec
        self._policy = policy
        self._stale = str(round(policy.stale * 1000))

    def entry_key(self, key: str) -> str:
        """Return the name of an entry's hash in Redis. Raises InvalidArgument for a key that is not a valid name."""
        return self.base + check_text_name(self.name, key)

    def get(self, key: str) -> Call[LookupResult[T]]:
        """Return the call that reads a value, fresh or stale; it does not say for how long it is fresh."""
        entry = self.entry_key(key)

        def read(reply: Reply) -> LookupResult[T]:
            value, unreadable = self._value(key, rows(reply))
            return LookupResult(CacheState.HIT, value, unreadable=unreadable)

        return command(f"get {self.name} {key}", "HGETALL", entry, decode=read)

    def read(self, key: str) -> Call[LookupResult[T]]:
        """Return the call that reads a value, fresh or stale, and for how long it is fresh."""
        entry = self.entry_key(key)
        return evaluate(
            f"get {self.name} {key}",
            READ,
            READ.keys(entry=entry),
            READ.arguments(stale=self._stale),
            decode=lambda reply: self._result(key, reply),
            readonly=True,
        )

    def claim(self, key: str, token: str, load_time: float, scope: LoadScope) -> Call[LookupResult[T]]:
        """Return the call that reads a value and, if ``scope`` says so, takes the lease to load it.

        ``token`` identifies the caller, and ``load_time`` is the number of seconds that a load usually takes.
        """
        entry = self.entry_key(key)
        arguments = CLAIM.arguments(
            token=token,
            lease=str(round(self._policy.lease * 1000)),
            stale=self._stale,
            early=str(self._policy.early_margin(load_time)),
            scope=scope,
        )
        keys = CLAIM.keys(entry=entry, load_state=_state_key(entry))
        return evaluate(
            f"claim {self.name} {key}", CLAIM, keys, arguments, decode=lambda reply: self._result(key, reply)
        )

    def store(self, key: str, token: str, value: T | None) -> Call[bool]:
        """Return the call that stores what was loaded, None for a key that the source does not have.

        It answers False, and stores nothing, when something newer has happened since the lease was taken.
        """
        fields = [] if value is None else self._fields(key, value)
        lifetime = round(self._policy.absent_ttl * 1000) if value is None else self._policy.lifetime()
        return self._change("store", STORE, key, STORE.arguments(token=token, lifetime=str(lifetime), fields=fields))

    def fail_load(self, key: str, token: str, reason: str) -> Call[bool]:
        """Return the call that gives a lease back and remembers why nothing was loaded; '' remembers nothing."""
        retry_after = str(round(self._policy.retry_after * 1000))
        arguments = FAIL_LOAD.arguments(token=token, retry_after=retry_after, reason=reason)
        return self._change("fail", FAIL_LOAD, key, arguments)

    def put(self, key: str, value: T) -> Call[bool]:
        """Return the call that stores a value, whatever is cached."""
        arguments = PUT.arguments(lifetime=str(self._policy.lifetime()), fields=self._fields(key, value))
        return self._change("put", PUT, key, arguments)

    def invalidate(self, key: str) -> Call[bool]:
        """Return the call that removes an entry and the state of its loads; it answers whether there was an entry."""
        return self._change("invalidate", INVALIDATE, key, INVALIDATE.arguments())

    def begin_write(self, key: str, token: str) -> Call[bool]:
        """Return the call that announces a write to the source."""
        arguments = BEGIN_WRITE.arguments(token=token, window=str(round(self._policy.write_window * 1000)))
        return self._change("begin to write", BEGIN_WRITE, key, arguments)

    def finish_write(self, key: str, token: str, value: T) -> Call[bool]:
        """Return the call that stores what was written to the source.

        It answers False, and removes the entry, when another write or an invalidation has overlapped.
        """
        arguments = FINISH_WRITE.arguments(
            token=token, lifetime=str(self._policy.lifetime()), fields=self._fields(key, value)
        )
        return self._change("finish to write", FINISH_WRITE, key, arguments)

    def scan_patterns(self, glob: str) -> tuple[str, str]:
        """Return the SCAN patterns of the entries whose keys match a glob, and of the states of their loads.

        The glob may begin with the cache's name and a colon. Raises InvalidArgument.
        """
        given = cast("object", glob)
        if not isinstance(given, str) or given.encode(errors="replace").decode() != given:
            raise InvalidArgument(f"invalidate {self.name}: {given!r} is no pattern")
        pattern = glob_escaped(self.base) + glob.removeprefix(f"{self.name}:")
        return pattern, _state_key(pattern)

    def keys_of(self, names: set[str]) -> list[str]:
        """Return the keys, sorted, of names in Redis: of entries, and of the states of their loads.

        A name that no key of a cache can have is another program's, and is left out.
        """
        entries = {
            name[1 : -len(_STATE_SUFFIX)] if name.startswith("{") and name.endswith(_STATE_SUFFIX) else name
            for name in names
        }
        keys = (entry[len(self.base) :] for entry in entries if entry.startswith(self.base))
        return sorted(key for key in keys if is_name(key))

    def _change(self, verb: str, script: Script, key: str, arguments: tuple[Argument, ...]) -> Call[bool]:
        """Return the call of a script that answers 1 for True."""
        entry = self.entry_key(key)
        state = _state_key(entry)
        return evaluate(
            f"{verb} {self.name} {key}",
            script,
            script.keys(entry=entry, load_state=state),
            arguments,
            decode=flag,
            touched="noted_at",
            touched_in=state,
        )

    def _fields(self, key: str, value: T) -> list[str]:
        return [word for pair in self._codec.encode(key, value).items() for word in pair]

    def _value(self, key: str, flat: list[Reply]) -> tuple[T | None, CorruptRecord | None]:
        """Return the value of an entry's fields, None without any, and the error of an entry that cannot be read."""
        try:
            return (self._codec.decode(self.base + key, key, fields(flat)) if flat else None), None
        except CorruptRecord as error:
            return None, error

    def _result(self, key: str, reply: Reply) -> LookupResult[T]:
        match rows(reply):
            case [("hit" | "lease") as state, str(left), *flat]:
                fresh = _milliseconds(left)
                value, unreadable = self._value(key, flat)
                lasts = math.inf if fresh >= _NEVER_EXPIRES_MS else fresh / 1000
                return LookupResult(CacheState(state), value, lasts, unreadable)
            case [("wait" | "absent") as state, str(left)]:
                return LookupResult(CacheState(state), None, _milliseconds(left) / 1000)
            case ["failed", str(left), str(reason)]:
                last = f"it is not tried again for {_milliseconds(left) / 1000:.3g} s"
                raise SourceFailed(f"{self.base}{key}: {reason}; {last}")
            case other:
                raise UnexpectedReply(f"{self.base}{key}: the script answered {other!r}")


def _milliseconds(written: str) -> float:
    found = float(written)
    if not math.isfinite(found):
        raise ValueError(written)
    return found


def _state_key(entry: str) -> str:
    """Return the name of the hash that has the state of an entry's loads."""
    return "{" + entry + _STATE_SUFFIX

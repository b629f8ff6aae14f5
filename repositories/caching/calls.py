"""What each verb of a cache sends, and what its answer means. No I/O and no colour."""

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
FAIL = load(_PACKAGE, "fail_load")
PUT = load(_PACKAGE, "put")
DROP = load(_PACKAGE, "invalidate")
BEGIN = load(_PACKAGE, "begin_write")
FINISH = load(_PACKAGE, "finish_write")

_NEVER_MS = 1e15


class State(StrEnum):
    """What a caller is to do about a key."""

    HIT = "hit"
    """Take the value, if there is one."""
    LEASE = "lease"
    """Load it, and take the value that there is meanwhile."""
    WAIT = "wait"
    """Ask again: someone else is loading it."""
    ABSENT = "absent"
    """Do without: the source has no such key."""


class Claim(StrEnum):
    """What a caller is ready to load."""

    LOAD = "LOAD"
    MISSING = "MISSING"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a cache knows of one key."""

    state: State
    value: T | None = None
    fresh: float = 0.0
    """For how many seconds the value is fresh; for WAIT, how long the lease lasts."""


class CacheCalls(Generic[T]):
    """The calls of one cache: its keys are ``prefix + name:key``, the notes beside them ``{prefix + name:key}:load``.

    The notes' hash tag is the entry's whole name, so both live in one slot although the entry's name has no tag.
    """

    def __init__(self, prefix: str, name: str, codec: CacheCodec[T], policy: CachePolicy) -> None:
        self.name = name
        self.base = f"{prefix}{name}:"
        self._codec = codec
        self._policy = policy
        self._stale = round(policy.stale * 1000)

    def entry(self, key: str) -> str:
        """The hash of one entry. Raises InvalidArgument."""
        return self.base + check_name(self.name, key)

    def get(self, key: str) -> Call[T | None]:
        """What is cached, fresh or not."""
        entry = self.entry(key)

        def read(reply: Reply) -> T | None:
            return self._value(entry, rows(reply))

        return command(f"get {self.name} {key}", "HGETALL", entry, decode=read)

    def read(self, key: str) -> Call[Found[T]]:
        """What is cached, and how long it is fresh."""
        entry = self.entry(key)
        return evaluate(
            f"get {self.name} {key}",
            READ,
            (entry,),
            (self._stale,),
            decode=lambda reply: self._found(entry, reply),
            readonly=True,
        )

    def claim(self, key: str, token: str, load_time: float, claim: Claim) -> Call[Found[T]]:
        """What is cached, and who is to load it."""
        entry = self.entry(key)
        lease = round(self._policy.lease * 1000)
        arguments = (token, lease, self._stale, self._policy.eagerness(load_time), claim)
        name = f"claim {self.name} {key}"
        return evaluate(name, CLAIM, self._keys(key), arguments, decode=lambda reply: self._found(entry, reply))

    def store(self, key: str, token: str, value: T | None) -> Call[bool]:
        """Keep what was loaded; False when something newer has happened meanwhile."""
        if value is None:
            return self._yes("store", STORE, key, (token, round(self._policy.absent_ttl * 1000)))
        return self._yes("store", STORE, key, (token, self._policy.lifetime(), *self._flat(value)))

    def fail(self, key: str, token: str, why: str) -> Call[bool]:
        """Give a lease back, and remember why nothing was loaded; '' remembers nothing."""
        return self._yes("fail", FAIL, key, (token, round(self._policy.retry_after * 1000), why))

    def put(self, key: str, value: T) -> Call[bool]:
        """Keep a value, whatever was there."""
        return self._yes("put", PUT, key, (self._policy.lifetime(), *self._flat(value)))

    def drop(self, key: str) -> Call[bool]:
        """Remove an entry and what is known about it; whether there was one."""
        return self._yes("invalidate", DROP, key, ())

    def begin(self, key: str, token: str) -> Call[bool]:
        """Announce a write to the database."""
        return self._yes("begin to write", BEGIN, key, (token, round(self._policy.write_window * 1000)))

    def finish(self, key: str, token: str, value: T) -> Call[bool]:
        """Keep what was written; False when another write has overlapped, and nothing is kept."""
        return self._yes("finish to write", FINISH, key, (token, self._policy.lifetime(), *self._flat(value)))

    def patterns(self, glob: str) -> tuple[str, str]:
        """The SCAN patterns of the entries of keys that match, and of the notes about them."""
        given = cast("object", glob)
        if not isinstance(given, str) or given.encode(errors="replace").decode() != given:
            raise InvalidArgument(f"invalidate {self.name}: {given!r} is no pattern")
        base = re.sub(r"([\\*?\[\]])", r"\\\1", self.base)
        pattern = base + glob.removeprefix(f"{self.name}:")
        return pattern, f"{{{pattern}}}:load"

    def keys_of(self, found: set[str]) -> list[str]:
        """The keys of entries and notes."""
        names = {name[1 : -len("}:load")] if name.startswith("{") else name for name in found}
        return sorted(name[len(self.base) :] for name in names)

    def _keys(self, key: str) -> tuple[str, str]:
        entry = self.entry(key)
        return entry, f"{{{entry}}}:load"

    def _yes(self, verb: str, script: Script, key: str, arguments: tuple[Argument, ...]) -> Call[bool]:
        name = f"{verb} {self.name} {key}"
        return evaluate(name, script, self._keys(key), arguments, decode=lambda reply: reply == 1)

    def _flat(self, value: T) -> list[str]:
        return [word for pair in self._codec.encode(value).items() for word in pair]

    def _value(self, entry: str, flat: list[Reply]) -> T | None:
        return self._codec.decode(entry, pairs(cast("list[str]", flat))) if flat else None

    def _found(self, entry: str, reply: Reply) -> Found[T]:
        match rows(reply):
            case [("hit" | "lease") as state, str(left), *flat]:
                fresh = float(left)
                value = self._value(entry, flat)
                return Found(State(state), value, math.inf if fresh >= _NEVER_MS else fresh / 1000)
            case [("wait" | "absent") as state, str(left)]:
                return Found(State(state), None, float(left) / 1000)
            case ["failed", str(left), str(why)]:
                raise SourceFailed(f"{entry}: {why}; it is not tried again for {float(left) / 1000:.3g} s")
            case other:
                raise UnexpectedReply(f"{entry}: the script answered {other!r}")

"""The calls of a search, and how their replies are read. Nothing here does I/O.

A server treats an index's name as a key: in a cluster it must be in a slot of the primary that is asked for it. So
every primary has an index of its own, with a hash tag in its name whose slot it serves, and a primary that was replaced
or lost that slot answers MOVED.

The server is only asked for identities, which it keeps beside the index, and the records are read by their keys. (Redis
7.4 cannot load a record of another slot than the index's name, and WITHSORTKEYS crashes it when one lacks the field.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from ...models.errors import CorruptRecord
from ...models.record import Record
from ...models.stored import Stored
from ...topology.call import Argument, Call, Reply, command, pack, slot_of
from ...topology.settings import Settings
from ..replies import fields, integer, rows
from .condition import Identity, WrittenQuery

R = TypeVar("R", bound=Record)

IDENTITIES_AT_ONCE = 1_000
"""The largest number of identities that a server returns at a time when all are wanted."""
_DIALECT = ("DIALECT", "2")
Words: TypeAlias = tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class IdentityPage:
    """Some of the identities that one shard found, in its order."""

    identities: tuple[Identity, ...]
    cursor: int = 0
    """The server's cursor for the next page; 0 when there is none."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field to sort by."""

    field: str
    descending: bool = False


class SearchScope(Enum):
    """The part of a cluster that one server searches."""

    NOTHING = "nothing"
    """It has no search."""
    SHARD = "shard"
    """It searches its own records."""
    CLUSTER = "cluster"
    """It searches the records of its whole cluster."""


class SearchCalls(Generic[R]):
    """The calls of one book's searches in one kind of record."""

    def __init__(self, settings: Settings, stored: Stored[R]) -> None:
        self.stored = stored
        self._prefix = settings.prefix
        self._name = f"search {stored.kind}s"
        # A server whose time limit is over answers with what it has found so far, as if that were all. Its limit is
        # twice the time that we wait for it, so such an answer always comes too late.
        self._server_timeout = ("TIMEOUT", str(math.ceil(settings.socket_timeout * 2000)))
        self._cursor_timeout = ("MAXIDLE", str(math.ceil(settings.deadline * 1000)))

    def alias(self, tag: str) -> str:
        """Return the name under which a shard's index is asked."""
        return f"{self._prefix}index:{self.stored.label}:{{{tag}}}"

    def all(self, tag: str, written: WrittenQuery) -> Call[IdentityPage]:
        """Find the first page of everything that matches on one shard."""
        fields = [f"@{name}" for name in self.stored.identity]
        wanted: Words = (
            *("LOAD", str(len(fields)), *fields),
            *("WITHCURSOR", "COUNT", str(IDENTITIES_AT_ONCE), *self._cursor_timeout),
        )
        return self._aggregate(tag, written, wanted, self._page)

    def more(self, tag: str, cursor: int) -> Call[IdentityPage]:
        """Read the next page of a cursor."""
        alias = self.alias(tag)
        packed = pack(("FT.CURSOR", "READ", alias, str(cursor)))
        # Not repeatable: the server does not return the page of a lost reply again.
        return Call(self._name, (alias,), slot_of((alias,)), packed, self._page, readonly=False, repeatable=False)

    def first(self, written: WrittenQuery, sort_keys: Sequence[SortKey], most: int, tag: str) -> Call[IdentityPage]:
        """Find the first matches on one shard, at most ``most``, sorted by the keys and then by identity."""
        named = {key.field for key in sort_keys}
        full = [*sort_keys, *(SortKey(name) for name in self.stored.identity if name not in named)]
        words = [word for key in full for word in (f"@{key.field}", "DESC" if key.descending else "ASC")]
        wanted: Words = ("SORTBY", str(len(words)), *words, "MAX", str(most), "LIMIT", "0", str(most))
        return self._aggregate(tag, written, wanted, lambda reply: IdentityPage(self._identities(rows(reply))))

    def record(self, identity: Identity) -> Call[R | None]:
        """Read one record by its key; None when there is none."""
        key = self.stored.key(self._prefix, identity)
        return command(
            f"get {self.stored.kind} {'/'.join(identity)}",
            "HGETALL",
            key,
            decode=lambda reply: self._record(key, identity, fields(reply)) if rows(reply) else None,
        )

    def _record(self, key: str, identity: Identity, found: dict[str, str]) -> R:
        record = self.stored.read(key, found)
        for name, asked, held in zip(self.stored.identity, identity, self.stored.identity_of(record), strict=True):
            if asked != held:  # replies that are out of step are as readable
                raise CorruptRecord(key, name, f"{held!r} is not {asked!r}: it is the record of another key")
        return record

    def existing(self, identities: Sequence[Identity]) -> Call[int]:
        """Count the records that still exist; all must be of one slot."""
        keys = tuple(self.stored.key(self._prefix, identity) for identity in identities)
        packed = pack(("EXISTS", *keys))
        name = f"count {self.stored.kind}s"
        return Call(name, keys, slot_of(keys), packed, integer, readonly=True, repeatable=True)

    def _aggregate(
        self, tag: str, written: WrittenQuery, wanted: Sequence[Argument], decode: Callable[[Reply], IdentityPage]
    ) -> Call[IdentityPage]:
        named = [word for number, value in enumerate(written.parameters) for word in (f"v{number}", value)]
        parameters: Words = ("PARAMS", str(len(named)), *named) if named else ()
        # For a field that is not in its index a server finds nothing in a query, but it refuses it in a filter.
        tests = " || ".join(f"exists(@{name})" for name in written.needs)
        guard: Words = ("FILTER", f"1 || {tests}") if tests else ()
        words: Words = (written.text, *guard, *wanted, *parameters, *_DIALECT, *self._server_timeout)
        return command(self._name, "FT.AGGREGATE", self.alias(tag), *words, decode=decode)

    def _page(self, reply: Reply) -> IdentityPage:
        found, cursor = rows(reply)
        return IdentityPage(self._identities(rows(found)), integer(cursor))

    def _identities(self, reply: list[Reply]) -> tuple[Identity, ...]:
        found = [fields(row) for row in reply[1:]]  # the first is a count, which is not reliable
        for name in self.stored.identity:
            if any(name not in row for row in found):
                key = self.stored.key(self._prefix, ("…",) * len(self.stored.identity))
                missing = self.stored.copies.get(name, name)
                raise CorruptRecord(key, missing, "is missing; slotbook verify shows which hash it is")
        return tuple(tuple(row[name] for name in self.stored.identity) for row in found)


def search_scope(alias: str) -> Call[SearchScope]:
    """Ask the server of a name for the scope of its search."""
    packed = pack(("COMMAND", "INFO", "FT.AGGREGATE"))
    return Call("search", (alias,), slot_of((alias,)), packed, _search_scope, readonly=True, repeatable=True)


def _search_scope(reply: Reply) -> SearchScope:
    (about,) = rows(reply) or [None]
    if about is None:
        return SearchScope.NOTHING
    # The position of the first key: a command for the whole cluster has no key that would send it to one node.
    return SearchScope.CLUSTER if rows(about)[3] == 0 else SearchScope.SHARD

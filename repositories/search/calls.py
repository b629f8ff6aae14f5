"""What a search sends, and what its answer means. No I/O and no colour.

An index's name is a key to a server: in a cluster it must live where it is asked for. So every primary has an index of
its own, with a tag in its name that lives there, and a primary that was replaced or lost its slot answers MOVED.

The server is only asked for identities, which it keeps beside the index, and the records are read by their keys. (Redis
7.4 cannot load a record of another slot than the index's name, and WITHSORTKEYS ends its process when one lacks the
field.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from ...models.errors import CorruptRecord
from ...models.record import Record
from ...models.stored import Stored
from ...models.wire import pairs
from ...topology.call import Argument, Call, Reply, command, pack, slot_of
from ...topology.settings import Settings
from ..replies import record, rows
from .condition import Identity, Written

R = TypeVar("R", bound=Record)

CHUNK = 1_000
"""Identities that a server brings at a time when all are wanted."""
_DIALECT = ("DIALECT", 2)
Words: TypeAlias = tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Identities in the order of their shard."""

    identities: tuple[Identity, ...]
    cursor: int = 0
    """Where there are more of them; 0 is the end."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field to sort by."""

    field: str
    descending: bool = False


class SearchCalls(Generic[R]):
    """The searches of one book in one kind of record."""

    def __init__(self, settings: Settings, stored: Stored[R]) -> None:
        self.stored = stored
        self._prefix = settings.prefix
        self._name = f"search {stored.kind}s"
        # A server that has run out of time answers with what it has so far, as if that were all. It is given twice the
        # time that we wait for it, so such an answer always comes too late.
        self._patience = ("TIMEOUT", math.ceil(settings.socket_timeout * 2000))
        self._idle = ("MAXIDLE", math.ceil(settings.deadline * 1000))

    def alias(self, tag: str) -> str:
        """The name under which a shard's index is asked."""
        return f"{self._prefix}index:{self.stored.kind}:{{{tag}}}"

    def all(self, tag: str, written: Written) -> Call[Chunk]:
        """The first of everything that a shard finds."""
        fields = [f"@{name}" for name in self.stored.identity]
        wanted: Words = ("LOAD", len(fields), *fields, "WITHCURSOR", "COUNT", CHUNK, *self._idle)
        return self._aggregate(tag, written, wanted, self._chunk)

    def more(self, tag: str, cursor: int) -> Call[Chunk]:
        """More of it."""
        alias = self.alias(tag)
        packed = pack(("FT.CURSOR", "READ", alias, cursor))
        # Not to be repeated: what a lost reply brought does not come again.
        return Call(self._name, (alias,), slot_of((alias,)), packed, self._chunk, readonly=False, repeatable=False)

    def first(self, written: Written, orders: Sequence[SortKey], most: int, tag: str) -> Call[Chunk]:
        """The first that a shard finds, in an order that ends with the identity."""
        named = {order.field for order in orders}
        full = [*orders, *(SortKey(name) for name in self.stored.identity if name not in named)]
        words = [word for order in full for word in (f"@{order.field}", "DESC" if order.descending else "ASC")]
        wanted: Words = ("SORTBY", len(words), *words, "MAX", most, "LIMIT", 0, most)
        return self._aggregate(tag, written, wanted, lambda reply: Chunk(self._identities(rows(reply))))

    def record(self, identity: Identity) -> Call[R | None]:
        """One record, by its key."""
        key = self.stored.key(self._prefix, identity)
        return command(
            f"get {self.stored.kind} {'/'.join(identity)}",
            "HGETALL",
            key,
            decode=lambda reply: record(self.stored.model, key, reply) if reply else None,
        )

    def existing(self, identities: Sequence[Identity]) -> Call[int]:
        """How many of the records, all of one slot, are still there."""
        keys = tuple(self.stored.key(self._prefix, identity) for identity in identities)
        packed = pack(("EXISTS", *keys))
        name = f"count {self.stored.kind}s"
        return Call(name, keys, slot_of(keys), packed, lambda reply: int(str(reply)), readonly=True, repeatable=True)

    def _aggregate(
        self, tag: str, written: Written, wanted: Sequence[Argument], decode: Callable[[Reply], Chunk]
    ) -> Call[Chunk]:
        named = [word for number, value in enumerate(written.parameters) for word in (f"v{number}", value)]
        parameters: Words = ("PARAMS", len(named), *named) if named else ()
        words: Words = (written.text, *wanted, *parameters, *_DIALECT, *self._patience)
        return command(self._name, "FT.AGGREGATE", self.alias(tag), *words, decode=decode)

    def _chunk(self, reply: Reply) -> Chunk:
        found, cursor = rows(reply)
        return Chunk(self._identities(rows(found)), int(str(cursor)))

    def _identities(self, reply: list[Reply]) -> tuple[Identity, ...]:
        found = [pairs(cast("list[str]", row)) for row in reply[1:]]  # the first is a count that means nothing
        for name in self.stored.identity:
            if any(name not in row for row in found):
                key = self.stored.key(self._prefix, ("…",) * len(self.stored.identity))
                raise CorruptRecord(key, name, "is missing; slotbook verify tells which hash it is")
        return tuple(tuple(row[name] for name in self.stored.identity) for row in found)


def capability(alias: str) -> Call[bool | None]:
    """Whether the server of a name searches: for all of its cluster (True), for itself (False), or not (None)."""
    packed = pack(("COMMAND", "INFO", "FT.AGGREGATE"))
    return Call("search", (alias,), slot_of((alias,)), packed, _capability, readonly=True, repeatable=True)


def _capability(reply: Reply) -> bool | None:
    (about,) = rows(reply) or [None]
    # A command of the whole cluster has no key that would send it to one node.
    return about[3] == 0 if isinstance(about, list) else None

"""The calls that create, switch, drop and describe the indexes of a book. Nothing here does I/O.

An index is named after its alias and its schema: ``index:order:{0}:5f2c…`` behind ``index:order:{0}``. Queries go to
the alias, so another schema is built beside the old one and the alias is switched when it is complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from ...models.record import Record
from ...models.stored import Stored
from ...topology.call import Argument, Call, Reply, pack, slot_of
from ...topology.settings import Settings
from ..replies import integer, rows, text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One index on one primary.

    ::

        for status in book.indexes.info():
            print(status.name, status.records, f"{status.built:.0%}")
    """

    kind: str
    """The kind of its records: ``order``, ``position``, ``symbol``, an own model's, or ``order.`` and an own class."""
    name: str
    schema: str
    """A digest of its definition; see ``is_current``."""
    is_used: bool
    """True when queries go to it."""
    is_current: bool
    """True when this version of Slotbook, and of the model, would create the same index."""
    is_reachable: bool
    """False when the slot of its name has moved to another primary, so that it can be neither queried nor dropped."""
    records: int = 0
    built: float = 0.0
    """The part of it that is complete, 0 to 1."""
    failures: int = 0
    """The number of hashes left out since it was made, because a number in them cannot be read."""
    failed_key: str | None = None
    """The key of the last one that was left out."""
    megabytes: float = 0.0


class IndexCalls:
    """The calls for the index of one kind of record of a book. ``schema`` has the words after SCHEMA."""

    def __init__(self, settings: Settings, stored: Stored[Record], schema: Sequence[str]) -> None:
        self.kind = stored.label
        self.records = stored.records
        prefix = settings.prefix
        self._base = f"{prefix}index:{stored.label}:{{"
        # The names of a desk's own records may have braces. A record whose trader is missing is kept, to be reported.
        of_kind = (
            f"contains(@__key, '}}:{stored.kind}:')>0 && (!exists(@trader) || "
            f"startswith(substr(@__key, {len(prefix.encode())}, -1), format('{{%s}}:{stored.kind}:', @trader)))"
        )
        keys: tuple[Argument, ...] = ("PREFIX", "1", f"{prefix}{{", "FILTER", of_kind)
        if not stored.has_tag:
            keys = ("PREFIX", "1", f"{prefix}{stored.kind}:")
        self._definition: tuple[Argument, ...] = ("ON", "HASH", *keys, "STOPWORDS", "0", "SCHEMA", *schema)
        written = "\0".join(map(str, self._definition))
        self.schema = hashlib.sha1(written.encode(), usedforsecurity=False).hexdigest()[:8]

    def alias(self, tag: str) -> str:
        """Return the name that queries go to, on one shard."""
        return f"{self._base}{tag}}}"

    def name(self, tag: str) -> str:
        """Return the name of the index of this schema, on one shard."""
        return f"{self.alias(tag)}:{self.schema}"

    def of_kind(self, names: Sequence[str]) -> list[str]:
        """Return those names that are indexes of this kind, whatever their schema, sorted."""
        return sorted(name for name in names if name.startswith(self._base) and "}:" in name[len(self._base) :])

    def names(self, tag: str) -> Call[list[str]]:
        """List every index on a shard."""
        return self._call("list indexes", self.alias(tag), ("FT._LIST",), lambda reply: list(map(text, rows(reply))))

    def create(self, tag: str) -> Call[bool]:
        """Create the index; the reply is an error when it exists."""
        name = self.name(tag)
        return self._call(f"create {name}", name, ("FT.CREATE", name, *self._definition), _done, writes=True)

    def switch(self, tag: str) -> Call[bool]:
        """Have queries go to the index of this schema from now on."""
        alias, name = self.alias(tag), self.name(tag)
        return self._call(f"switch {alias}", alias, ("FT.ALIASUPDATE", alias, name), _done, writes=True)

    def drop(self, name: str) -> Call[bool]:
        """Drop an index, and with it its alias; the hashes stay."""
        return self._call(f"drop {name}", name, ("FT.DROPINDEX", name), _done, writes=True)

    def info(self, name: str) -> Call[IndexStatus]:
        """Describe an index, by its name or alias."""

        def read(reply: Reply) -> IndexStatus:
            about = _mapping(reply)
            errors = _mapping(about.get("Index Errors") or [])
            failures = integer(errors.get("indexing failures", about.get("hash_indexing_failures", 0)))
            return replace(
                self.status(text(about["index_name"]), None, None),
                is_reachable=True,
                records=int(float(str(about["num_docs"]))),
                built=float(str(about["percent_indexed"])),
                failures=failures,
                failed_key=str(errors["last indexing error key"]) if failures and errors else None,
                megabytes=float(str(about.get("total_index_memory_sz_mb") or 0)),
            )

        return self._call(f"describe {name}", name, ("FT.INFO", name), read)

    def status(self, name: str, about: IndexStatus | None, used: str | None) -> IndexStatus:
        """Return the status of an index.

        ``about`` is its server's description, None when the server cannot be asked for it; ``used`` is the name of the
        index that queries go to.
        """
        if about is not None:
            return replace(about, name=name, is_used=name == used)
        schema = name.rpartition(":")[2]
        return IndexStatus(
            kind=self.kind,
            name=name,
            schema=schema,
            is_used=name == used,
            is_current=schema == self.schema,
            is_reachable=False,
        )

    def _call(
        self, name: str, key: str, words: Sequence[Argument], decode: Callable[[Reply], T], *, writes: bool = False
    ) -> Call[T]:
        # Every one may be repeated: the error then says that the index exists, or is gone.
        return Call(name, (key,), slot_of((key,)), pack(words), decode, readonly=not writes, repeatable=True)


def _done(reply: Reply) -> bool:
    return reply == "OK"


def _mapping(reply: Reply) -> dict[str, Reply]:
    flat = rows(reply)
    return dict(zip(cast("list[str]", flat[::2]), flat[1::2], strict=False))

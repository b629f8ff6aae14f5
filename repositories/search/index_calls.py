"""The indexes of a book: what is sent to make, switch, drop and describe one. No I/O and no colour.

An index is named after its alias and its schema: ``index:order:{0}:5f2c…`` behind ``index:order:{0}``. Queries go to
the alias, so another schema is built beside the old one and the alias is switched when it is complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from ...models.record import Record
from ...models.stored import Stored
from ...topology.call import Argument, Call, Reply, pack, slot_of
from ...topology.settings import Settings
from ..replies import rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One index on one primary."""

    kind: str
    """What it has: ``order``, ``position`` or ``symbol``."""
    name: str
    schema: str
    """Which fields it has, as a digest; see ``is_current``."""
    is_used: bool
    """Whether queries go to it."""
    is_current: bool
    """Whether it is what this version of Slotbook would make."""
    is_reachable: bool
    """False when the slot of its name has moved to another primary: nobody can query or drop it."""
    records: int = 0
    built: float = 0.0
    """How much of it is complete, 0 to 1."""
    failures: int = 0
    """Hashes with a number that is none, which the index therefore leaves out, since it was made."""
    failed_key: str | None = None
    """The last of them."""
    megabytes: float = 0.0


class IndexCalls:
    """The index of one kind of record of a book. ``schema`` has the words after SCHEMA."""

    def __init__(self, settings: Settings, stored: Stored[Record], schema: Sequence[str]) -> None:
        self.kind = stored.kind
        prefix = settings.prefix
        self._base = f"{prefix}index:{stored.kind}:{{"
        # A tag's brace ends a trader's name, which can hold none, so what follows it tells what a hash is.
        keys: tuple[Argument, ...] = ("PREFIX", 1, f"{prefix}{{", "FILTER", f"contains(@__key, '}}:{stored.kind}:')>0")
        if not stored.has_tag:
            keys = ("PREFIX", 1, f"{prefix}{stored.kind}:")
        self._definition: tuple[Argument, ...] = ("ON", "HASH", *keys, "STOPWORDS", 0, "SCHEMA", *schema)
        written = "\0".join(map(str, self._definition))
        self.schema = hashlib.sha1(written.encode(), usedforsecurity=False).hexdigest()[:8]

    def alias(self, tag: str) -> str:
        """The name that queries go to, on one shard."""
        return f"{self._base}{tag}}}"

    def name(self, tag: str) -> str:
        """The index of this schema, on one shard."""
        return f"{self.alias(tag)}:{self.schema}"

    def of_ours(self, names: Sequence[str]) -> list[str]:
        """Those that are indexes of this kind, whatever their schema."""
        return sorted(name for name in names if name.startswith(self._base) and "}:" in name[len(self._base) :])

    def alias_of(self, name: str) -> str:
        """The alias in the name of an index."""
        return name.rpartition(":")[0]

    def names(self, tag: str) -> Call[list[str]]:
        """Every index on a shard."""
        return self._call("list indexes", self.alias(tag), ("FT._LIST",), lambda reply: list(map(str, rows(reply))))

    def create(self, tag: str) -> Call[bool]:
        """Make the index; an error says that it is there."""
        name = self.name(tag)
        return self._call(f"create {name}", name, ("FT.CREATE", name, *self._definition), _done, writes=True)

    def switch(self, tag: str) -> Call[bool]:
        """Have queries go to it from now on."""
        alias, name = self.alias(tag), self.name(tag)
        return self._call(f"switch {alias}", alias, ("FT.ALIASUPDATE", alias, name), _done, writes=True)

    def drop(self, name: str) -> Call[bool]:
        """Drop an index, and with it its alias; the hashes stay."""
        return self._call(f"drop {name}", name, ("FT.DROPINDEX", name), _done, writes=True)

    def info(self, name: str) -> Call[dict[str, Reply]]:
        """What a server knows of an index or alias."""
        return self._call(f"describe {name}", name, ("FT.INFO", name), _mapping)

    def status(self, name: str, about: dict[str, Reply] | None, used: str | None) -> IndexStatus:
        """An index as its server describes it; None when it cannot be asked."""
        schema = name.rpartition(":")[2]
        known = IndexStatus(self.kind, name, schema, name == used, schema == self.schema, about is not None)
        if about is None:
            return known
        errors = _mapping(about.get("Index Errors") or [])
        failures = int(str(errors.get("indexing failures", about.get("hash_indexing_failures", 0))))
        return IndexStatus(
            *(known.kind, known.name, known.schema, known.is_used, known.is_current, True),
            records=int(float(str(about["num_docs"]))),
            built=float(str(about["percent_indexed"])),
            failures=failures,
            failed_key=str(errors["last indexing error key"]) if failures and errors else None,
            megabytes=float(str(about.get("total_index_memory_sz_mb") or 0)),
        )

    def _call(
        self, name: str, key: str, words: Sequence[Argument], decode: Callable[[Reply], T], writes: bool = False
    ) -> Call[T]:
        # Every one may be repeated: what is there, or gone, by then is told from the error.
        return Call(name, (key,), slot_of((key,)), pack(words), decode, readonly=not writes, repeatable=True)


def _done(reply: Reply) -> bool:
    return reply == "OK"


def _mapping(reply: Reply) -> dict[str, Reply]:
    flat = rows(reply)
    return dict(zip(cast("list[str]", flat[::2]), flat[1::2], strict=False))

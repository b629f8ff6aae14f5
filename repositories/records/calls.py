"""Build the calls of one table of a desk's own records, and read their replies. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from ...models.arguments import mapping
from ...models.entity import Entity
from ...models.entity_codec import SCHEMA_FIELD
from ...models.errors import InvalidArgument, printable
from ...models.results import RecordResult
from ...models.table import RecordKey, TableModel
from ...topology.call import Call, Reply, command, evaluate, pack, slot_of_tag
from ...topology.reads import Reads
from ...topology.settings import Settings
from ...topology.steps import Steps, ask
from ..changes.engine import ChangeCalls
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.scripts import load
from ..replies import integer, rows, text
from .replies import found, is_there, listed, listing_refusal
from .verbs import OWN_VERBS, OwnChange

E = TypeVar("E", bound=Entity)

PAGE = 1_000
"""The number of records that one script returns: a script that took longer would hold up the server's other callers."""

_PACKAGE = "slotbook.repositories.records"
SELECT = load(_PACKAGE, "select")
COUNT = load(_PACKAGE, "count")


class Asked(NamedTuple):
    """The records that are asked for: all, or those with some values."""

    values: Mapping[str, str]
    """The written value by field; none for all records."""
    indexes: Sequence[str]
    """The keys of the indexes that have them."""


class TableCalls(ChangeCalls[OwnChange, RecordResult[E]], Generic[E]):
    """The calls of one table of one book."""

    def __init__(
        self, table: TableModel[E], settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE
    ) -> None:
        super().__init__(OWN_VERBS, settings, loss_detector, fence)
        self.table = table

    def get(self, trader: str, key: RecordKey) -> Call[E | None]:
        """Return the call that reads one record."""
        return self._get(trader, self.table.key_from(key))

    def _get(self, trader: str, name: str) -> Call[E | None]:
        kind = self.table.kind
        hash_key = self.keys.of(trader).own_record(kind, name)
        return command(
            f"get {kind} {trader}/{printable(name)}",
            "HGETALL",
            hash_key,
            decode=partial(found, self.table, hash_key, trader, name),
            tag=trader,
        )

    def get_many(self, ids: Sequence[tuple[str, RecordKey]]) -> Reads[E | None]:
        """Return the reads of many records."""
        names = [(trader, self.table.key_from(key)) for trader, key in ids]
        keys = [self.keys.of(trader).own_record(self.table.kind, name) for trader, name in names]
        return Reads(
            [slot_of_tag(trader) for trader, _ in names],
            [pack(("HGETALL", key)) for key in keys],
            lambda number, reply: found(self.table, keys[number], *names[number], reply),
            lambda number: self._get(*names[number]),
        )

    def exists(self, trader: str, key: RecordKey) -> Call[bool]:
        """Return the call that asks whether there is a record."""
        name = self.table.key_from(key)
        hash_key = self.keys.of(trader).own_record(self.table.kind, name)
        return command(
            f"exists {self.table.kind} {trader}/{printable(name)}",
            "HMGET",
            hash_key,
            "trader",
            SCHEMA_FIELD,
            decode=partial(is_there, self.table, hash_key),
            tag=trader,
        )

    def count(self, trader: str, values: Mapping[str, object] | None) -> Call[int]:
        """Return the call that counts a trader's live records: all, or those with some values."""
        name, asked = f"count {self.table.kind} of {trader}", self._asked(trader, values)

        def read(reply: Reply) -> int:
            if isinstance(reply, list):
                raise listing_refusal(name, self.table, reply)
            return integer(reply)

        return evaluate(
            name,
            COUNT,
            COUNT.keys(book=self.keys.of(trader).book, indexes=asked.indexes),
            COUNT.arguments(kind=self.table.kind, schema=self.table.schemas.text, fields=" ".join(asked.values)),
            decode=read,
            readonly=True,
            tag=trader,
        )

    def select(
        self, trader: str, values: Mapping[str, object] | None, after: RecordKey | None, limit: int | None
    ) -> Steps[list[E]]:
        """Return the steps that read a trader's records, page by page."""
        return self._select(trader, self._asked(trader, values), self._after(after), limit)

    def _select(self, trader: str, asked: Asked, after: str, limit: int | None) -> Steps[list[E]]:
        records: list[E] = []
        while True:
            wanted = PAGE if limit is None else min(PAGE, limit - len(records))
            page = yield from ask(self._page(trader, asked, after, wanted))
            records += [record for _, record in page]
            if len(page) < wanted or len(records) == limit:
                return records
            after = page[-1][0]

    def next_page(self, trader: str, after: str) -> Call[list[tuple[str, E]]]:
        """Return the call that reads the page of all of a trader's records that follows the text of a key."""
        return self._page(trader, self._asked(trader, None), after, PAGE)

    def _page(self, trader: str, asked: Asked, after: str, limit: int) -> Call[list[tuple[str, E]]]:
        name, base = f"read {self.table.kind} of {trader}", self.keys.of(trader).own_record(self.table.kind, "")

        def read(reply: Reply) -> list[tuple[str, E]]:
            words = rows(reply)
            if len(words) == 2 and isinstance(words[1], str):
                raise listing_refusal(name, self.table, words)
            keys = list(map(text, words[::2]))
            records = [
                listed(self.table, base + key, trader, key, flat, asked.values)
                for key, flat in zip(keys, words[1::2], strict=True)
            ]
            if len(keys) > limit:
                raise ValueError(len(keys))
            return [(key, record) for key, record in zip(keys, records, strict=True) if record is not None]

        return evaluate(
            name,
            SELECT,
            SELECT.keys(book=self.keys.of(trader).book, indexes=asked.indexes),
            SELECT.arguments(
                kind=self.table.kind,
                schema=self.table.schemas.text,
                fields=" ".join(asked.values),
                base=base,
                after=after,
                limit=str(limit),
            ),
            decode=read,
            readonly=True,
            tag=trader,
        )

    def _after(self, after: RecordKey | None) -> str:
        return "" if after is None else self.table.key_from(after)

    def _asked(self, trader: str, values: Mapping[str, object] | None) -> Asked:
        keys, kind = self.keys.of(trader), self.table.kind
        if values is None:
            return Asked({}, [keys.own_keys(kind)])
        written = {field: self.table.encode_indexed(field, value) for field, value in mapping("values", values).items()}
        if not written:
            raise InvalidArgument(f"{self.table.name}: no field is given to look by; all reads every record")
        return Asked(written, [keys.own_index(kind, field, value) for field, value in written.items()])

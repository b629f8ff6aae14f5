"""Build the calls of one table of a desk's own records, and read their replies. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from ...models.arguments import mapping
from ...models.entity import Entity
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
from ..replies import flag, integer, rows, text
from .replies import found
from .verbs import OWN_VERBS, OwnChange

E = TypeVar("E", bound=Entity)

PAGE = 1_000
"""The number of records that one script returns: a script that took longer would hold up the server's other callers."""

_PACKAGE = "slotbook.repositories.records"
SELECT = load(_PACKAGE, "select")
COUNT = load(_PACKAGE, "count")


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
            f"exists {self.table.kind} {trader}/{printable(name)}", "EXISTS", hash_key, decode=flag, tag=trader
        )

    def count(self, trader: str, values: Mapping[str, object] | None) -> Call[int]:
        """Return the call that counts a trader's live records: all, or those with some values."""
        return evaluate(
            f"count {self.table.kind} of {trader}",
            COUNT,
            COUNT.keys(indexes=self._indexes(trader, values)),
            (),
            decode=integer,
            readonly=True,
            tag=trader,
        )

    def select(
        self, trader: str, values: Mapping[str, object] | None, after: RecordKey | None, limit: int | None
    ) -> Steps[list[E]]:
        """Return the steps that read a trader's records, page by page."""
        return self._select(trader, self._indexes(trader, values), self._after(after), limit)

    def _select(self, trader: str, indexes: Sequence[str], after: str, limit: int | None) -> Steps[list[E]]:
        records: list[E] = []
        while True:
            wanted = PAGE if limit is None else min(PAGE, limit - len(records))
            page = yield from ask(self._page(trader, indexes, after, wanted))
            records += [record for _, record in page]
            if len(page) < wanted or len(records) == limit:
                return records
            after = page[-1][0]

    def next_page(self, trader: str, after: str) -> Call[list[tuple[str, E]]]:
        """Return the call that reads the page of all of a trader's records that follows the text of a key."""
        return self._page(trader, self._indexes(trader, None), after, PAGE)

    def _page(self, trader: str, indexes: Sequence[str], after: str, limit: int) -> Call[list[tuple[str, E]]]:
        base = self.keys.of(trader).own_record(self.table.kind, "")

        def read(reply: Reply) -> list[tuple[str, E]]:
            words = rows(reply)
            names = list(map(text, words[::2]))
            records = [
                found(self.table, base + name, trader, name, flat)
                for name, flat in zip(names, words[1::2], strict=True)
            ]
            if len(names) > limit:
                raise ValueError(len(names))
            return [(name, record) for name, record in zip(names, records, strict=True) if record is not None]

        return evaluate(
            f"read {self.table.kind} of {trader}",
            SELECT,
            SELECT.keys(indexes=indexes),
            SELECT.arguments(base=base, after=after, limit=str(limit)),
            decode=read,
            readonly=True,
            tag=trader,
        )

    def _after(self, after: RecordKey | None) -> str:
        return "" if after is None else self.table.key_from(after)

    def _indexes(self, trader: str, values: Mapping[str, object] | None) -> list[str]:
        keys, kind = self.keys.of(trader), self.table.kind
        if values is None:
            return [keys.own_keys(kind)]
        written = {field: self.table.encode_indexed(field, value) for field, value in mapping("values", values).items()}
        if not written:
            raise InvalidArgument(f"{self.table.name}: no field is given to look by; all reads every record")
        return [keys.own_index(kind, field, value) for field, value in written.items()]

"""Build the calls of one table of a desk's own records, and read their replies. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar, cast

from ...models.entity import Entity
from ...models.entity_changes import Insert
from ...models.entity_codec import SCHEMA_FIELD
from ...models.errors import printable
from ...models.keys import TraderKeys
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
from ..changes.verb import AnyStep
from ..replies import rows, text
from .indexes import Range, Walk, range_of, walk_of
from .inserts import InsertCalls
from .replies import found, is_there, listed, listing_refusal
from .verbs import INSERT, OWN_VERBS, OwnChange

E = TypeVar("E", bound=Entity)

PAGE = 1_000
"""The number of records that one script returns: a script that took longer would hold up the server's other callers."""

_PACKAGE = "slotbook.repositories.records"
SELECT = load(_PACKAGE, "select")
COUNT = load(_PACKAGE, "count")


class Page(NamedTuple, Generic[E]):
    """Some of the records that a query finds."""

    records: list[E]
    cursor: str
    """The place after which the next page begins, '' at the end."""


class TableCalls(ChangeCalls[OwnChange, RecordResult[E]], Generic[E]):
    """The calls of one table of one book."""

    def __init__(
        self, table: TableModel[E], settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE
    ) -> None:
        super().__init__(OWN_VERBS, settings, loss_detector, fence)
        self.table = table
        self._inserts: InsertCalls[E] | None = None
        """Builds the calls of lone inserts; None where each is built as any other change."""
        if fence is NO_FENCE and table.has_trader and not table.uniques:
            policy = self._policy.arguments
            self._inserts = InsertCalls(table, self.keys, policy, loss_detector, self._step_of, self.one)

    def _step_of(self, request: Insert[E]) -> AnyStep:
        return self._step(INSERT, request)

    def change(self, request: OwnChange) -> Call[RecordResult[E]]:
        """Return the call that a request asks for. Raises InvalidArgument if no verb takes it."""
        if self._inserts is not None and type(request) is Insert and request.table is self.table:
            return self._inserts.change(cast("Insert[E]", request))
        return super().change(request)

    def get(self, trader: str, key: RecordKey) -> Call[E | None]:
        """Return the call that reads one record."""
        return self._get(self.keys.of(trader).trader, self.table.key_from(key))

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
        names = [(self.keys.of(trader).trader, self.table.key_from(key)) for trader, key in ids]
        keys = [self.keys.of(trader).own_record(self.table.kind, name) for trader, name in names]
        return Reads(
            [slot_of_tag(trader) for trader, _ in names],
            [pack(("HGETALL", key)) for key in keys],
            lambda number, reply: found(self.table, keys[number], *names[number], reply),
            lambda number: self._get(*names[number]),
        )

    def exists(self, trader: str, key: RecordKey) -> Call[bool]:
        """Return the call that asks whether there is a record."""
        keys, name = self.keys.of(trader), self.table.key_from(key)
        hash_key, trader = keys.own_record(self.table.kind, name), keys.trader
        return command(
            f"exists {self.table.kind} {trader}/{printable(name)}",
            "HMGET",
            hash_key,
            "trader",
            SCHEMA_FIELD,
            decode=partial(is_there, self.table, hash_key),
            tag=trader,
        )

    def count(self, trader: str, values: Mapping[str, object] | None) -> Steps[int]:
        """Return the steps that count a trader's live records: all, or those with some values."""
        keys = self.keys.of(trader)
        return self._count(keys, walk_of(keys, self.table, values))

    def count_range(self, trader: str, wanted: Range[E]) -> Steps[int]:
        """Return the steps that count a trader's live records in a range."""
        keys = self.keys.of(trader)
        return self._count(keys, range_of(keys, self.table, wanted))

    def _count(self, keys: TraderKeys, walk: Walk) -> Steps[int]:
        total = 0
        while True:
            found, cursor = yield from ask(self._part_of_count(keys, walk))
            total += found
            if not cursor:
                return total
            walk = walk.from_cursor(cursor)

    def _part_of_count(self, keys: TraderKeys, walk: Walk) -> Call[tuple[int, str]]:
        name = f"count {self.table.kind} of {keys.trader}"

        def read(reply: Reply) -> tuple[int, str]:
            match rows(reply):
                case [int(number), str(cursor)]:
                    return number, cursor
                case other:
                    raise listing_refusal(name, self.table, other)

        return evaluate(
            name,
            COUNT,
            COUNT.keys(book=keys.book, indexes=walk.indexes),
            COUNT.arguments(
                kind=self.table.kind,
                schema=self.table.schemas.text,
                fields=walk.declared,
                least=walk.least,
                most=walk.most,
                after=walk.after,
                parts=walk.words,
            ),
            decode=read,
            readonly=True,
            tag=keys.trader,
        )

    def select(
        self, trader: str, values: Mapping[str, object] | None, after: RecordKey | None, limit: int | None
    ) -> Steps[list[E]]:
        """Return the steps that read a trader's records in the order of their keys, page by page."""
        keys, begin = self.keys.of(trader), "" if after is None else self.table.key_from(after)
        return self._select(keys, walk_of(keys, self.table, values, begin), limit)

    def select_range(self, trader: str, wanted: Range[E], limit: int | None) -> Steps[list[E]]:
        """Return the steps that read a trader's records in a range, in its order, page by page."""
        keys = self.keys.of(trader)
        return self._select(keys, range_of(keys, self.table, wanted), limit)

    def _select(self, keys: TraderKeys, walk: Walk, limit: int | None) -> Steps[list[E]]:
        records: list[E] = []
        while True:
            wanted = PAGE if limit is None else min(PAGE, limit - len(records))
            page = yield from ask(self._page(keys, walk, wanted))
            records += page.records
            if not page.cursor or len(records) == limit:
                return records
            walk = walk.from_cursor(page.cursor)

    def next_page(self, trader: str, after: str) -> Call[Page[E]]:
        """Return the call that reads the page of all of a trader's records that follows the text of a key."""
        keys = self.keys.of(trader)
        return self._page(keys, walk_of(keys, self.table, None, after), PAGE)

    def _page(self, keys: TraderKeys, walk: Walk, limit: int) -> Call[Page[E]]:
        trader = keys.trader
        name, base = f"read {self.table.kind} of {trader}", keys.own_record(self.table.kind, "")

        def read(reply: Reply) -> Page[E]:
            cursor, *words = rows(reply)
            if len(words) == 1:
                raise listing_refusal(name, self.table, [cursor, *words])
            keys = list(map(text, words[::2]))
            if len(keys) > limit:
                raise ValueError(len(keys))
            records = [
                listed(self.table, base + key, trader, key, flat, walk.values, walk.field)
                for key, flat in zip(keys, words[1::2], strict=True)
            ]
            return Page([record for record in records if record is not None], text(cursor))

        arguments = SELECT.arguments(
            kind=self.table.kind,
            schema=self.table.schemas.text,
            fields=walk.declared,
            base=base,
            least=walk.least,
            most=walk.most,
            after=walk.after,
            order="down" if walk.descends else "up",
            limit=str(limit),
            parts=walk.words,
        )
        return evaluate(
            name,
            SELECT,
            SELECT.keys(book=keys.book, indexes=walk.indexes),
            arguments,
            decode=read,
            readonly=True,
            tag=trader,
        )

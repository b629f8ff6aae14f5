"""New records of a desk's own for each job, as models and as the bytes of Slotbook's own calls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import Annotated

from ..models.entity import Entity, Index, Key
from ..models.entity_changes import Insert
from ..models.enums import Side
from ..models.table import table_model
from ..models.types import Name, Nanoseconds, Price, Quantity
from ..repositories import Book, Table
from ..repositories.changes.loss_detector import LossDetector
from ..repositories.records.calls import TableCalls
from ..topology.call import Call

TRADERS = tuple(f"T{number:03}" for number in range(1, 65))
FOUND = 10
"""The records of a trader that have the same order."""


class Allocation(Entity, kind="allocation"):
    """A record with two indexes."""

    trader: Name
    allocation_id: Annotated[Name, Key]
    order_id: Annotated[Name, Index]
    account: Annotated[Name, Index]
    side: Side
    quantity: Quantity
    price: Price
    executed_ns: Nanoseconds


class Allocations:
    """The records that the contestants on one deployment work with."""

    def __init__(self, book: Book) -> None:
        table, loss_detector = table_model(Allocation), LossDetector()
        self.table = Table(book.backend, table, loss_detector)
        self._calls: TableCalls[Allocation] = TableCalls(table, book.backend.settings, loss_detector)
        """The builder of the calls whose bytes the floor and the hand-written peers send, as the table does."""
        self._numbers = count(1)

    def new(self, size: int, trader: str | None = None) -> list[Allocation]:
        """Return new records, of one trader or of all traders in turn."""
        return [
            Allocation(
                trader=trader or TRADERS[number % len(TRADERS)],
                allocation_id=f"L{number:08}",
                order_id=f"A{number // FOUND:08}",
                account=f"ACC{number % 100}",
                side=Side.BUY if number % 2 else Side.SELL,
                quantity=100,
                price=Decimal("187.23"),
                executed_ns=1_700_000_000_000_000_000 + number,
            )
            for number, _ in zip(self._numbers, range(size), strict=False)
        ]

    def stored(self, size: int, trader: str | None = None) -> list[Allocation]:
        """Return new records that are in the table."""
        records: list[Allocation] = []
        for begin in range(0, size, 1_000):
            batch = self.new(min(1_000, size - begin), trader)
            for outcome in self.table.insert_many(batch):
                outcome.result()
            records += batch
        return records

    def inserts(self, size: int) -> list[Insert[Allocation]]:
        """Return the insertions of new records."""
        return [Insert(record) for record in self.new(size)]

    def insert_calls(self, size: int) -> Sequence[Call[object]]:
        """Return the calls that insert new records."""
        return [self.insert_call(change) for change in self.inserts(size)]

    def insert_call(self, change: Insert[Allocation]) -> Call[object]:
        """Return the call that makes an insertion."""
        return self._calls.change(change)

    def get_calls(self, size: int) -> Sequence[Call[object]]:
        """Return the calls that read new records that are in the table."""
        return [self._calls.get(*ids) for ids in self.ids(size)]

    def ids(self, size: int) -> list[tuple[str, str]]:
        """Return the trader and the key of new records that are in the table."""
        return [(record.trader, record.allocation_id) for record in self.stored(size)]

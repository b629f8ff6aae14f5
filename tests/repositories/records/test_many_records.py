"""Test that reads of one trader's records cost the same however many there are.

``SLOTBOOK_NIGHTLY=1`` has 1,000,000 of them: two minutes and a gigabyte. ``slotbook bench`` shows the same times.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from slotbook import Book
from slotbook.bench.stage import private_book

from ...support.make import NIGHTLY
from .conftest import Allocation

MANY = 1_000_000 if NIGHTLY else 20_000
FEW, EACH = 1_000, 10
ROUNDS = 60


def fill(book: Book, trader: str, size: int) -> None:
    """Insert records, ten of each order."""
    for begin in range(0, size, 1_000):
        batch = [
            Allocation(trader=trader, allocation_id=f"L{number:07}", order_id=f"A{number // EACH}")
            for number in range(begin, begin + 1_000)
        ]
        for outcome in book.table(Allocation).insert_many(batch):
            outcome.result()


def reads(book: Book, trader: str, size: int) -> dict[str, Callable[[int], object]]:
    """Return what is read, by name, each of a number of its own; what it finds is checked."""
    table = book.table(Allocation)

    def by(number: int) -> None:
        order = number * 37 % (size // EACH)
        found = table.by(trader, {"order_id": f"A{order}"})
        assert [one.allocation_id for one in found] == [f"L{order * EACH + n:07}" for n in range(EACH)]

    def get(number: int) -> None:
        assert table.get(trader, f"L{number * 97 % size:07}") is not None

    def count(_: int) -> None:
        assert table.count(trader) == size

    def page(number: int) -> None:
        after = f"L{number * 7 % (size - 100):07}"
        assert len(table.all(trader, limit=50, after=after)) == 50

    def walk(_: int) -> None:
        assert next(iter(table.iter(trader))).allocation_id == "L0000000"

    return {"by": by, "get": get, "count": count, "page": page, "first page of iter": walk}


def test_reads_of_many_records_cost_what_those_of_few_cost() -> None:
    with private_book("standalone") as (_, book):
        fill(book, "FEW", FEW)
        fill(book, "MANY", MANY)
        few, many = reads(book, "FEW", FEW), reads(book, "MANY", MANY)
        for name in few:
            times: dict[str, list[float]] = {"few": [], "many": []}
            for number in range(ROUNDS):
                for kind, read in (("few", few[name]), ("many", many[name])):
                    began = time.perf_counter()
                    read(number)
                    times[kind].append(time.perf_counter() - began)
            one, other = (min(times[kind]) * 1e6 for kind in ("few", "many"))  # what else is running only adds
            print(f"{name}: {one:.0f} µs among {FEW:,}, {other:.0f} µs among {MANY:,}")
            assert other < one * 2, name

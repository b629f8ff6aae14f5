"""A header of a book whose sequence is no number is told as such, by every verb, and costs that trader's calls only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models.errors import CorruptRecord

from ...support.desk import Desk
from ...support.make import limit

VERBS: dict[str, Callable[[Book, str], object]] = {
    "snapshot": lambda book, trader: book.snapshot(trader),
    "place": lambda book, trader: book.orders.place(limit(trader, "A2")),
    "adjust": lambda book, trader: book.positions.adjust(trader, "AAPL", 1),
    "commit": lambda book, trader: book.commit([limit(trader, "A3")]),
    "reconcile": lambda book, trader: book.reconcile([limit(trader, "A4")]),
}


@pytest.mark.parametrize("written", ["x", "", "-1", "1.5", "1e3", "²"])
def test_it_is_corrupt_and_the_others_of_a_batch_are_not(desk: Desk, written: str) -> None:
    book, trader, other = desk.book, desk.trader, desk.another()
    for name in (trader, other):
        book.orders.place(limit(name))
    desk.vandalise("HSET", "%:book", "sequence", written)
    for ask in VERBS.values():
        with pytest.raises(CorruptRecord, match="sequence"):
            ask(book, trader)
    first, second = book.orders.place_many([limit(trader, "A9"), limit(other, "A9")])
    assert isinstance(first.error, CorruptRecord)
    assert second.result().sequence == 2

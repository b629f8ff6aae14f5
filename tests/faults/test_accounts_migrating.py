"""Fault "slot migrating": keys move one by one; no key of an account's position is missed, none is made twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models.errors import OutcomeUnknown, Unavailable

from ..support.faults.migration import Migration
from ..support.faults.stand import Stand, Stands
from ..support.make import execution, limit

CHANGES: dict[str, Callable[[Book, str], object]] = {
    "place": lambda book, trader: book.orders.place(limit(trader, "A2", account="ACC")),
    "place for another account": lambda book, trader: book.orders.place(limit(trader, "A2", account="new")),
    "fill": lambda book, trader: book.orders.fill(execution(trader, "X2", 10)),
    "adjust": lambda book, trader: book.positions.adjust(trader, "AAPL", 1, account="new", request_id="P2"),
    "split": lambda book, trader: book.positions.split(trader, "AAPL", 2, request_id="P2"),
}


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
@pytest.mark.parametrize("what", CHANGES)
def test_at_every_key_it_waits_or_works(stands: Stands, runner: asyncio.Runner, what: str, alone: bool) -> None:
    change = CHANGES[what]
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried = stand.open(), stand.hurried()
        at, keys = 0, [""]
        while at < len(keys):
            trader = f"{stand.trader}.{at}"
            book.orders.place(limit(trader, account="ACC"))
            book.orders.fill(execution(trader))
            before = book.snapshot(trader)
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            applied = _try(lambda: change(hurried, trader))  # noqa: B023  # it is called at once
            migration.finish()
            now = book.snapshot(trader)
            if applied is False:
                assert now == before, keys[at]
            change(book, trader)
            done = book.snapshot(trader)
            assert done.sequence == before.sequence + 1, keys[at]
            change(book, trader)
            assert book.snapshot(trader) == done, keys[at]
            assert [one for one in book.audit.verify(trader) if one.is_difference] == [], keys[at]
            migration.back()
            at += 1


def _try(change: Callable[[], object]) -> bool | None:
    """Return True when it was applied, None when the deadline fell between request and reply."""
    try:
        change()
    except Unavailable:
        return False
    except OutcomeUnknown:
        return None
    return True

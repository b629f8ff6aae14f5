"""Fault "second loop": the event loop is closed, and there is a second one."""

from __future__ import annotations

import asyncio
import warnings

from slotbook import AsyncBook

from ..support.faults.stand import Stand
from ..support.make import execution, limit


def test_a_book_works_in_a_second_loop(stand: Stand) -> None:
    async def first() -> AsyncBook:
        book = await AsyncBook.open(stand.veil.url())
        await book.orders.place(limit(stand.trader))
        return book

    async def second(book: AsyncBook) -> None:
        filled = await asyncio.gather(*(book.orders.fill(execution(stand.trader, f"X{n}", 1)) for n in range(20)))
        assert {one.applied for one in filled} == {True}
        await book.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the first loop's socket was nobody's to close
        book = asyncio.run(first())
        asyncio.run(second(book))
    assert stand.kinds() == ["NEW", *["TRADE"] * 20]


def test_closed_in_the_second_loop_only(stand: Stand) -> None:
    book = asyncio.run(AsyncBook.open(stand.veil.url()))
    asyncio.run(book.close())

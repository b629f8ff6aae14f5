"""Fault "fork": a child inherits what listens, whose threads and tasks stay with the parent."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from slotbook import AsyncBook, Book
from slotbook.models.errors import BelongsElsewhere

from ..support.caching.freshness import near_of
from ..support.faults.control import wait_until
from ..support.faults.forks import in_a_child
from ..support.faults.methods import SYMBOL
from ..support.faults.stand import Stand, Stands
from ..support.make import limit


def listening(book: Book, trader: str) -> list[Any]:
    """Return a subscription, a follower and a consumer, not started."""
    return [
        book.events.subscribe(f"{{{trader}}}:events"),
        book.events.follow(trader, since=0),
        book.events.consume("g", "c", trader),
    ]


def test_threads_a_child_is_told_and_the_parent_goes_on(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        book, trader = stand.open(), stand.trader
        started = [one.start() for one in listening(book, trader)]
        fresh_ones = listening(book, trader)
        iterated = iter(started[1])

        def work() -> None:
            for one in started:
                assert not getattr(one, "connected", False)
                for call in (lambda one=one: one.get(30), one.start, lambda one=one: next(iter(one))):
                    with pytest.raises(BelongsElsewhere, match="make another"):
                        call()
                one.stop()
            for one in started[1:]:
                with pytest.raises(BelongsElsewhere):
                    one.add("T2")
            with pytest.raises(BelongsElsewhere):
                next(iterated)
            with pytest.raises(BelongsElsewhere):
                started[2].run(print)
            for one in fresh_ones[:2]:  # they were not started yet: they are the child's
                one.start()
                book.orders.place(limit(trader, f"C{type(one).__name__}"))
                assert one.get(30) is not None
            book.close()

        assert in_a_child(work) == 0
        book.orders.place(limit(trader, "P1"))
        assert all(one.get(30) is not None for one in started)
        assert all(one.connected for one in started[:2])


def test_asyncio_a_child_is_told_and_the_parent_goes_on(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "asyncio", runner) as stand:
        trader = stand.trader

        async def told(book: AsyncBook, started: list[Any]) -> None:
            for one in started:
                for call in (one.get, one.start, one.__anext__):
                    with pytest.raises(BelongsElsewhere, match="make another"):
                        await call()
                await one.stop()
            assert await book.orders.get(trader, "A1") is not None
            await book.close()

        async def scenario() -> None:
            book = await AsyncBook.open(stand.veil.url())
            await book.orders.place(limit(trader))
            started = [await one.start() for one in listening(book, trader)]  # type: ignore[arg-type]

            def work() -> None:
                asyncio.events._set_running_loop(None)  # pyright: ignore[reportPrivateUsage]
                asyncio.run(told(book, started))

            assert in_a_child(work) == 0
            await book.orders.place(limit(trader, "P1"))
            for one in started:
                assert await one.get(30) is not None
            await book.close()

        runner.run(scenario())


def test_a_near_cache_listens_anew_in_a_child(stands: Stands, runner: asyncio.Runner) -> None:
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        book, other = stand.open(), stand.open()
        name = stand.trader
        before, after = (SYMBOL.model_copy(update={"symbol": name, "name": text}) for text in ("before", "after"))
        book.symbols.near(10)
        near = near_of(book.symbols)
        book.symbols.put(before)
        told, tell = os.pipe()

        def kept() -> bool:
            return book.symbols.get(name) == before and len(near) == 1

        wait_until(kept, "it is kept in the parent")

        def work() -> None:
            wait_until(kept, "it is kept in the child", 5)
            os.write(tell, b"x")
            wait_until(lambda: book.symbols.get(name) == after, "the child hears of the change", 5)
            book.close()
            assert not [one for one in threading.enumerate() if one.name.startswith("slotbook-")]

        changing = _when(told, lambda: other.symbols.put(after))
        assert in_a_child(work) == 0
        changing.join()
        wait_until(lambda: book.symbols.get(name) == after, "the parent hears of it too", 5)


def _when(told: int, do: Callable[[], object]) -> threading.Thread:
    """Do something in a thread as soon as a byte comes."""

    def wait() -> None:
        os.read(told, 1)
        do()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread

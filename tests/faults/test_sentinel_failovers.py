"""Fault "Sentinel failovers": Sentinel fails over many times."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from slotbook import AsyncBook, Book
from slotbook.models.errors import StateLost, UnderReplicated

from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.watch import heal_and_judge, more
from ..support.make import fresh, limit
from .conftest import Deploy

POOL = 3
TIMES = 3


def test_found_again_each_time_and_the_pool_does_not_shrink(deploy: Deploy) -> None:
    control, trader = deploy("sentinel"), fresh()
    history = History()
    # A forced failover leaves the old primary in charge for a moment, with the replica that was not chosen: only what
    # both replicas hold is sure to survive.
    safe = {"deadline": 20, "durability": "replicated=2"}
    url = control.url(**safe, pool_size=POOL)
    with Book.open(url) as book, Load(control.url(**safe), history, [fresh()]):
        for number in range(TIMES):
            control.sentinel_failover()
            control.heal()
            while not _placed(book, trader, f"A{number}"):
                pass
            more(history, 20)
        with ThreadPoolExecutor(POOL) as threads:
            wanted = [f"A{n % TIMES}" for n in range(POOL * 10)]
            found = threads.map(book.orders.get, [trader] * len(wanted), wanted)
            assert [order.order_id for order in found if order] == wanted
        asyncio.run(_at_once(url, trader))
    found = heal_and_judge(control, history)
    assert (found.unknown, found.not_applied) == (0, 0), [one.error for one in history.problems()][:5]


def _placed(book: Book, trader: str, order_id: str) -> bool:
    try:
        book.orders.place(limit(trader, order_id))
    except (UnderReplicated, StateLost):
        return False  # not sure to survive yet
    return True


async def _at_once(url: str, trader: str) -> None:
    book = await AsyncBook.open(url)
    found = await asyncio.gather(*(book.orders.get(trader, f"A{n % TIMES}") for n in range(POOL * 64)))
    assert all(order is not None for order in found)
    await book.close()

"""Fault "many callers": fifty threads and five hundred tasks, and every reply belongs to its caller."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from slotbook import AsyncBook, Book
from slotbook.topology.embedded import Topology

from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand, Stands
from ..support.make import execution, limit

ANY = frozenset({"EVALSHA", "EVAL", "HGETALL"})


@pytest.fixture(params=["standalone", "sentinel", "cluster"])
def slow_stand(request: pytest.FixtureRequest, stands: Stands, runner: asyncio.Runner) -> Iterator[Stand]:
    """Yield a deployment whose replies take their time."""
    topology: Topology = request.param
    with Stand(stands.of(topology), "sync", runner) as stand:
        for proxy in stand.veil.data:
            proxy.latency = 0.002
        yield stand


def test_fifty_threads(slow_stand: Stand) -> None:
    stand = slow_stand

    def caller(number: int) -> None:
        trader = f"{stand.trader}.{number}"
        for turn in range(6):
            order_id = f"A{turn}"
            placed = book.orders.place(limit(trader, order_id, quantity=1000 + number)).order
            assert (placed.trader, placed.order_id, placed.quantity) == (trader, order_id, 1000 + number)
            filled = book.orders.fill(execution(trader, f"X{turn}", number + 1, order_id=order_id))
            assert (filled.order.order_id, filled.position.trader) == (order_id, trader)
            assert filled.position.quantity == (turn + 1) * (number + 1)
            assert book.orders.get(trader, order_id) == filled.order

    with Book.open(stand.veil.url({"pool_size": 20, "pool_wait": 5})) as book, ThreadPoolExecutor(50) as threads:
        list(threads.map(caller, range(50)))


@pytest.mark.parametrize("faults", [0, 12], ids=["in-peace", "with-cut-replies"])
def test_five_hundred_tasks(slow_stand: Stand, faults: int) -> None:
    stand = slow_stand

    async def caller(book: AsyncBook, number: int) -> None:
        trader = f"{stand.trader}.{number}"
        placed = (await book.orders.place(limit(trader, quantity=1000 + number))).order
        assert (placed.trader, placed.quantity) == (trader, 1000 + number)
        filled = await book.orders.fill(execution(trader, quantity=number + 1))
        assert (filled.position.trader, filled.position.quantity) == (trader, number + 1)
        assert await book.orders.get(trader, "A1") == filled.order

    async def scenario() -> None:
        book = await AsyncBook.open(stand.veil.url({"deadline": 20}))
        dice = random.Random(5)
        for _ in range(faults):
            stand.veil.add(Rule(dice.choice([Do.CUT, Do.SWALLOW, Do.RESET]), ANY, skip=dice.randint(1, 60), at=3))
        await asyncio.gather(*(caller(book, number) for number in range(500)))
        assert stand.veil.plan.met == faults
        await book.close()

    asyncio.run(scenario())

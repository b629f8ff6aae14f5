"""A book is its repositories on one set of connections; each can also be opened alone."""

from __future__ import annotations

import asyncio

import pytest
import slotbook
from slotbook.models.errors import SlotbookError
from slotbook.repositories import AsyncOrderRepository, AsyncPositionRepository, OrderRepository, PositionRepository

from ...support.desk import Desk
from ...support.make import execution, limit


def test_a_repository_can_be_opened_alone(lone_desk: Desk) -> None:
    url, trader = lone_desk.fleet.url(), lone_desk.trader
    orders, positions = OrderRepository.from_url(url), PositionRepository.from_url(url)
    placed = orders.place(limit(trader)).order
    assert orders.get(trader, "A1") == placed
    assert positions.adjust(trader, "AAPL", 5).position == positions.get(trader, "AAPL")
    orders.close()
    positions.close()


def test_a_repository_can_be_opened_alone_in_asyncio(lone_desk: Desk) -> None:
    async def work(url: str, trader: str) -> None:
        orders, positions = await AsyncOrderRepository.from_url(url), await AsyncPositionRepository.from_url(url)
        placed = (await orders.place(limit(trader))).order
        assert await orders.get(trader, "A1") == placed
        changed = await positions.adjust(trader, "AAPL", 5)
        assert await positions.get(trader, "AAPL") == changed.position
        await orders.close()
        await positions.close()

    asyncio.run(work(lone_desk.fleet.url(), lone_desk.trader))


def test_repositories_can_share_a_backend(lone_desk: Desk) -> None:
    with slotbook.connect(lone_desk.fleet.url()) as book:
        orders, positions = OrderRepository(book.backend), PositionRepository(book.backend)
        orders.place(limit(lone_desk.trader))
        position = orders.fill(execution(lone_desk.trader)).position
        assert positions.get(lone_desk.trader, "AAPL") == book.positions.get(lone_desk.trader, "AAPL") == position


def test_a_book_of_asyncio_is_opened_in_two_ways(lone_desk: Desk) -> None:
    async def work(url: str, trader: str) -> None:
        async with slotbook.aconnect(url) as book:
            placed = (await book.orders.place(limit(trader))).order
        book = await slotbook.aconnect(url)
        assert await book.orders.get(trader, "A1") == placed
        await book.close()

    asyncio.run(work(lone_desk.fleet.url(), lone_desk.trader))


@pytest.mark.parametrize("topology", ["standalone", "sentinel", "cluster"])
def test_an_embedded_book_starts_its_servers_and_removes_them(topology: str) -> None:
    with slotbook.connect(f"embedded://{topology}?prefix=mine:") as book:
        deployment = book.backend.deployment
        assert deployment is not None
        assert deployment.topology == topology
        book.orders.place(limit("T001"))
        assert book.orders.fill(execution("T001")).position.quantity == 40
        servers = deployment.servers
        assert all(server.alive for server in servers)
    for server in servers:
        with pytest.raises(SlotbookError):
            server.ask("PING")
    assert not deployment.folder.exists()

"""The risk worker, on a real server."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from order_service.risk import RiskWorker
from slotbook import AsyncBook, Fill, Order, OrderEvent, OrderStatus, Trading, errors

MAX_LOSS = Decimal(1_000)


async def trade(book: AsyncBook, price: str, number: int, side: str = "BUY") -> None:
    order = Order(trader="T001", order_id=f"A{number}", symbol="AAPL", side=side, quantity=100, price=price)
    await book.orders.place(order)
    await book.orders.fill(
        Fill(trader="T001", order_id=order.order_id, exec_id=f"X{number}", quantity=100, price=price)
    )


async def work(book: AsyncBook, until: int) -> None:
    """Let a worker handle the events up to a number."""
    worker = RiskWorker(book, MAX_LOSS)
    handle = worker.handle

    async def noted(event: OrderEvent) -> None:
        await handle(event)
        if event.sequence == until:
            await worker.stop()

    worker.handle = noted  # type: ignore[method-assign]
    await worker.run()


@pytest.mark.parametrize(("price", "position"), [("180.00", Trading.ACTIVE), ("179.99", Trading.HALTED)])
def test_a_loss_beyond_the_limit_halts_the_trader(abook: AsyncBook, price: str, position: Trading) -> None:
    async def main() -> None:
        await trade(abook, "190.00", 1)
        resting = Order(trader="T001", order_id="R1", symbol="AAPL", side="BUY", quantity=10, price="100.00")
        await abook.orders.place(resting)
        await trade(abook, price, 2, "SELL")
        await work(abook, until=5)
        assert await abook.limits.trading("T001") is position
        found = await abook.orders.get("T001", "R1")
        assert found is not None
        assert (found.status is OrderStatus.CANCELED) is (position is Trading.HALTED)
        if position is Trading.HALTED:
            with pytest.raises(errors.TradingHalted):
                await abook.orders.place(resting.model_copy(update={"order_id": "R2"}))

    asyncio.run(main())


def test_an_event_that_is_handled_twice_halts_once_and_cancels_what_is_left(abook: AsyncBook) -> None:
    async def main() -> None:
        await trade(abook, "190.00", 1)
        await trade(abook, "150.00", 2, "SELL")
        [*_, event] = await abook.events.history("T001")
        await RiskWorker(abook, MAX_LOSS).handle(event)
        await RiskWorker(abook, MAX_LOSS, "another").handle(event)
        types = [one.type for one in await abook.events.history("T001")]
        assert types.count("TRADING") == 1

    asyncio.run(main())

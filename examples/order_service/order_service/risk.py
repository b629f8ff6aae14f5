"""The risk worker: halt a trader whose loss goes past a limit, and cancel what is open.

::

    python -m order_service.risk --max-loss 5000
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
from decimal import Decimal

from slotbook import AsyncBook, OrderEvent, aconnect

logger = logging.getLogger(__name__)


class RiskWorker:
    """A consumer of all traders' events; several share the work, each with a name of its own.

    ::

        await RiskWorker(book, max_loss=Decimal(5000)).run()
    """

    def __init__(self, book: AsyncBook, max_loss: Decimal, name: str | None = None) -> None:
        self._book = book
        self._max_loss = max_loss
        self._consumer = book.events.consume("risk", name or f"{socket.gethostname()}-{os.getpid()}")
        self._marks: dict[str, Decimal] = {}
        """The last price of each symbol that this worker has seen."""

    async def run(self) -> None:
        """Handle events until ``stop``; one whose handling fails comes again."""
        async with self._consumer as consumer:
            async for delivery in consumer:
                async with delivery as event:
                    await self.handle(event)

    async def stop(self) -> None:
        """Let ``run`` end."""
        await self._consumer.stop()

    async def handle(self, event: OrderEvent) -> None:
        """Look at the trader of an execution, and stop the trading of one who has lost too much."""
        if event.symbol is None or event.last_price is None:
            return
        self._marks[event.symbol] = event.last_price
        profit = await self._profit_of(event.trader)
        if profit >= -self._max_loss:
            return
        # The identity and the text are the event's: handled again, it asks for the same again, which changes nothing.
        reason = f"the loss is more than {self._max_loss} at event {event.sequence}"
        await self._book.trading(event.trader, "halted", request_id=f"risk:{event.sequence}", text=reason)
        for outcome in await self._book.orders.cancel_all(event.trader, text="risk"):
            if outcome.error is not None:  # it was filled meanwhile, for example
                logger.warning("%s: %s", event.trader, outcome.error)
        logger.warning("%s is halted: %s (profit %s)", event.trader, reason, profit)

    async def _profit_of(self, trader: str) -> Decimal:
        held = await self._book.positions.all(trader)
        return sum((one.profit(self._marks.get(one.symbol, one.average_open_price or 0)) for one in held), Decimal(0))


async def main() -> None:
    """Run a worker until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-loss", type=Decimal, required=True, help="the loss at which a trader is halted")
    arguments = parser.parse_args()
    async with aconnect() as book:  # SLOTBOOK_URL says where
        await RiskWorker(book, arguments.max_loss).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())

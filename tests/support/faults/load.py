"""A desk at work: threads and asyncio tasks that place, fill, replace, cancel and adjust, each with ids of its own."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
import uuid
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from slotbook import AsyncBook, Book, SlotbookError
from slotbook.models import Cancel, Fill, FillResult, Order, OrderResult, PositionChange, PositionResult, Replace

from .history import CallOutcome, History, Operation

Request: TypeAlias = Order | Fill | Replace | Cancel | PositionChange
Step: TypeAlias = tuple[Operation, Request]
Result: TypeAlias = OrderResult | FillResult | PositionResult

SYMBOLS = ("AAPL", "MSFT", "IBM")
TRIES = 3
"""How often an operation whose outcome is unknown is tried, always with the same id."""


def name(kind: str) -> str:
    """Return an id that nobody else has."""
    return f"{kind}{uuid.uuid4().hex[:10]}"


def life_of_an_order(trader: str, dice: random.Random) -> Generator[Step, None, None]:
    """Yield the requests of the life of one order, and an adjustment now and then."""
    order_id, symbol, side = name("O"), dice.choice(SYMBOLS), dice.choice(("BUY", "SELL"))
    price = f"{dice.randint(100, 999)}.{dice.randint(1, 9)}"
    placed = Operation("place", trader, order_id, symbol)
    yield (
        placed,
        Order.model_validate(
            {"trader": trader, "order_id": order_id, "symbol": symbol, "side": side, "quantity": 100, "price": price}
        ),
    )
    for number in range(dice.randint(0, 3)):
        if dice.random() < 0.2:
            wanted = Replace(trader=trader, order_id=order_id, request_id=name("R"), quantity=200 + number)
            yield Operation("replace", trader, wanted.request_id), wanted
        fill = Fill.model_validate(
            {
                "trader": trader,
                "order_id": order_id,
                "exec_id": name("X"),
                "quantity": dice.randint(1, 30),
                "price": price,
            }
        )
        yield Operation("fill", trader, fill.exec_id, symbol), fill
    if dice.random() < 0.4:
        yield Operation("cancel", trader, order_id), Cancel(trader=trader, order_id=order_id)
    if dice.random() < 0.5:
        delta = dice.randint(-50, 50)
        change = PositionChange(trader=trader, symbol=symbol, quantity=delta, request_id=name("P"))
        yield Operation("adjust", trader, change.request_id, symbol, delta), change


def apply(book: Book, request: Request) -> Result:
    """Apply one request to a blocking book."""
    if isinstance(request, PositionChange):
        return book.positions.adjust(request.trader, request.symbol, request.quantity, request_id=request.request_id)
    return book.orders.apply(request)


async def apply_async(book: AsyncBook, request: Request) -> Result:
    """Apply one request to an asyncio book."""
    if isinstance(request, PositionChange):
        return await book.positions.adjust(
            request.trader, request.symbol, request.quantity, request_id=request.request_id
        )
    return await book.orders.apply(request)


class Load:
    """A background load until it is stopped; a context manager."""

    def __init__(
        self,
        url: str,
        history: History,
        traders: Sequence[str],
        *,
        threads: int = 3,
        tasks: int = 3,
        pause: float = 0.004,
        seed: int = 1,
    ) -> None:
        self.traders = list(traders)
        self._url = url
        self._history = history
        self._pause = pause
        self._stopping = threading.Event()
        self._book = Book.open(url)
        self._workers = [threading.Thread(target=self._work, args=(seed * 100 + n,)) for n in range(threads)]
        if tasks:
            self._workers.append(threading.Thread(target=lambda: asyncio.run(self._loop(tasks, seed))))

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Let every worker finish what it does, and ask for losses: a trader's last changes nobody else asks about."""
        self._stopping.set()
        for worker in self._workers:
            worker.join(120)
        with contextlib.suppress(SlotbookError):  # a server that is still broken tells nothing
            self._history.hear(self._book.losses())
        self._book.close()

    def _steps(self, dice: random.Random) -> Generator[Step, None, None]:
        while not self._stopping.is_set():
            for operation, request in life_of_an_order(dice.choice(self.traders), dice):
                self._history.begin(operation)
                yield operation, request
                if operation.kind == "place" and operation.told is not CallOutcome.ACKNOWLEDGED:
                    break  # whether there is an order is not known
                if self._stopping.is_set():
                    break

    def _work(self, seed: int) -> None:
        for operation, request in self._steps(random.Random(seed)):
            for _ in range(TRIES):
                with self._history.attempt(operation):
                    operation.sequence = apply(self._book, request).sequence or operation.sequence
                if operation.told is not CallOutcome.UNKNOWN:
                    break
            time.sleep(self._pause)

    async def _loop(self, tasks: int, seed: int) -> None:
        book = await AsyncBook.open(self._url)
        try:
            await asyncio.gather(*(self._task(book, seed * 1000 + number) for number in range(tasks)))
            with contextlib.suppress(SlotbookError):
                self._history.hear(await book.losses())
        finally:
            await book.close()

    async def _task(self, book: AsyncBook, seed: int) -> None:
        for operation, request in self._steps(random.Random(seed)):
            for _ in range(TRIES):
                with self._history.attempt(operation):
                    operation.sequence = (await apply_async(book, request)).sequence or operation.sequence
                if operation.told is not CallOutcome.UNKNOWN:
                    break
            await asyncio.sleep(self._pause)

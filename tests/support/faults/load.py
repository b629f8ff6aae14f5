"""A desk at work: threads and asyncio tasks that place, fill, replace, cancel and adjust, each with ids of its own.

They send what becomes of an order one by one, as a unit, or as a batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
import uuid
from collections.abc import Generator, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Self, TypeAlias

from slotbook import AsyncBook, Book, SlotbookError
from slotbook.models import Cancel, Fill, FillResult, Order, OrderResult, PositionChange, PositionResult, Replace
from slotbook.models.results import Outcome
from slotbook.repositories.orders.verbs import OrderRequest
from slotbook.repositories.units.calls import UnitResult

from .history import CallOutcome, History, Operation

Request: TypeAlias = Order | Fill | Replace | Cancel | PositionChange
Step: TypeAlias = tuple[Operation, Request]
Result: TypeAlias = OrderResult | FillResult | PositionResult


class Send(Enum):
    """A way to send what becomes of an order."""

    ONE = auto()
    UNIT = auto()
    BATCH = auto()


Job: TypeAlias = "tuple[Send, list[Step]]"

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
        pause: float = 0.01,
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

    def _jobs(self, dice: random.Random) -> Generator[Job, None, None]:
        while not self._stopping.is_set():
            steps = list(life_of_an_order(dice.choice(self.traders), dice))
            how = dice.random()
            if how > 0.6:
                send = Send.UNIT if how > 0.8 else Send.BATCH
                for operation, _ in steps:
                    operation.unit = steps[0][0].id if send is Send.UNIT else ""
                    self._history.begin(operation)
                yield send, steps
                continue
            for operation, request in steps:
                self._history.begin(operation)
                yield Send.ONE, [(operation, request)]
                if operation.kind == "place" and operation.told is not CallOutcome.ACKNOWLEDGED:
                    break  # whether there is an order is not known
                if self._stopping.is_set():
                    break

    def _work(self, seed: int) -> None:
        for send, steps in self._jobs(random.Random(seed)):
            for _ in range(TRIES):
                self._try(send, steps)
                if not _is_unknown(steps):
                    break
            time.sleep(self._pause)

    def _try(self, send: Send, steps: list[Step]) -> None:
        """Send steps once, and write down what comes of each."""
        operations, requests = [operation for operation, _ in steps], [request for _, request in steps]
        if send is Send.BATCH:
            of_orders, others = _parted(steps)
            with self._history.watch(*[operation for operation, _ in of_orders]):
                self._learn(of_orders, self._book.orders.apply_many([request for _, request in of_orders]))
            with self._history.watch(*[operation for operation, _ in others]):
                self._learn(others, self._book.positions.apply_many([request for _, request in others]))
            return
        with self._history.attempt(*operations):
            results = self._book.commit(requests) if send is Send.UNIT else [apply(self._book, requests[0])]
            _number(operations, results)

    async def _try_async(self, book: AsyncBook, send: Send, steps: list[Step]) -> None:
        operations, requests = [operation for operation, _ in steps], [request for _, request in steps]
        if send is Send.BATCH:
            of_orders, others = _parted(steps)
            with self._history.watch(*[operation for operation, _ in of_orders]):
                self._learn(of_orders, await book.orders.apply_many([request for _, request in of_orders]))
            with self._history.watch(*[operation for operation, _ in others]):
                self._learn(others, await book.positions.apply_many([request for _, request in others]))
            return
        with self._history.attempt(*operations):
            results = await book.commit(requests) if send is Send.UNIT else [await apply_async(book, requests[0])]
            _number(operations, results)

    def _learn(self, steps: Sequence[tuple[Operation, object]], outcomes: Sequence[Outcome[Result]]) -> None:
        for (operation, _), outcome in zip(steps, outcomes, strict=True):
            if outcome.error is not None:
                self._history.fail(outcome.error, operation)
                continue
            operation.learn(CallOutcome.ACKNOWLEDGED)
            _number([operation], [outcome.result()])

    async def _loop(self, tasks: int, seed: int) -> None:
        book = await AsyncBook.open(self._url)
        try:
            await asyncio.gather(*(self._task(book, seed * 1000 + number) for number in range(tasks)))
            with contextlib.suppress(SlotbookError):
                self._history.hear(await book.losses())
        finally:
            await book.close()

    async def _task(self, book: AsyncBook, seed: int) -> None:
        for send, steps in self._jobs(random.Random(seed)):
            for _ in range(TRIES):
                await self._try_async(book, send, steps)
                if not _is_unknown(steps):
                    break
            await asyncio.sleep(self._pause)


def _is_unknown(steps: list[Step]) -> bool:
    return any(operation.told is CallOutcome.UNKNOWN for operation, _ in steps)


def _number(operations: Sequence[Operation], results: Sequence[UnitResult]) -> None:
    """Note the numbers of the events; a repeat need not know its own."""
    for operation, result in zip(operations, results, strict=True):
        operation.sequence = result.sequence or operation.sequence


def _parted(
    steps: list[Step],
) -> tuple[Sequence[tuple[Operation, OrderRequest]], Sequence[tuple[Operation, PositionChange]]]:
    """Return the steps that concern orders, and those that concern positions alone."""
    of_orders = [(operation, one) for operation, one in steps if not isinstance(one, PositionChange)]
    return of_orders, [(operation, one) for operation, one in steps if isinstance(one, PositionChange)]

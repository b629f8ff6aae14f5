"""Many events from several writers, and followers for threads and for asyncio that must miss none of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from slotbook import AsyncBook, Book
from slotbook.models import Order, OrderEvent
from slotbook.models.errors import SlotbookError, StateLost, Unavailable
from slotbook.repositories import AsyncFollow, Follow
from slotbook.repositories.events.overflow import FollowOverflow

from ..make import TS, fresh
from .control import Control, wait_until

CallOutcome: TypeAlias = "dict[str, list[tuple[int, str | None]]]"
BATCH = 25


class Writers:
    """One thread for each trader that places orders; what fails is sent again with the same ids until it is applied."""

    def __init__(self, url: str, traders: Sequence[str], each: int, durability: str = "local") -> None:
        self.total = each * len(traders)
        self.written = 0
        self.allowed = 1.0
        """The share that may be written for now."""
        self._url = url
        self._each = each
        self._durability = durability
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(trader,), daemon=True) for trader in traders]
        self._failures: list[BaseException] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            assert not thread.is_alive(), "a writer has not ended"
        assert self._failures == []

    def reach(self, share: float) -> None:
        """Return when so much has been written."""
        wait_until(lambda: self.written >= share * self.total or self._failures, f"{share:.0%} is written", 300)

    def _write(self, trader: str) -> None:
        try:
            with Book.open(self._url) as book:
                for begin in range(0, self._each, BATCH):
                    while self.written > self.allowed * self.total:
                        time.sleep(0.001)
                    self._place(book, [_order(trader, n) for n in range(begin, min(begin + BATCH, self._each))])
        except BaseException as error:
            self._failures.append(error)
            raise

    def _place(self, book: Book, orders: Sequence[Order]) -> None:
        size, left = len(orders), list(orders)
        while left:
            outcomes = book.orders.place_many(left, durability=self._durability)
            left = [
                order
                for order, outcome in zip(left, outcomes, strict=True)
                if outcome.error is not None and not isinstance(outcome.error, StateLost)
            ]
        with self._lock:
            self.written += size


def _order(trader: str, number: int) -> Order:
    values = {"trader": trader, "order_id": f"A{number}", "symbol": "AAPL", "side": "BUY", "quantity": 1, "price": "1"}
    return Order.model_validate({**values, "ts_ns": TS})


class Follower:
    """Takes everything down, and takes back what is said to have been lost."""

    def __init__(self, traders: Sequence[str]) -> None:
        self.told: CallOutcome = {trader: [] for trader in traders}
        self.lost: list[StateLost] = []
        self.unavailable = 0
        self.failure: Exception | None = None
        self.most_waiting = 0

    def take(self, event: OrderEvent) -> None:
        told = self.told[event.trader]
        assert event.sequence == len(told) + 1, f"{event.trader}: {event.sequence} came after {len(told)}"
        told.append((event.sequence, event.order_id))

    def forgive(self, error: SlotbookError) -> None:
        """Handle what may be raised: a loss, which is taken back, and a server that is out of reach for a while."""
        if isinstance(error, StateLost):
            assert error.last == len(self.told[error.trader])
            del self.told[error.trader][error.first - 1 :]
            self.lost.append(error)
        elif isinstance(error, Unavailable):
            self.unavailable += 1
        else:
            raise error


class SyncFollower(Follower):
    """For threads."""

    def __init__(
        self,
        url: str,
        traders: Sequence[str],
        pause: Callable[[], None] = lambda: None,
        maxsize: int = 10_000,
        when_full: FollowOverflow = "resync",
    ) -> None:
        super().__init__(traders)
        self.book = Book.open(url)
        follow = self.book.events.follow(traders, since=0, maxsize=maxsize, when_full=when_full)
        self.follow: Follow = follow.start()
        self._pause = pause
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                try:
                    event = self.follow.get()
                except SlotbookError as error:
                    self.forgive(error)
                    continue
                if event is None:
                    return
                self.take(event)
                self.most_waiting = max(self.most_waiting, self.follow.waiting)
                self._pause()
        except Exception as error:
            self.failure = error

    def stop(self) -> None:
        self.follow.stop()
        self._thread.join(30)
        self.book.close()


class LoopFollower(Follower):
    """For asyncio, in a loop of its own."""

    def __init__(self, url: str, traders: Sequence[str]) -> None:
        super().__init__(traders)
        self._url = url
        self._traders = traders
        self._begun = threading.Event()
        self._over = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._begun.wait(30)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._follow())
        except Exception as error:
            self.failure = error
        finally:
            self._loop.close()

    async def _follow(self) -> None:
        async with await AsyncBook.open(self._url) as book:
            self.follow: AsyncFollow = await book.events.follow(self._traders, since=0).start()
            self._begun.set()
            while not self._over.is_set():
                try:
                    event = await self.follow.get(0.2)
                except SlotbookError as error:
                    self.forgive(error)
                    continue
                if event is not None:
                    self.take(event)
                    self.most_waiting = max(self.most_waiting, self.follow.waiting)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(30)


def kept(book: Book, trader: str) -> list[tuple[int, str | None]]:
    """Return what the stream of a trader holds."""
    return [(event.sequence, event.order_id) for event in book.events.history(trader, since=0)]


def traders_of(control: Control, count: int) -> list[str]:
    """Return traders that are spread over every primary of a cluster."""
    while True:
        names = [fresh() for _ in range(count)]
        primaries = {control.primary(f"{{{name}}}") for name in names}
        if len(primaries) >= min(3, len(control.deployment.primaries())):
            return names


def cut_subscribers(control: Control) -> int:
    """Send CLIENT KILL TYPE pubsub to every server that answers; return how many connections were cut."""
    killed = 0
    for server in control.data:
        if server not in control.dead:
            with suppress(SlotbookError):
                killed += int(str(server.ask("CLIENT", "KILL", "TYPE", "pubsub", timeout=1.0)))
    return killed

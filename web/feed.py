"""Feed a board from a book: follow its events, and read again what they have changed. Only reads."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence

from ..models.errors import (
    AccessDenied,
    BookClosed,
    CorruptRecord,
    HistoryTrimmed,
    InvalidArgument,
    ServerError,
    SlotbookError,
    StateLost,
)
from ..models.event import OrderEvent
from ..repositories import AsyncBook, AsyncFollow
from .board import Board, Key

REFRESH = 0.25
"""The seconds in which events are gathered before readers are told."""
LOOK_BACK = 200
"""The number of events of each trader, before the blotter began, that are shown and whose prices are marks."""
READ_AT_ONCE = 200
"""The number of positions that are read together."""
EVENTS_AT_ONCE = 100
"""The number of events after which others get a turn."""
SPAN = 5.0
"""The seconds over which the rate of events is counted."""


class Feed:
    """A board that is kept up to date, and those who wait for its changes."""

    def __init__(self, book: AsyncBook, traders: Sequence[str] | None) -> None:
        self.board = Board()
        self._book = book
        self._follow: AsyncFollow = book.events.follow(traders, since=None)
        self._turn = asyncio.Event()
        self._is_stopped = False
        self._unread: dict[str, None] = {}
        """The traders whose orders and positions could not be read."""
        self._reading: asyncio.Task[None] | None = None
        self._counts: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    @property
    def is_stopped(self) -> bool:
        """True once no more changes come."""
        return self._is_stopped

    def state(self) -> dict[str, int | bool | float]:
        """Return how far the blotter is behind, and whether it hears of every change."""
        (began, before), (ended, now) = self._counts[0], self._counts[-1]
        return {
            "connected": self._follow.connected,
            "lag": self._follow.waiting + len(self.board.changed_positions),
            "rate": round((now - before) / max(ended - began, REFRESH), 1),
            "events": self.board.events,
            "interruptions": self._follow.interruptions,
            **{f"left_out_{name}": rows.left_out for name, rows in self.board.tables.items()},
        }

    async def start(self) -> None:
        """Begin to follow, and read what the book holds; follow nothing when that fails. Raises a SlotbookError."""
        try:
            await self._follow.start()
            for trader, last in self._follow.positions.items():
                await self._begin(trader, last)
        except BaseException:
            self.stop()
            await self._follow.stop()
            raise

    async def run(self) -> None:
        """Follow until ``stop``. Raises AccessDenied, and what else no further try helps against."""
        try:
            while not self._is_stopped:
                await self._gather()
                for trader in list(self._unread) if self._follow.connected else ():
                    await self._begin(trader, 0)
                self._read_positions()
                self._tell()
        finally:
            self.stop()
            if self._reading is not None:
                self._reading.cancel()
                # It uses the book, which may be closed next.
                await asyncio.gather(self._reading, return_exceptions=True)
            await self._follow.stop()

    def stop(self) -> None:
        """End, and let go whoever waits."""
        self._is_stopped = True
        self._tell()

    @property
    def hearing(self) -> tuple[bool, int]:
        """Return whether every change is heard of now, and how often that has been interrupted."""
        return self._follow.connected, self._follow.interruptions

    async def changed(self, version: int, hearing: tuple[bool, int], timeout: float) -> None:
        """Return when the board has changed since ``version``, or what is heard of since ``hearing``.

        Returns also after ``timeout`` seconds, and when the feed ends.
        """
        ends_at = time.monotonic() + timeout
        while self.board.version == version and self.hearing == hearing and not self._is_stopped:
            left = ends_at - time.monotonic()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):  # nobody takes turns while a server that is replaced is waited for
                await asyncio.wait_for(self._turn.wait(), min(left, REFRESH))

    def _tell(self) -> None:
        now = time.monotonic()
        self._counts.append((now, self.board.events))
        while len(self._counts) > 2 and self._counts[0][0] < now - SPAN:
            self._counts.popleft()
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _gather(self) -> None:
        """Take the events that come within ``REFRESH`` seconds."""
        ends_at, taken = time.monotonic() + REFRESH, 0
        while (left := ends_at - time.monotonic()) > 0 and not self._is_stopped:
            try:
                event = await self._follow.get(left)
            except (AccessDenied, InvalidArgument, BookClosed):
                raise
            except SlotbookError as problem:
                await self._take_problem(problem)
                continue
            if event is None:
                return
            self.board.take(event)
            taken += 1
            if taken % EVENTS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _take_problem(self, problem: SlotbookError) -> None:
        self.board.take_problem(problem, time.time_ns())
        if isinstance(problem, StateLost):
            self.board.lose(problem.trader, problem.first)
        if isinstance(problem, StateLost | HistoryTrimmed):
            await self._begin(problem.trader, 0)

    async def _begin(self, trader: str, last: int) -> None:
        """Read the open orders and the positions of a trader, and the events up to ``last``; say what cannot be read.

        What is read is not older than the events that were taken, and those that follow are all taken.
        """
        try:
            orders = await self._book.orders.open(trader)
            positions = await self._book.positions.all(trader)
            parts = await self._book.positions.by_account(trader)
            events = await self._before(trader, last) if last else []
        except (ServerError, CorruptRecord) as problem:
            if isinstance(problem, AccessDenied):
                raise
            self.board.take_problem(problem, time.time_ns())
            self._unread[trader] = None
            return
        self._unread.pop(trader, None)
        for event in events:
            self.board.take(event, is_new=False)
        self.board.begin(trader, orders, [*positions, *parts])

    async def _before(self, trader: str, last: int) -> list[OrderEvent]:
        """Return the events up to ``last``, as many as ``LOOK_BACK`` and as are kept."""
        try:
            return await self._book.events.history(trader, since=max(0, last - LOOK_BACK), until=last)
        except HistoryTrimmed as trimmed:
            if trimmed.last >= last:
                return []
            return await self._book.events.history(trader, since=trimmed.last, until=last)

    def _read_positions(self) -> None:
        """Read the positions that have changed, beside the events, for a server that is replaced is waited for."""
        changed = self.board.changed_positions
        if self._reading is not None:
            if not self._reading.done():
                return
            self._reading.result()
            self._reading = None
        if changed and self._follow.connected:
            keys = list(changed)[:READ_AT_ONCE]
            for key in keys:
                del changed[key]
            self._reading = asyncio.create_task(self._read(keys))

    async def _read(self, keys: Sequence[Key]) -> None:
        named = [(trader, symbol, account[0] if account else None) for trader, symbol, *account in keys]
        outcomes = await self._book.positions.get_many(named)
        for key, outcome in zip(keys, outcomes, strict=True):
            if outcome.value is not None:
                self.board.take_position(outcome.value)
            elif outcome.error is not None:
                self.board.mark_unread([key])
                self.board.take_problem(outcome.error, time.time_ns())
                if isinstance(outcome.error, ServerError):
                    self.board.changed_positions[key] = None

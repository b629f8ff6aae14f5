"""Exchange many commands with several servers at once, for asyncio, a few pieces at a time; see :mod:`.transfer`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from redis.exceptions import ConnectionError as RedisConnectionError

from ..call import Piece
from ..error_mapping import OutOfStep, Unanswered, Unsent
from .async_connection import AsyncConnection, Exchange
from .async_leaving import Late
from .async_pool import AsyncConnectionPool, OnAnswer


@dataclass(frozen=True, slots=True)
class AsyncJob:
    """Commands for one server, and the callback for its answers; for ``exchange_all``."""

    pool: AsyncConnectionPool
    pieces: Iterable[Piece]
    """Each piece is asked for when those before it have been sent."""
    reply_count: int
    """The number of replies to all pieces."""
    on_answer: OnAnswer
    in_flight: int | None = None
    """The most pieces that may be sent and not answered; None for any number."""
    on_doubt: Callable[[Unsent | Unanswered], object] | None = None
    """Called after all answers if there was one too many, so that none of them can be believed."""


class _Transfer:
    """A job that is under way. All its pieces go over one connection, so none overtakes another."""

    def __init__(self, job: AsyncJob, timeout: float, ends_at: float) -> None:
        self._job = job
        self._timeout = timeout
        self._ends_at = ends_at
        self._left = job.reply_count
        self._in_flight: deque[Exchange] = deque()
        self._connection: AsyncConnection | None = None
        self._failure: Unsent | None = None
        """The reason why no further piece is sent."""
        self._doubt: Unanswered | None = None
        """The failure of a connection that had a reply too many."""

    @property
    def has_to_connect(self) -> bool:
        """Return True while its server has no connection yet."""
        return self._job.pool.connection is None

    async def run(self) -> None:
        """Send every piece, and call the callback with every answer."""
        for piece in self._job.pieces:
            if len(self._in_flight) == self._job.in_flight:
                await self._read()
            if self._failure is None:
                await self._send(piece)
            if self._failure is not None:
                break
        while self._in_flight:
            await self._read()
        self.give_up(self._failure)
        if self._doubt is not None and self._job.on_doubt is not None:
            self._job.on_doubt(self._doubt)

    def give_up(self, failure: Unsent | Unanswered | None) -> None:
        """Call the callback with a failure in place of every answer that is missing."""
        left, self._left = self._left, 0
        for _ in range(left):
            self._job.on_answer(failure)

    async def _send(self, piece: Piece) -> None:
        pool = self._job.pool
        exchange = Exchange(piece.payload, piece.replies)
        self._failure = await pool.send(exchange, self._timeout, self._ends_at, after=self._connection)
        if self._failure is None:
            self._connection = exchange.connection
            self._in_flight.append(exchange)

    async def _read(self) -> None:
        """Take the answers to the piece that was sent first."""
        answers = await self._job.pool.answers_to(self._in_flight.popleft(), self._timeout, self._ends_at)
        for answer in answers:
            if isinstance(answer, (Unsent, Unanswered)) and self._failure is None:
                self._failure = Unsent(answer.cause)
            if isinstance(answer, Unanswered) and isinstance(answer.cause, OutOfStep):
                self._doubt = answer
            self._left -= 1
            self._job.on_answer(answer)


async def exchange_all(jobs: Sequence[AsyncJob], timeout: float, ends_at: float) -> None:
    """Exchange with several servers at once.

    Getting a connection, and each piece, may take ``timeout`` seconds; all of it lasts until the monotonic time
    ``ends_at`` at most.
    """
    transfers = [_Transfer(job, timeout, ends_at) for job in jobs]
    if len(transfers) == 1:
        await transfers[0].run()
        return
    runs = [Late(transfer.run) if transfer.has_to_connect else transfer.run() for transfer in transfers]
    errors = await asyncio.gather(*runs, return_exceptions=True)
    for transfer, error in zip(transfers, errors, strict=True):
        if isinstance(error, (Exception, asyncio.CancelledError)):
            raise error
        if error is not None:  # a signal handler has raised it, and whoever runs the event loop got it from there
            transfer.give_up(Unanswered(RedisConnectionError("the exchange was interrupted")))

"""Exchange many commands with several servers at once, for threads, a few pieces at a time.

A server runs all that it has read of a connection before it turns to other clients. So of a long job only a few pieces
are with it: it works on one while the next is built and sent, and the replies to the last are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from ..call import Piece
from ..error_mapping import Unanswered, Unsent
from .pool import ConnectionPool, Exchange, OnAnswer


@dataclass(frozen=True, slots=True)
class Job:
    """Commands for one server, and the callback for its answers; for ``exchange_all``."""

    pool: ConnectionPool
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
    """A job that is under way."""

    def __init__(self, job: Job, timeout: float, ends_at: float) -> None:
        self.job = job
        self.exchange = Exchange()
        self._timeout = timeout
        self._ends_at = ends_at
        self._pieces = iter(job.pieces)
        self._begun = False
        self._in_flight: deque[int] = deque()
        self._left = job.reply_count

    def send_next(self) -> bool:
        """Send the next piece, before which replies may have to be read; return False when there is nothing to send."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        pool, exchange = self.job.pool, self.exchange
        if not self._begun:
            self._begun = True
            pool.send(exchange, piece.payload, self._timeout, self._ends_at)
        else:
            if len(self._in_flight) == self.job.in_flight:
                self._read(self._in_flight.popleft())
            if exchange.connection is None:
                return False
            pool.send_more(exchange, piece.payload, self._timeout, self._ends_at)
        self._in_flight.append(piece.replies)
        return exchange.connection is not None

    def finish(self) -> None:
        """Read the replies that are missing, and keep the connection; what was not sent gets an ``Unsent``."""
        if not self._begun:
            return
        self._read(sum(self._in_flight), is_all=True)
        failure = None if self.exchange.connection is not None else Unsent(self.exchange.failure.cause)
        self.job.pool.keep(self.exchange)
        if failure is not None:
            for _ in range(self._left):
                self.job.on_answer(failure)
            if self.exchange.is_in_doubt() and self.job.on_doubt is not None:
                self.job.on_doubt(self.exchange.failure)

    def _read(self, replies: int, *, is_all: bool = False) -> None:
        self._left -= replies
        self.job.pool.read(self.exchange, replies, self._timeout, self.job.on_answer, self._ends_at, is_all=is_all)


def exchange_all(jobs: Sequence[Job], timeout: float, ends_at: float) -> None:
    """Exchange with several servers at once: send pieces to each in turn, then read what replies are left of each.

    For each server, waiting for a connection, writing, and each reply may take ``timeout`` seconds each; all of it
    lasts until the monotonic time ``ends_at`` at most.
    """
    transfers = [_Transfer(job, timeout, ends_at) for job in jobs]
    queues: list[dict[Exchange, None]] = [job.pool.own_places() for job in jobs]
    left = map(dict[Exchange, None].pop, queues, [one.exchange for one in transfers], repeat(None))
    try:
        sending = transfers
        while sending:
            sending = [transfer for transfer in sending if transfer.send_next()]
        for transfer in transfers:
            transfer.finish()
    finally:
        deque(left, 0)  # first, see Places: one step, in which all exchanges leave
        for transfer in transfers:
            transfer.job.pool.leave(transfer.exchange)

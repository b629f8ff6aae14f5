"""Exchange many commands with several servers at once, for threads, a few pieces at a time.

A server runs all that it has read of a connection before it turns to other clients. So of a long job only a few pieces
are with it: it works on one while the next is built and sent, and the replies to the last are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..call import Piece
from ..error_mapping import Unsent
from .connection import Connection
from .pool import ConnectionPool, OnAnswer, SendResult


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


class _Transfer:
    """A job that is under way."""

    def __init__(self, job: Job, timeout: float, ends_at: float) -> None:
        self._job = job
        self._timeout = timeout
        self._ends_at = ends_at
        self._pieces = iter(job.pieces)
        self._sent: SendResult | None = None
        self._in_flight: deque[int] = deque()
        self._left = job.reply_count

    def send_next(self) -> bool:
        """Send the next piece, before which replies may have to be read; return False when there is nothing to send."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        pool = self._job.pool
        if self._sent is None:
            self._sent = pool.send(piece.payload, self._timeout, self._ends_at)
        else:
            if len(self._in_flight) == self._job.in_flight:
                self._read(self._in_flight.popleft())
            if not isinstance(self._sent, Connection):
                return False
            self._sent = pool.send_more(self._sent, piece.payload, self._timeout, self._ends_at)
        self._in_flight.append(piece.replies)
        return isinstance(self._sent, Connection)

    def finish(self) -> None:
        """Read the replies that are missing, and give the connection back; what was not sent gets an ``Unsent``."""
        self._read(sum(self._in_flight))
        sent, self._sent = self._sent, None
        if sent is None:
            return
        self._job.pool.give_back(sent)
        if self._left and not isinstance(sent, Connection):
            unsent = Unsent(sent.cause)
            for _ in range(self._left):
                self._job.on_answer(unsent)

    def abandon(self) -> None:
        """Close the connection without reading replies, unless it has been closed or given back."""
        if self._sent is not None:
            self._job.pool.abandon(self._sent)

    def _read(self, replies: int) -> None:
        """Read some replies."""
        sent, pool = self._sent, self._job.pool
        if sent is None:
            return
        self._sent = None  # the pool closes it when reading is interrupted
        self._left -= replies
        self._sent = pool.read(sent, replies, self._timeout, self._job.on_answer, self._ends_at)


def exchange_all(jobs: Sequence[Job], timeout: float, ends_at: float) -> None:
    """Exchange with several servers at once: send pieces to each in turn, then read what replies are left of each.

    For each server, waiting for a connection, writing, and each reply may take ``timeout`` seconds each; all of it
    lasts until the monotonic time ``ends_at`` at most.
    """
    transfers = [_Transfer(job, timeout, ends_at) for job in jobs]
    try:
        sending = transfers
        while sending:
            sending = [transfer for transfer in sending if transfer.send_next()]
        for transfer in transfers:
            transfer.finish()
    except BaseException:
        for transfer in transfers:
            transfer.abandon()
        raise

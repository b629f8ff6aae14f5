# Generated from topology/_async/backend.py by scripts/generate_sync.py: edit that one.
"""Send calls to the primaries of their slots, for threads, until each has its outcome or the deadline has passed.

The first try of a call goes straight to its node; tenacity takes over only when the answer is not a value.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TypeVar, cast

from redis.exceptions import RedisError
from tenacity import Retrying

from ...models.errors import BookClosed, SlotbookError, Unavailable
from ...models.health import Ping, PoolStats
from ...models.results import Outcome
from ..address import Address
from ..batch import Batch, Pace, ReadRound
from ..call import Call, PendingCall, pack
from ..concurrency import pause, run_blocking
from ..connections.pool import CLOSED, Answer
from ..connections.transfer import Job, exchange_all
from ..durability import LOCAL, Durability
from ..embedded import Deployment
from ..error_mapping import Unanswered, Unsent, is_unreachable
from ..layouts import DiscoveryError
from ..misreadings import pong
from ..observing import Notices
from ..observing.retries import RetryNotes
from ..reads import Reads, reads_of
from ..retry import RoundUnfinished, retry_policy
from ..settings import Settings, Target
from ..shards import Shards
from ..steps import Locate, Pause, Step, Steps
from .attachments import Attached, Attachments
from .inspection import Inspection
from .nodes import Nodes
from .pinging import Pinging
from .scanning import Scan

T = TypeVar("T")

CALLS_AT_ONCE = 5_000
"""Calls of one batch that are in flight at the same time: more would only wait in the servers' buffers."""


class Backend:
    """The servers of one target, which any number of repositories share.

    Repositories describe calls; this sends them::

        backend = open_backend("redis://localhost:6379")
        order = backend.run(order_calls.get("T001", "A1"))
    """

    def __init__(self, target: Target, deployment: Deployment | None = None, notices: Notices | None = None) -> None:
        self.deployment = deployment
        """The private servers that this backend runs on, for ``embedded://``; they end when it is closed."""
        self.settings: Settings = target.settings
        self._timeout = min(target.settings.socket_timeout, target.settings.deadline)
        self.target = target
        """The parsed URL and settings that the backend was opened with."""
        self.notices = notices or Notices()
        """Takes what is worth knowing of the servers, and logs it."""
        self._nodes, self._deadline = Nodes(target, self.notices), target.settings.deadline
        self._layout, self._pools = self._nodes.layout, self._nodes.pools
        self.inspection = partial(Inspection, self._nodes)
        """Makes a look at each server by itself, replicas and Sentinels too; close it afterwards."""
        self._attachments, self._reached, self._closing = Attachments(), False, False

    def open(self) -> None:
        """Find the servers and log in. Raises AccessDenied, InvalidSettings or Unavailable, within the deadline."""
        call = Call("connect", ("",), 0, pack(("PING",)), pong, readonly=True, repeatable=True)
        batch = Batch((call,), self._layout, time.monotonic() + self.settings.deadline)
        batch.stale = True
        self._retry(batch)
        batch.outcomes()[0].result()
        self._reached = True

    def run(self, call: Call[T], durability: Durability = LOCAL) -> T:
        """Send one call and return its value, after one round trip if nothing fails. Raises a SlotbookError."""
        if durability is not LOCAL and durability.wanted:
            return (self.run_many((call,), durability))[0].result()
        ends_at = time.monotonic() + self._deadline
        address = self._layout.locate(call.slot)
        answer: Answer = None
        if address is not None:
            pool = self._pools.get(address) or self._nodes.pool(address)
            (answer,) = pool.exchange(call.packed, 1, self._timeout, ends_at)
            if not isinstance(answer, (Unsent, Unanswered, RedisError)):
                return call.value(answer)
        batch = Batch((call,), self._layout, ends_at)
        if address is not None:
            batch.resolve(batch.items[0], answer, address)
            batch.clear()
        self._retry(batch)
        return batch.outcomes()[0].result()

    def run_many(
        self, calls: Sequence[Call[T]] | Sequence[PendingCall[T]], durability: Durability = LOCAL
    ) -> list[Outcome[T]]:
        """Send many calls and return one outcome for each, in the order given; an error is part of its outcome.

        Takes one round trip per node for every 5,000 calls. A call's deadline begins when its turn comes.
        Raises BookClosed or BelongsElsewhere.
        """
        self.require_here()
        if not durability.wanted and all(call.readonly for call in calls):
            return self.read_many(reads_of(cast("Sequence[Call[T]]", calls)))
        outcomes: list[Outcome[T]] = []
        for begin in range(0, len(calls), CALLS_AT_ONCE):
            ends_at = time.monotonic() + self.settings.deadline
            chunk = calls[begin : begin + CALLS_AT_ONCE]
            outcomes += self._change(chunk, ends_at, durability)
        return outcomes

    def read_many(self, reads: Reads[T]) -> list[Outcome[T]]:
        """Send many reads and return one outcome for each, in the order of their numbers; see ``run_many``."""
        self.require_here()
        outcomes: list[Outcome[T]] = []
        for begin in range(0, len(reads.slots), CALLS_AT_ONCE):
            outcomes.extend(self._read(reads, range(begin, min(begin + CALLS_AT_ONCE, len(reads.slots)))))
        return outcomes

    def scan(self, pattern: str) -> set[str]:
        """Return the keys of all primaries that match a pattern (SCAN).

        Scans everything again when a primary was replaced meanwhile. The deadline counts from the last page that came.
        Raises a SlotbookError.
        """
        return Scan(self._nodes).keys(pattern)

    def locate(self, slot: int) -> Address | None:
        """Return the primary of a slot as far as is known, without asking a server; None when it is not known."""
        return self._layout.locate(slot)

    def survey(self) -> tuple[Address, ...]:
        """Return every primary, asked anew within the socket timeout. Raises a SlotbookError."""
        return self._nodes.survey()

    def shards(self, *, fresh: bool = False) -> Shards:
        """Return a hash tag for every primary; with ``fresh`` ask anew where slots can move. Raises Unavailable."""
        return self._nodes.shards(fresh=fresh)

    def drive(self, steps: Steps[T]) -> T:
        """Carry out an operation step by step and return its result.

        An error of a step is raised in the generator, at the ``yield`` that asked for it; what the generator does not
        handle reaches the caller.
        """
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._carry_out(step)
                except SlotbookError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return cast(T, end.value)

    def _carry_out(self, step: Step) -> object:
        match step:
            case Call():
                return self.run(step)
            case Locate(fresh):
                return self.shards(fresh=fresh)
            case Pause(seconds):
                pause(seconds)
                return None
            case _:
                return self.run_many(step)

    def ping(self, seconds: float) -> Ping:
        """Ask every primary for a sign of life within some seconds. Raises nothing for servers that fail."""
        return Pinging(self._nodes, seconds).ping()

    def pool_stats(self) -> tuple[PoolStats, ...]:
        """Return the state of the connections to each server that was called."""
        return self._nodes.pool_stats()

    def attached(self) -> list[Attached]:
        """Return what is attached now; see ``attach``."""
        return self._attachments.all()

    def require_open(self) -> None:
        """Raise BookClosed once ``close`` has been called; what is attached may still use the connections then."""
        if self._closing:
            raise BookClosed(CLOSED)

    def require_here(self) -> None:
        """Raise BookClosed without connections, and BelongsElsewhere in another event loop than theirs."""
        self._nodes.require_here()

    def attach(self, part: Attached) -> None:
        """Register an object that uses this backend, to be closed before the connections are. Raises BookClosed."""
        self.require_open()
        self._attachments.add(part)

    def detach(self, part: Attached) -> None:
        """Undo ``attach`` for an object that closes itself, or has been closed."""
        self._attachments.remove(part)

    def close(self) -> None:
        """Close every connection, and stop the private servers if there are any; a second time does nothing.

        May be called from any thread or running loop. Calls that are under way end with BookClosed or OutcomeUnknown,
        unless they have their answer. In a forked child, what the parent has started goes on.
        """
        self._nodes.home.run(self._close)

    def _close(self) -> None:
        self._closing = True
        try:
            self._attachments.close()
        finally:
            self._nodes.close()
        if self.deployment is not None:
            run_blocking(self.deployment.stop)

    def _change(
        self, calls: Sequence[Call[T]] | Sequence[PendingCall[T]], ends_at: float, durability: Durability
    ) -> list[Outcome[T]]:
        """Send some calls, in one round trip per node, and those that went wrong again."""
        batch = Batch(calls, self._layout, ends_at, durability, self.settings.replication_wait)
        self._carry(batch)
        return batch.outcomes()

    def _carry(self, batch: Batch[T]) -> None:
        self._rounds(batch)
        self._retry(batch)

    def _read(self, reads: Reads[T], numbers: range) -> list[Outcome[T]]:
        """Send some of the reads, in one round trip per node, and then a batch of those that went wrong."""
        read_round = ReadRound(reads, numbers, self._layout)
        self._exchange_reads(read_round)
        return read_round.outcomes()

    def _exchange_reads(self, read_round: ReadRound[T]) -> None:
        ends_at = time.monotonic() + self._deadline
        jobs = [
            Job(
                self._nodes.pool(address),
                read_round.pieces(route),
                len(route),
                read_round.reader(address, route),
                read_round.in_flight(route),
                partial(read_round.doubt, address, route),
            )
            for address, route in read_round.routes.items()
        ]
        exchange_all(jobs, self._timeout, ends_at)
        if (rest := read_round.rest(ends_at)) is not None:
            self._retry(rest)

    def _rounds(self, batch: Batch[T]) -> None:
        """Send rounds until no call is pending, or until a failure decides how the next begins (``batch.pace``)."""
        while batch.pending:
            if batch.pace is Pace.CONTINUE:
                batch.ends_at = time.monotonic() + self.settings.deadline
            node_requests = batch.plan()
            jobs = [
                Job(
                    self._nodes.pool(node_request.address, waits=batch.proves),
                    node_request.pieces,
                    node_request.replies,
                    partial(batch.on_reply, node_request),
                    node_request.in_flight,
                    partial(batch.doubt, node_request),
                )
                for node_request in node_requests
            ]
            timeout = self.settings.socket_timeout + batch.replication_wait
            exchange_all(jobs, timeout, batch.ends_at)
            batch.clear()
            if batch.pace is not Pace.CONTINUE:
                return

    def _retry(self, batch: Batch[T]) -> None:
        """Send rounds under tenacity until every call of the batch has its outcome."""
        if not batch.pending:
            return
        reason: Exception | None = None
        notes = RetryNotes(self.notices, batch)
        try:
            policy = retry_policy(lambda: batch.ends_at, self.settings.deadline, notes.on_pause)
            for attempt in Retrying(**policy):
                with attempt:
                    if batch.stale:
                        try:
                            self._nodes.discover(batch.ends_at)
                        except DiscoveryError as error:
                            reason = notes.reason = error
                            self._fail_fast(error)
                            raise RoundUnfinished(Pace.BACK_OFF) from error
                        batch.stale = False
                    self._rounds(batch)
                    if batch.pending:
                        raise RoundUnfinished(batch.pace)
        except RoundUnfinished:
            notes.on_give_up()
            batch.give_up(self.settings.deadline, reason)
        except SlotbookError as error:
            batch.fail(error)

    def _fail_fast(self, error: DiscoveryError) -> None:
        """Raise Unavailable when no address that the backend was opened with has ever answered."""
        # A server that has answered before may come back; an address that never did is more likely a wrong one.
        if not self._reached and all(is_unreachable(cause) for cause in error.causes):
            raise Unavailable(f"{error}; is a server running there, and is the address right?")

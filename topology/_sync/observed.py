# Generated from topology/_async/observed.py by scripts/generate_sync.py: edit that one.
"""Send calls like a backend, and tell an observer of each when it has ended, for threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from time import perf_counter
from typing import TypeVar, cast

from redis.exceptions import RedisError

from ...models.results import Outcome
from ..call import Call, PendingCall
from ..connections.pool import Answer
from ..durability import LOCAL, Durability
from ..embedded import Deployment
from ..error_mapping import Unanswered, Unsent
from ..observing import Notices, ObservedServers, Observer
from ..observing.recorder import ObservedBatch, ObservedReadRound, Recorder
from ..reads import Reads
from ..settings import Target
from .backend import Backend

T = TypeVar("T")


class ObservedBackend(Backend):
    """The servers of one target, of whose calls an observer is told.

    It is a class of its own, so that a book without an observer runs not one statement of this.
    """

    def __init__(self, target: Target, deployment: Deployment | None, observer: Observer) -> None:
        super().__init__(target, deployment, Notices(observer))
        servers = ObservedServers(target.kind.value, target.addresses, target.database)
        self._recorder = Recorder(observer, self.notices, servers)
        self._answered = self._recorder.answered

    def run(self, call: Call[T], durability: Durability = LOCAL) -> T:
        """Send one call and return its value, after one round trip if nothing fails. Raises a SlotbookError."""
        if durability is not LOCAL and durability.wanted:
            return (self.run_many((call,), durability))[0].result()
        began = perf_counter()
        ends_at = time.monotonic() + self._deadline
        address = self._layout.locate(call.slot)
        answer: Answer = None
        if address is not None:
            try:
                pool = self._pools.get(address) or self._nodes.pool(address)
                (answer,) = pool.exchange(call.packed, 1, self._timeout, ends_at)
                if failed := isinstance(answer, (Unsent, Unanswered, RedisError)):
                    value = cast("T", None)
                else:
                    value = call.value(answer)
            except BaseException as error:
                self._recorder.raised(call, address, perf_counter() - began, error)
                raise
            if not failed:
                self._answered(call, address, perf_counter() - began, value)
                return value
        batch = ObservedBatch[T](began, (call,), self._layout, ends_at)
        with self._recorder.watch(batch):
            if address is not None:
                batch.resolve(batch.items[0], answer, address)
                batch.clear()
            self._retry(batch)
        return batch.outcomes()[0].result()

    def _change(
        self, calls: Sequence[Call[T]] | Sequence[PendingCall[T]], ends_at: float, durability: Durability
    ) -> list[Outcome[T]]:
        wait = self.settings.replication_wait
        batch = ObservedBatch[T](perf_counter(), calls, self._layout, ends_at, durability, wait)
        with self._recorder.watch(batch):
            self._carry(batch)
        return batch.outcomes()

    def _read(self, reads: Reads[T], numbers: range) -> list[Outcome[T]]:
        read_round = ObservedReadRound[T](perf_counter(), reads, numbers, self._layout)
        with self._recorder.watch_reads(read_round):
            self._exchange_reads(read_round)
        return read_round.outcomes()

"""Read many keys in one round: one request per node, and a batch only of those reads that went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from redis.exceptions import RedisError

from ...models.errors import SlotbookError
from ...models.results import Outcome
from ..address import Address
from ..call import Call, Piece, Reply
from ..error_mapping import Failure, Unanswered, Unsent
from ..layouts import Layout
from ..misreadings import MISREADINGS, unexpected
from ..reads import Reads
from .node_request import PIECES_IN_FLIGHT
from .rounds import Batch

T = TypeVar("T")

_READS_IN_PIECE = 200
"""Reads that go out in one write: what a server does in a fraction of a millisecond; see ``node_request``."""
_ONE_ROUND_TRIP = 1_000
"""The reads of a server that take one round trip."""


class ReadRound(Generic[T]):
    """Some of the reads of one batch, by their numbers, and their outcomes."""

    def __init__(self, reads: Reads[T], numbers: range, layout: Layout) -> None:
        self.reads = reads
        self.numbers = numbers
        self.layout = layout
        self.routes: dict[Address, list[int]] = {}
        """The numbers of the reads that go to each node; reads whose slot has no known primary are left out."""
        self.found: dict[int, Outcome[T]] = {}
        self._failures: dict[int, tuple[Failure, Address]] = {}
        self.left: list[int] = []
        self._rest: Batch[T] | None = None
        routes, locate, slots = self.routes, layout.locate, reads.slots
        for number in numbers:
            address = locate(slots[number])
            if address is not None:
                routes.setdefault(address, []).append(number)

    def pieces(self, route: list[int]) -> Iterator[Piece]:
        """Yield the commands of some reads, in their order."""
        packed = self.reads.packed
        for begin in range(0, len(route), _READS_IN_PIECE):
            numbers = route[begin : begin + _READS_IN_PIECE]
            yield Piece(b"".join([packed[number] for number in numbers]), len(numbers))

    def in_flight(self, route: list[int]) -> int | None:
        """Return the most pieces of some reads that may be sent and not answered; None for any number."""
        return None if len(route) <= _ONE_ROUND_TRIP else PIECES_IN_FLIGHT

    def reader(self, address: Address, route: list[int]) -> Callable[[Reply | Failure], None]:
        """Return a function that takes the answers of a node, one after the other."""
        # It runs once for every reply of thousands, so it is a function whose names are all local, and not a method.
        outcomes, failures, decode, call = self.found, self._failures, self.reads.decode, self.reads.call
        numbered = iter(route)

        def take(answer: Reply | Failure) -> None:
            number = next(numbered)
            if isinstance(answer, (Unsent, Unanswered, RedisError)):
                failures[number] = answer, address
                return
            try:
                outcomes[number] = Outcome(decode(number, answer))
            except SlotbookError as error:
                outcomes[number] = Outcome(error=error)
            except MISREADINGS:
                outcomes[number] = Outcome(error=unexpected(call(number).name, answer))

        return take

    def doubt(self, address: Address, route: list[int], failure: Unsent | Unanswered) -> None:
        """Take back the answers of a node: one reply was too many, and each may be that to another read."""
        for number in route:
            self.found.pop(number, None)
            self._failures[number] = failure, address

    def rest(self, ends_at: float) -> Batch[T] | None:
        """Return a batch of the reads that have no outcome yet, which is to be finished; None when there are none.

        ``ends_at`` is the end of the deadline, by the monotonic clock.
        """
        outcomes, failures = self.found, self._failures
        if len(outcomes) == len(self.numbers):
            return None
        self.left = [number for number in self.numbers if number not in outcomes]
        self._rest = batch = self.new_batch([self.reads.call(number) for number in self.left], ends_at)
        for number, item in zip(self.left, batch.items, strict=True):
            if number in failures:
                batch.resolve(item, *failures[number])
        batch.clear()
        return batch

    def new_batch(self, calls: Sequence[Call[T]], ends_at: float) -> Batch[T]:
        """Return a batch of some of the reads."""
        return Batch(calls, self.layout, ends_at)

    def outcomes(self) -> list[Outcome[T]]:
        """Return the outcome of each read, in the order of their numbers."""
        outcomes = self.found
        if self._rest is not None:
            outcomes.update(zip(self.left, self._rest.outcomes(), strict=True))
        return [outcomes[number] for number in self.numbers]

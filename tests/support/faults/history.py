"""Every operation that was asked for, and what its caller was told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from slotbook.models.errors import OutcomeUnknown, SlotbookError

Kind: TypeAlias = Literal["place", "fill", "replace", "cancel", "adjust"]


class CallOutcome(StrEnum):
    """The outcome that a caller saw, from the least to the most certain."""

    NOTHING = "not tried"
    NOT_APPLIED = "not applied"
    UNKNOWN = "unknown"
    UNDER_REPLICATED = "under-replicated"
    ACKNOWLEDGED = "acknowledged"


@dataclass(slots=True)
class Operation:
    """One operation, known by its id however often it is tried."""

    kind: Kind
    trader: str
    id: str
    """The order id of a place or a cancel, the exec_id of a fill, the request_id of the others."""
    symbol: str = ""
    delta: int = 0
    """By how much it moves the position."""
    unit: str = ""
    """The name of the unit that it is a part of; empty for none."""
    told: CallOutcome = CallOutcome.NOTHING
    sequence: int = 0
    error: SlotbookError | None = None
    longest: float = 0.0
    """How long its slowest try took."""

    def learn(self, told: CallOutcome) -> None:
        """Take the outcome of one more try: an unknown try is not undone by a refusal of the next."""
        self.told = max(self.told, told, key=list(CallOutcome).index)


@dataclass(frozen=True)
class Loss:
    """A range of a trader's changes that a book reported as lost."""

    trader: str
    first: int
    last: int


@dataclass
class History:
    """All operations of all threads and tasks."""

    operations: list[Operation] = field(default_factory=list[Operation])
    losses: list[Loss] = field(default_factory=list[Loss])
    surprises: list[str] = field(default_factory=list[str])
    """Exceptions outside of our tree."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, operation: Operation) -> Operation:
        """Write an operation down before it is first tried."""
        with self._lock:
            self.operations.append(operation)
        return operation

    @contextmanager
    def attempt(self, *operations: Operation) -> Generator[None, None, None]:
        """Record one try of operations that go together; an error is written down, not raised."""
        with self.watch(*operations):
            yield
            for operation in operations:
                operation.learn(CallOutcome.ACKNOWLEDGED)

    @contextmanager
    def watch(self, *operations: Operation) -> Generator[None, None, None]:
        """Record an error as the outcome of each operation; what else becomes of them, the caller writes down."""
        started = time.monotonic()
        try:
            yield
        except SlotbookError as error:
            self.fail(error, *operations)
        except (Exception, asyncio.CancelledError) as error:  # nobody here cancels: it is the book that would
            for operation in operations:
                operation.learn(CallOutcome.UNKNOWN)
            with self._lock:
                self.surprises.append(f"{[f'{one.kind} {one.id}' for one in operations]}: {error!r}")
        finally:
            for operation in operations:
                operation.longest = max(operation.longest, time.monotonic() - started)

    def fail(self, error: SlotbookError, *operations: Operation) -> None:
        """Record an error as the outcome of operations."""
        told = self._told_by(error)
        for operation in operations:
            operation.error = error
            operation.learn(told)

    def _told_by(self, error: SlotbookError) -> CallOutcome:
        match type(error).__name__:
            case "UnderReplicated":
                return CallOutcome.UNDER_REPLICATED
            case "StateLost":
                self.hear([error])
                return CallOutcome.UNKNOWN
            case _:
                return CallOutcome.UNKNOWN if isinstance(error, OutcomeUnknown) else CallOutcome.NOT_APPLIED

    def hear(self, losses: Iterable[SlotbookError]) -> None:
        """Write down what is reported lost."""
        with self._lock:
            for loss in losses:
                found = vars(loss)
                self.losses.append(Loss(found["trader"], found["first"], found["last"]))

    def count(self, told: CallOutcome) -> int:
        """Return how many operations ended so."""
        return sum(operation.told is told for operation in self.operations)

    @property
    def longest_outage(self) -> float:
        """The longest that any caller waited for an answer."""
        return max((operation.longest for operation in self.operations), default=0.0)

    def problems(self) -> list[Operation]:
        """Return the operations that ended in an error."""
        return [operation for operation in self.operations if operation.error is not None]

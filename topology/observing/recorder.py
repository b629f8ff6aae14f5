"""Record how calls go, and tell an observer when they have ended. Only a backend with an observer uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from redis.exceptions import RedisError

from ...models.results import Outcome
from ..address import Address
from ..batch import Batch, ReadRound
from ..batch.item import Item
from ..call import Call, Reply
from ..error_mapping import Failure, Unanswered, Unsent, is_reply
from .notices import Notices
from .observer import NOWHERE, FailedTry, ObservedCall, ObservedServers, Observer
from .outcomes import CallOutcome, outcome_of
from .retries import reason_of

T = TypeVar("T")

_new = cast(
    "Callable[[type[ObservedCall], tuple[object, ...]], ObservedCall]",
    tuple.__new__,  # pyright: ignore[reportUnknownMemberType]
)  # a class of tuples, which it makes itself, looks for defaults
_READ = CallOutcome.READ  # to look it up in its class takes longer than all else that a read is told with


@dataclass(slots=True)
class Tries:
    """The tries of one call until now."""

    address: Address = NOWHERE
    count: int = 0
    failures: list[FailedTry] = field(default_factory=list[FailedTry])


class ObservedBatch(Batch[T]):
    """A batch that records the tries of each of its calls."""

    def __init__(self, began: float, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.began = began
        """When its caller began to wait, by ``perf_counter``."""
        self._tries: dict[int, Tries] = {}

    def resolve(self, item: Item[T], answer: Reply | Failure, address: Address) -> None:
        """Take the answer to one call from the server at an address, and record it."""
        tries = self._tries.setdefault(id(item), Tries())
        tries.address, tries.count = address, tries.count + 1
        if isinstance(answer, (Unsent, Unanswered, RedisError)):
            tries.failures.append(_failed(answer, address, self.began))
        super().resolve(item, answer, address)

    def tries_of(self, item: Item[T]) -> Tries:
        """Return the tries of a call."""
        return self._tries.get(id(item)) or Tries()


class ObservedReadRound(ReadRound[T]):
    """Some reads of one batch, whose tries are recorded."""

    def __init__(self, began: float, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.began = began
        """When its caller began to wait, by ``perf_counter``."""
        self.batch: ObservedBatch[T] | None = None

    def new_batch(self, calls: Sequence[Call[T]], ends_at: float) -> Batch[T]:
        """Return a batch of the reads that went wrong."""
        self.batch = ObservedBatch(self.began, calls, self.layout, ends_at)
        return self.batch


class Recorder:
    """Tells an observer of calls that have ended, whatever it raises."""

    def __init__(self, observer: Observer, notices: Notices, servers: ObservedServers) -> None:
        self._observer = observer
        self._servers = servers
        self._notices = notices

    def answered(self, call: Call[Any], address: Address, seconds: float, value: object) -> None:
        """Tell of a call that was answered at once."""
        outcome = _READ if call.readonly else outcome_of(value, None, readonly=False)
        told = _new(ObservedCall, (self._servers, call, address, seconds, outcome, None, 1, ()))
        try:
            self._observer.calls_ended((told,))
        except Exception:
            self._notices.on_observer_failed()

    def raised(self, call: Call[Any], address: Address, seconds: float, error: BaseException) -> None:
        """Tell of a call whose first answer means an error, or which was interrupted."""
        outcome = outcome_of(None, error, readonly=call.readonly)
        self._tell((ObservedCall(self._servers, call, address, seconds, outcome, error),))

    def watch(self, batch: ObservedBatch[Any]) -> _Watch[ObservedBatch[Any]]:
        """Return a context in which a batch is carried out, of whose calls it tells at its end."""
        return _Watch(batch, self._batch_ended)

    def watch_reads(self, read_round: ObservedReadRound[Any]) -> _Watch[ObservedReadRound[Any]]:
        """Return a context in which reads are carried out, of which it tells at its end."""
        return _Watch(read_round, self._reads_ended)

    def _batch_ended(self, batch: ObservedBatch[Any], error: BaseException | None) -> None:
        seconds = perf_counter() - batch.began
        self._tell([self._of_item(batch, item, seconds, error) for item in batch.items])

    def _reads_ended(self, done: ObservedReadRound[Any], error: BaseException | None) -> None:
        seconds = perf_counter() - done.began
        again: dict[int, Item[Any]] = {}
        if done.batch is not None:
            again = dict(zip(done.left, done.batch.items, strict=True))
        calls: list[ObservedCall] = []
        at = {number: address for address, route in done.routes.items() for number in route}
        for number in done.numbers:
            if done.batch is not None and number in again:
                calls.append(self._of_item(done.batch, again[number], seconds, error))
                continue
            described = _Read(done.reads.call, number)
            outcome = done.found.get(number) or Outcome[Any](error=cast("Any", error))
            ended = outcome_of(None, outcome.error, readonly=True)
            calls.append(ObservedCall(self._servers, described, at.get(number, NOWHERE), seconds, ended, outcome.error))
        self._tell(calls)

    def _of_item(
        self, batch: ObservedBatch[Any], item: Item[Any], seconds: float, error: BaseException | None
    ) -> ObservedCall:
        tries, built = batch.tries_of(item), item.built
        value = None
        if item.outcome is not None:
            value, error = item.outcome.value, item.outcome.error
        readonly = item.buildable.readonly
        if built is None and item.outcome is None:  # interrupted before its turn came
            outcome = CallOutcome.NOT_APPLIED
        else:
            outcome = outcome_of(value, error, readonly=readonly)
        described: Call[Any] | Callable[[], None] = _nothing if built is None else built
        return ObservedCall(
            self._servers, described, tries.address, seconds, outcome, error, tries.count, tries.failures
        )

    def _tell(self, calls: Sequence[ObservedCall]) -> None:
        try:
            self._observer.calls_ended(calls)
        except Exception:
            self._notices.on_observer_failed()


W = TypeVar("W")


class _Watch(Generic[W]):
    """A context at whose end a function is called with what was watched, and the error that ended it."""

    def __init__(self, watched: W, ended: Callable[[W, BaseException | None], None]) -> None:
        self._watched = watched
        self._ended = ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended(self._watched, error)


@dataclass(frozen=True, slots=True)
class _Read:
    """One of many reads, whose call is built when somebody asks what it was."""

    build: Callable[[int], Call[Any]]
    number: int

    def __call__(self) -> Call[Any]:
        return self.build(self.number)


def _nothing() -> None:
    """Stand for a call that was never built."""


def _failed(failure: Failure, address: Address, began: float) -> FailedTry:
    error = failure.cause if isinstance(failure, (Unsent, Unanswered)) else failure
    is_answer = not isinstance(failure, (Unsent, Unanswered)) or (isinstance(error, RedisError) and is_reply(error))
    return FailedTry(str(address), reason_of(failure), is_answer, perf_counter() - began)

"""Describe each kind of change in one row, and build the calls of all of them in one place.

The rows are in ``orders/verbs.py`` and ``positions/calls.py``. From a row derive the call, the check of the request's
type, and how a batch or a retry builds the call again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from ...models.arguments import must_be
from ...models.enums import EventType
from ...models.keys import Keys, TraderKeys
from ...topology.call import Call, CallBuilder, evaluate
from ...topology.scripts import Script, Value
from ...topology.settings import Settings
from ..durations import milliseconds
from .event_policy import events_policy
from .fence import NO_FENCE, Fence
from .loss_detector import ChangeResult, LossDetector, ReadReply
from .recorded import Recording


class Request(Protocol):
    """A request to change a trader's book."""

    @property
    def trader(self) -> str:
        """Return the trader whose book is changed."""
        ...


Q = TypeVar("Q", bound=Request)
C = TypeVar("C", bound=ChangeResult)
R = TypeVar("R", bound=Request)
A = TypeVar("A", bound=ChangeResult)


class ChangePolicy:
    """A book's settings about changes, in the form that scripts read. Times are in milliseconds."""

    __slots__ = ("closed_ttl", "events", "open_ttl", "request_ttl")

    def __init__(self, settings: Settings) -> None:
        open_ttl = settings.open_order_ttl
        self.open_ttl: Value = "" if open_ttl is None else milliseconds("open_order_ttl", open_ttl)
        self.closed_ttl = milliseconds("order_ttl", settings.order_ttl)
        self.request_ttl = milliseconds("request_ttl", settings.request_ttl)
        self.events = events_policy(settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb(Generic[Q, C]):
    """One kind of change: its request, its script, what the script is given, and how the reply is read."""

    name: str
    """The name of the verb; for a verb of orders, that of the repository's method."""
    request: type[Q]
    event: EventType
    """The type of the event that the change writes."""
    script: Script
    keys: Callable[[TraderKeys, Q, str | None], tuple[str, ...]]
    """Return the script's keys, first that of the record; given the trader's keys, the request, and the lock's key."""
    arguments: Callable[[ChangePolicy, TraderKeys, Q, str, int | str], tuple[Value, ...]]
    """Return the script's arguments; given the policy, the trader's keys, the request, what was acknowledged to the
    writer, and the fence.
    """
    read_reply: ReadReply[Q, C]
    describe: Callable[[Q], str]
    """Return the name of a call, which its errors begin with."""
    check: Callable[[Q], None] | None = None
    """Raise InvalidArgument for a request that is of the right type, but cannot be made."""
    recording: Recording | None = None
    """The form in which the change is recorded with its order; None if it is not recorded."""


AnyVerb: TypeAlias = Verb[Any, Any]
"""A row in a sequence of rows, each of which has its own types of request and result."""


class ChangeCalls(Generic[R, A]):
    """The calls that change one book, with its prefix and policy: one call for each request that a verb takes."""

    def __init__(
        self, verbs: Sequence[AnyVerb], settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE
    ) -> None:
        self.keys = Keys(settings.prefix)
        self._verbs: dict[type, AnyVerb] = {verb.request: verb for verb in verbs}
        self._policy = ChangePolicy(settings)
        self._loss_detector = loss_detector
        self._fence = fence

    def change(self, request: R) -> Call[A]:
        """Return the call that a request asks for. Raises InvalidArgument if no verb takes it."""
        return self._build(self._verbs.get(type(request)) or self.verb_of(request), request)

    def call(self, verb: Verb[Q, C], request: Q) -> Call[C]:
        """Return the call of one verb. Raises InvalidArgument if the verb does not take the request."""
        must_be(request, verb.request)
        return self._build(verb, request)

    def verb_of(self, request: object) -> AnyVerb:
        """Return the verb of a request's class, or of a class that it derives from. Raises InvalidArgument."""
        for kind in type(request).__mro__:
            if verb := self._verbs.get(kind):
                return verb
        must_be(request, *self._verbs)
        raise AssertionError  # must_be has raised

    def _build(self, verb: Verb[Q, C], request: Q) -> Call[C]:
        if verb.check is not None:
            verb.check(request)
        trader = request.trader
        self._fence.check_trader(trader)
        lock, fence = self._fence.arguments
        trader_keys = self.keys.of(trader)
        keys = verb.keys(trader_keys, request, lock)
        name = verb.describe(request)
        loss_detector = self._loss_detector
        return evaluate(
            name,
            verb.script,
            keys,
            verb.arguments(self._policy, trader_keys, request, loss_detector.acknowledged(trader), fence),
            decode=loss_detector.reply_reader(trader, verb.read_reply, name, keys[0], request),
            builder=cast("CallBuilder[object]", self),
            request=request,
        )

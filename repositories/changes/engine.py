"""Build the calls of the engine, which changes a trader's book: one step, many steps with an answer each, or a unit.

Nothing here does I/O. ``lua/engine.lua`` is the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from ...models.arguments import must_be, shown, whole
from ...models.entity import Entity
from ...models.entity_changes import Insert
from ...models.errors import InvalidArgument
from ...models.fill import Fill
from ...models.guards import Expect
from ...models.keys import Keys
from ...models.record import Record, copied
from ...models.results import Outcome
from ...topology.call import Call, CallBuilder, PendingCall, evaluate, slot_of_tag
from ...topology.settings import Settings
from ..durations import milliseconds
from .answers import AnswerReader, EachReader, OneReader, UnitReader, spread
from .fence import NO_FENCE, Fence
from .guards import EXPECT
from .loss_detector import LossDetector
from .order_models import PLAIN_ORDERS, OrderModels, with_models_placed
from .scripts import LIMITED, engine_for, leave_out_seldom
from .verb import AnyStep, AnyVerb, Q, Request, Verb, step_of

STEPS_AT_ONCE = 24
"""The steps of one trader that one call carries when each has an answer of its own; they hold up a server's other
callers for less than a millisecond."""
MOST_STEPS = 256
"""The steps that a unit may have."""

C = TypeVar("C")
R = TypeVar("R", bound=Request)
A = TypeVar("A")


class ChangePolicy:
    """A book's settings about changes, in the form that the engine reads. Times are in milliseconds."""

    __slots__ = ("arguments", "records_overfill", "records_refusals")

    def __init__(self, settings: Settings) -> None:
        kept = str(2**53 - 1 if settings.events_kept is None else settings.events_kept)
        channels = "".join(f" {channel}" for channel in sorted(settings.publish))
        closed_ttl = str(milliseconds("order_ttl", settings.remembered(settings.order_ttl)))
        request_ttl = str(milliseconds("request_ttl", settings.remembered(settings.request_ttl)))
        self.records_refusals = settings.record_refusals
        self.records_overfill = settings.overfill == "record"
        self.arguments = (kept, channels, closed_ttl, request_ttl, "1" if self.records_refusals else "")
        """The engine's arguments ``kept``, ``channels``, ``closed_ttl``, ``request_ttl`` and ``record_refusals``."""


class ChangeCalls(Generic[R, A]):
    """The calls that change one book, with its prefix and policy, for the requests of some verbs."""

    def __init__(
        self,
        verbs: Sequence[AnyVerb],
        settings: Settings,
        loss_detector: LossDetector,
        fence: Fence = NO_FENCE,
        models: OrderModels = PLAIN_ORDERS,
    ) -> None:
        self.keys = Keys(settings.prefix)
        self._verbs: Mapping[type, AnyVerb] = {verb.request: verb for verb in verbs}
        self._policy = ChangePolicy(settings)
        self._settled = (*self._policy.arguments, str(fence.arguments.fence))
        """The engine's arguments that every call of these has alike, up to ``fence``."""
        self._loss_detector = loss_detector
        self._fence = fence
        self._models = models
        self._one, self._each, self._recording = _One(self), _Each(self), _Recording(self)

    def change(self, request: R) -> Call[A]:
        """Return the call that a request asks for. Raises InvalidArgument if no verb takes it."""
        return cast("Call[A]", self._alone(self._step(self.verb_of(request), request)))

    def call(self, verb: Verb[Q, C], request: Q) -> Call[C]:
        """Return the call of one verb. Raises InvalidArgument if the verb does not take the request."""
        must_be(request, verb.request)
        return cast("Call[C]", self._alone(self._step(verb, request)))

    def checked(self, requests: Sequence[R], verb: AnyVerb | None = None) -> list[AnyStep]:
        """Return the steps of many requests.

        Raises InvalidArgument if no verb takes one of them, or if ``verb`` is given and does not take them all.
        """
        if verb is None:
            return [self._step(self.verb_of(request), request) for request in requests]
        for request in requests:
            must_be(request, verb.request)
        return [self._step(verb, request) for request in requests]

    def grouped(self, steps: list[AnyStep]) -> Steps[A]:
        """Return the calls that carry out steps, each with an answer of its own: those of one trader go together."""
        chunks: list[list[int]] = []
        open_chunks: dict[str, list[int]] = {}
        for number, step in enumerate(steps):
            chunk = open_chunks.get(step.keys.trader)
            if chunk is None or len(chunk) == STEPS_AT_ONCE:
                chunk = open_chunks[step.keys.trader] = []
                chunks.append(chunk)
            chunk.append(number)
        return Steps(steps, chunks, [self._pending([steps[number] for number in chunk]) for chunk in chunks])

    def one(self, step: AnyStep) -> Call[Any]:
        """Return the call of one step."""
        return self._one.change(step)

    def unit(self, requests: Sequence[R | Expect], expected_sequence: int | None = None) -> Call[list[A]]:
        """Return the call that carries out requests of one trader all or nothing; see ``unit_steps``."""
        return self.unit_of(self.unit_steps(requests), expected_sequence)

    def unit_steps(self, requests: Sequence[R | Expect]) -> list[AnyStep]:
        """Return the steps of a unit.

        Raises InvalidArgument for none or more than 256, for requests of several traders, and for guards alone.
        """
        if not 0 < len(requests) <= MOST_STEPS:
            raise InvalidArgument(f"a unit has 1 to {MOST_STEPS} steps, not {len(requests)}")
        verbs = [EXPECT if isinstance(request, Expect) else self.verb_of(request) for request in requests]
        traders = {request.trader for request in requests if not isinstance(request, Expect)}
        if len(traders) != 1:
            found = ", ".join(sorted(traders)) if traders else "guards alone"
            raise InvalidArgument(f"a unit changes the book of one trader, not {found}")
        keys = self.keys.of(traders.pop())
        steps = [
            step_of(EXPECT, request, keys) if isinstance(request, Expect) else self._step(verb, request)
            for verb, request in zip(verbs, requests, strict=True)
        ]
        return with_models_placed(steps)

    def unit_of(self, steps: Sequence[AnyStep], expected_sequence: int | None = None) -> Call[list[A]]:
        """Return the call that carries out the steps of a unit. Raises InvalidArgument for no sequence number."""
        if expected_sequence is not None:
            expected_sequence = whole("expected_sequence", expected_sequence, least=0)
        expected = "" if expected_sequence is None else str(expected_sequence)
        return cast("Call[list[A]]", _Unit(self, expected).change(steps))

    def verb_of(self, request: object) -> AnyVerb:
        """Return the verb of a request's class, or of a class that it derives from. Raises InvalidArgument."""
        known = self._verbs.get(type(request))
        if known is not None:
            return known
        for kind in type(request).__mro__:
            if verb := self._verbs.get(kind):
                return verb
        if isinstance(request, Entity) and Insert in self._verbs:
            raise InvalidArgument(f"{shown(request)} says not what to do with it: write Insert(…) or Put(…)")
        must_be(request, *self._verbs)
        raise AssertionError  # must_be has raised

    def build(
        self,
        steps: Sequence[AnyStep],
        mode: str,
        reader: Callable[..., AnswerReader[C]],
        builder: CallBuilder[Any],
        request: object,
        expected: str = "",
        earlier: str = "",
    ) -> Call[C]:
        """Return the call of some steps of one trader, packed with what is known of losses now.

        ``earlier`` has the writer's counts of earlier sends of the call, each after a blank.
        """
        keys = steps[0].keys
        told = self._loss_detector.tell(keys.trader)
        is_one = len(steps) == 1
        fixed_keys = (keys.book, keys.events, keys.positions, self._fence.arguments.lock or keys.book)
        step_keys: list[str] = []
        about_writer = (told.mark, str(told.counted), told.acknowledged)
        arguments = [keys.trader, mode, *about_writer, earlier, *self._settled, expected]
        kinds: set[str] = set()
        for step in steps:
            verb = step.verb
            step_keys += step.own_keys
            arguments.append(verb.step)
            arguments += verb.arguments(step.request)
            if verb.has_own:
                arguments.append(step.own)
            elif verb.folds_cost:
                arguments.append(step.basis)
            kinds.add(verb.step)
        if is_one and "record" in kinds:
            leave_out_seldom(arguments)
        if not is_one:
            step_keys = list(dict.fromkeys(step_keys))
        name = steps[0].name if is_one else f"{len(steps)} changes of {keys.trader} from {steps[0].name} on"
        return evaluate(
            name,
            engine_for(kinds),
            (*fixed_keys, *step_keys),
            arguments,
            decode=reader(self._loss_detector, told, name, steps),
            builder=builder,
            request=request,
            about=_about(steps),
            touched="sequence",
            tag=keys.trader,
        )

    def _step(self, verb: AnyVerb, request: Request) -> AnyStep:
        """Return a step whose request was checked."""
        model, own = self._models.default, ""
        if isinstance(request, Record):
            stored = self._models.stored(request, verb)
            request, model, own = cast("Request", stored.request), stored.model, stored.own
            if self._policy.records_overfill and isinstance(request, Fill) and request.overfill is None:
                request = copied(request, overfill="record")
        if verb.check is not None:
            verb.check(request)
        self._fence.check_trader(request.trader)
        return step_of(verb, request, self.keys.of(request.trader), model, own)

    def _alone(self, step: AnyStep) -> Call[object]:
        """Return the call of one step."""
        if self._policy.records_refusals and step.verb.step in LIMITED:
            return self._recording.change(Chunk([step]))
        return self._one.change(step)

    def _pending(self, steps: list[AnyStep]) -> PendingCall[list[Outcome[A]]]:
        keys = steps[0].keys
        return PendingCall(
            _about(steps), slot_of_tag(keys.trader), cast("CallBuilder[object]", self._each), Chunk(steps)
        )


def _about(steps: Sequence[AnyStep]) -> tuple[str, ...]:
    """Return the keys of the records that steps are about."""
    return (steps[0].own_keys[0],) if len(steps) == 1 else tuple([step.own_keys[0] for step in steps])


@dataclass(slots=True)
class Chunk:
    """The steps of one call, and the writer's counts of its sends until now, each after a blank."""

    steps: list[AnyStep]
    sent: str = ""


@dataclass(frozen=True, slots=True)
class Steps(Generic[A]):
    """Many steps, and the calls that carry them out."""

    steps: list[AnyStep]
    chunks: list[list[int]]
    """The numbers of the steps that each call carries."""
    calls: list[PendingCall[list[Outcome[A]]]]

    def outcomes(self, found: Sequence[Outcome[list[Outcome[A]]]]) -> list[Outcome[A]]:
        """Return the outcome of each step, in the order given, from the outcomes of the calls."""
        outcomes: list[Outcome[A]] = [Outcome()] * len(self.steps)
        for chunk, outcome in zip(self.chunks, found, strict=True):
            each = spread([self.steps[number] for number in chunk], outcome)
            for number, one in zip(chunk, each, strict=True):
                outcomes[number] = one
        return outcomes


_read_one = cast("Callable[..., AnswerReader[object]]", OneReader)


@dataclass(frozen=True, slots=True)
class _One:
    """Builds the call of one step."""

    calls: ChangeCalls[Any, Any]

    def change(self, request: AnyStep, /) -> Call[object]:
        return self.calls.build((request,), "each", _read_one, self, request)


@dataclass(frozen=True, slots=True)
class _Recording:
    """Builds the call of one step whose refusal is an event, by which a call that is sent again is known."""

    calls: ChangeCalls[Any, Any]

    def change(self, request: Chunk, /) -> Call[object]:
        call = self.calls.build(request.steps, "each", _read_one, self, request, earlier=request.sent)
        request.sent += f" {cast('AnswerReader[object]', call.decode).told.counted}"
        return call


@dataclass(frozen=True, slots=True)
class _Each:
    """Builds the call of several steps, each with an answer of its own."""

    calls: ChangeCalls[Any, Any]

    def change(self, request: Chunk, /) -> Call[object]:
        call = self.calls.build(request.steps, "each", EachReader, self, request, earlier=request.sent)
        request.sent += f" {cast('EachReader', call.decode).told.counted}"
        return call


@dataclass(frozen=True, slots=True)
class _Unit:
    """Builds the call of a unit."""

    calls: ChangeCalls[Any, Any]
    expected: str

    def change(self, request: Sequence[AnyStep], /) -> Call[object]:
        return self.calls.build(request, "all", UnitReader, self, request, self.expected)

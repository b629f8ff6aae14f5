"""Read what the engine answers: results, refusals, and what it says beside them of earlier changes that are lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

from ...models.errors import (
    CorruptRecord,
    OutcomeUnknown,
    Refused,
    SlotbookError,
    StateLost,
    UnderReplicated,
    VersionConflict,
)
from ...models.results import Outcome, is_stored
from ...topology.call import Reply
from ..replies import integer, refusal, rows
from .loss_detector import LossDetector, Lost, Tip, Told
from .verb import AnyStep, OlderRecord

C = TypeVar("C")
A = TypeVar("A")


class AnswerReader(Generic[C]):
    """A reader of the answers to one call; what it returns is the call's value.

    It is one object and no closure: a batch has many of them, and the garbage collector has to visit every object.
    """

    __slots__ = ("_loss_detector", "_name", "_steps", "told")

    def __init__(self, loss_detector: LossDetector, told: Told, name: str, steps: Sequence[AnyStep]) -> None:
        self._loss_detector = loss_detector
        self.told = told
        """The part of the call by which losses are noticed."""
        self._name = name
        self._steps = steps

    def __call__(self, reply: Reply) -> C:
        """Return the value. Raises StateLost when earlier changes are lost, with the result or the refusal."""
        match rows(reply):
            case ["unfinished", str(error)]:
                raise OutcomeUnknown(
                    f"{self._name}: the server stopped amid the writes of this change, which may be there in part: "
                    f"{error!r}; verify the book of {self.told.trader}, and see what the user may do (ACL GETUSER)"
                )
            case ["", "", "unusable", list(answer)]:
                raise refusal(self._name, answer)
            case [lost, str(last), *answers]:
                tip = Tip.parse(last)
                if tip is not None and tip.writer != self.told.own and any(map(_is_applied, answers)):
                    raise ValueError(last)  # it is the answer to another call, for this one has written the last event
                return self._read(answers, tip, lost_in(lost))
            case other:
                raise refusal(self._name, other)

    def _read(self, answers: list[Reply], tip: Tip | None, lost: Lost | None) -> C:
        raise NotImplementedError

    def _note(
        self, tip: Tip | None, lost: Lost | None, result: object, error: SlotbookError | None, written: int = 1
    ) -> StateLost | None:
        """Remember what was acknowledged, and return the error when something is found lost.

        Args:
            tip: The last event that the call has written, or that its repeat came before; None for a refusal.
            lost: What the script says of losses.
            result: The result of the call.
            error: The error of the call.
            written: The number of events that the call has written.
        """
        detector, told = self._loss_detector, self.told
        refused = error if isinstance(error, Refused) else None
        if lost is not None:
            return detector.record_loss(told, detector.first_lost(told, lost), tip, result, refused, lost.sequences)
        if tip is not None and (first := detector.acknowledge(told, tip, written)):
            return detector.record_loss(told, first, tip, result, refused)
        return None


class OneReader(AnswerReader[C]):
    """A reader of the answer to a single step."""

    __slots__ = ()

    def __call__(self, reply: Reply) -> C:
        """Return the value, as every reader does: of a step that was applied with nothing lost in the shortest way."""
        if type(reply) is list and len(reply) == 3 and reply[0] == "":
            _, last, answer = reply
            if type(last) is str and type(answer) is list and answer and answer[0] == "applied":
                number, _, writer = last.partition(" ")
                if writer == self.told.own:
                    return self._read([answer], Tip(int(number), writer), None)
        return super().__call__(reply)

    def _read(self, answers: list[Reply], tip: Tip | None, lost: Lost | None) -> C:
        step, answer = self._steps[0], answers[0]
        try:
            result = step.read(answer)
        except Refused as error:
            if (loss := self._note(None, lost, None, error)) is not None:
                raise loss from error
            raise
        except CorruptRecord as error:
            _say_applied(error, step.name, [answer])
            raise
        if (loss := self._note(_tip_of(answer, tip), lost, result, None)) is not None:
            raise loss
        return cast("C", result)


class EachReader(AnswerReader["list[Outcome[Any]]"]):
    """A reader of the answers to several steps, each of which has an outcome of its own."""

    __slots__ = ()

    def _read(self, answers: list[Reply], tip: Tip | None, lost: Lost | None) -> list[Outcome[Any]]:
        outcomes: list[Outcome[Any]] = []
        acknowledged = False
        for step, answer in zip(self._steps, answers, strict=True):
            try:
                outcomes.append(Outcome(step.read(answer)))
                acknowledged = acknowledged or _acknowledges(answer)
            except SlotbookError as error:
                _say_applied(error, step.name, [answer])
                outcomes.append(Outcome(error=error))
        known = [number for number, one in enumerate(outcomes) if one.error is None or isinstance(one.error, Refused)]
        if known:  # else nobody can be told of a loss here, and the next call finds it again
            one = outcomes[known[0]]
            loss = self._note(tip if acknowledged else None, lost, one.value, one.error, _written(answers))
            if loss is not None:
                outcomes[known[0]] = Outcome(error=loss)
        return outcomes


class UnitReader(AnswerReader["list[Any]"]):
    """A reader of the answer to a unit: the results of its changes, in their order."""

    __slots__ = ()

    def _read(self, answers: list[Reply], tip: Tip | None, lost: Lost | None) -> list[Any]:
        try:
            results = self._results(answers)
        except Refused as error:
            if (loss := self._note(None, lost, None, error)) is not None:
                raise loss from error
            raise
        except CorruptRecord as error:
            _say_applied(error, "the unit", answers)
            raise
        if (loss := self._note(tip, lost, results, None, _written(answers))) is not None:
            raise loss
        return results

    def _results(self, answers: list[Reply]) -> list[Any]:
        match answers:
            case ["refused", int(index), list(answer), *more]:
                raise self._refusal(index, answer, more)
            case _:
                changes = zip(self._steps, answers, strict=True)
                return [step.read(answer) for step, answer in changes if step.verb.event is not None]

    def _refusal(self, index: int, answer: list[Reply], more: list[Reply]) -> SlotbookError:
        if index < 0:
            found = f"the book is at sequence {answer[1]}, not where it was expected"
            return VersionConflict(f"{self._name}: {found}; read it again, and decide anew")
        step = self._steps[index]
        try:
            step.read(answer)
        except OlderRecord as older:
            return self._instead(index, older, more)
        except SlotbookError as error:
            error.index = index
            return error
        beyond = Refused(f"{step.name}: the position would pass its limit")  # alone, it has a result that says so
        beyond.index = index
        return beyond

    def _instead(self, index: int, older: OlderRecord, more: list[Reply]) -> SlotbookError:
        """Return what is to be sent instead, given the other steps that found an older record, and their answers."""
        older.instead = {index: older.instead[0]}
        for number, answer in zip(map(integer, more[::2]), more[1::2], strict=True):
            try:
                self._steps[number].read(answer)
            except OlderRecord as other:
                older.instead[number] = other.instead[0]
            except SlotbookError as error:
                error.index = number
                return error
        return older


def spread(steps: Sequence[AnyStep], outcome: Outcome[list[Outcome[A]]]) -> list[Outcome[A]]:
    """Return the outcome of each step of a call whose outcome is known: of one that failed, each step has its error."""
    error = outcome.error
    if error is None:
        return outcome.value or []
    if isinstance(error, UnderReplicated):
        return [
            _under_replicated(step, one, error)
            for step, one in zip(steps, cast("list[Outcome[A]]", error.result), strict=True)
        ]
    if len(steps) == 1:
        return [Outcome(error=error)]
    _, found, problem = str(error).partition(f" from {steps[0].name} on")
    if not found:
        return [Outcome(error=error)] * len(steps)
    return [Outcome(error=type(error)(f"{step.name}{problem}")) for step in steps]


def _under_replicated(step: AnyStep, outcome: Outcome[A], error: UnderReplicated) -> Outcome[A]:
    """Return the outcome of one step of a call that too few have confirmed."""
    if outcome.error is not None or not is_stored(outcome.value):
        return outcome
    problem = str(error)[str(error).index(": applied") :]
    return Outcome(error=UnderReplicated(f"{step.name}{problem}", outcome.value, error.replicas, error.wanted))


def lost_in(reply: Reply) -> Lost | None:
    """Return what a script says of losses, None when it found none."""
    match reply:
        case [str(sequences), str(first_kept), *pairs]:
            numbers = cast("list[str]", pairs)
            survivors = [(integer(one), counted) for one, counted in zip(numbers[::2], numbers[1::2], strict=True)]
            return Lost(list(map(integer, sequences.split(" "))), integer(first_kept), survivors)
        case "":
            return None
        case other:
            raise ValueError(other)


def _acknowledges(answer: Reply) -> bool:
    """Return True for an answer that says that the change is there."""
    return isinstance(answer, list) and bool(answer) and answer[0] in ("applied", "repeat", "outdated")


def _say_applied(error: SlotbookError, name: str, answers: Sequence[Reply]) -> None:
    """Let the error of a record that cannot be read say that the change itself was applied, where it was."""
    if isinstance(error, CorruptRecord) and any(map(_is_applied, answers)):
        error.applied = True
        error.args = (f"{error}; {name} was applied",)


def _is_applied(answer: Reply) -> bool:
    return isinstance(answer, list) and bool(answer) and answer[0] == "applied"


def _written(answers: Sequence[Reply]) -> int:
    """Return the number of events that a call has written, at least 1."""
    return max(1, sum(map(_is_applied, answers)))


def _tip_of(answer: Reply, tip: Tip | None) -> Tip | None:
    """Return the event that proves a change, None for a change that is not there.

    The answer to a repeat has the change's own event, as long as that is kept; others may have written after it.
    """
    if not isinstance(answer, list) or not _acknowledges(answer):
        return None
    if answer[0] == "applied":
        return tip
    event = answer[-1]
    if answer[0] == "repeat" and isinstance(event, list) and len(event) > 4 and event[0] == "writer":
        return Tip(integer(answer[1]), f"{event[1]} {event[3]}")
    return tip

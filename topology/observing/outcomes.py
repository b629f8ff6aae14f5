"""Say in one word how a call has ended."""

from __future__ import annotations

from enum import StrEnum
from typing import cast

from ...models.errors import (
    CorruptRecord,
    OutcomeUnknown,
    Refused,
    SlotbookError,
    StateLost,
    UnderReplicated,
    UnexpectedReply,
)
from ...models.results import Outcome


class CallOutcome(StrEnum):
    """The ways in which a call ends."""

    READ = "read"
    """It only reads, and was answered."""
    APPLIED = "applied"
    """It changed something, also when fewer copies than asked for confirmed that."""
    REPEATED = "repeated"
    """The same change had been applied before, by an earlier call or an earlier try: it changed nothing more."""
    REFUSED = "refused"
    """The book refused it and changed nothing."""
    NOT_APPLIED = "not_applied"
    """A change that no server made."""
    UNKNOWN = "unknown"
    """A change whose reply was lost: it may have been applied."""
    FAILED = "failed"
    """It only reads, and was not answered, or by something that is no answer."""


def outcome_of(value: object, error: BaseException | None, *, readonly: bool) -> CallOutcome:
    """Return how a call has ended, given its value or its error. What is not known is ``UNKNOWN``."""
    if error is None:
        return CallOutcome.READ if readonly else _of_result(value)
    if isinstance(error, Refused) or (isinstance(error, StateLost) and error.refusal is not None):
        return CallOutcome.REFUSED
    if isinstance(error, (StateLost, UnderReplicated)) and error.result is not None:
        return outcome_of(error.result, None, readonly=readonly)
    return _of_reads(error) if readonly else _of_changes(error)


def _of_reads(error: BaseException) -> CallOutcome:
    return CallOutcome.READ if isinstance(error, (StateLost, CorruptRecord)) else CallOutcome.FAILED


def _of_changes(error: BaseException) -> CallOutcome:
    unknown = isinstance(error, (OutcomeUnknown, UnexpectedReply)) or not isinstance(error, SlotbookError)
    if unknown:
        return CallOutcome.UNKNOWN
    return CallOutcome.APPLIED if isinstance(error, CorruptRecord) and error.applied else CallOutcome.NOT_APPLIED


_FIRST = (CallOutcome.UNKNOWN, CallOutcome.APPLIED, CallOutcome.REPEATED, CallOutcome.REFUSED, CallOutcome.NOT_APPLIED)
"""The outcomes of steps: the first that any of them has is that of their call."""


def _of_result(value: object) -> CallOutcome:
    """Return the outcome of a change that was answered."""
    if isinstance(value, list):
        found = {_of_step(step) for step in cast("list[object]", value)}
        return next((outcome for outcome in _FIRST if outcome in found), CallOutcome.APPLIED)
    return CallOutcome.REPEATED if getattr(value, "applied", True) is False else CallOutcome.APPLIED


def _of_step(step: object) -> CallOutcome:
    if isinstance(step, Outcome):
        outcome = cast("Outcome[object]", step)
        return outcome_of(outcome.value, outcome.error, readonly=False)
    return _of_result(step)

"""Keep one call of a batch and everything that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from ...models.errors import OutcomeUnknown, SlotbookError
from ...models.results import Outcome, first_result
from ..address import Address
from ..call import Call, PendingCall, Reply
from ..error_mapping import Failure, Unanswered, Unsent, report

T = TypeVar("T")
Buildable: TypeAlias = Call[T] | PendingCall[T]
"""A call that is built, or that can be."""


@dataclass(slots=True)
class Item(Generic[T]):
    """One call of a batch: how to build it, and what is known of it."""

    buildable: Buildable[T]
    _call: Call[T] | None = None
    outcome: Outcome[T] | None = None
    """The result of the call or its error; None as long as it must be sent, or sent again."""
    failure: Failure | None = None
    """The last answer that was not a value."""
    asking_at: Address | None = None
    """The node that an ASK reply named: the call goes there next, after ASKING."""
    with_source: bool = False
    """True when a server did not know the script: it is sent with its source next."""
    may_be_applied: bool = False
    """True when some attempt may have been applied."""
    redirects: int = 0
    unproven: T | None = None
    """The result of the first attempt that was applied, if its durability could not be proven."""

    @property
    def call(self) -> Call[T]:
        """The call, built when it is first needed."""
        if self._call is None:
            self._call = self.buildable.build()
        return self._call

    @property
    def built(self) -> Call[T] | None:
        """The call, None for one that is built when its turn comes, as long as that has not come."""
        return self._call or (self.buildable if isinstance(self.buildable, Call) else None)

    @property
    def name(self) -> str:
        """The name of the call; "change" as long as it is not built."""
        return "change" if self.built is None else self.built.name

    @property
    def value(self) -> T:
        """The result of an applied call, from the first attempt that was applied."""
        if self.outcome is None:
            return cast("T", self.unproven)
        again = cast("T", self.outcome.value)
        return again if self.unproven is None else first_result(self.unproven, again)

    def rebuild(self) -> None:
        """Forget the call that was built, and with it what may be out of date."""
        self.buildable, self._call = self.buildable.rebuild(), None

    def decode(self, reply: Reply) -> None:
        """Decode the reply; its value, or the error that it means, is the outcome."""
        try:
            self.outcome = Outcome(value=self.call.value(reply))
        except SlotbookError as error:
            self.outcome = Outcome(error=error)

    def fail(self, error: SlotbookError) -> None:
        """End with an error; with OutcomeUnknown in its place if some attempt may have been applied."""
        self.outcome = Outcome(error=self.outcome_unknown(str(error)) if self.may_be_applied else error)

    def outcome_unknown(self, because: str) -> OutcomeUnknown:
        """Return the error of a call that may have been applied."""
        return OutcomeUnknown(
            f"{self.call.name}: the reply was lost, so it may have been applied, and {because}; "
            "send it again with the same identity to find out"
        )

    def last_failure(self, reason: Exception | None) -> str:
        """Return the text of the last failure; of ``reason`` when the call itself was never answered."""
        failure = self.failure
        if isinstance(failure, (Unsent, Unanswered)):
            return str(failure.cause).rstrip(".")
        if failure is not None:
            return str(report(self.call.name, failure)).partition("the server answered ")[2] or str(failure)
        return str(reason) if reason else "it waited its turn"

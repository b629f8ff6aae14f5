"""Describe each kind of change in one row: its request, what the engine is given, and how the answer is read.

The rows are in ``orders/verbs.py`` and ``positions/calls.py``. From a row derive the call of one change, the calls of
many, units, the check of the request's type, and how a batch or a retry builds the call again (``engine.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from ...models.enums import EventType
from ...models.errors import SlotbookError
from ...models.guards import Expect
from ...models.keys import TraderKeys
from ...models.order import Order
from ...topology.call import Reply
from ...topology.misreadings import MISREADINGS, unexpected
from ..replies import rows


class Request(Protocol):
    """A request to change a trader's book."""

    @property
    def trader(self) -> str:
        """Return the trader whose book is changed."""
        ...


class ChangeResult(Protocol):
    """A result of a change, as far as the engine reads it."""

    @property
    def applied(self) -> bool:
        """Return False for a repeat."""
        ...


class OlderRecord(SlotbookError):
    """A record is of an older schema than the change of it: nothing was changed, and another change is sent instead.

    No caller sees it. Of a unit it has a change for each such step.
    """

    def __init__(self, message: str, instead: object) -> None:
        super().__init__(message)
        self.instead: dict[int, Any] = {0: instead}


class PositionMoved(SlotbookError):
    """A position is not what its cost was folded from: nothing was changed, and it is folded anew.

    No caller sees it.
    """

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message, version)
        self.version = version
        """The position's version."""


Q = TypeVar("Q", bound=Request)
C = TypeVar("C")


class Step(NamedTuple, Generic[Q]):
    """One step of a call: its verb, the request, the keys of the trader, and those of the step itself."""

    verb: AnyVerb
    request: Q
    keys: TraderKeys
    own_keys: tuple[str, ...]
    """The keys whose absence decides something, first that of the record."""
    model: type[Order] = Order
    """The class that the order of the answer is read as."""
    own: str = ""
    """The argument by which the engine is given the request's own fields; "" for none."""
    basis: str = ""
    """The cost that an execution leaves which is revised, and what that was folded from; "" for an approximate one."""

    @property
    def name(self) -> str:
        """The name of the step, which its errors begin with."""
        return self.verb.describe(self.request)

    def read(self, answer: Reply) -> Any:
        """Return the result that the engine's answer has. Raises the refusal, UnexpectedReply for what is no answer."""
        try:
            return self.verb.read_answer(self, rows(answer))
        except SlotbookError:
            raise
        except MISREADINGS as error:
            raise unexpected(self.name, answer, readonly=False) from error


AnyStep: TypeAlias = Step[Any]
"""A step among others, each of which has its own type of request."""
ReadAnswer: TypeAlias = Callable[[Step[Q], list[Reply]], C]
"""A function that reads the engine's answer to a step; it raises the refusal that the answer says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb(Generic[Q, C]):
    """One kind of change."""

    name: str
    """The name of the verb; for a verb of orders, that of the repository's method."""
    request: type[Q]
    event: EventType | None
    """The type of the event that the change writes; None for one that writes none."""
    step: str
    """The name of the engine's step that decides it."""
    keys: Callable[[TraderKeys, Q], tuple[str, ...]]
    """Return the keys whose absence decides something, first that of the record."""
    arguments: Callable[[Q], tuple[str, ...]]
    """Return the step's arguments, in the order in which its function unpacks them."""
    read_answer: ReadAnswer[Q, C]
    describe: Callable[[Q], str]
    """Return the name of a call, which its errors begin with."""
    check: Callable[[Q], None] | None = None
    """Raise InvalidArgument for a request that is of the right type, but cannot be made."""
    has_own: bool = False
    """True when a request may have fields of the desk's own, which are one more argument of the step."""
    folds_cost: bool = False
    """True when the position's cost is folded anew, which is one more argument of the step; see ``cost_plan.py``."""


AnyVerb: TypeAlias = Verb[Any, Any]
"""A row in a sequence of rows, each of which has its own types of request and result."""


def step_of(
    verb: AnyVerb, request: Request | Expect, keys: TraderKeys, model: type[Order] = Order, own: str = ""
) -> AnyStep:
    """Return the step that a request is, by the verb that takes it."""
    return Step(verb, cast("Any", request), keys, verb.keys(keys, request), model, own)

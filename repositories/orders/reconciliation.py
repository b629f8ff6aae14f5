"""Count what has become of a journal's rows, and name those that are not in the book, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...models.errors import SlotbookError, StateLost
from ...models.execution_changes import Bust
from ...models.journal import JournalError
from ...models.order import Order, Replace
from .known_changes import describe
from .verbs import OrderRequest


class NamedRow(NamedTuple):
    """A row of a journal that is named in the result."""

    place: int
    """The line of a :class:`~slotbook.models.journal.JournalEntry`; of a bare request its place, counted from 0."""
    request: OrderRequest | None
    """None for a row that is no request."""
    reason: str


class Refusal(NamedTuple):
    """A row of a journal that was refused, and changed nothing."""

    place: int
    """The line of a :class:`~slotbook.models.journal.JournalEntry`; of a bare request its place, counted from 0."""
    request: OrderRequest | None
    """None for a row that is no request."""
    error: SlotbookError

    @property
    def reason(self) -> str:
        """The reason, in one line."""
        return self.error.problem if isinstance(self.error, JournalError) else str(self.error)


@dataclass(slots=True)
class Reconciliation:
    """The fates of a journal's rows; each row has one.

    ::

        done = book.reconcile(journal)
        for refusal in done.refusals:
            print(refusal.place, refusal.reason)
    """

    rows: int = 0
    """The number of rows that were taken from the journal."""
    applied: int = 0
    repeated: int = 0
    """The number of rows that had been applied before."""
    outdated: list[NamedRow] = field(default_factory=list[NamedRow])
    """The rows that came too late to change anything: a replace below the last revision applied, a request to end an
    order that another request has ended in the same way, or a bust of what another report has busted."""
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    """The rows that were refused, and would be again."""
    unsettled: list[Refusal] = field(default_factory=list[Refusal])
    """The rows that were refused, and may be applied if the same journal is applied once more."""
    out_of_order: list[NamedRow] = field(default_factory=list[NamedRow])
    """The rows that were applied after rows behind them, because only these allowed it; they are among ``applied``."""
    under_replicated: int = 0
    """The number of rows, applied or repeated, that fewer replicas confirmed than the durability asks for. Of a row
    that is known from its event alone nobody is asked."""
    losses: list[StateLost] = field(default_factory=list[StateLost])
    """The losses that were noticed meanwhile; when there are any, apply the journal once more."""

    @property
    def out_of_date(self) -> int:
        """The number of rows that came too late to change anything."""
        return len(self.outdated)

    @property
    def refused(self) -> int:
        """The number of rows that were refused, and would be again."""
        return len(self.refusals)

    @property
    def would_apply(self) -> int:
        """The number of rows that were refused, and may be applied if the same journal is applied once more."""
        return len(self.unsettled)

    @property
    def settled(self) -> int:
        """The number of rows whose fate is known."""
        return self.applied + self.repeated + self.out_of_date + self.refused + self.would_apply

    @property
    def is_complete(self) -> bool:
        """True when every row is in the book: applied now or before."""
        return self.applied + self.repeated == self.rows


def why_outdated(request: OrderRequest, order: Order) -> str:
    """Return why a request that the book has answered as out of date changes nothing."""
    name = describe(request)
    if isinstance(request, Replace):
        return f"{name}: revision {order.revision} was applied, which is not below its own, {request.revision}"
    if isinstance(request, Bust):
        return f"{name}: another report has busted the execution already"
    return f"{name}: the order is {order.status} already, by another request"

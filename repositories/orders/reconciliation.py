"""Count the outcomes of applying a journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ...models.errors import Refused, StateLost, UnderReplicated
from ...models.results import FillResult, OrderResult, Outcome
from .verbs import OrderRequest

MOST_REJECTIONS = 1_000
"""The number of refusals that are kept with their requests."""

Rejection: TypeAlias = tuple[int, OrderRequest, Refused]
"""The place of a request in the journal, counted from 0; the request; and the refusal."""


@dataclass(slots=True)
class Reconciliation:
    """The outcomes of a journal's requests: each was applied, had been applied before, or was refused.

    ::

        reconciliation = book.reconcile(journal)
        print(reconciliation.applied, reconciliation.rejected)
    """

    requests: int = 0
    """The number of requests that were sent."""
    applied: int = 0
    repeated: int = 0
    rejected: int = 0
    under_replicated: int = 0
    """The number of requests, applied or repeated, that fewer replicas confirmed than the durability asks for."""
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    """The first 1,000 refusals."""
    losses: list[StateLost] = field(default_factory=list[StateLost])
    """The losses that were noticed meanwhile; when there are any, apply the journal once more."""

    @property
    def settled(self) -> int:
        """The number of requests that were applied, repeated or refused."""
        return self.applied + self.repeated + self.rejected

    def add(self, page: Sequence[OrderRequest], outcomes: Sequence[Outcome[OrderResult | FillResult]]) -> None:
        """Count the outcomes of the next requests. Raises the first error that is neither a refusal nor a loss."""
        undecided: Exception | None = None
        for request, outcome in zip(page, outcomes, strict=True):
            error = outcome.error
            result: object = outcome.value
            if isinstance(error, StateLost):
                self.losses.append(error)
                result, error = error.result, error.refusal
            elif isinstance(error, UnderReplicated):
                self.under_replicated += 1
                result = error.result
            if isinstance(result, (OrderResult, FillResult)):
                self.applied += result.applied
                self.repeated += not result.applied
            elif isinstance(error, Refused):
                self.rejected += 1
                if len(self.rejections) < MOST_REJECTIONS:
                    self.rejections.append((self.requests, request, error))
            else:
                undecided = undecided or error
            self.requests += 1
        if undecided is not None:
            raise undecided

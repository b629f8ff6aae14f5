"""What applying a journal came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ...models.errors import Refused, StateLost, UnderReplicated
from ...models.results import FillResult, OrderResult, Outcome
from .verbs import OrderRequest

MOST_REJECTIONS = 1_000

Rejection: TypeAlias = tuple[int, OrderRequest, Refused]
"""Which request of the journal (counted from 0), and why the book said no."""


@dataclass(slots=True)
class Reconciliation:
    """A tally of requests: each was applied, had been applied before, or was refused."""

    requests: int = 0
    """How many were sent."""
    applied: int = 0
    repeated: int = 0
    rejected: int = 0
    under_replicated: int = 0
    """How many of those applied or repeated have fewer copies than the book's durability asks for."""
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    """The first 1,000 refusals."""
    losses: list[StateLost] = field(default_factory=list[StateLost])
    """What the servers were seen to lose meanwhile; apply the journal once more when there are any."""

    @property
    def settled(self) -> int:
        """How many have their answer."""
        return self.applied + self.repeated + self.rejected

    def add(self, page: Sequence[OrderRequest], outcomes: Sequence[Outcome[OrderResult | FillResult]]) -> None:
        """Count the outcomes of the next requests. Raises the first error that decides nothing."""
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

"""The result of a venue's report, and what of the report the order does not agree with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from .enums import EventType
from .position import Position
from .results import O_co, OrderResult


class Difference(NamedTuple):
    """One thing that a report says otherwise than the order has it after the report.

    >>> Difference("cumulative_quantity", 60, 40)
    Difference(field='cumulative_quantity', reported=60, book=40)
    """

    field: str
    """The field of the report."""
    reported: Decimal | int | str | None
    """Its value by the report."""
    book: Decimal | int | str | None
    """Its value by the book."""


class ReportedChange(NamedTuple):
    """One change that a report has made."""

    type: EventType
    """The type of its event."""
    sequence: int
    """The number of its event; 0 for one that changed nothing, or whose number is not kept."""


@dataclass(frozen=True)  # no slots: see Outcome
class ReportResult(OrderResult[O_co]):
    """The result of an :class:`~slotbook.models.execution_report.ExecutionReport`, or of a CancelReject.

    ::

        result = book.orders.apply(report)
        for field, reported, there in result.differences:
            print(f"{field}: the venue says {reported}, the book has {there}")
    """

    position: Position | None = None
    """The trader's position after a fill, a bust or a correction; None when the report is none of these."""
    late: bool = False
    """True for a fill of an order that was canceled, rejected or expired."""
    differences: tuple[Difference, ...] = ()
    """Things that the report says otherwise than the order in this result; empty when they agree."""
    changes: tuple[ReportedChange, ...] = ()
    """The changes that the report stands for, in their order; empty when it asks for none that the order can take."""

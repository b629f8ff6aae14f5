"""The columns of a journal, and the request that each word of its event column becomes."""

from __future__ import annotations

from enum import StrEnum
from typing import Self, TypeAlias

from .execution_changes import Bust, Correct
from .fill import Fill
from .fill_details import DETAILS
from .order import TERMS, Cancel, Order, Replace

COLUMNS = ("seq", "ts_ns", "trader", "event", "order_id", "symbol", "side", "quantity", "price", "exec_id")
"""The columns that every journal begins with."""

_OF_ORDERS = ("type", "time_in_force", "stop_price", "reference_price", *TERMS, "status")
_OF_IDS = ("client_order_id", "original_client_order_id", "venue_order_id", "reason")
_OF_EXECUTIONS = ("exec_ref_id", "cumulative_quantity", "open_quantity", *DETAILS, "overfill")

MORE_COLUMNS = tuple(dict.fromkeys((*_OF_ORDERS, "text", *_OF_IDS, *_OF_EXECUTIONS)))
"""The columns that a journal may have behind these, in any order."""

JournalRequest: TypeAlias = Order | Replace | Cancel | Fill | Bust | Correct
"""The request that a line becomes."""


class JournalEvent(StrEnum):
    """The word for each kind of line, and the request that such a line becomes.

    >>> JournalEvent.CANCEL, JournalEvent.CANCEL.request.__name__
    (<JournalEvent.CANCEL: 'CANCEL'>, 'Cancel')
    """

    request: type[JournalRequest]
    columns: tuple[str, ...]
    """The columns of every journal that the request has fields for."""
    more: frozenset[str]
    """The others that it has fields for."""

    def __new__(cls, value: str, request: type[JournalRequest]) -> Self:
        """Return the member for one word of the event column."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.request = request
        member.columns = tuple(name for name in COLUMNS if name in request.model_fields)
        # An order has the ids of its requests as well, but is not placed with them.
        known = (*_OF_ORDERS, "text") if request is Order else MORE_COLUMNS
        member.more = frozenset(name for name in known if name in request.model_fields)
        return member

    NEW = "NEW", Order
    REPLACE = "REPLACE", Replace
    CANCEL = "CANCEL", Cancel
    FILL = "FILL", Fill
    BUST = "BUST", Bust
    CORRECT = "CORRECT", Correct

    @property
    def phrase(self) -> str:
        """The word with its article."""
        return f"{'an' if self[0] in 'AEIOU' else 'a'} {self}"


def takers_of(column: str) -> str:
    """Return the kinds of lines that may have a value in a column.

    >>> takers_of("fee"), takers_of("type")
    ('only a FILL or a CORRECT has one', 'only a NEW has one')
    """
    takers = [event.phrase for event in JournalEvent if column in event.columns or column in event.more]
    listed = " or ".join([", ".join(takers[:-1]), takers[-1]] if len(takers) > 1 else takers)
    return f"only {listed} has one"

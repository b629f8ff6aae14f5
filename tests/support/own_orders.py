"""Orders and fills with fields of a desk's own, which tests place and apply."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from slotbook import Fill, Index, Order
from slotbook.models.types import Name, Price, Text

from .make import execution, limit


class DeskOrder(Order):
    """An order of a strategy."""

    strategy: Annotated[Name, Index]
    desk_note: str | None = None
    target: Annotated[Price | None, Index] = None
    tags: dict[str, int] = Field(default_factory=dict)


class DeskFill(Fill):
    """A fill with the venue at which it happened."""

    venue: Name | None = None
    seen: datetime | None = None
    text: Text | None = None


NOTE = 'two\nlines, "quoted" \\ | { } Ü'


def desk_order(trader: str, order_id: str = "A1", /, **changes: object) -> DeskOrder:
    """Return the order of ``limit`` for the strategy S1, with a note that is hard to write."""
    own = {"strategy": "S1", "desk_note": NOTE, "target": "187.50", "tags": {"b": 1, "a": 2}, **changes}
    return DeskOrder.model_validate({**limit(trader, order_id).model_dump(), **own})


def desk_fill(trader: str, exec_id: str = "X1", quantity: int = 40, /, **changes: object) -> DeskFill:
    """Return the fill of ``execution`` at the venue XNAS."""
    own = {"venue": "XNAS", "text": NOTE.replace("\n", " "), **changes}
    return DeskFill.model_validate({**execution(trader, exec_id, quantity).model_dump(), **own})

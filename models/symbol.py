"""Reference data of one symbol."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .record import Record
from .types import Name, Price, Quantity, Text

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code (FIX Currency, tag 15)."""


class SymbolInfo(Record):
    """What a desk must know of a symbol before it trades it.

    >>> SymbolInfo(symbol="AAPL", name="Apple Inc.", exchange="XNAS", tick_size="0.01").lot_size
    1
    """

    symbol: Name
    name: Text
    exchange: Name | None = None
    """Where it is listed (FIX SecurityExchange, tag 207; a market identifier code)."""
    lot_size: Quantity = 1
    """Quantity of a round lot (FIX RoundLot, tag 561), in the symbol's unit."""
    tick_size: Annotated[Price, Field(gt=0)] | None = None
    """The smallest change of price (FIX TickIncrement, tag 1208)."""
    currency: Currency | None = None

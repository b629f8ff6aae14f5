"""Reference data of symbols."""

from __future__ import annotations

from decimal import Decimal

from .record import Record
from .types import Currency, Multiplier, Name, PositivePrice, Quantity, Text


class SymbolInfo(Record):
    """Reference data of one symbol.

    >>> SymbolInfo(symbol="AAPL", name="Apple Inc.", exchange="XNAS", tick_size="0.01").lot_size
    Decimal('1')
    """

    symbol: Name
    """Identity of the instrument (FIX Symbol, tag 55)."""
    name: Text
    """Name of the instrument (SecurityDesc, tag 107)."""
    exchange: Name | None = None
    """Market identifier code (ISO 10383) of the listing exchange (SecurityExchange, tag 207)."""
    lot_size: Quantity = Decimal(1)
    """Quantity of a round lot (RoundLot, tag 561), in the symbol's unit."""
    tick_size: PositivePrice | None = None
    """Smallest change of price (TickIncrement, tag 1208), in the symbol's currency."""
    currency: Currency | None = None
    """Currency of prices and amounts (Currency, tag 15)."""
    multiplier: Multiplier | None = None
    """Amount that one unit pays for a price of 1 (ContractMultiplier, tag 231). No order takes it by itself: give it to
    the order."""

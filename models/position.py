"""A position: the fold of a trader's fills in one symbol."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal
from typing import Self

from pydantic import Field

from .enums import PositionAction
from .record import Record
from .types import EXACT, Amount, Count, Name, Nanoseconds, Price, SignedQuantity, TotalQuantity, exact_decimal, times


class Position(Record):
    """What one trader holds of one symbol; quantities in its unit, amounts in its currency.

    >>> held = Position(trader="T001", symbol="AAPL", quantity=60, bought_quantity=100, sold_quantity=40,
    ...                 bought_notional="18700", sold_notional="7500")
    >>> held.cash, held.average_bought_price, held.profit("187.5")
    (Decimal('-11200'), Decimal('187'), Decimal('50.0'))
    """

    trader: Name
    symbol: Name
    quantity: SignedQuantity = 0
    """Bought minus sold plus adjusted: long is positive, short negative."""
    bought_quantity: TotalQuantity = 0
    sold_quantity: TotalQuantity = 0
    bought_notional: Amount = Decimal(0)
    """Sum of quantity times price of the buys; exact."""
    sold_notional: Amount = Decimal(0)
    """Sum of quantity times price of the sells; exact."""
    version: Count = 0
    """How many changes the book has applied to this position."""
    updated_ns: Nanoseconds | None = None
    """The ``ts_ns`` of the last change."""

    @classmethod
    def flat(cls, trader: str, symbol: str) -> Self:
        """The position of one who never traded the symbol."""
        return cls(trader=trader, symbol=symbol)

    @property
    def adjusted_quantity(self) -> int:
        """What came by adjustments (``set``, ``adjust``) and not by fills."""
        return self.quantity - self.bought_quantity + self.sold_quantity

    @property
    def cash(self) -> Decimal:
        """Sold minus bought notional, exact."""
        return EXACT.subtract(self.sold_notional, self.bought_notional)

    @property
    def average_bought_price(self) -> Decimal | None:
        """The average price of the buys, None without any."""
        return self.bought_notional / self.bought_quantity if self.bought_quantity else None

    @property
    def average_sold_price(self) -> Decimal | None:
        """The average price of the sells, None without any."""
        return self.sold_notional / self.sold_quantity if self.sold_quantity else None

    def profit(self, mark: Price | str | int) -> Decimal:
        """Profit and loss of the fills, realized and open together, with what is held valued at ``mark``; exact.

        Adjusted quantity came without a price and does not count. Raises ValueError for a mark that is not exact.
        """
        return EXACT.add(self.cash, times(self.bought_quantity - self.sold_quantity, exact_decimal(mark)))


class PositionChange(Record):
    """A change of a position without an order, known by its ``request_id`` for as long as the book's ``request_ttl``.

    Sent again, it returns the first result and changes nothing.
    """

    trader: Name
    symbol: Name
    quantity: SignedQuantity
    """The difference, or for SET the new quantity."""
    action: PositionAction = PositionAction.ADJUST
    max_position: TotalQuantity | None = None
    """The limit of the quantity's absolute value; None sets no limit."""
    request_id: Name = Field(default_factory=lambda: uuid.uuid4().hex)
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)

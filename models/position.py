"""Positions, which sum up a trader's fills in one symbol, and the requests that change one without an order."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Self

from pydantic import Field, computed_field, model_validator

from .account_quantities import AccountQuantities
from .derived import DerivedRecord
from .enums import PositionAction
from .errors import InvalidArgument
from .fees import NO_FEES, Fees
from .numbers import EXACT, exact_price, multiplied, per_unit, times
from .record import Record
from .types import (
    Amount,
    AnyDecimal,
    Count,
    Multiplier,
    MultiplierOrNone,
    Name,
    Nanoseconds,
    PositiveCount,
    Price,
    QuantityOrZero,
    SignedQuantity,
    TotalQuantity,
    new_id,
)


class Position(DerivedRecord):
    """The position of one trader in one symbol; quantities in its unit, amounts in its currency.

    >>> held = Position(trader="T001", symbol="AAPL", quantity=60, bought_quantity=100, sold_quantity=40,
    ...                 bought_notional="18700", sold_notional="7500")
    >>> held.cash, held.average_bought_price
    (Decimal('-11200'), Decimal('187'))
    >>> held = held.model_copy(update={"open_cost": Decimal(11220), "realized_profit": Decimal(20)})
    >>> held.average_open_price, held.unrealized("187.5"), held.profit("187.5")
    (Decimal('187'), Decimal('30.0'), Decimal('50.0'))

    The average price of what is open is a moving one: selling 40 of the 100 took 40 hundredths of their cost with it.
    Realized profit, minus open cost, minus cash never changes by a fill.
    """

    trader: Name
    symbol: Name
    account: Name | None = None
    """The account whose part of the trader's position it is; None for the trader's own, which has all of it."""
    quantity: SignedQuantity = Decimal(0)
    """Bought minus sold plus adjusted: long is positive, short negative."""
    bought_quantity: TotalQuantity = Decimal(0)
    """Sum of the buys' quantities since the last roll; below zero where buys from before it were busted since."""
    sold_quantity: TotalQuantity = Decimal(0)
    """Sum of the sells' quantities."""
    bought_notional: Amount = Decimal(0)
    """Sum of quantity times price, times the multiplier where there is one, over the buys; exact."""
    sold_notional: Amount = Decimal(0)
    """The same over the sells."""
    open_cost: Amount = Decimal(0)
    """The amount paid for the quantity that is held, by moving average; of a short one minus the amount received."""
    realized_profit: Amount = Decimal(0)
    """The profit of what was closed: its amounts, less its share of the open cost."""
    fees: Fees = NO_FEES
    """The fees of the fills since the last roll, by currency, exact: paid where positive, rebates where negative; ""
    is the currency of the prices."""
    multiplier: MultiplierOrNone = None
    """The amount that one unit pays for a price of 1 (FIX ContractMultiplier, tag 231), as the first order or change in
    the symbol said it; None for 1. All amounts have it."""
    version: Count = 0
    """Number of changes that the book has applied to this position."""
    updated_ns: Nanoseconds | None = None
    """``ts_ns`` of the last change, in nanoseconds since the epoch."""

    @classmethod
    def flat(cls, trader: str, symbol: str, account: str | None = None) -> Self:
        """Return the position of a trader who never traded the symbol, or not for an account."""
        return cls(trader=trader, symbol=symbol, account=account)

    @computed_field(repr=False, return_type=AnyDecimal)  # type: ignore[prop-decorator]
    @property
    def adjusted_quantity(self) -> Decimal:
        """Quantity that came from adjustments (``set``, ``adjust``) and not from fills."""
        return EXACT.add(EXACT.subtract(self.quantity, self.bought_quantity), self.sold_quantity)

    @computed_field(repr=False, return_type=AnyDecimal)  # type: ignore[prop-decorator]
    @property
    def cash(self) -> Decimal:
        """Sold minus bought notional, exact."""
        return EXACT.subtract(self.sold_notional, self.bought_notional)

    @computed_field(repr=False, return_type=AnyDecimal | None)  # type: ignore[prop-decorator]
    @property
    def average_bought_price(self) -> Decimal | None:
        """Average price of the buys; None without any."""
        return per_unit(self.bought_notional, self.bought_quantity, self.multiplier)

    @computed_field(repr=False, return_type=AnyDecimal | None)  # type: ignore[prop-decorator]
    @property
    def average_sold_price(self) -> Decimal | None:
        """Average price of the sells; None without any."""
        return per_unit(self.sold_notional, self.sold_quantity, self.multiplier)

    @computed_field(repr=False, return_type=AnyDecimal | None)  # type: ignore[prop-decorator]
    @property
    def average_open_price(self) -> Decimal | None:
        """Average price of the quantity that is held, rounded to the decimal context's precision; None when flat."""
        return per_unit(self.open_cost, self.quantity, self.multiplier)

    def profit(self, mark: Price | str | int) -> Decimal:
        """Return the profit, realized and open together, with the quantity valued at ``mark``; exact.

        A flat position's profit is realized, whatever the mark. An adjusted quantity (``set``, ``adjust``) has no cost
        of its own: one that was added counts as got for nothing. One that was taken away leaves the cost to the rest,
        and to the profit once nothing is left.

        >>> flat = Position(trader="T001", symbol="ES", bought_quantity=13814, bought_notional="523826.88",
        ...                 sold_quantity=6907, sold_notional="520235.24", realized_profit="-3591.64")
        >>> flat.adjusted_quantity, flat.profit(100)
        (Decimal('-6907'), Decimal('-3591.64'))

        Args:
            mark: The price that values the quantity.

        Raises:
            InvalidArgument: The mark is not a price.
        """
        return EXACT.add(self.realized_profit, self.unrealized(mark))

    def unrealized(self, mark: Price | str | int) -> Decimal:
        """Return what closing at ``mark`` would earn: the quantity valued at it, less the open cost; exact.

        The arguments and errors are those of ``profit``.
        """
        try:
            value = times(self.quantity, exact_price(mark))
        except ValueError as error:
            raise InvalidArgument(f"mark: {error}") from None
        return EXACT.subtract(multiplied(value, self.multiplier), self.open_cost)


class PositionChange(Record):
    """A request to change a position without an order.

    It is known by its ``request_id`` for the book's ``request_ttl`` (at least ``deadline`` + ``socket_timeout``): sent
    again, it returns the first result and changes nothing.

    ::

        change = PositionChange(trader="T001", symbol="AAPL", quantity=-100, request_id="corporate-action-7")
        [outcome] = book.positions.apply_many([change])
    """

    trader: Name
    symbol: Name
    quantity: SignedQuantity
    """The quantity to add, which may be negative; for SET the new quantity."""
    action: PositionAction = PositionAction.ADJUST
    max_position: QuantityOrZero | None = None
    """The limit of the new quantity's absolute value, which a change may pass that does not make it larger; None sets
    no limit."""
    cost: Amount | None = None
    """The open cost of a quantity that is SET, such as that of a position at the start of the day, with the sign that
    ``Position.open_cost`` has; what was realized stays. None lets the cost follow from the change."""
    multiplier: Multiplier | None = None
    """The multiplier of a position that is SET. A position that has another one takes it only while no order in the
    symbol is open, nothing was bought or sold since the last roll, and no account holds anything. None leaves it."""
    account: Name | None = None
    """The account whose position is changed, and the trader's by the same quantity; None for the trader's alone.
    ``quantity``, ``max_position`` and ``cost`` are then those of the account's."""
    request_id: Name = Field(default_factory=new_id)
    """Identity of the request; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""

    @model_validator(mode="after")
    def _cost_fits(self) -> Self:
        if self.cost is not None and self.action is not PositionAction.SET:
            raise ValueError("a cost can be given for SET alone")
        if self.multiplier is not None and self.action is not PositionAction.SET:
            raise ValueError("a multiplier can be given for SET alone")
        if self.cost and not self.quantity:
            raise ValueError("a flat position has no cost")
        return self


class _OfPosition(Record):
    trader: Name
    symbol: Name
    request_id: Name = Field(default_factory=new_id)
    """Identity of the request, as of a PositionChange; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""


class Split(_OfPosition):
    """A request to multiply a position's quantity by a split of the instrument; its cost stays.

    The positions of accounts in the symbol are split with it, each by the same ratio. What is open of orders is not
    changed: venues cancel or replace them.

    ::

        book.positions.apply_many([Split(trader="T001", symbol="AAPL", new=4, old=1, request_id="split-2020-08-31")])
    """

    new: PositiveCount
    """The number of new units for ``old`` ones."""
    old: PositiveCount = 1
    quantity: SignedQuantity | None = None
    """The quantity that results, where fractions are paid out; None for just what the ratio makes, which then has to be
    a quantity that can be held. With ``accounts`` it is what these get, and what the ratio makes of the rest."""
    accounts: AccountQuantities | None = None
    """The quantities that result for accounts in whose positions fractions are paid out, by account; of an account that
    is not among them just what the ratio makes."""


class Roll(_OfPosition):
    """A request to close a period of a position: its totals and its realized profit go on from zero.

    What it holds, and what that has cost, stays. The event has the totals that were set back (``period``). So it is
    with the positions of accounts in the symbol (``accounts`` of the event).

    ::

        book.positions.apply_many([Roll(trader="T001", symbol="AAPL", request_id="roll-2026-11")])
    """

"""Count what a position's open quantity has cost, by moving average, and what has been realized.

At ordinary prices the open cost has the sign of the quantity: what was paid for a long position, minus what was
received for a short one. A trade that makes a position larger adds its amount; one that makes it smaller takes off its
share of the cost, rounded half to even, the last one all of it; one that goes through zero closes, then opens at its
own price. Whatever is taken off is realized, so that ``realized - cost - cash`` stays the same to the last digit. The
server's scripts count in the same way (``repositories/changes/lua/cost.lua``).

>>> held = Basis(0, ZERO, ZERO)
>>> for quantity, amount in ((3, "30"), (2, "25"), (-1, "-12"), (-6, "-72")):
...     held = held.after_trade(quantity, Decimal(amount))
...     print(held.quantity, held.open_cost, held.realized_profit)
3 30 0
5 55 0
4 44 1
-2 -24 5
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .numbers import EXACT, plain

COST_PLACES = 9
"""Decimal places that a share of a cost is rounded to, unless the cost or the amount of the trade has more."""
MOST_PLACES = 36
"""Decimal places of an amount at most."""
ZERO = Decimal(0)


class Basis(NamedTuple):
    """The quantity of a position, what it has cost, and what was realized so far."""

    quantity: int | Decimal
    open_cost: Decimal
    realized_profit: Decimal

    def after_trade(self, quantity: int | Decimal, amount: Decimal) -> Basis:
        """Return what a trade makes of it.

        Args:
            quantity: The quantity that was traded: bought is positive, sold negative, never zero.
            amount: Its price times the quantity: at ordinary prices, it has the sign of the quantity.
        """
        held, traded = Decimal(self.quantity), Decimal(quantity)
        after = EXACT.add(held, traded)
        if not held or (held > 0) is (traded > 0):
            return Basis(after, EXACT.add(self.open_cost, amount), self.realized_profit)
        if after and (after > 0) is (held > 0):
            places = max(COST_PLACES, places_of(self.open_cost), places_of(amount))
            cost = EXACT.subtract(self.open_cost, share(self.open_cost, traded.copy_abs(), held.copy_abs(), places))
        else:
            cost = share(amount, after.copy_abs(), traded.copy_abs(), MOST_PLACES)
        realized = EXACT.subtract(EXACT.add(self.realized_profit, cost), EXACT.add(self.open_cost, amount))
        return Basis(after, cost, realized)

    def after_change(self, quantity: int | Decimal, cost: Decimal = ZERO) -> Basis:
        """Return what it becomes when the quantity changes without a trade.

        The cost stays, and is realized where the quantity comes to zero or goes through it. What is added to the cost
        is realized, too, where nothing is held after that.

        >>> Basis(100, Decimal(18700), ZERO).after_change(0)
        Basis(quantity=0, open_cost=Decimal('0'), realized_profit=Decimal('-18700'))
        >>> Basis(100, Decimal(18700), ZERO).after_change(150, Decimal(9000))
        Basis(quantity=150, open_cost=Decimal('27700'), realized_profit=Decimal('0'))

        Args:
            quantity: The quantity after the change.
            cost: The amount that is added to the cost.
        """
        made = Basis(quantity, ZERO, EXACT.subtract(self.realized_profit, self.open_cost))
        if quantity and (not self.quantity or (quantity > 0) is (self.quantity > 0)):
            made = self._replace(quantity=quantity)
        if not cost:
            return made
        if quantity:
            return made._replace(open_cost=EXACT.add(made.open_cost, cost))
        return made._replace(realized_profit=EXACT.subtract(made.realized_profit, cost))


def places_of(number: Decimal) -> int:
    """Return the number of decimal places, without zeros at the end.

    >>> places_of(Decimal("1.50")), places_of(Decimal("1E+3"))
    (1, 0)
    """
    return len(plain(number).partition(".")[2])


def share(amount: Decimal, part: Decimal, whole: Decimal, places: int) -> Decimal:
    """Return an amount times a part divided by a whole, rounded half to even once, at a number of places.

    >>> share(Decimal("28085.51"), Decimal(1), Decimal(3), 9), share(Decimal(-5), Decimal(1), Decimal(2), 0)
    (Decimal('9361.836666667'), Decimal('-2'))
    """
    numerator, denominator = EXACT.multiply(amount, part).as_integer_ratio()
    over, under = whole.as_integer_ratio()
    numerator, denominator = numerator * under * 10**places, denominator * over
    quotient, rest = divmod(abs(numerator), denominator)
    quotient += 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    return Decimal(plain(EXACT.scaleb(Decimal(-quotient if numerator < 0 else quotient), -places)))

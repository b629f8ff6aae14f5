"""Count what a position has cost in a book in plain Python: by moving average, with fractions, rounded by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from slotbook.models import Position


def cost_after_trade(held: Position, traded: int | Decimal, paid: Decimal) -> dict[str, Decimal]:
    """Return the open cost and the realized profit after a trade; sold is negative, as is what was received for it."""
    before, after = Fraction(held.quantity), Fraction(held.quantity) + Fraction(traded)
    if before * Fraction(traded) >= 0:
        return {"open_cost": held.open_cost + paid, "realized_profit": held.realized_profit}
    if before * after > 0:
        left = held.open_cost - rounded(
            Fraction(held.open_cost) * abs(Fraction(traded) / before), max(9, places(held.open_cost), places(paid))
        )
    else:
        left = rounded(Fraction(paid) * after / Fraction(traded), 36)
    return {"open_cost": left, "realized_profit": held.realized_profit + left - held.open_cost - paid}


def rounded(value: Fraction, digits: int) -> Decimal:
    """Return a fraction as a decimal; what is exactly half goes to the even neighbour, as ``round`` does."""
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def places(number: Decimal) -> int:
    """Return how many decimal places a number has, without zeros at its end."""
    digits = 0
    while (Fraction(number) * 10**digits).denominator != 1:
        digits += 1
    return digits

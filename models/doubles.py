"""Numbers as a server that searches sees them: as the nearest double, so that several numbers may be one to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from math import isfinite

from .numbers import exact_decimal, number_of

_EXACT = Context(prec=1_000, Emax=9_999, Emin=-9_999, traps=[Inexact, InvalidOperation])
_LARGEST, _PLACES = 308, 300
"""Digits before and after the point of a number that can be looked for: about what a double can have."""
_WRITTEN = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that a field of one of the book's own models can hold: whole steps."""

    step: Decimal
    """The smallest difference between two of them."""

    def wanted(self, value: object) -> Decimal:
        """Return a number that a caller looks for. Raises ValueError for what is no exact number."""
        return exact_decimal(value)

    def holds(self, number: Decimal) -> bool:
        """Return True when the field can hold a number."""
        return not _EXACT.remainder(number, self.step)

    def is_told_apart(self, number: Decimal) -> bool:
        """Return True when a server distinguishes a number from every other that the field can hold."""
        towards_zero = _EXACT.subtract(number, _EXACT.remainder(number, self.step))
        below = above = towards_zero
        if number <= towards_zero:
            below = _EXACT.subtract(towards_zero, self.step)
        if number >= towards_zero:
            above = _EXACT.add(towards_zero, self.step)
        return as_double(below) < as_double(number) < as_double(above)


class Steps(Numbers):
    """Numbers of a field of a desk's own: whole steps, of any size."""

    def wanted(self, value: object) -> Decimal:
        """Return a number that a caller looks for. Raises ValueError for what is no exact number."""
        return _any_decimal(value)


class Decimals(Steps):
    """Decimals of any number of places: another one may always be nearer to a number than the next double."""

    def __init__(self) -> None:
        super().__init__(Decimal(1))

    def holds(self, number: Decimal) -> bool:
        """Return True when the field can hold a number."""
        return True

    def is_told_apart(self, number: Decimal) -> bool:
        """Return True when a server distinguishes a number from every other that the field can hold."""
        return False


class Doubles(Decimals):
    """The doubles themselves."""

    def wanted(self, value: object) -> Decimal:
        """Return a number that a caller looks for. Raises ValueError for what is no exact number."""
        if isinstance(value, str):
            value = float(_any_decimal(value))
        number = number_of(value)
        if isinstance(number, float) and isfinite(number):
            return Decimal(number)
        return _any_decimal(value)

    def holds(self, number: Decimal) -> bool:
        """Return True when the field can hold a number."""
        return number.is_finite() and Decimal(float(number)) == number

    def is_told_apart(self, number: Decimal) -> bool:
        """Return True when a server distinguishes a number from every other that the field can hold."""
        return self.holds(number)


WHOLE = Steps(Decimal(1))


def as_double(number: float | Decimal) -> float:
    """Return the double that is nearest to a number, which is infinite for one that is too large."""
    try:
        return float(number)
    except OverflowError:  # of an int; a Decimal answers infinity
        return float("inf") if number > 0 else float("-inf")


def _any_decimal(value: object) -> Decimal:
    if isinstance(value, str):
        number = Decimal(value) if _WRITTEN(value) else None
    else:
        said = number_of(value)
        number = None if said is None else said if isinstance(said, Decimal) else Decimal(said)
        if isinstance(said, float) and number is not None and number.is_finite() and number != Decimal(repr(said)):
            raise ValueError(f"the float {said} is really {str(number)[:60]}; pass it as a string or Decimal")
    if number is None:
        raise ValueError(f"{str(value)[:60]!r} is not a decimal number")
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    if number and number.adjusted() >= _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} digits before the point")
    _, digits, exponent = number.as_tuple()
    surplus = -_PLACES - int(exponent)
    if surplus > 0 and any(digits[-surplus:]):
        raise ValueError(f"it has more than {_PLACES} decimal places")
    return number

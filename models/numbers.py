"""Numbers, which are exact or refused: whole numbers, decimals, and arithmetic with them.

>>> exact_price("187.230"), exact_price(187.23)
(Decimal('187.230'), Decimal('187.23'))
>>> exact_price(0.1 + 0.2)
Traceback (most recent call last):
    ...
ValueError: the float 0.30000000000000004 is not exactly a decimal of 15 digits; pass a string or Decimal
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import index
from typing import SupportsIndex, cast

PLACES = 18
"""Decimal places of a quantity or a price."""

QUANTITY_DIGITS = 18
"""Digits before the point of a quantity."""

TOTAL_DIGITS = 36
"""Digits before the point of a sum of quantities."""

PRICE_DIGITS = 12
"""Digits before the point of a price."""

AMOUNT_PLACES = 36
"""Decimal places of an amount: those of a quantity and of a price."""

AMOUNT_DIGITS = 36
"""Digits before the point of an amount."""

MAX_COUNT = 2**53 - 1
"""The largest count: Lua in the server counts in doubles, which are exact for integers up to here."""

MAX_QUANTITY = Decimal("9" * QUANTITY_DIGITS + "." + "9" * PLACES)
"""The largest quantity."""

_FLOAT_DIGITS = 15
"""Digits up to which different decimals are different floats: the shortest text of a float is then what was meant."""

EXACT = Context(prec=200, Emax=999, Emin=-999, traps=[Inexact, InvalidOperation])
"""Decimal arithmetic that raises in place of rounding; its precision is far beyond that of any sum of amounts."""

_WHOLE = re.compile(r"([+-]?[0-9]{1,40})(\.0{1,20})?", re.ASCII)
_QUANTITY_END = 10**QUANTITY_DIGITS
_PLAIN_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def number_of(value: object) -> int | float | Decimal | None:
    """Return a number as one of Python's own; None for a boolean, and for what is no number.

    It takes what has ``__index__``, and scalars of NumPy and of libraries like it, none of which is imported.

    >>> number_of(5), number_of(Decimal("1.5")), number_of(True), number_of("5")
    (5, Decimal('1.5'), None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Decimal):
        return value
    try:
        return _foreign_number(value)
    except Exception:  # a foreign type may raise anything
        return None


def is_nan(number: float | Decimal) -> bool:
    """Return True for what is not a number; comparing a Decimal of that kind would raise."""
    return number.is_nan() if isinstance(number, Decimal) else isinstance(number, float) and math.isnan(number)


def _foreign_number(value: object) -> int | float | None:
    data_type = getattr(value, "dtype", None)
    if data_type is None:
        return index(cast("SupportsIndex", value))
    # Not a datetime64 or a bool_, whose items are ints too, and nothing that has a dimension.
    if getattr(data_type, "kind", "i") not in ("i", "u", "f") or cast("int", getattr(value, "ndim", 0)) > 0:
        return None
    item = cast("Callable[[], object]", getattr(value, "item"))()  # noqa: B009 (it has no type)
    return item if isinstance(item, (int, float)) and not isinstance(item, bool) else None


def _is_foreign_boolean(value: object) -> bool:
    try:
        kind, dimensions = getattr(getattr(value, "dtype", None), "kind", ""), cast("int", getattr(value, "ndim", 0))
        return kind == "b" and dimensions == 0
    except Exception:  # see number_of
        return False


def _lossy(number: float) -> ValueError:
    return ValueError(f"the float {number!r} is beyond 2**53, where floats are not exact; pass an int or a string")


def exact_integer(value: object) -> int:
    """Return the integer that a value is exactly equal to; raise ValueError for any other value and for booleans.

    >>> exact_integer("100.0"), exact_integer(Decimal("1703422805243925307"))
    (100, 1703422805243925307)
    >>> exact_integer(1.7034228052439252e18)
    Traceback (most recent call last):
        ...
    ValueError: the float 1.7034228052439252e+18 is beyond 2**53, where floats are not exact; pass an int or a string
    """
    if type(value) is int:
        return value
    if isinstance(value, str):
        if said := _WHOLE.fullmatch(value):
            return int(said[1])
        raise ValueError(f"{value!r} is not a whole number")
    number = number_of(value)
    if isinstance(number, int):
        return number
    if isinstance(number, float) and number.is_integer():
        if abs(number) > MAX_COUNT:
            raise _lossy(number)
        return int(number)
    if isinstance(number, Decimal) and number.is_finite():
        if not number:
            return 0
        if 0 <= number.adjusted() < 40 and number == int(number):
            return int(number)
    raise ValueError(f"{value!r} is not a whole number")


def exact_decimal(value: object) -> Decimal:
    """Return a value as a decimal of at most 36 digits before the point and 36 behind it.

    Raises ValueError for NaN, for infinities, for more digits, and for a float whose shortest text has more than 15
    digits and is not what it is.
    """
    return _decimal(value, AMOUNT_DIGITS, AMOUNT_PLACES)


def exact_price(value: object) -> Decimal:
    """Return a value as ``exact_decimal`` does, of at most 12 digits before the point and 18 behind it."""
    return _decimal(value, PRICE_DIGITS, PLACES)


def exact_quantity(value: object) -> Decimal:
    """Return a value as ``exact_decimal`` does, of at most 18 digits before the point and 18 behind it, in one form.

    >>> exact_quantity("100.0"), exact_quantity(1e2), exact_quantity("0.250")
    (Decimal('100'), Decimal('100'), Decimal('0.25'))
    """
    if type(value) is int and -_QUANTITY_END < value < _QUANTITY_END:
        return Decimal(value)
    return _in_one_form(_decimal(value, QUANTITY_DIGITS, PLACES))


def exact_total(value: object) -> Decimal:
    """Return a value as ``exact_quantity`` does, of at most 36 digits before the point."""
    return _in_one_form(_decimal(value, TOTAL_DIGITS, PLACES))


DIGITS_OF: Mapping[Callable[[object], Decimal], tuple[int, int]] = {
    exact_decimal: (AMOUNT_DIGITS, AMOUNT_PLACES),
    exact_price: (PRICE_DIGITS, PLACES),
    exact_quantity: (QUANTITY_DIGITS, PLACES),
    exact_total: (TOTAL_DIGITS, PLACES),
}
"""The digits before and behind the point of the decimals that each function returns."""


def decimal_pattern(whole_digits: int, places: int) -> str:
    """Return the pattern of the written form of a decimal with so many digits before and behind its point."""
    whole = f"[1-9][0-9]{{0,{whole_digits - 1}}}"
    return rf"0|-?{whole}|-?(?:0|{whole})\.[0-9]{{0,{places - 1}}}[1-9]"


def _in_one_form(number: Decimal) -> Decimal:
    return number if number.as_tuple().exponent == 0 and number else Decimal(plain(number))


def _decimal(value: object, whole_digits: int, places: int) -> Decimal:
    said: float | Decimal | None
    if isinstance(value, str):
        said = Decimal(value) if len(value) <= 100 and _PLAIN_DECIMAL.fullmatch(value) else None
    else:
        said = number_of(value)
    if said is None:
        raise ValueError(f"{value!r} is not a decimal number")
    number = _decimal_of_float(said) if isinstance(said, float) else Decimal(said)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    if number and number.adjusted() >= whole_digits:
        raise ValueError(f"{value} is too large: it has more than {whole_digits} digits before the point")
    _, digits, exponent = number.as_tuple()
    surplus = -places - int(exponent)
    if surplus > 0 and any(digits[-surplus:]):
        raise ValueError(f"{value} has more than {places} decimal places")
    return number


def _decimal_of_float(said: float) -> Decimal:
    number = Decimal(repr(said))
    if number.is_finite() and len(number.normalize(EXACT).as_tuple().digits) > _FLOAT_DIGITS:
        if abs(said) > MAX_COUNT:
            raise _lossy(said)
        if number != Decimal(said):
            raise ValueError(
                f"the float {said} is not exactly a decimal of {_FLOAT_DIGITS} digits; pass a string or Decimal"
            )
    return number


def plain(number: Decimal | int) -> str:
    """Return the written form of a number: no exponent, no trailing zeros, no negative zero.

    >>> plain(Decimal("4.80E+3")), plain(Decimal("-0.50")), plain(Decimal("-0")), plain(100)
    ('4800', '-0.5', '0', '100')
    """
    text = str(number)
    if text.isdecimal() or ("." in text and text[-1] != "0" and "E" not in text):
        return text  # as most numbers are written
    if not number:
        return "0"
    text = text if isinstance(number, int) else format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def times(quantity: Decimal | int, price: Decimal | int) -> Decimal:
    """Multiply exactly, independently of the caller's decimal context."""
    return EXACT.multiply(Decimal(quantity), Decimal(price))


def multiplied(amount: Decimal, multiplier: Decimal | None) -> Decimal:
    """Return an amount times a multiplier, None for 1; exact."""
    return amount if multiplier is None else EXACT.multiply(amount, multiplier)


def per_unit(amount: Decimal, quantity: Decimal | int, multiplier: Decimal | None) -> Decimal | None:
    """Return the price that makes an amount of a quantity; None for none of it.

    It is rounded to the decimal context's precision.

    >>> per_unit(Decimal(1500), 3, Decimal(50)), per_unit(Decimal(0), 0, None)
    (Decimal('10'), None)
    """
    if not quantity:
        return None
    return amount / multiplied(Decimal(quantity), multiplier)


def exact_boolean(value: object) -> object:
    """Return a value for Pydantic to read as a boolean; raise ValueError for a number other than 0 and 1.

    Pydantic alone would take 1e-999 for 0.
    """
    if _is_foreign_boolean(value):
        return bool(value)
    if isinstance(value, (int, float, Decimal)) and (is_nan(value) or value not in (0, 1)):
        raise ValueError(f"{value} is neither 0 nor 1")
    return value

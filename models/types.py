"""The field types of every model: names, quantities and prices, which are exact or refused.

>>> exact_decimal("187.230")
Decimal('187.230')
>>> exact_decimal(187.25)
Decimal('187.25')
>>> exact_decimal(187.23)
Traceback (most recent call last):
    ...
ValueError: the float 187.23 is really 187.229999999999989768184605054557323455810546875; pass it as a string or Decimal
"""

from __future__ import annotations

import re
import secrets
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import core_schema

from .errors import InvalidArgument

PLACES = 9
"""Decimal places of a price or an amount."""

MAX_QUANTITY = 2**53 - 1
"""The largest quantity: Lua in the server counts in doubles, which are exact for integers up to here."""

MAX_WHOLE_DIGITS = 12
"""Digits before the point of a price."""

EXACT = Context(prec=120, Emax=999, Emin=-999, traps=[Inexact, InvalidOperation])
"""Decimal arithmetic that raises in place of rounding; its precision is far beyond that of any sum of amounts."""

_PLAIN_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_PLAIN_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def exact_integer(value: object) -> int:
    """Return the integer that a value is exactly equal to; raise ValueError for any other value and for booleans."""
    if type(value) is int:
        return value
    if isinstance(value, str) and _PLAIN_INTEGER.fullmatch(value) and len(value) <= 40:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.copy_abs() <= MAX_QUANTITY and value == int(value):
        return int(value)
    raise ValueError(f"{value!r} is not a whole number")


def exact_decimal(value: object) -> Decimal:
    """Return a value as a decimal of at most 9 places.

    Raises ValueError for NaN, for infinities, for more places, and for a float that is not exactly such a decimal.
    """
    if isinstance(value, str):
        if not _PLAIN_DECIMAL.fullmatch(value) or len(value) > 60:
            raise ValueError(f"{value!r} is not a decimal number")
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = Decimal(value)
    else:
        raise ValueError(f"{value!r} is not a decimal number")
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    if number.adjusted() >= 30:
        raise ValueError(f"{value!r} is too large")
    _, digits, exponent = number.as_tuple()
    surplus = -PLACES - int(exponent)
    if surplus > 0 and any(digits[-surplus:]):
        if isinstance(value, float):
            raise ValueError(f"the float {value} is really {number}; pass it as a string or Decimal")
        raise ValueError(f"{value} has more than {PLACES} decimal places")
    return number


def plain(number: Decimal) -> str:
    """Return the written form of a decimal: no exponent, no trailing zeros, no negative zero.

    >>> plain(Decimal("4.80E+3")), plain(Decimal("-0.50")), plain(Decimal("-0"))
    ('4800', '-0.5', '0')
    """
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def times(quantity: int, price: Decimal) -> Decimal:
    """Multiply exactly, independently of the caller's decimal context."""
    return EXACT.multiply(Decimal(quantity), price)


def new_id() -> str:
    """Return a random name for a request: 96 bits in 16 characters, short because the book remembers it.

    >>> len(new_id())
    16
    """
    return secrets.token_urlsafe(12)


def exact_price(value: object) -> Decimal:
    """Return a value as ``exact_decimal`` does; raise ValueError for more than 12 digits before the point."""
    number = exact_decimal(value)
    if number and number.adjusted() >= MAX_WHOLE_DIGITS:
        raise ValueError(f"{value} has more than {MAX_WHOLE_DIGITS} digits before the point")
    return number


def exact_boolean(value: object) -> object:
    """Return a value for Pydantic to read as a boolean; raise ValueError for a number other than 0 and 1.

    Pydantic alone would take 1e-999 for 0.
    """
    is_nan = isinstance(value, Decimal) and value.is_nan()  # comparing a signaling NaN would raise
    if is_nan or (isinstance(value, (int, float, Decimal)) and value not in (0, 1)):
        raise ValueError(f"{value} is neither 0 nor 1")
    return value


Boolean = Annotated[bool, BeforeValidator(exact_boolean)]
"""A boolean; of numbers only 0 and 1."""

_NAME_RULE = "a name is a string of 1 to 128 characters without whitespace, control characters, '{' or '}'"


def _named_rule(kind: type[object], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    # pydantic-core raises this message itself, which costs less than a validator in Python.
    return core_schema.custom_error_schema(handler(kind), "name", custom_error_message=_NAME_RULE)


Name = Annotated[
    str, StringConstraints(strict=True, max_length=128, pattern=r"^[^\s{}\p{C}]+$"), GetPydanticSchema(_named_rule)
]
"""A trader, order, symbol or request name: 1 to 128 characters, no whitespace, control characters or braces.

Braces in a name would change the hash tag that decides a key's slot (Redis Cluster specification, "Hash tags").
"""

Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256, pattern=r"^\P{Cc}+$")]
"""Free text of 1 to 256 characters (FIX Text, tag 58)."""

# Field comes before the function, so that pydantic-core checks the bounds itself, on the function's result.

Quantity = Annotated[int, Field(gt=0, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A positive quantity, in the symbol's unit (shares, lots, contracts)."""

QuantityOrZero = Annotated[int, Field(ge=0, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A part of a quantity, or a limit of one: zero or more."""

TotalQuantity = Annotated[int, Field(ge=0, lt=10**20), BeforeValidator(exact_integer)]
"""A sum of quantities that only grows, such as all that was ever bought: zero or more, below 10**20."""

SignedQuantity = Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A quantity with a sign: long is positive, short negative."""

SignedTotal = Annotated[int, Field(ge=-2 * MAX_QUANTITY, le=2 * MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A difference of two quantities with a sign."""

Count = Annotated[int, Field(ge=0, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A plain count: a version, a sequence number, a revision."""

Nanoseconds = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(exact_integer)]
"""Nanoseconds since 1970-01-01 UTC."""

Price = Annotated[Decimal, BeforeValidator(exact_price)]
"""A price of at most 9 decimal places; it may be negative (spreads, oil in April 2020)."""

Amount = Annotated[Decimal, BeforeValidator(exact_decimal)]
"""A sum of money of at most 9 decimal places, in the symbol's currency."""

_NAME: TypeAdapter[str] = TypeAdapter(Name, config=ConfigDict(defer_build=True))
_PLAIN_NAME = re.compile(r"[!-z|~]{1,128}").fullmatch
"""The same rule for ASCII names, as most names are, because it is checked faster."""


def check_name(what: str, value: str) -> str:
    """Return a name that a key can be made of; raise InvalidArgument, which names the rule, for any other value."""
    if isinstance(value, str) and _PLAIN_NAME(value):  # pyright: ignore[reportUnnecessaryIsInstance]
        return value
    try:
        return _NAME.validate_python(value)
    except ValidationError:
        shown = repr(value)
        raise InvalidArgument(
            f"{what} {shown if len(shown) <= 80 else shown[:80] + '…'} cannot be used: {_NAME_RULE}"
        ) from None

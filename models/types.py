"""The field types of every model: names, texts, quantities, prices and times."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import core_schema

from .building import adapter
from .errors import InvalidArgument
from .numbers import MAX_QUANTITY, exact_boolean, exact_decimal, exact_integer, exact_price
from .times import exact_time

Boolean = Annotated[bool, BeforeValidator(exact_boolean)]
"""A boolean; of numbers only 0 and 1."""


def new_id() -> str:
    """Return a random name for a request: 96 bits in 16 characters, short because the book remembers it.

    >>> len(new_id())
    16
    """
    return secrets.token_urlsafe(12)


_NAME_RULE = "a name is a string of 1 to 128 characters without whitespace, control characters, '{' or '}'"


def _named_rule(kind: type[object], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    # pydantic-core raises this message itself, which costs less than a validator in Python.
    return core_schema.custom_error_schema(handler(kind), "name", custom_error_message=_NAME_RULE)


NAME_PATTERN = r"^[^\s{}\p{C}]+$"
Name = Annotated[
    str, StringConstraints(strict=True, max_length=128, pattern=NAME_PATTERN), GetPydanticSchema(_named_rule)
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

Nanoseconds = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(exact_time)]
"""Nanoseconds since 1970-01-01 UTC; a number that can only be seconds, milliseconds or microseconds is refused."""

Price = Annotated[Decimal, BeforeValidator(exact_price)]
"""A price of at most 9 decimal places; it may be negative (spreads, oil in April 2020)."""

Amount = Annotated[Decimal, BeforeValidator(exact_decimal)]
"""A sum of money of at most 9 decimal places, in the symbol's currency."""

_NAME: TypeAdapter[str] = adapter(Name)
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

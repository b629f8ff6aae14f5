"""The field types of every model: names, texts, quantities, prices and times."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from .names import NAME_PATTERN as NAME_PATTERN
from .names import Name as Name
from .names import check_name as check_name
from .names import check_text_name as check_text_name
from .names import new_id as new_id
from .numbers import MAX_QUANTITY, exact_boolean, exact_decimal, exact_integer, exact_price
from .times import exact_time

Boolean = Annotated[bool, BeforeValidator(exact_boolean)]
"""A boolean; of numbers only 0 and 1."""


Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256, pattern=r"^\P{Cc}+$")]
"""Free text of 1 to 256 characters (FIX Text, tag 58)."""

Currency = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9]{3,12}$")]
"""A currency of 3 to 12 letters and digits (FIX Currency, tag 15): ISO 4217's codes, and those of coins."""

# Field comes before the function, so that pydantic-core checks the bounds itself, on the function's result.

Quantity = Annotated[int, Field(gt=0, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A positive quantity, in the symbol's unit (shares, lots, contracts)."""

QuantityOrZero = Annotated[int, Field(ge=0, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A part of a quantity, or a limit of one: zero or more."""

TotalQuantity = Annotated[int, Field(gt=-(10**20), lt=10**20), BeforeValidator(exact_integer)]
"""A sum of traded quantities, such as all that was bought, below 10**20; below zero where more was taken back than
added since it began."""

SignedQuantity = Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A quantity with a sign: long is positive, short negative."""

SignedTotal = Annotated[int, Field(ge=-2 * MAX_QUANTITY, le=2 * MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A difference of two quantities with a sign."""

Count = Annotated[int, Field(ge=0, le=MAX_QUANTITY), BeforeValidator(exact_integer)]
"""A plain count: a version, a sequence number, a revision."""

Nanoseconds = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(exact_time)]
"""Nanoseconds since 1970-01-01 UTC, given as such or in a form that says its zone; see ``times.exact_time``."""

Price = Annotated[Decimal, BeforeValidator(exact_price)]
"""A price of at most 9 decimal places; it may be negative (spreads, oil in April 2020)."""

Multiplier = Annotated[Decimal, Field(gt=0), BeforeValidator(exact_price)]
"""The amount that one unit of a contract pays for a price of 1 (FIX ContractMultiplier, tag 231)."""

Amount = Annotated[Decimal, BeforeValidator(exact_decimal)]
"""A sum of money of at most 9 decimal places, in the symbol's currency."""

"""The field types of every model: names, texts, quantities, prices and times."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from .json_schemas import ANY_DECIMAL, CONTROL, count_form, decimal_form, same_form, time_form
from .names import NAME_PATTERN as NAME_PATTERN
from .names import Name as Name
from .names import check_name as check_name
from .names import check_text_name as check_text_name
from .names import new_id as new_id
from .numbers import (
    AMOUNT_DIGITS,
    AMOUNT_PLACES,
    MAX_COUNT,
    PLACES,
    PRICE_DIGITS,
    QUANTITY_DIGITS,
    TOTAL_DIGITS,
    exact_boolean,
    exact_decimal,
    exact_integer,
    exact_price,
    exact_quantity,
    exact_total,
)
from .times import exact_time

Boolean = Annotated[bool, BeforeValidator(exact_boolean)]
"""A boolean; of numbers only 0 and 1."""


Text = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=256, pattern=r"^\P{Cc}+$"),
    same_form({"type": "string", "minLength": 1, "maxLength": 256, "pattern": f"^[^{CONTROL}]+$"}),
]
"""Free text of 1 to 256 characters (FIX Text, tag 58)."""

Currency = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9]{3,12}$")]
"""A currency of 3 to 12 letters and digits (FIX Currency, tag 15): ISO 4217's codes, and those of coins."""

# Field comes before the function, so that pydantic-core checks the bounds itself, on the function's result.

if TYPE_CHECKING:
    # What a field holds is always a Decimal; an int is as good where one is given, also as a default.
    Quantity: TypeAlias = Decimal | int
    QuantityOrZero: TypeAlias = Decimal | int
    TotalQuantity: TypeAlias = Decimal | int
    SignedQuantity: TypeAlias = Decimal | int
    SignedTotal: TypeAlias = Decimal | int
else:
    Quantity = Annotated[
        Decimal,
        Field(gt=0),
        BeforeValidator(exact_quantity),
        decimal_form(QUANTITY_DIGITS, PLACES, "positive"),
    ]
    """A positive quantity, in the symbol's unit (shares, lots, coins): at most 18 places, below 10**18."""

    QuantityOrZero = Annotated[
        Decimal, Field(ge=0), BeforeValidator(exact_quantity), decimal_form(QUANTITY_DIGITS, PLACES, "zero")
    ]
    """A part of a quantity, or a limit of one: zero or more."""

    TotalQuantity = Annotated[Decimal, BeforeValidator(exact_total), decimal_form(TOTAL_DIGITS, PLACES)]
    """A sum of traded quantities, such as all that was bought, below 10**36; below zero where more was taken back than
    added since it began."""

    SignedQuantity = Annotated[Decimal, BeforeValidator(exact_quantity), decimal_form(QUANTITY_DIGITS, PLACES)]
    """A quantity with a sign: long is positive, short negative."""

    SignedTotal = Annotated[Decimal, BeforeValidator(exact_total), decimal_form(TOTAL_DIGITS, PLACES)]
    """A difference of two quantities with a sign."""

Count = Annotated[int, Field(ge=0, le=MAX_COUNT), BeforeValidator(exact_integer), count_form(0, MAX_COUNT)]
"""A plain count: a version, a sequence number, a revision."""

PositiveCount = Annotated[int, Field(gt=0, le=MAX_COUNT), BeforeValidator(exact_integer), count_form(1, MAX_COUNT)]
"""A count of one or more."""

Nanoseconds = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(exact_time), time_form()]
"""Nanoseconds since 1970-01-01 UTC, given as such or in a form that says its zone; see ``times.exact_time``."""

Price = Annotated[Decimal, BeforeValidator(exact_price), decimal_form(PRICE_DIGITS, PLACES)]
"""A price of at most 18 decimal places, below 10**12; it may be negative (spreads, oil in April 2020)."""

PositivePrice = Annotated[
    Decimal, Field(gt=0), BeforeValidator(exact_price), decimal_form(PRICE_DIGITS, PLACES, "positive")
]
"""A price above zero, such as the smallest change of one."""

Multiplier = PositivePrice
"""The amount that one unit of a contract pays for a price of 1 (FIX ContractMultiplier, tag 231)."""

MultiplierOrNone = Annotated[Multiplier | None, AfterValidator(lambda one: None if one == 1 else one)]
"""A multiplier of what has one: 1 is none, so that both are equal wherever records are compared."""

Amount = Annotated[Decimal, BeforeValidator(exact_decimal), decimal_form(AMOUNT_DIGITS, AMOUNT_PLACES)]
"""A sum of money of at most 36 decimal places, below 10**36, in the symbol's currency."""

AmountOrZero = Annotated[
    Decimal, Field(ge=0), BeforeValidator(exact_decimal), decimal_form(AMOUNT_DIGITS, AMOUNT_PLACES, "zero")
]
"""A sum of money that is zero or more."""

AnyDecimal = Annotated[Decimal, Field(allow_inf_nan=False), ANY_DECIMAL]
"""A decimal of any number of digits, such as an average price, which is rounded, or a product of others."""

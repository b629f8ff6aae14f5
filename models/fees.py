"""The fees of a position: an amount for each currency, exact, written as a JSON object of texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from pydantic import GetJsonSchemaHandler
from pydantic_core import core_schema

from .amounts_by_name import AmountsByName
from .json_schemas import CONTROL, decimal_form
from .numbers import AMOUNT_DIGITS, AMOUNT_PLACES, EXACT, exact_decimal

_CURRENCY = re.compile(r'[^\s{}"\\]{0,64}').fullmatch


class Fees(AmountsByName):
    """An immutable mapping from currencies to amounts other than 0; "" is the currency of the prices.

    >>> paid = Fees({"USD": "1.50"}).plus("EUR", Decimal(2))
    >>> paid["USD"], paid.get("GBP", 0), str(paid)
    (Decimal('1.50'), 0, '{"EUR":"2","USD":"1.5"}')
    >>> paid.plus("USD", Decimal("-1.5")) == {"EUR": 2}
    True
    """

    __slots__ = ()

    def __init__(self, amounts: Mapping[str, object] | None = None) -> None:
        """Keep the amounts, sorted by currency. Raises ValueError for what is no amount or no currency."""
        exact = {currency: exact_decimal(amount) for currency, amount in sorted((amounts or {}).items())}
        for currency in exact:
            if not _CURRENCY(currency):
                raise ValueError(f"{currency!r} is not the name of a currency")
        self._amounts = {currency: amount for currency, amount in exact.items() if amount}

    @classmethod
    def of(cls, value: object) -> Fees:
        """Return fees that are given as such, as a mapping, or in their written form. Raises ValueError."""
        if isinstance(value, Fees):
            return value if value else NO_FEES
        if isinstance(value, str):
            return cls._of_text(value)
        given = cast("Mapping[object, object]", value) if isinstance(value, Mapping) else {0: 0}
        if not all(isinstance(currency, str) for currency in given):
            raise ValueError("fees are a mapping from currencies to amounts")
        fees = cls(cast("Mapping[str, object]", given))
        return fees if fees else NO_FEES

    @classmethod
    def _of_text(cls, text: str) -> Fees:
        try:
            found = cast("object", json.loads(text))
        except (ValueError, RecursionError):
            found = None
        values = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        fees = cls(values) if all(isinstance(amount, str) for amount in values.values()) else cls()
        if not fees or str(fees) != text:
            raise ValueError(f"{text[:80]!r} is not the written form of fees")
        return fees

    def plus(self, currency: str, amount: Decimal) -> Fees:
        """Return the fees with an amount more in one currency; exact."""
        return Fees({**self._amounts, currency: EXACT.add(self.get(currency, Decimal(0)), amount)})

    def __str__(self) -> str:
        """Return the written form, '' for no fees."""
        return json.dumps(self.texts(), ensure_ascii=False, separators=(",", ":")) if self else ""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe fees in a JSON schema."""
        form = decimal_form(AMOUNT_DIGITS, AMOUNT_PLACES)
        amount = form.accepted if handler.mode == "validation" else form.emitted
        currency = {"maxLength": 64, "pattern": rf'^[^\s{{}}"\\{CONTROL}]*$'}
        return {"type": "object", "propertyNames": currency, "additionalProperties": amount}


NO_FEES = Fees()
"""The fees of a position without any."""

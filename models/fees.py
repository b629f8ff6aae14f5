"""The fees of a position: an amount for each currency, exact, written as a JSON object of texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from .json_schemas import CONTROL, decimal_form
from .numbers import AMOUNT_DIGITS, AMOUNT_PLACES, EXACT, exact_decimal, plain

_CURRENCY = re.compile(r'[^\s{}"\\]{0,64}').fullmatch


class Fees(Mapping[str, Decimal]):
    """An immutable mapping from currencies to amounts other than 0; "" is the currency of the prices.

    >>> paid = Fees({"USD": "1.50"}).plus("EUR", Decimal(2))
    >>> paid["USD"], paid.get("GBP", 0), str(paid)
    (Decimal('1.50'), 0, '{"EUR":"2","USD":"1.5"}')
    >>> paid.plus("USD", Decimal("-1.5")) == {"EUR": 2}
    True
    """

    __slots__ = ("_amounts",)

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

    def __getitem__(self, currency: str) -> Decimal:
        """Return the amount in a currency. Raises KeyError for one without any."""
        return self._amounts[currency]

    def __iter__(self) -> Iterator[str]:
        """Return the currencies, sorted."""
        return iter(self._amounts)

    def __len__(self) -> int:
        """Return the number of currencies."""
        return len(self._amounts)

    def __hash__(self) -> int:
        """Return a hash of all amounts."""
        return hash(frozenset(self._amounts.items()))

    def __str__(self) -> str:
        """Return the written form, '' for no fees."""
        written = {currency: plain(amount) for currency, amount in self._amounts.items()}
        return json.dumps(written, ensure_ascii=False, separators=(",", ":")) if written else ""

    def __repr__(self) -> str:
        """Return the call that makes the same fees."""
        return f"Fees({dict(self._amounts)!r})"

    def __reduce__(self) -> tuple[type[Fees], tuple[dict[str, Decimal]]]:
        """Pickle the amounts."""
        return Fees, (dict(self._amounts),)

    @classmethod
    def __get_pydantic_core_schema__(cls, kind: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Let a model have a field of fees."""
        as_dict = core_schema.plain_serializer_function_ser_schema(_texts_of, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.of, serialization=as_dict)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe fees in a JSON schema."""
        form = decimal_form(AMOUNT_DIGITS, AMOUNT_PLACES)
        amount = form.accepted if handler.mode == "validation" else form.emitted
        currency = {"maxLength": 64, "pattern": rf'^[^\s{{}}"\\{CONTROL}]*$'}
        return {"type": "object", "propertyNames": currency, "additionalProperties": amount}


def _texts_of(fees: Fees) -> dict[str, str]:
    return {currency: plain(amount) for currency, amount in fees.items()}


NO_FEES = Fees()
"""The fees of a position without any."""

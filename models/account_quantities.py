"""Quantities by account, which a split may say: an immutable mapping, written as a JSON object of texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from pydantic import GetJsonSchemaHandler
from pydantic_core import core_schema

from .amounts_by_name import AmountsByName
from .errors import InvalidArgument
from .json_schemas import decimal_form
from .names import NAME_FORM, check_text_name
from .numbers import PLACES, QUANTITY_DIGITS, exact_quantity


class AccountQuantities(AmountsByName):
    """An immutable mapping from accounts to quantities, which may be negative.

    >>> given = AccountQuantities({"ACC2": "0.50", "ACC1": 25})
    >>> given["ACC1"], str(given)
    (Decimal('25'), '{"ACC1":"25","ACC2":"0.5"}')
    """

    __slots__ = ()

    def __init__(self, quantities: Mapping[str, object]) -> None:
        """Keep the quantities, sorted by account. Raises ValueError for what is no quantity or no name."""
        try:
            names = sorted(check_text_name("account", account) for account in quantities)
        except InvalidArgument as error:
            raise ValueError(str(error)) from None
        self._amounts = {account: exact_quantity(quantities[account]) for account in names}

    @classmethod
    def of(cls, value: object) -> AccountQuantities:
        """Return quantities that are given as such, as a mapping, or in their written form. Raises ValueError."""
        if isinstance(value, AccountQuantities):
            return value
        found: object = value
        if isinstance(value, str):
            try:
                found = json.loads(value)
            except (ValueError, RecursionError):
                found = None
        if not isinstance(found, Mapping):
            raise ValueError("they are a mapping from accounts to quantities")
        made = cls(cast("Mapping[str, object]", found))
        if isinstance(value, str) and str(made) != value:
            raise ValueError(f"{value[:80]!r} is not the written form of quantities by account")
        return made

    def __str__(self) -> str:
        """Return the written form."""
        return json.dumps(self.texts(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe quantities by account in a JSON schema."""
        quantity = decimal_form(QUANTITY_DIGITS, PLACES)
        written = quantity.accepted if handler.mode == "validation" else quantity.emitted
        return {"type": "object", "propertyNames": NAME_FORM, "additionalProperties": written}

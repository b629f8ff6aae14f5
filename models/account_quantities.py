"""Quantities by account, which a split may say: an immutable mapping, written as a JSON object of texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from .errors import InvalidArgument
from .json_schemas import decimal_form
from .names import NAME_FORM, check_text_name
from .numbers import PLACES, QUANTITY_DIGITS, exact_quantity, plain


class AccountQuantities(Mapping[str, Decimal]):
    """An immutable mapping from accounts to quantities, which may be negative.

    >>> given = AccountQuantities({"ACC2": "0.50", "ACC1": 25})
    >>> given["ACC1"], str(given)
    (Decimal('25'), '{"ACC1":"25","ACC2":"0.5"}')
    """

    __slots__ = ("_quantities",)

    def __init__(self, quantities: Mapping[str, object]) -> None:
        """Keep the quantities, sorted by account. Raises ValueError for what is no quantity or no name."""
        try:
            names = sorted(check_text_name("account", account) for account in quantities)
        except InvalidArgument as error:
            raise ValueError(str(error)) from None
        self._quantities = {account: exact_quantity(quantities[account]) for account in names}

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

    def __getitem__(self, account: str) -> Decimal:
        """Return the quantity of an account. Raises KeyError for one without any."""
        return self._quantities[account]

    def __iter__(self) -> Iterator[str]:
        """Return the accounts, sorted."""
        return iter(self._quantities)

    def __len__(self) -> int:
        """Return the number of accounts."""
        return len(self._quantities)

    def __hash__(self) -> int:
        """Return a hash of all quantities."""
        return hash(frozenset(self._quantities.items()))

    def __str__(self) -> str:
        """Return the written form."""
        return json.dumps(_texts_of(self), ensure_ascii=False, separators=(",", ":"))

    def __repr__(self) -> str:
        """Return the call that makes the same quantities."""
        return f"AccountQuantities({dict(self._quantities)!r})"

    def __reduce__(self) -> tuple[type[AccountQuantities], tuple[dict[str, Decimal]]]:
        """Pickle the quantities."""
        return AccountQuantities, (dict(self._quantities),)

    @classmethod
    def __get_pydantic_core_schema__(cls, kind: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Let a model have a field of quantities by account."""
        as_dict = core_schema.plain_serializer_function_ser_schema(_texts_of, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.of, serialization=as_dict)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe quantities by account in a JSON schema."""
        quantity = decimal_form(QUANTITY_DIGITS, PLACES)
        written = quantity.accepted if handler.mode == "validation" else quantity.emitted
        return {"type": "object", "propertyNames": NAME_FORM, "additionalProperties": written}


def _texts_of(quantities: AccountQuantities) -> dict[str, str]:
    return {account: plain(quantity) for account, quantity in quantities.items()}

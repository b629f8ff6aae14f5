"""An immutable mapping from names to exact numbers, which fees by currency and quantities by account have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from .numbers import plain


class AmountsByName(Mapping[str, Decimal]):
    """Numbers by name, which are equal, hashed, pickled and written to JSON by their values."""

    __slots__ = ("_amounts",)
    _amounts: dict[str, Decimal]

    @classmethod
    @abstractmethod
    def of(cls, value: object) -> Self:
        """Return what is given as such, as a mapping, or in its written form. Raises ValueError."""

    def texts(self) -> dict[str, str]:
        """Return the written form of each number."""
        return {name: plain(amount) for name, amount in self._amounts.items()}

    def __getitem__(self, name: str) -> Decimal:
        """Return the number of a name. Raises KeyError for one without any."""
        return self._amounts[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names, in the order in which they are kept."""
        return iter(self._amounts)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._amounts)

    def __hash__(self) -> int:
        """Return a hash of all numbers."""
        return hash(frozenset(self._amounts.items()))

    def __repr__(self) -> str:
        """Return the call that makes the same."""
        return f"{type(self).__name__}({self._amounts!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[dict[str, Decimal]]]:
        """Pickle the numbers."""
        return type(self), (dict(self._amounts),)

    @classmethod
    def __get_pydantic_core_schema__(cls, kind: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Let a model have a field of them."""
        as_texts = core_schema.plain_serializer_function_ser_schema(cls.texts, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.of, serialization=as_texts)

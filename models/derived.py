"""Values that follow from a record's fields, such as an order's open quantity, and are shown wherever it is dumped.

They are computed fields of Pydantic: ``model_dump``, JSON and OpenAPI have them, and a book does not store them. A
record takes them back, so that ``Order(**order.model_dump())`` works: where they agree with its fields they are left
out, and any other value is refused, for which of the two is meant is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Self, cast

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, to_jsonable_python

from .record import Record

AGREEMENT = "_derived_values_agree"
"""The name of the validator that compares given derived values."""
_DOUBLE = Context(prec=15)
"""The digits that rounded values have in common that were computed in different contexts, or were read as doubles."""


class DerivedRecord(Record):
    """A record with computed fields."""

    @model_validator(mode="wrap")
    @classmethod
    def _derived_values_agree(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls.model_config.get("extra") == "forbid":  # then what is given beside the fields ends in an error
            try:
                return handler(value)
            except ValidationError:
                given = cls._derived_in(value)
                if not given:
                    raise
        elif not (given := cls._derived_in(value)):
            return handler(value)
        values = cast("dict[str, object]", value)
        record = handler({name: one for name, one in values.items() if name not in given})
        if errors := [_error(name, one, found) for name, one, found in _compared(record, given) if found is not None]:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return record

    @classmethod
    def _derived_in(cls, value: Any) -> dict[str, object]:
        known = cls.model_computed_fields
        values = cast("dict[str, object]", value) if type(value) is dict else {}
        return {name: one for name, one in values.items() if name in known}


def is_agreement(schema: Mapping[str, Any]) -> bool:
    """Return True for the part of a model's schema that compares derived values, which no stored record has."""
    if schema["type"] != "function-wrap":
        return False
    return getattr(schema["function"]["function"], "__name__", "") == AGREEMENT


def _compared(record: DerivedRecord, given: Mapping[str, object]) -> Iterable[tuple[str, object, str | None]]:
    """Yield each given value with the right one as text; None for one that agrees."""
    for name, one in given.items():
        found = cast("object", getattr(record, name))
        yield name, one, None if _agree(found, one, is_rounded=name.startswith("average_")) else str(found)


def _agree(found: object, given: object, *, is_rounded: bool) -> bool:
    if isinstance(found, Decimal):
        number = _decimal(given)
        if number is None or not is_rounded:
            return number == found
        return _DOUBLE.plus(number) == _DOUBLE.plus(found)
    return given == found or given == to_jsonable_python(found)


def _decimal(given: object) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, (str, int, float, Decimal)):
        return None
    try:
        number = Decimal(repr(given) if isinstance(given, float) else given)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _error(name: str, given: object, found: str | None) -> InitErrorDetails:
    problem = PydanticCustomError(
        "derived_value",
        "it follows from the other fields, which say {found}: leave it out",
        {"found": found},
    )
    return InitErrorDetails(type=problem, loc=(name,), input=given)

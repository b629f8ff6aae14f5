"""Typed names for the parts of redis-om that Slotbook uses; redis-om itself has no type hints.

Importing this module imports redis-om and numpy, which the extra ``search`` installs; without it, it raises
MissingExtra.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Protocol, cast

from .errors import MissingExtra

NEEDED = 'queries need redis-om: pip install "slotbook[search]"'


def _loaded() -> ModuleType:
    try:
        return importlib.import_module("redis_om.model.model")
    except ModuleNotFoundError as error:
        if error.name != "redis_om":
            raise
        raise MissingExtra(NEEDED) from None


_model = _loaded()


class Operator(Protocol):
    """The operator of an expression."""

    name: str


class Expression(Protocol):
    """A comparison of a field and a value, or a combination of two expressions."""

    op: Operator
    left: object
    right: object
    parents: Sequence[object]

    def __invert__(self) -> Negated: ...


class Negated(Protocol):
    """The opposite of an expression."""

    expression: Expression

    def __invert__(self) -> Expression: ...


class FieldInfo(Protocol):
    """redis-om's description of a field."""

    name: str


class FindQuery(Protocol):
    """redis-om's query, which writes an expression in the language of FT.SEARCH."""

    query: str


EXPRESSION = cast("type[Expression]", _model.Expression)
NEGATED = cast("type[Negated]", _model.NegatedExpression)
HASH_MODEL = cast("type[object]", _model.HashModel)
operators = cast("Mapping[str, Operator]", _model.Operators.__members__)
field = cast("Callable[..., FieldInfo]", _model.Field)
proxy = cast("Callable[[FieldInfo, Sequence[object]], object]", _model.ExpressionProxy)
schema_for_type = cast("Callable[[str, type[object], FieldInfo], str]", _model.HashModel.schema_for_type)
find_query = cast("Callable[..., FindQuery]", _model.FindQuery)


def expression(op: str, left: object, right: object) -> Expression:
    """Return the expression that redis-om makes of a comparison, or of two conditions that are combined."""
    make = cast("Callable[..., Expression]", EXPRESSION)
    return make(op=operators[op], left=left, right=right, parents=[])

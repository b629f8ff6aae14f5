"""The few parts of redis-om that we use, with types, of which it has none.

Importing this module imports redis-om, and numpy with it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

_model = importlib.import_module("redis_om.model.model")


class Operator(Protocol):
    """How two things are compared or combined."""

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


class FindQuery(Protocol):
    """What writes expressions in the servers' language."""

    query: str


EXPRESSION = cast("type[Expression]", _model.Expression)
NEGATED = cast("type[Negated]", _model.NegatedExpression)
HASH_MODEL = cast("type[object]", _model.HashModel)
operators = cast("Mapping[str, Operator]", _model.Operators.__members__)
field = cast("Callable[..., object]", _model.Field)
find_query = cast("Callable[..., FindQuery]", _model.FindQuery)


def expression(op: str, left: object, right: object) -> Expression:
    """An expression, as comparing and combining make them."""
    make = cast("Callable[..., Expression]", EXPRESSION)
    return make(op=operators[op], left=left, right=right, parents=[])

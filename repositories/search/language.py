"""Read redis-om's expressions as conditions, and write conditions as queries in the servers' language.

redis-om writes the query with placeholders, and every value is sent beside it as a parameter (PARAMS, query dialect 2).
So no value, wherever it comes from, can change what is asked; redis-om's own escaping leaves out ``|`` and ``?``, and
does none for numbers and full text.

Importing this module imports redis-om, and numpy with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import count

from ...models import om
from ...models.conditions import NoDatabase, described
from ...models.errors import InvalidArgument
from ...models.record import Record
from ...models.stored import Field, Stored
from .bounds import EVERYTHING
from .condition import AllOf, AnyOf, Comparison, Node, Not, Operator, Value, WrittenQuery, comparison

_NEGATED = {"NE": Operator.EQ, "NOT_IN": Operator.IN}
_PLACEHOLDER = "placeholder{}stands"
_PLACEHOLDERS = re.compile(r"placeholder(\d+)stands")


class _NoModel:
    """The model that redis-om is given while it writes a query; it has no database, so nothing can be sent."""

    _database = NoDatabase()

    @classmethod
    def db(cls) -> NoDatabase:
        """Return the database, as redis-om's models do."""
        return cls._database


def read_expression(stored: Stored[Record], expression: object) -> Node:
    """Return the condition that an expression puts to a model's fields. Raises InvalidArgument."""
    if isinstance(expression, om.NEGATED):
        return Not(read_expression(stored, expression.expression))
    if not isinstance(expression, om.EXPRESSION):
        raise InvalidArgument(
            f"{type(expression).__name__} is not a condition: compare a field, as in OrderHash.symbol == 'AAPL', and "
            "combine comparisons in parentheses with &, | and ~"
        )
    if expression.op.name in ("AND", "OR"):
        parts = (read_expression(stored, expression.left), read_expression(stored, expression.right))
        return AllOf(parts) if expression.op.name == "AND" else AnyOf(parts)
    name = str(getattr(expression.left, "name", ""))
    field = stored.field("." if expression.parents else name)
    operator = expression.op.name
    if operator in _NEGATED:
        return Not(comparison(field, _NEGATED[operator], expression.right))
    return comparison(field, Operator[operator], expression.right)


def write_query(node: Node) -> WrittenQuery:
    """Return a condition that a server answers exactly as a query in the servers' language."""
    if node == EVERYTHING:
        return WrittenQuery("*", ())
    parameters: list[str] = []
    query = om.find_query(expressions=[_expression(node, parameters, count())], model=_NoModel)
    needs = dict.fromkeys(field.name for field in _fields(node) if field.is_own)
    return WrittenQuery(_PLACEHOLDERS.sub(r"$v\1", query.query), tuple(parameters), tuple(needs))


def _fields(node: Node) -> Iterator[Field]:
    match node:
        case Comparison(field):
            yield field
        case Not(part):
            yield from _fields(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _fields(part)


def _expression(node: Node, parameters: list[str], numbers: Iterator[int]) -> om.Expression | om.Negated:
    match node:
        case Not(part):
            return ~_expression(part, parameters, numbers)
        case AllOf(parts) | AnyOf(parts):
            joined_by = "AND" if isinstance(node, AllOf) else "OR"
            first, *others = [_expression(part, parameters, numbers) for part in parts]
            for other in others:
                first = om.expression(joined_by, first, other)
            return first
        case Comparison(field, operator, values):
            names = [_PLACEHOLDER.format(next(numbers)) for _ in values]
            parameters += [_parameter(field, value) for value in values]
            return om.expression(operator.name, described(field), _right_side(operator, names))


def _right_side(operator: Operator, names: list[str]) -> object:
    """Return what redis-om expects to the right of an operator: words in parentheses, a list, or one value."""
    if operator is Operator.LIKE:
        return f"({' '.join(names)})"
    return names if operator is Operator.IN else names[0]


def _parameter(field: Field, value: Value) -> str:
    if isinstance(value, Decimal):
        return "-inf" if value.is_infinite() else format(value, "f")
    # A server reads a backslash in a parameter as an escape, but stores one in a tag as it is.
    return str(value) if field.numbers is not None else str(value).replace("\\", "\\\\")

"""Between redis-om's expressions and our conditions: reading what a caller wrote, and having redis-om write a query.

redis-om writes the query with placeholders, and every value travels beside it as a parameter (PARAMS, query dialect 2).
So no value, wherever it comes from, can change what is asked; redis-om's own escaping leaves out ``|`` and ``?``, and
does none for numbers and full text.

Importing this module imports redis-om, and numpy with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import reduce
from itertools import count
from typing import cast

from redis_om.model.model import Expression, FindQuery, NegatedExpression, Operators

from ..models.errors import InvalidArgument
from ..models.hashes import NoDatabase, hash_class
from ..models.record import Record
from ..models.stored import Field, Stored
from .search_bounds import EVERYTHING
from .search_condition import All, Any, Leaf, Node, Not, Op, Value, leaf
from .search_query import Written

_OPERATORS = {member.name: member for member in Op}
_COMBINING = {Operators.AND: All, Operators.OR: Any}
_NEGATED = {Operators.NE: Op.EQ, Operators.NOT_IN: Op.IN}
_PLACEHOLDER = "placeholder{}stands"
_FILLED = re.compile(r"placeholder(\d+)stands")

Expressed = Expression | NegatedExpression
_make = cast("Callable[..., Expression]", Expression)
_find = cast("Callable[..., FindQuery]", FindQuery)


class _Nowhere:
    """What redis-om asks of a model while it writes a query: a database, which ours never is."""

    _database = NoDatabase()

    @classmethod
    def db(cls) -> NoDatabase:
        return cls._database


def read(stored: Stored[Record], expression: object) -> Node:
    """What an expression asks of a model's fields. Raises InvalidArgument."""
    if isinstance(expression, NegatedExpression):
        return Not(read(stored, expression.expression))
    if not isinstance(expression, Expression):
        raise InvalidArgument(
            f"{type(expression).__name__} is not a condition: compare a field, as in OrderHash.symbol == 'AAPL', and "
            "combine comparisons in parentheses with &, | and ~"
        )
    combine = _COMBINING.get(expression.op)
    if combine is not None:
        return combine((read(stored, expression.left), read(stored, expression.right)))
    name = cast(str, getattr(expression.left, "name", ""))
    field = stored.fields.get(name)
    if field is None or expression.parents:
        kind = stored.model.__name__.lower()
        raise InvalidArgument(f"{kind}s have no field {name!r} to search by; there are {', '.join(stored.fields)}")
    if expression.op in _NEGATED:
        return Not(leaf(field, _NEGATED[expression.op], expression.right))
    op = _OPERATORS.get(expression.op.name)
    if op is None:
        raise InvalidArgument(f"{name}: {expression.op} is not a comparison of fields")
    return leaf(field, op, expression.right)


def write(stored: Stored[Record], node: Node) -> Written:
    """A tree that a server answers exactly, as redis-om writes it."""
    if node == EVERYTHING:
        return Written("*", ())
    parameters: list[str] = []
    written = _find(expressions=[_expression(stored, node, parameters, count())], model=_Nowhere).query
    return Written(_FILLED.sub(r"$v\1", cast(str, written)), tuple(parameters))


def _expression(stored: Stored[Record], node: Node, parameters: list[str], numbers: Iterator[int]) -> Expressed:
    match node:
        case Not(part):
            return ~_expression(stored, part, parameters, numbers)
        case All(parts) | Any(parts):
            op = Operators.AND if isinstance(node, All) else Operators.OR
            several = [_expression(stored, part, parameters, numbers) for part in parts]
            return cast(Expressed, reduce(lambda left, right: _make(op, left, right, []), several))
        case Leaf(field, op, values):
            names = [_PLACEHOLDER.format(next(numbers)) for _ in values]
            parameters += [_parameter(field, value) for value in values]
            if op is Op.LIKE:
                return _make(Operators.LIKE, _info(stored, field), f"({' '.join(names)})", [])
            several = op is Op.IN
            return _make(Operators[op.name], _info(stored, field), names if several else names[0], [])


def _parameter(field: Field, value: Value) -> str:
    if isinstance(value, Decimal):
        return "-inf" if value.is_infinite() else format(value, "f")
    # A server takes a backslash in a parameter for an escape, and leaves one in a tag as it is.
    return str(value) if field.step is not None else str(value).replace("\\", "\\\\")


def _info(stored: Stored[Record], field: Field) -> object:
    return getattr(getattr(hash_class(stored.model), field.name), "field")  # noqa: B009  # of redis-om's proxy

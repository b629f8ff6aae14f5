"""Between redis-om's expressions and our conditions: reading what a caller wrote, and having redis-om write a query.

redis-om writes the query with placeholders, and every value travels beside it as a parameter (PARAMS, query dialect 2).
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
from ...models.errors import InvalidArgument
from ...models.hashes import NoDatabase, hash_class
from ...models.record import Record
from ...models.stored import Field, Stored
from .bounds import EVERYTHING
from .condition import All, Any, Leaf, Node, Not, Op, Value, Written, leaf

_NEGATED = {"NE": Op.EQ, "NOT_IN": Op.IN}
_PLACEHOLDER = "placeholder{}stands"
_FILLED = re.compile(r"placeholder(\d+)stands")


class _Nowhere:
    """What redis-om asks of a model while it writes a query: a database, which ours never is."""

    _database = NoDatabase()

    @classmethod
    def db(cls) -> NoDatabase:
        return cls._database


def read(stored: Stored[Record], expression: object) -> Node:
    """What an expression asks of a model's fields. Raises InvalidArgument."""
    if isinstance(expression, om.NEGATED):
        return Not(read(stored, expression.expression))
    if not isinstance(expression, om.EXPRESSION):
        raise InvalidArgument(
            f"{type(expression).__name__} is not a condition: compare a field, as in OrderHash.symbol == 'AAPL', and "
            "combine comparisons in parentheses with &, | and ~"
        )
    if expression.op.name in ("AND", "OR"):
        parts = (read(stored, expression.left), read(stored, expression.right))
        return All(parts) if expression.op.name == "AND" else Any(parts)
    name = str(getattr(expression.left, "name", ""))
    field = stored.fields.get(name)
    if field is None or expression.parents:
        kind = stored.model.__name__.lower()
        raise InvalidArgument(f"{kind}s have no field {name!r} to search by; there are {', '.join(stored.fields)}")
    op = expression.op.name
    if op in _NEGATED:
        return Not(leaf(field, _NEGATED[op], expression.right))
    return leaf(field, Op[op], expression.right)


def write(stored: Stored[Record], node: Node) -> Written:
    """A tree that a server answers exactly, as redis-om writes it."""
    if node == EVERYTHING:
        return Written("*", ())
    parameters: list[str] = []
    asked = om.find_query(expressions=[_expression(stored, node, parameters, count())], model=_Nowhere)
    return Written(_FILLED.sub(r"$v\1", asked.query), tuple(parameters))


def _expression(
    stored: Stored[Record], node: Node, parameters: list[str], numbers: Iterator[int]
) -> om.Expression | om.Negated:
    match node:
        case Not(part):
            return ~_expression(stored, part, parameters, numbers)
        case All(parts) | Any(parts):
            op = "AND" if isinstance(node, All) else "OR"
            first, *others = [_expression(stored, part, parameters, numbers) for part in parts]
            for other in others:
                first = om.expression(op, first, other)
            return first
        case Leaf(field, op, values):
            names = [_PLACEHOLDER.format(next(numbers)) for _ in values]
            parameters += [_parameter(field, value) for value in values]
            right = f"({' '.join(names)})" if op is Op.LIKE else names if op is Op.IN else names[0]
            return om.expression(op.name, _info(stored, field), right)


def _parameter(field: Field, value: Value) -> str:
    if isinstance(value, Decimal):
        return "-inf" if value.is_infinite() else format(value, "f")
    # A server takes a backslash in a parameter for an escape, and leaves one in a tag as it is.
    return str(value) if field.step is not None else str(value).replace("\\", "\\\\")


def _info(stored: Stored[Record], field: Field) -> object:
    return getattr(getattr(hash_class(stored.model), field.name), "field")  # noqa: B009  # of redis-om's proxy

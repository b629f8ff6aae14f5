"""A query, ready to be sent: what to ask the servers, and which of their answers have to be checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar, cast

from ...models.errors import InvalidArgument
from ...models.record import Record
from ...models.stored import SCHEMA, Stored
from .bounds import EVERYTHING, NOTHING, intersection, negation, over_approximation, under_approximation, union
from .condition import AllOf, Comparison, Node, Operator, WrittenQuery, comparison, full_text_comparisons

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Query(Generic[R]):
    """A condition, and the queries that a server can answer exactly; None for one that would find nothing."""

    stored: Stored[R]
    node: Node
    candidates: WrittenQuery | None
    """Finds every match, and perhaps more."""
    certain: WrittenQuery | None
    """Finds nothing but matches, and perhaps not all."""
    uncertain: WrittenQuery | None
    """Finds what only ``candidates`` finds, to be compared with the records; None when the servers' answer is exact."""
    full_text: tuple[tuple[Comparison, WrittenQuery], ...]
    """The full text comparisons of the condition, each with the query that finds its matches."""
    others: WrittenQuery | None = None
    """Finds records of another schema of a desk's own model, which a server sorts by what is stored of them."""


def query(stored: Stored[R], expressions: Sequence[object]) -> Query[R]:
    """Return the query for what matches all expressions; without any, for everything.

    Raises InvalidArgument for what is no condition, and MissingExtra when redis-om is not installed.
    """
    from . import language  # imports redis-om and numpy, which only queries need

    if not expressions and not stored.least_version and stored.schema is None:
        everything = WrittenQuery("*", ())
        return Query(stored, EVERYTHING, everything, everything, None, ())

    kept = cast("Stored[Record]", stored)
    try:
        conditions = [language.read_expression(kept, expression) for expression in expressions]
        if stored.least_version:
            conditions.append(comparison(stored.fields["version"], Operator.GE, stored.least_version))
        node = AllOf(tuple(conditions))
        asked = _approximations(node, stored.schema)

        def written(part: Node) -> WrittenQuery | None:
            return None if part == NOTHING else language.write_query(part)

        return Query(
            stored,
            node,
            written(asked.over),
            written(asked.under),
            written(asked.between),
            tuple((one, language.write_query(one)) for one in dict.fromkeys(full_text_comparisons(node))),
            written(asked.others),
        )
    except RecursionError:
        raise InvalidArgument("the query is nested too deeply; to ask for any of many values, use <<") from None


class _Approximations(NamedTuple):
    """Conditions that a server answers exactly."""

    over: Node
    """Matches at least what is asked for."""
    under: Node
    """Matches no more than that."""
    between: Node
    """Matches what only the first does."""
    others: Node
    """Matches records of another schema, which are compared as their upgrade makes them."""


def _approximations(node: Node, schema: str | None) -> _Approximations:
    over, under = over_approximation(node), under_approximation(node)
    between = NOTHING if over == under else intersection((over, negation(under)))
    if schema is None:
        return _Approximations(over, under, between, NOTHING)
    ours = (Decimal(schema),)
    others = union((Comparison(SCHEMA, Operator.LT, ours), Comparison(SCHEMA, Operator.GT, ours)))
    return _Approximations(union((over, others)), under, between, others)

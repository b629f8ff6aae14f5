"""A query, ready to be sent: what to ask the servers, and which of their answers have to be checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from ...models.errors import InvalidArgument
from ...models.record import Record
from ...models.stored import Stored
from .bounds import EVERYTHING, NOTHING, intersection, negation, over_approximation, under_approximation
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


def query(stored: Stored[R], expressions: Sequence[object]) -> Query[R]:
    """Return the query for what matches all expressions; without any, for everything. Raises InvalidArgument."""
    if not expressions and not stored.least_version:
        everything = WrittenQuery("*", ())
        return Query(stored, EVERYTHING, everything, everything, None, ())
    from . import language  # imports redis-om and numpy, which only queries need

    kept = cast("Stored[Record]", stored)
    try:
        conditions = [language.read_expression(kept, expression) for expression in expressions]
        if stored.least_version:
            conditions.append(comparison(stored.fields["version"], Operator.GE, stored.least_version))
        node = AllOf(tuple(conditions))
        over, under = over_approximation(node), under_approximation(node)
        between = intersection((over, negation(under)))

        def written(part: Node) -> WrittenQuery | None:
            return None if part == NOTHING else language.write_query(kept, part)

        return Query(
            stored,
            node,
            written(over),
            written(under),
            None if over == under else written(between),
            tuple((one, language.write_query(kept, one)) for one in dict.fromkeys(full_text_comparisons(node))),
        )
    except RecursionError:
        raise InvalidArgument("the query is nested too deeply; to ask for any of many values, use <<") from None

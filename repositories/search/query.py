"""A query, ready to be sent: what to ask the servers, and how sure their answer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from ...models.errors import InvalidArgument
from ...models.record import Record
from ...models.stored import Stored
from .bounds import EVERYTHING, NOTHING, bound, intersection, negation
from .condition import All, Leaf, Node, Written, likes

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Query(Generic[R]):
    """What is asked, three times over; None stands for nothing at all."""

    stored: Stored[R]
    node: Node
    candidates: Written | None
    """Finds every match, and perhaps more."""
    certain: Written | None
    """Finds nothing but matches, and perhaps not all."""
    doubtful: Written | None
    """Finds what only ``candidates`` finds; None when the servers' answer is exact."""
    words: tuple[tuple[Leaf, Written], ...]
    """The full text searches in it."""


def query(stored: Stored[R], expressions: Sequence[object]) -> Query[R]:
    """What all the expressions ask together; without any, everything. Raises InvalidArgument."""
    if not expressions:
        everything = Written("*", ())
        return Query(stored, EVERYTHING, everything, everything, None, ())
    from . import language  # redis-om, and numpy behind it: only for who queries

    kept = cast("Stored[Record]", stored)
    try:
        node = All(tuple(language.read(kept, expression) for expression in expressions))
        most, least = bound(node, True), bound(node, False)
        doubtful = intersection((most, negation(least)))

        def written(part: Node) -> Written | None:
            return None if part == NOTHING else language.write(kept, part)

        return Query(
            stored,
            node,
            written(most),
            written(least),
            None if most == least else written(doubtful),
            tuple((one, language.write(kept, one)) for one in dict.fromkeys(likes(node))),
        )
    except RecursionError:
        raise InvalidArgument("the query is nested too deeply; to ask for any of many values, use <<") from None

"""The index of each kind of record, with the schema that redis-om makes of its model."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeAlias, cast

from ...models.arguments import one_of, several
from ...models.entity import Entity
from ...models.order import Order
from ...models.record import Record
from ...models.stored import STORED, Stored
from ...models.stored_entity import stored_entity
from ...models.stored_orders import stored_orders
from ...topology.settings import Settings
from .index_calls import IndexCalls


class RecordKind(StrEnum):
    """The kinds of records of the book's own models that can be indexed."""

    ORDER = "order"
    POSITION = "position"
    SYMBOL = "symbol"


KINDS = tuple(RecordKind)

Indexed: TypeAlias = RecordKind | str | type[Entity] | type[Order]
"""A kind of record of the book's own, a desk's own model, or a class of orders: each has an index."""


def indexed(kinds: Sequence[Indexed] | Indexed) -> list[Stored[Record]]:
    """Return the descriptions of what a caller names. Raises InvalidArgument for what has no index."""
    if isinstance(kinds, type):
        kinds = [kinds]
    return [_stored(kind) for kind in several("kinds", kinds)]


def _stored(kind: Indexed) -> Stored[Record]:
    if isinstance(kind, type) and issubclass(kind, Order):
        return cast("Stored[Record]", stored_orders(kind))
    if isinstance(kind, type):
        return cast("Stored[Record]", stored_entity(cast("type[Any]", kind)))
    return STORED[one_of("kind", kind, KINDS)]


def calls_for(settings: Settings, stored: Stored[Record]) -> IndexCalls:
    """Return the calls for the index of one kind. Raises MissingExtra."""
    from .index_schema import index_schema  # imports redis-om and numpy, which only indexes need

    return IndexCalls(settings, stored, index_schema(stored))

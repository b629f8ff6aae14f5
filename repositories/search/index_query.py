"""The index of each kind of record, with the schema that redis-om makes of its model."""

from __future__ import annotations

from enum import StrEnum

from ...models.stored import STORED
from ...topology.settings import Settings
from .index_calls import IndexCalls


class RecordKind(StrEnum):
    """The kinds of records that can be indexed."""

    ORDER = "order"
    POSITION = "position"
    SYMBOL = "symbol"


KINDS = tuple(RecordKind)


def calls_for(settings: Settings, kind: RecordKind) -> IndexCalls:
    """Return the calls for the index of one kind."""
    from ...models.hashes import index_schema  # imports redis-om and numpy, which only creating indexes needs

    stored = STORED[kind]
    return IndexCalls(settings, stored, index_schema(stored))

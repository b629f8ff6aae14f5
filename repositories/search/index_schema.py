"""The schema of an index: that of redis-om, adapted to exact queries.

Importing this module imports redis-om and numpy.
"""

from __future__ import annotations

from ...models import om
from ...models.conditions import described
from ...models.entity_codec import SCHEMA_FIELD
from ...models.record import Record
from ...models.stored import SCHEMA, SEPARATOR, Field, Stored


def index_schema(stored: Stored[Record]) -> list[str]:
    """Return the words after SCHEMA in FT.CREATE.

    Tags are case-sensitive (redis-om cannot write that for a field that is sortable or full text), and values to sort
    by are not normalised (UNF). All but full text is sortable, because a server keeps that beside the index.
    """
    words = [word for field in stored.fields.values() for word in _words(field)]
    for name, field in stored.copies.items():
        words += [field, "AS", name, "TAG", "SEPARATOR", SEPARATOR, "CASESENSITIVE", "SORTABLE", "UNF"]
    if stored.schema is not None:
        words += [SCHEMA_FIELD, "AS", SCHEMA.name, "NUMERIC", "SORTABLE"]
    return words


def _words(field: Field) -> list[str]:
    name, kind, *rest = om.schema_for_type(field.name, field.kind, described(field)).split(" ")
    named = [field.column, "AS", name] if field.column else [name]
    if kind == "TAG":
        return [*named, kind, *rest[:2], "CASESENSITIVE", *([] if field.full_text else ["SORTABLE", "UNF"]), *rest[2:]]
    return [*named, kind, *rest, "SORTABLE"]

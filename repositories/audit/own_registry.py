"""Read what the header of a book says of a desk's own records, so that an audit needs no models. No I/O here.

``schema:<kind>`` is the schema to which all records of a kind have been brought, ``fields:<kind>:<schema>`` what those
of a schema are found by: ``account order_id|reference|price:number executed:time``. ``stay:<kind>`` is 1 while none of
the records has ever been given an expiry, and 0 since one has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .findings import Fields

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII).fullmatch
_SCHEMA = re.compile(r"[1-9][0-9]{0,6}", re.ASCII).fullmatch
_FORMS = ("number", "time")


@dataclass(frozen=True, slots=True)
class Registration:
    """The fields by which the records of one kind and schema are found."""

    indexes: tuple[str, ...] = ()
    uniques: tuple[str, ...] = ()
    sorted: Mapping[str, str] = field(default_factory=dict[str, str])
    """The form of each field with a sorted index."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The kinds of own records that the header of a book knows."""

    schemas: Mapping[str, int]
    """By kind, the schema to which all records have been brought."""
    registrations: Mapping[tuple[str, str], Registration]
    """By kind and schema."""
    unreadable: Fields
    """Fields of the header that no book writes so."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of own records."""
        return frozenset(self.schemas) | {kind for kind, _ in self.registrations}

    def may_be_upgraded(self, kind: str, schema: str) -> bool:
        """Return True for a record that was perhaps brought to its schema from another, which leaves no event."""
        return any(one == kind and int(other) < int(schema) for one, other in self.registrations)

    def of_kind(self, kind: str) -> list[Registration]:
        """Return what the records of a kind are found by, one for each schema."""
        return [found for (one, _), found in self.registrations.items() if one == kind]


def is_kind(text: str) -> bool:
    """Return True for a text that a kind of own records may be named."""
    return _KIND(text) is not None


def is_of_own(name: str) -> bool:
    """Return True for a field of a header that is about a desk's own records."""
    return name.startswith(("schema:", "fields:", "stay:"))


def registry_of(header: Fields) -> Registry:
    """Return what a header says of own records.

    >>> found = registry_of({"schema:lot": "1", "fields:lot:1": "account|reference|price:number"})
    >>> found.kinds, found.registrations["lot", "1"].sorted
    (frozenset({'lot'}), {'price': 'number'})
    """
    schemas: dict[str, int] = {}
    registrations: dict[tuple[str, str], Registration] = {}
    unreadable: Fields = {}
    for name, value in header.items():
        if not is_of_own(name):
            continue
        what, kind, *schema = name.split(":")
        if what == "schema" and not schema and is_kind(kind) and _SCHEMA(value):
            schemas[kind] = int(value)
        elif what == "fields" and len(schema) == 1 and is_kind(kind) and _SCHEMA(schema[0]) and (one := _read(value)):
            registrations[kind, schema[0]] = one
        elif what != "stay" or schema or not is_kind(kind) or value not in ("0", "1"):
            unreadable[name] = value
    return Registry(schemas, registrations, unreadable)


def _read(text: str) -> Registration | None:
    match [part.split() for part in text.split("|")]:
        case [indexes, uniques, in_order]:
            pairs = [one.rpartition(":") for one in in_order]
            if all(field and form in _FORMS for field, _, form in pairs):
                return Registration(tuple(indexes), tuple(uniques), {field: form for field, _, form in pairs})
        case _:
            pass
    return None

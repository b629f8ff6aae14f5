"""The oracle of tables: the records of one trader as a dict of dicts, written by hand on purpose."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from slotbook.models import Delete, Entity, Insert, Put, Update
from slotbook.models.entity_changes import EntityChange
from slotbook.models.errors import DuplicateRecord, NotUnique, RecordNotFound, Refused, VersionConflict

Fields: TypeAlias = dict[str, object]
DEFAULTS: Fields = {"order_id": "A1", "account": "ACC1", "reference": None, "note": None, "quantity": 100}
"""The fields of an ``Allocation`` of the tests of tables, apart from its key, and their defaults."""


def content_of(record: Entity) -> Fields:
    """Return what is compared of a record."""
    return {name: getattr(record, name) for name in DEFAULTS}


class DictOfDicts:
    """The records as a dict of dicts; what was first inserted as each, and what was deleted."""

    def __init__(self) -> None:
        self.held: dict[str, Fields] = {}
        self.versions: dict[str, int] = {}
        self.first: dict[str, Fields] = {}
        self.deleted: dict[str, list[Fields]] = {}

    def copy(self) -> DictOfDicts:
        made = DictOfDicts()
        made.held = {key: dict(one) for key, one in self.held.items()}
        made.versions, made.first = dict(self.versions), dict(self.first)
        made.deleted = {key: list(several) for key, several in self.deleted.items()}
        return made

    def apply(self, change: EntityChange[Any], fresh: set[str]) -> bool | type[Refused]:  # noqa: PLR0911 (a table)
        """Make a change; return whether it was applied, or the refusal. ``fresh`` has what this call has deleted."""
        key = change.key_text
        there = self.held.get(key)
        match change:
            case Insert():
                content = content_of(change.record)
                if self.first.get(key) == content or (key not in fresh and content in self.deleted.get(key, [])):
                    return False
                if there is not None:
                    return DuplicateRecord
                return self.store(key, content)
            case Put():
                if self.conflicts(key, change.expected_version):
                    return VersionConflict
                return self.store(key, content_of(change.record))
            case Update():
                if there is None:
                    return RecordNotFound
                if self.conflicts(key, change.expected_version):
                    return VersionConflict
                return self.store(key, {**there, **change.changes})
            case Delete() if there is None:
                return False
            case _:
                if self.conflicts(key, cast("Delete[Any]", change).expected_version):
                    return VersionConflict
                del self.held[key], self.versions[key]
                self.deleted.setdefault(key, []).append(self.first.pop(key))
                fresh.add(key)
                return True

    def conflicts(self, key: str, expected: int | None) -> bool:
        return expected not in (None, self.versions.get(key, 0))

    def store(self, key: str, content: Fields) -> bool | type[Refused]:
        reference = content["reference"]
        if reference and any(one["reference"] == reference for name, one in self.held.items() if name != key):
            return NotUnique
        self.held[key] = content
        self.versions[key] = self.versions.get(key, 0) + 1
        self.first.setdefault(key, content)
        return True

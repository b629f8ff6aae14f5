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
        self.ends: dict[str, float] = {}
        """When each of the records expires that does, by ``now``."""
        self.now = 0.0

    def copy(self) -> DictOfDicts:
        made = DictOfDicts()
        made.held = {key: dict(one) for key, one in self.held.items()}
        made.versions, made.first = dict(self.versions), dict(self.first)
        made.deleted = {key: list(several) for key, several in self.deleted.items()}
        made.ends, made.now = dict(self.ends), self.now
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
                return self.store(key, content, change.table.ttl)
            case Put():
                if self.conflicts(key, change.expected_version):
                    return VersionConflict
                return self.store(key, content_of(change.record), change.table.ttl)
            case Update():
                if there is None:
                    return RecordNotFound
                if self.conflicts(key, change.expected_version):
                    return VersionConflict
                return self.store(key, {**there, **change.changes}, change.table.ttl)
            case Delete() if there is None:
                return False
            case _:
                if self.conflicts(key, cast("Delete[Any]", change).expected_version):
                    return VersionConflict
                self.deleted.setdefault(key, []).append(self.drop(key))
                fresh.add(key)
                return True

    def conflicts(self, key: str, expected: int | None) -> bool:
        return expected not in (None, self.versions.get(key, 0))

    def store(self, key: str, content: Fields, ttl: float | None) -> bool | type[Refused]:
        reference = content["reference"]
        if reference and any(one["reference"] == reference for name, one in self.held.items() if name != key):
            return NotUnique
        self.held[key] = content
        self.versions[key] = self.versions.get(key, 0) + 1
        self.first.setdefault(key, content)
        self.ends.pop(key, None)
        if ttl is not None:
            self.ends[key] = self.now + ttl
        return True

    def drop(self, key: str) -> Fields:
        """Remove a record; return what was first inserted as it."""
        del self.held[key], self.versions[key]
        self.ends.pop(key, None)
        return self.first.pop(key)

    def let_pass(self, seconds: float) -> None:
        """Let time pass, and what has expired by then be gone without a trace."""
        self.now += seconds
        for key in [key for key, end in self.ends.items() if end <= self.now]:
            self.drop(key)

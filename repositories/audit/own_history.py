"""Keep what the events of a book say of a desk's own records. Nothing here does I/O."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import NamedTuple, cast

from ...models.enums import EventType
from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from .findings import Fields
from .order_events import Contradiction

_WHOLE = (EventType.INSERT, EventType.PUT)
"""The events that have every field of their record."""


class OwnChange(NamedTuple):
    """The part of one event of an own record that is compared."""

    sequence: int
    type: EventType
    version: int
    ts_ns: int
    changed: str
    """The changed fields as a JSON object; empty for none."""


class KnownRecord(NamedTuple):
    """An own record as it follows from its events."""

    last: OwnChange | None
    """Its last event; None when no event ever wrote it."""
    fields: Fields | None
    """Its written fields; None when not all events that made them are kept."""


class OwnHistory:
    """The changes of own records, by their kind and key, in order."""

    def __init__(self) -> None:
        self.doubtful: set[tuple[str, str]] = set()
        """Records whose events contradict each other."""
        self._changes: dict[tuple[str, str], list[OwnChange]] = {}

    @property
    def names(self) -> set[tuple[str, str]]:
        """The kind and key of every record that an event names."""
        return set(self._changes)

    def add(self, event: OrderEvent, change: OwnChange, *, is_whole: bool, is_linked: bool) -> list[Contradiction]:
        """Add a change, and return what it says that does not go on from the one before.

        Args:
            event: The event.
            change: The part of it that is compared.
            is_whole: True when every event before is kept.
            is_linked: True when every event since the last of this record is kept.
        """
        changes = self._changes.setdefault((event.kind or "", event.key or ""), [])
        before = changes[-1] if changes else None
        changes.append(change)
        found: list[Contradiction] = []
        by = "that nothing came before it" if before is None else f"event {before.sequence:,}"
        is_gone = is_whole if before is None else is_linked and before.type is EventType.DELETE
        if is_gone and change.type not in _WHOLE:
            found.append(Contradiction("type", change.type, EventType.INSERT, by))
        if before is None:
            allowed = {1} if is_whole or change.type is EventType.INSERT else None
        else:
            allowed = self._versions_after(before, change) if is_linked else None
        if allowed is not None and change.version not in allowed and not found:
            found.append(Contradiction("version", str(change.version), str(max(allowed)), by))
        if found:
            self.doubtful.add((event.kind or "", event.key or ""))
        return found

    def _versions_after(self, before: OwnChange, change: OwnChange) -> set[int]:
        """Return the versions that a change may make; the record may have expired in between."""
        next_version = 1 if before.type is EventType.DELETE else before.version + 1
        match change.type:
            case EventType.INSERT:
                return {1}
            case EventType.PUT:
                return {1, next_version}
            case _:
                return {next_version}

    def last(self, kind: str, key: str, as_of: int) -> OwnChange | None:
        """Return the last change of a record up to event ``as_of``; None when no event is kept of any."""
        changes = self._changes.get((kind, key), [])
        place = bisect_right(changes, as_of, key=lambda change: change.sequence)
        return changes[place - 1] if place else None

    def content(self, kind: str, key: str, as_of: int) -> tuple[int, Fields] | None:
        """Return the written fields of a record after event ``as_of``, and the number of the event that began them.

        None when the event that wrote it whole is not kept.
        """
        changes = [change for change in self._changes.get((kind, key), []) if change.sequence <= as_of]
        begins = next((at for at in range(len(changes) - 1, -1, -1) if changes[at].type in _WHOLE), None)
        if begins is None:
            return None
        fields: Fields = {}
        for change in changes[begins:]:
            for name, value in read_changed(change.changed).items():
                if value is None:
                    fields.pop(name, None)
                else:
                    fields[name] = value
        return changes[begins].sequence, fields


def own_change_of(key: str, event: OrderEvent) -> OwnChange:
    """Return the part of an event of an own record that is compared. Raises CorruptRecord, which names ``key``."""
    changed = event.changed or ""
    try:
        read_changed(changed)
    except ValueError:
        raise CorruptRecord(key, "changed", f"{changed[:80]!r} is not the fields of a record") from None
    return OwnChange(event.sequence, event.type, event.version or 0, event.ts_ns, changed)


def read_changed(text: str) -> dict[str, str | None]:
    """Return the fields that an event says were changed. Raises ValueError."""
    found = cast("object", json.loads(text) if text else {})
    if not isinstance(found, dict):
        raise ValueError(text)
    fields = cast("dict[str, object]", found)
    if not all(value is None or isinstance(value, str) for value in fields.values()):
        raise ValueError(text)
    return cast("dict[str, str | None]", fields)

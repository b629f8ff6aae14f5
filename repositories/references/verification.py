"""Find what cannot be read of records without a trader, and of what is remembered of their changes. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...models.errors import CorruptRecord, SchemaMismatch, SchemaTooNew, SlotbookError, WrongType
from ..audit.findings import Finding, FindingKind

_IS_REQUEST = re.compile(r"[0-9]{1,15} \S+").fullmatch
_ARE_DELETIONS = re.compile(r"[0-9]{1,15} \S+(?: [0-9]{1,15} \S+)*").fullmatch


def unreadable(key: str, error: SlotbookError) -> Finding:
    """Return the finding of a record that cannot be read; any error that is not the record's own is raised."""
    match error:
        case CorruptRecord():
            return _finding(FindingKind.CORRUPT, key, str(error), error.field)
        case WrongType():
            return _finding(FindingKind.CORRUPT, key, f"{key}: {error}")
        case SchemaTooNew() | SchemaMismatch():
            return _finding(FindingKind.UNCHECKED, key, str(error), "@schema")
        case _:
            raise error


def findings_of_remembered(key: str, text: str | None, left: int) -> Iterator[Finding]:
    """Yield what is wrong with a key that remembers changes: its text, and the milliseconds after which it is gone."""
    is_written = _ARE_DELETIONS if key.endswith("}:record_deleted") else _IS_REQUEST
    if text is not None and not is_written(text):
        yield _finding(
            FindingKind.CORRUPT, key, f"{key}: {text[:80]!r} is not a value that was ever written", None, text
        )
    if text is not None and left == -1:
        yield _finding(FindingKind.EXPIRY, key, f"{key} never expires, and is remembered for ever", None, "inf")


def _finding(kind: FindingKind, key: str, message: str, entry: str | None = None, stored: str | None = None) -> Finding:
    return Finding(
        trader="", kind=kind, key=key, entry=entry, stored=stored, expected=None, repairable=False, message=message
    )

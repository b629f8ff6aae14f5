"""The errors of a desk's own records; ``errors.py`` lists all errors, and has these too."""

from __future__ import annotations

from .error_base import Refused, SlotbookError


class DuplicateRecord(Refused):
    """A record of the desk's own with this key was inserted, or is there, with other content.

    Attributes:
        record: The record that is there, as far as it is known; else None.
    """

    def __init__(self, message: str, record: object = None) -> None:
        super().__init__(message)
        self.record = record


class NotUnique(Refused):
    """Another record of the trader has the value of a field that is marked Unique.

    Attributes:
        field: The name of the field.
        value: The value in its written form.
        key: The text of the key of the record that has it.
    """

    def __init__(self, message: str, field: str, value: str, key: str) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.key = key


class RecordNotFound(Refused):
    """There is no such record to update: it was never inserted, was deleted, or has expired."""


class SchemaMismatch(Refused):
    """The trader's records of a kind cannot be found, or read, by what the model declares; the message says what to do.

    Attributes:
        kind: The kind of the records.
        schema: The schema of the model.
    """

    def __init__(self, message: str, kind: str, schema: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.schema = schema


class SchemaTooNew(SlotbookError):
    """A record, or all of the trader's records of a kind, is of a newer schema than the model; nothing was written.

    A program that declares a newer schema has written it, or ``slotbook migrate`` has: update this program.

    Attributes:
        kind: The kind of the records.
        found: The schema of the record, or the one to which all of the trader's records have been brought.
        known: The schema of the model.
        result: For a repeat of a change that was made before, what is known of it: a ``RecordResult`` without the
            record; else None.
    """

    def __init__(self, message: str, kind: str, found: int, known: int, result: object = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.found = found
        self.known = known
        self.result = result
